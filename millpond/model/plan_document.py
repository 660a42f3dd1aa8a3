"""A saved plan: an envelope. Apply may do less than it says, never more, never otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from millpond.model.plan import Plan


@dataclass(frozen=True)
class PlanDocument:
    """`wave` narrows as `--wave` did when it was made. `clouds` and `arrays`: name → identity of what was planned against.

    Later than `expires` the document admits nothing any more. `dirty`: the working copy differed from the commit `git_sha`.
    """

    plan: Plan
    expires: datetime
    site: str = ""
    wave: str = ""
    git_sha: str = ""
    dirty: bool = False
    clouds: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, str] = field(default_factory=dict)
    format_version: str = "1.0"
