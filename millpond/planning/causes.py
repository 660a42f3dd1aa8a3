"""One cause is told once: what a single entry of the site file holds on many resources is one finding, at the address of its cause."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from millpond.model.counting import counted
from millpond.model.finding import Finding
from millpond.reconcilers.few import few


def told_once(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Those without a cause as they are, the others one for each cause and wave: every wave stays held that one of them held."""
    gathered: dict[Finding, list[Finding]] = {}
    for finding in findings:
        gathered.setdefault(_of_cause(finding), []).append(finding)
    return tuple(_with_resources(told, held) if held[0].cause else told for told, held in gathered.items())


def _of_cause(finding: Finding) -> Finding:
    return replace(finding, address=finding.cause, cause=None) if finding.cause else finding


def _with_resources(told: Finding, held: list[Finding]) -> Finding:
    kind = held[0].address.kind.replace("_", " ")
    names = {one.address.name for one in held}
    return replace(told, what=f"{told.what}; it is needed for {counted(len(names), kind)}: {few(names)}")
