"""Flags, windows and blocks of a manifest that contradict each other."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from millpond.model.desired import DesiredWave
from millpond.model.manifest import Window
from millpond.schemas.draft import Draft
from millpond.schemas.nearest import listed
from millpond.schemas.waves import cuts_over

NEEDS_FALSE = "the flag asks for a rollback, the block only says how: with cutover true it does nothing, and the next cut has another id"


def check_flags(draft: Draft, waves: Sequence[DesiredWave]) -> None:
    manifest = draft.manifest
    _window(draft, manifest.window, "window")
    _moment(draft, manifest.cutover_at, manifest.window, "cutover_at")
    _overrides(draft)
    for index, wave in enumerate(manifest.waves):
        _window(draft, wave.window, "waves", index, "window")
        _moment(draft, wave.cutover_at, wave.window or manifest.window, "waves", index, "cutover_at")
        if wave.rollback and cuts_over(draft, wave):
            what = f"wave `{wave.name}` has a rollback block, but its cutover is true"
            fix = f"set `cutover: false` to roll back cut {wave.rollback.cut}, or delete the block"
            draft.problem(draft.document.where_key("spec", "waves", index, "rollback"), what, NEEDS_FALSE, fix)
    if manifest.rollback and waves and all(wave.cutover for wave in waves):
        fix = f"set `cutover: false` to roll back cut {manifest.rollback.cut}, or delete the block"
        draft.problem(
            draft.document.where_key("spec", "rollback"), "there is a rollback block, but every wave's cutover is true", NEEDS_FALSE, fix
        )
    if manifest.decommission:
        _decommission(draft, waves)


def _window(draft: Draft, window: Window | None, *path: str | int) -> None:
    if window and window.closes <= window.opens:
        draft.problem(draft.where(*path, "closes"), "the window closes before it opens", f"it opens {window.opens.isoformat()}")


def _moment(draft: Draft, moment: datetime | None, window: Window | None, *path: str | int) -> None:
    if moment and window and not window.opens <= moment < window.closes:
        why = f"the window opens at {window.opens.isoformat()} and closes at {window.closes.isoformat()}"
        draft.problem(draft.where(*path), "`cutover_at` lies outside of the window", why)


def _overrides(draft: Draft) -> None:
    seen: dict[str, int] = {}
    for index, override in enumerate(draft.manifest.brake_overrides):
        where = draft.where("brake_overrides", index, "brake")
        if (first := seen.setdefault(override.brake, index)) != index:
            why = f"the first is at {draft.where('brake_overrides', first, 'brake')}"
            draft.problem(where, f"the brake `{override.brake}` is overridden twice", why, "delete one of them")


def _decommission(draft: Draft, waves: Sequence[DesiredWave]) -> None:
    where = draft.where("decommission")
    if staying := [wave.name for wave in waves if not wave.cutover]:
        what = f"`decommission` is true, but cutover is false for {'wave' if len(staying) == 1 else 'waves'} {listed(staying)}"
        why = "only what runs on the target can be deleted on the source"
        draft.problem(where, what, why, "cut over first, or exclude what stays behind")
    if draft.manifest.soak is None:
        why = "it says how long the target must have run before anything is deleted on the source"
        draft.problem(where, "`decommission` is true, but there is no `soak`", why, "add for example `soak: 7d`")
