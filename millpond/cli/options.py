"""Arguments and options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from pathlib import Path
from typing import Any

import click

tenants = click.argument("tenants", nargs=-1, metavar="[TENANT]...")
wave = click.option("--wave", metavar="NAME", default="", help="Cut over no other wave than this one.")
detailed_exitcode = click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 or 3 where work is left or held, see above.")
as_format = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print it."
)


FILES = {"json": "as JSON", "markdown": "as Markdown"}
"""Forms that can be written to a file beside what is printed, and how they are called."""


def _fit(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    from millpond.reporting.hosts import fitting

    try:
        fitting(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return value


fit = click.option(
    "--fit",
    metavar="HOST",
    default="github",
    show_default=True,
    callback=_fit,
    help="Whose comments Markdown has to fit: github, gitlab, bitbucket, or a number of characters.",
)


def in_forms(*names: str, files: Mapping[str, str] = FILES) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--format with these forms and `text`, --fit, and a `--...-into` for each of `files`: the verb gets all of that as `forms`."""

    def with_options(verb: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(verb)
        def with_forms(*args: Any, form: str, fit: str, **others: Any) -> Any:
            from millpond.cli.forms import Forms

            into = tuple((name, path) for name in files if (path := others.pop(f"{name}_into")))
            return verb(*args, forms=Forms(form, fit, into), **others)

        command: Callable[..., Any] = with_forms
        for name, how in reversed(list(files.items())):
            command = _into(name, how)(command)
        for option in (fit, _printed(names)):
            command = option(command)
        return command

    return with_options


def _printed(names: tuple[str, ...]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option("--format", "form", type=click.Choice(["text", *names]), default="text", show_default=True, help="How to print it.")


def _into(name: str, how: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(f"--{name}-into", metavar="FILE", type=click.Path(path_type=Path), help=f"Write it to FILE {how}, too.")
