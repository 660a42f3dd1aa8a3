"""Prints for people. Colours are taken out by click where there is no terminal."""

from __future__ import annotations

import re
import shlex
from contextvars import ContextVar
from pathlib import Path

import click

SITE: ContextVar[Path] = ContextVar("site", default=Path())
"""The directory that -C named."""
_COMMAND = re.compile(r"^( +)millpond (?=[a-z])", re.MULTILINE)


def say(text: str, *, err: bool = False) -> None:
    """Commands that stand on a line of their own get the `-C DIR` that this one was given: they can be pasted as they are."""
    if SITE.get() != Path():
        named = shlex.quote(str(SITE.get()))
        text = _COMMAND.sub(lambda found: f"{found[1]}millpond -C {named} ", text)
    click.echo(text, err=err)
