"""Terraform's symbols and the colours. Whoever prints takes the colours out again where there is no terminal (`click.echo` does)."""

from __future__ import annotations

import sys
from shutil import get_terminal_size

from click import style

from millpond.model.change import Effect


def _width() -> int:
    """Of a line: what people read at ease, or less where the terminal is narrower."""
    return max(60, min(100, get_terminal_size((100, 24)).columns)) if sys.stdout.isatty() else 100


WIDTH = _width()

SYMBOLS = {Effect.CREATE: "+", Effect.UPDATE: "~", Effect.DELETE: "-"}
REPLACE = "-/+"
_COLOURS = {"+": "green", "~": "yellow", "-": "red", REPLACE: "red"}
_MEANINGS = {"+": "create", "~": "update in-place", "-": "destroy", REPLACE: "destroy and then create replacement"}


def symbol(sign: str) -> str:
    return style(sign, fg=_COLOURS[sign])


def legend(signs: set[str]) -> list[str]:
    """The meanings of the symbols that occur."""
    lines = [f"{' ' * (3 - len(sign))}{symbol(sign)} {meaning}" for sign, meaning in _MEANINGS.items() if sign in signs]
    return ["Resource actions are indicated with the following symbols:", *lines] if lines else []


def bold(text: str) -> str:
    return style(text, bold=True)


def dim(text: str) -> str:
    return style(text, dim=True) if text else ""


def red(text: str) -> str:
    return style(text, fg="red", bold=True)


def yellow(text: str) -> str:
    return style(text, fg="yellow", bold=True)


def green(text: str) -> str:
    return style(text, fg="green", bold=True)
