"""The forms in which a verb tells what it found: one is printed, others are written to files beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from millpond.reporting.hosts import Host

Writers = Mapping[str, Callable[[], str]]
"""Name of a form → the text in it. The form `text` is not among them: verbs print it by themselves."""


@dataclass(frozen=True)
class Forms:
    """`printed` is the one on standard output; `into` has the files by form."""

    printed: str
    fit: str = "github"
    into: tuple[tuple[str, Path], ...] = ()

    @property
    def host(self) -> Host:
        from millpond.reporting.hosts import fitting

        return fitting(self.fit)

    def expect(self) -> None:
        """CannotWrite where a file could not be written in the end: better told before long work than after."""
        from millpond.reporting.files import expect_directory

        for _, path in self.into:
            expect_directory(path)

    def give(self, writers: Writers) -> None:
        from millpond.reporting.files import write_text

        for form, path in self.into:
            write_text(path, writers[form]())
        if self.printed in writers:
            click.echo(writers[self.printed](), nl=False)
