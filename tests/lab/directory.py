"""Where the lab keeps what it installs and what it runs on."""

import os
from pathlib import Path

VARIABLE = "MILLPOND_LAB"


def lab_directory() -> Path:
    """`$MILLPOND_LAB`, else millpond-lab in the user's cache directory. Removing it removes the whole lab but the Debian packages."""
    if chosen := os.environ.get(VARIABLE):
        return Path(chosen).absolute()
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache).absolute() / "millpond-lab"
