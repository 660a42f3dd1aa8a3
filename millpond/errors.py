"""What can go wrong, as the person who must act should read it.

Every error has a fixed summary (recognisable, without user data), says where, why and what to do next. `exit_code` follows the one
table of `ExitCode`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Self


class ExitCode(IntEnum):
    """The exit codes of every verb. Frozen: pipelines depend on them."""

    DONE = 0
    ERROR = 1
    CHANGES = 2
    HELD = 3
    STALE = 4
    LEASED = 5
    USAGE = 64
    INTERRUPTED = 130


class MillpondError(Exception):
    """Base of everything that is told to a person instead of shown as a traceback. `also` is to be told with it: of the same kind, and as
    good a reason to stop.
    """

    summary = "Something is wrong"
    exit_code = ExitCode.ERROR

    def __init__(self, why: str, *, where: str = "", fix: str = "", command: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.where = where
        self.fix = fix
        self.command = command
        self.also: tuple[MillpondError, ...] = ()

    def __copy__(self) -> Self:
        """Without the constructor, which every kind has its own of."""
        twin = type(self).__new__(type(self), *self.args)
        twin.__dict__.update(self.__dict__)
        return twin


@dataclass(frozen=True)
class Problem:
    """One thing wrong in a document. `where` is `file:line:column` or an address."""

    where: str
    what: str
    why: str = ""
    fix: str = ""


class InvalidDocument(MillpondError):
    """All problems of all documents that were read, at once."""

    summary = "The documents are not valid"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(f"{len(problems)} problem{'' if len(problems) == 1 else 's'}")
        self.problems = problems


class Unreachable(MillpondError):
    """An API or array that does not answer, or refuses the login."""

    summary = "A service cannot be reached"


class BadCredentials(MillpondError):
    summary = "The login was refused"


class ReadingAccount(MillpondError):
    """Told before anything is begun: a server that was stopped already could not be started elsewhere."""

    summary = "This account may only read"


class MissingCloud(MillpondError):
    """`cloud`: the name that was asked for."""

    summary = "A cloud is not configured"

    def __init__(self, cloud: str, why: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(why, where=where, fix=fix)
        self.cloud = cloud


class WriteRefused(MillpondError):
    """A verb that only reads tried to change something: a defect of Millpond, stopped at the HTTP seam."""

    summary = "A reading command tried to write"


class InvariantBroken(MillpondError):
    """A safety rule would have been violated; nothing was sent."""

    summary = "Refused: this would break a safety rule"
    exit_code = ExitCode.HELD


class LeaseHeld(MillpondError):
    summary = "Another run is working on this tenant"
    exit_code = ExitCode.LEASED


class StalePlan(MillpondError):
    summary = "The saved plan is stale"
    exit_code = ExitCode.STALE


class RemoteFailure(MillpondError):
    """A call to a cloud or an array that did not succeed. Classified once, in providers."""

    summary = "A call failed"


class Retryable(RemoteFailure):
    """The same call may succeed later; nothing is known to have happened."""


class UnknownOutcome(Retryable):
    """The reply was lost: the call may have been carried out. Observe before doing anything again."""


class Refused(RemoteFailure):
    """The service understood and said no (4xx): asking again changes nothing until something else does."""

    def __init__(self, why: str, *, status: int, where: str = "", fix: str = "") -> None:
        super().__init__(why, where=where, fix=fix)
        self.status = status


class NotFound(Refused):
    def __init__(self, why: str, *, where: str = "", fix: str = "") -> None:
        super().__init__(why, status=404, where=where, fix=fix)
