"""Findings: what, why, what to do, and the patch ready to commit. Blockers first."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.finding import EXCLUDED, Finding, Severity
from millpond.model.to_do import told_apart
from millpond.reporting.amounts import moments
from millpond.reporting.layout import columns, wrapped
from millpond.reporting.summary import holds
from millpond.reporting.symbols import bold, dim, red, yellow

_RANK = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}
_TITLES = {Severity.BLOCKER: red("Blocker"), Severity.WARNING: yellow("Warning"), Severity.INFO: bold("Note")}

LEFT_BEHIND = "Left on the source (the manifest excludes it)"


def findings_text(findings: Iterable[Finding]) -> list[str]:
    """The lines, without a blank one at the end. What is excluded is told by `excluded_lines`."""
    told = [finding for finding in findings if finding.code != EXCLUDED]
    ranked = sorted(told, key=lambda finding: _RANK[finding.severity])
    lines: list[str] = []
    for finding in ranked:
        lines += [*_finding(finding), ""]
    return lines[:-1]


def excluded_lines(findings: Iterable[Finding]) -> list[str]:
    """One row for each object that stays on the source, with the reason that the manifest gives."""
    return columns((str(finding.address), finding.what) for finding in findings if finding.code == EXCLUDED)


def _finding(finding: Finding) -> list[str]:
    lines = [f"{_TITLES[finding.severity]}: {finding.address}{_held(finding)}  {dim(f'[{finding.code}]')}"]
    lines += wrapped(moments(finding.what), "  ")
    if finding.why:
        lines += wrapped(moments(finding.why), "         ", first="  Why:   ")
    lines += _to_do(finding.fix)
    if finding.patch:
        lines += ["", f"  Ready to commit in tenants/{finding.address.tenant}.yaml, merged into what stands there:", ""]
        lines += [f"      {line}".rstrip() for line in finding.patch.splitlines()]
    return lines


def _to_do(fix: str) -> list[str]:
    """Commands stand whole, between blank lines: they are there to be copied."""
    lines: list[str] = []
    for sentence, commands in told_apart(fix):
        lines += wrapped(moments(sentence), "         ", first=None if lines else "  To do: ")
        lines += ["", *(f"      {command}" for command in commands), ""] if commands else []
    return lines[:-1] if lines and not lines[-1] else lines


def _held(finding: Finding) -> str:
    return f" holds {holds(finding)}" if finding.severity is Severity.BLOCKER else ""
