"""`python -m tests.lab VERB`."""

import argparse

from tests.lab import lifecycle
from tests.lab.install import install

VERBS = {"install": install, "up": lifecycle.up, "status": lifecycle.status, "down": lifecycle.down, "wipe": lifecycle.wipe}


def main() -> None:
    parser = argparse.ArgumentParser("python -m tests.lab", description="Two real OpenStack control planes on loopback.")
    parser.add_argument("verb", choices=sorted(VERBS))
    VERBS[parser.parse_args().verb]()


if __name__ == "__main__":
    main()
