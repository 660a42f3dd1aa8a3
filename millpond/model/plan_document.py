"""A saved plan: an envelope. Apply may do less than it says, never more, never otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from millpond.model.plan import Plan


@dataclass(frozen=True)
class PlanDocument:
    """`wave` narrows as `--wave` did when it was made. The changes carry no parameters: what is performed is planned anew.

    `expires`: later than this, apply admits no wave by this document.
    """

    plan: Plan
    expires: datetime
    site: str = ""
    wave: str = ""
    git_sha: str = ""
    format_version: str = "1.0"
