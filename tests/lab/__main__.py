"""`python -m tests.lab VERB`."""

import argparse
import os

from tests.lab import lifecycle, obstacles
from tests.lab.install import install
from tests.lab.play import play
from tests.lab.tenant import Tenant

VERBS = {
    "able": obstacles.report,
    "install": install,
    "up": lifecycle.up,
    "status": lifecycle.status,
    "play": play,
    "down": lifecycle.down,
    "wipe": lifecycle.wipe,
}


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.lab", description="Two real OpenStack control planes on loopback.")
    parser.add_argument("verb", choices=[*VERBS, "seed"])
    parser.add_argument("tenant", nargs="?", default="acme", help="name of the tenant that `seed` makes on the source")
    options = parser.parse_args()
    os.environ.pop("PYTHONPYCACHEPREFIX", None)  # the compiled modules of the services stay with them, not in this project's .venv
    if options.verb == "seed":
        Tenant(options.tenant).build()
    else:
        VERBS[options.verb]()


if __name__ == "__main__":
    main()
