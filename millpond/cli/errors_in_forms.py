"""An error that ended a verb, where its comment would have stood."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click
import yaml

from millpond.cli.forms import Forms
from millpond.errors import MillpondError
from millpond.execution.redaction import redact, secrets_of
from millpond.reporting.error_markdown import error_markdown
from millpond.reporting.files import CannotWrite, write_text


@contextmanager
def errors_told(forms: Forms, verb: str, directory: Path) -> Iterator[None]:
    """Whoever reads the comment learns why there is no result, too."""
    try:
        yield
    except MillpondError as error:
        _tell(forms, error, verb, directory)
        raise


def _tell(forms: Forms, error: MillpondError, verb: str, directory: Path) -> None:
    """As Markdown alone: who reads JSON has the exit code. What cannot be written is left to the error itself."""
    text = redact(error_markdown(error, verb, site_name(directory), forms.host), secrets_of(os.environ))
    for form, path in forms.into:
        if form == "markdown":
            with suppress(CannotWrite):
                write_text(path, text)
    if forms.printed == "markdown":
        click.echo(text, nl=False)


def site_name(directory: Path) -> str:
    """As far as it can be read: the documents may be what is wrong."""
    try:
        return str(yaml.safe_load((directory / "millpond.yaml").read_text())["metadata"]["name"])
    except (OSError, ValueError, yaml.YAMLError, TypeError, KeyError):
        return "site"
