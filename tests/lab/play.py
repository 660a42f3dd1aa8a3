"""Runs what is marked for the lab: `make lab`."""

import os
import shlex
import subprocess
import sys
import time

from tests.lab import lifecycle
from tests.lab.access import running_lab
from tests.lab.install import install

WORKERS = ["-n", "3", "--dist", "loadfile", "--no-loadscope-reorder"]
"""Most of the time they wait for the services."""


def play() -> None:
    """From nothing and back: a lab that was up before stays up. SystemExit with pytest's code."""
    was_up = running_lab() is not None
    install()
    try:
        lifecycle.up()
        lifecycle.status()
        code = play_tests()
        lifecycle.status()
    finally:
        if not was_up:
            lifecycle.down()
    raise SystemExit(code)


def play_tests() -> int:
    begun = time.monotonic()
    chosen = shlex.split(os.environ.get("PYTEST_ARGS", ""))
    played = subprocess.run([sys.executable, "-m", "pytest", "-m", "lab", *WORKERS, "--disable-warnings", *chosen], check=False)
    print(f"played in {time.monotonic() - begun:.0f} s", flush=True)
    return played.returncode
