"""Findings: what, why, what to do, and the patch ready to commit. Blockers first."""

from __future__ import annotations

from collections.abc import Iterable

from millpond.model.finding import Finding, Severity
from millpond.reporting.layout import wrapped
from millpond.reporting.symbols import bold, dim, red, yellow

_RANK = {Severity.BLOCKER: 0, Severity.WARNING: 1, Severity.INFO: 2}
_TITLES = {Severity.BLOCKER: red("Blocker"), Severity.WARNING: yellow("Warning"), Severity.INFO: bold("Note")}


def findings_text(findings: Iterable[Finding]) -> list[str]:
    """The lines, without a blank one at the end."""
    ranked = sorted(findings, key=lambda finding: _RANK[finding.severity])
    lines: list[str] = []
    for finding in ranked:
        lines += [*_finding(finding), ""]
    return lines[:-1]


def _finding(finding: Finding) -> list[str]:
    lines = [f"{_TITLES[finding.severity]}: {finding.address}{_held(finding)}  {dim(f'[{finding.code}]')}"]
    lines += wrapped(finding.what, "  ")
    if finding.why:
        lines += wrapped(finding.why, "         ", first="  Why:   ")
    if finding.fix:
        lines += wrapped(finding.fix, "         ", first="  To do: ")
    if finding.patch:
        lines += ["", f"  Ready to commit in tenants/{finding.address.tenant}.yaml:", ""]
        lines += [f"      {line}".rstrip() for line in finding.patch.splitlines()]
    return lines


def _held(finding: Finding) -> str:
    if finding.severity is not Severity.BLOCKER:
        return ""
    return f" holds wave {finding.wave}" if finding.wave else " holds the whole tenant"
