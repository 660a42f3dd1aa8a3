"""The entry point: runs a verb and turns whatever becomes of it into one of the frozen exit codes, never click's own, never a traceback."""

from __future__ import annotations

import errno
import gc
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from millpond.cli.apply import apply
from millpond.cli.discover import discover
from millpond.cli.drift import drift
from millpond.cli.misuse import Misuse
from millpond.cli.plan import plan
from millpond.cli.report import report
from millpond.cli.sandbox import sandbox
from millpond.cli.say import SITE, say
from millpond.cli.schema import schema
from millpond.cli.show import show
from millpond.cli.status import status
from millpond.cli.unlock import unlock
from millpond.cli.validate import validate
from millpond.errors import ExitCode, MillpondError, MissingCloud

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS})


class OutputLost(MillpondError):
    summary = "The output cannot be written"


VERBS = (discover, validate, plan, show, apply, status, drift, report, schema, unlock, sandbox)


class Verbs(click.Group):
    def list_commands(self, _context: click.Context) -> list[str]:
        """In the order of their use."""
        return list(self.commands)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="millpond")
@click.option(
    "-C",
    "directory",
    metavar="DIR",
    default=".",
    type=click.Path(path_type=Path),
    help="The site's directory, where millpond.yaml lies; else the current one.",
)
@click.pass_context
def cli(context: click.Context, directory: Path) -> None:
    """Moves OpenStack tenants from an old cloud to a new one, side by side.

    A manifest in git says what the target must look like; `plan` shows what is missing, `apply` does it.

    \b
    Exit codes: 0 done, 1 error, 2 changes or drift (see --detailed-exitcode), 3 held by a gate or
    blocker, 4 stale plan, 5 another run is at work, 64 usage, 130 interrupted.
    """
    context.obj = directory
    SITE.set(directory)


for _verb in VERBS:
    cli.add_command(_verb)


def main() -> None:
    # Nearly all that a command makes stays: by default a tenth of its time goes into looking for garbage.
    gc.set_threshold(100_000, 50, 100)
    try:
        signal.signal(signal.SIGTERM, _terminated)
        code = run(cli, sys.argv[1:])
        if code == ExitCode.INTERRUPTED:
            _leave_interrupted()
    except KeyboardInterrupt:  # once more, while the first one was being told
        os._exit(ExitCode.INTERRUPTED)
    sys.exit(code)


def _leave_interrupted() -> NoReturn:
    """At once: threads that still wait for an answer would hold up the end. KeyboardInterrupt when told once more."""
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(ExitCode.INTERRUPTED)


def run(command: click.Command, arguments: Sequence[str]) -> int:
    """The exit code of the verb; all errors are told on stderr."""
    try:
        result = command.main(list(arguments), prog_name="millpond", standalone_mode=False)
        sys.stdout.flush()
    except MillpondError as error:
        return _told(error)
    except click.UsageError as error:
        return _misused(error)
    except click.ClickException as error:
        return _told(MillpondError(error.format_message()))
    except (click.Abort, KeyboardInterrupt) as error:
        if isinstance(error.__cause__, EOFError):  # click takes it for the end of a person's input, which no verb asks for
            return _unexpected(error.__cause__)
        click.echo("Interrupted.", err=True)
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        _leave_stdout()
        return ExitCode.ERROR
    except OSError as error:
        return _unwritable(error) if error.errno in NO_ROOM else _unexpected(error)
    except Exception as error:
        return _unexpected(error)
    return int(result or ExitCode.DONE)


def _leave_stdout() -> None:
    """What it did not take is still in its buffer, and the interpreter would complain when it flushes that at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _unwritable(error: OSError) -> int:
    _leave_stdout()
    where = str(error.filename or "standard output")
    fix = "Free some space, or let it be written elsewhere. What was done is on the clouds and in the journal; to see where things stand:"
    return _told(OutputLost(str(error.strerror), where=where, fix=fix, command="millpond status"))


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _told(error: MillpondError) -> int:
    from millpond.execution.redaction import redact, secrets_of
    from millpond.reporting.errors_text import error_text

    for one in (error, *error.also):
        if isinstance(one, MissingCloud):
            one.where = _named_at(one)
    say(redact(error_text(error), secrets_of(os.environ)), err=True)
    return error.exit_code


def _named_at(error: MissingCloud) -> str:
    """The manifest's line, where the mistake may be; else what the error says itself."""
    from millpond.schemas.places import places_of_cloud

    return ", ".join(places_of_cloud(SITE.get(), error.cloud)) or error.where


def _misused(error: click.UsageError) -> int:
    from millpond.reporting.errors_text import usage_text

    context = error.ctx
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    path = context.command_path if context else "millpond"
    usage = context.get_usage() if context else ""
    right = error.command if isinstance(error, Misuse) else ""
    say(usage_text(" ".join(error.format_message().split()), usage, right or f"{path} --help", known=bool(right)), err=True)
    return ExitCode.USAGE


def _unexpected(error: Exception) -> int:
    from millpond.cli.trace import keep_trace
    from millpond.reporting.errors_text import unexpected_text

    click.echo(unexpected_text(type(error).__name__, keep_trace(error)), err=True)
    return ExitCode.ERROR


if __name__ == "__main__":
    main()
