"""What the plan says of a site's hooks. It runs none of them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.plan import BACK, Stage
from millpond.model.site import Hook
from millpond.reconcilers.base import Goals

WHOLE = "decommission"
"""The wave of what concerns a decommissioning: it has no waves."""


def announced(desired: Desired, goals: Goals) -> Iterator[Finding]:
    """The hooks of all phases that lie ahead."""
    hooks = desired.site.hooks
    for wave, stage in goals.stages.items():
        if stage is Stage.CUT:
            if wave not in goals.admitted:
                yield from _of(desired, wave, f"before the cutover of wave {wave}", hooks.before_cutover)
            yield from _of(desired, wave, f"after the cutover of wave {wave}", hooks.after_cutover)
        elif stage in BACK:
            yield from _of(desired, wave, f"after the rollback of wave {wave}", hooks.after_rollback)
    if goals.decommission:
        yield from _of(desired, WHOLE, "before the decommissioning", hooks.before_decommission)
        yield from _of(desired, WHOLE, "after the decommissioning", hooks.after_decommission)


def _of(desired: Desired, wave: str, when: str, hooks: tuple[Hook, ...]) -> Iterator[Finding]:
    for hook in hooks:
        what = f"{when}, apply runs `{shlex.join(hook.command)}` for at most {hook.timeout} s"
        yield Finding("hook", Severity.INFO, desired.address("hook", wave), what, "hooks of millpond.yaml", wave=wave)
