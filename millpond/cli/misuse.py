"""A command line that is not understood, where the right one is known."""

from __future__ import annotations

import click


class Misuse(click.UsageError):
    """`command` is what to run instead."""

    def __init__(self, message: str, command: str) -> None:
        super().__init__(message)
        self.command = command
