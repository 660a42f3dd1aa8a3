"""`millpond sandbox`: simulated clouds and arrays on loopback, as a process of its own."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec

import click

from millpond.errors import MillpondError


class MissingSandbox(MillpondError):
    summary = "The sandbox is not installed"


@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": []})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def sandbox(arguments: tuple[str, ...]) -> None:
    """Run simulated clouds and arrays on loopback.

    Two OpenStack clouds and two InfiniBoxes.
    `millpond sandbox --help` shows its options.
    """
    if find_spec("aiohttp") is None:
        raise MissingSandbox("it needs aiohttp", fix="Install what it needs:", command="pip install 'millpond[sandbox]'")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "millpond.sandbox", *arguments])  # noqa: S606 - takes this process over, signals and all
