"""Runs the site's hooks where a phase begins or has ended, as one run sees it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from millpond.execution.hooks import run_hook
from millpond.model.change import Change
from millpond.model.desired import Desired
from millpond.model.finding import AFTERWARDS, Finding, Severity
from millpond.model.plan import BACK, DECOMMISSIONED, Stage, TenantPlan
from millpond.model.site import Hook
from millpond.planning.hooks import WHOLE
from millpond.reconcilers.identity.source_project import ADMIT


class Phases:
    """Before a phase: once per run and wave, and only if the wave is not admitted yet, so that after a crash between the hook and the
    cut record it runs again. After one: by the run that saw it end, so that after a crash just then it does not run.

    `findings` are what failed: a blocker of its wave before the phase, a warning after it.
    """

    def __init__(self, desired: Desired, run: str, stopped: Callable[[], bool]) -> None:
        self._desired, self._run, self._stopped = desired, run, stopped
        self._begun: set[str] = set()
        self._going: dict[str, str] = {}
        self.findings: tuple[Finding, ...] = ()

    def ready(self, plan: TenantPlan, now: list[Change]) -> list[Change]:
        """Without the admissions that come after a hook, while servers of this tenant are down: a hook would prolong that."""
        if not _down(plan):
            return now
        return [change for change in now if self._admits(plan, change) in self._begun | {""}]

    def before(self, plan: TenantPlan, now: Sequence[Change]) -> bool:
        """True where hooks ran: time has passed, so that all has to be judged anew."""
        hooks = self._desired.site.hooks
        for wave in sorted({self._admits(plan, change) for change in now} - self._begun - {""}):
            self._begun.add(wave)
            phase = "decommission" if wave == WHOLE else "cutover"
            self._all(hooks.before_decommission if wave == WHOLE else hooks.before_cutover, wave, "before", phase)
            return True
        return False

    def _admits(self, plan: TenantPlan, change: Change) -> str:
        """The wave that this change admits, if hooks come before that."""
        hooks = self._desired.site.hooks
        if change.action == ADMIT:
            return WHOLE if hooks.before_decommission else ""
        new = any(wave.name == change.wave and not wave.admitted for wave in plan.waves)
        return change.wave if hooks.before_cutover and change.action == "record" and new else ""

    def after(self, plan: TenantPlan) -> None:
        """To be told of every plan. Nothing is run while servers of this tenant are down."""
        if _down(plan):
            self._note(plan)
            return
        hooks = self._desired.site.hooks
        for wave in plan.waves:
            going = self._going.get(wave.name)
            if going == "cutover" and wave.stage is Stage.HANDED_OVER:
                self._done(wave.name, going, hooks.after_cutover)
            elif going == "rollback" and wave.stage is Stage.REPLICATE:
                self._done(wave.name, going, hooks.after_rollback)
        if self._going.get(WHOLE) and all(wave.phase == DECOMMISSIONED for wave in plan.waves) and not plan.steps:
            self._done(WHOLE, "decommission", hooks.after_decommission)
        self._note(plan)

    def _note(self, plan: TenantPlan) -> None:
        for wave in plan.waves:
            if wave.stage is Stage.CUT and wave.admitted:
                self._going[wave.name] = "cutover"
            elif wave.stage in BACK:
                self._going[wave.name] = "rollback"
        if any(wave.stage is Stage.DECOMMISSION for wave in plan.waves) and plan.changes:
            self._going[WHOLE] = "decommission"

    def _done(self, wave: str, phase: str, hooks: Sequence[Hook]) -> None:
        del self._going[wave]
        self._all(hooks, wave, "after", phase)

    def _all(self, hooks: Sequence[Hook], wave: str, moment: str, phase: str) -> None:
        """One after the other; before a phase the first that fails is the last."""
        facts = {"tenant": self._desired.tenant, "wave": "" if wave == WHOLE else wave, "phase": phase, "moment": moment, "run": self._run}
        for hook in hooks:
            if self._stopped():
                return
            result = run_hook(hook, self._desired.site, facts, self._stopped)
            if result.said:
                self.findings += (self._failed(hook, wave, moment, phase, result.said, result.output),)
                if moment == "before":
                    return

    def _failed(self, hook: Hook, wave: str, moment: str, phase: str, said: str, output: str) -> Finding:
        before = moment == "before"
        return Finding(
            "hook_before_failed" if before else AFTERWARDS,
            Severity.BLOCKER if before else Severity.WARNING,
            self._desired.address("hook", wave),
            f"the hook {moment} the {phase} failed: `{shlex.join(hook.command)}`: {said}",
            f"its last lines:\n{output}" if output else "it wrote nothing",
            "mend it, then run apply again: nothing was begun" if before else "nothing depends on it: do by hand what it was to do",
            wave=wave,
        )


def _down(plan: TenantPlan) -> bool:
    return any(wave.outage_since for wave in plan.waves)
