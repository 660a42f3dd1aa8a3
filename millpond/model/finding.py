"""What preflight, brakes, drift and lossiness say: one shape for all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from millpond.model.address import Address

STRANDED = "excluded_loses_gateway"
"""The code of what becomes of excluded servers when the gateway of their segment moves."""
EXCLUDED = "excluded"
"""The code of what the manifest leaves on the source. Views list it apart: it asks for nothing."""
NO_MANIFEST = "no_manifest"
"""The code of what is said where no tenant of the site has a manifest: it is no orphan itself."""

AFTERWARDS = "hook_after_failed"
"""The code of a hook that failed after its phase. An apply tells it although it holds nothing: the next plan knows nothing of it."""


class Severity(StrEnum):
    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True)
class Finding:
    """`wave` names what a blocker holds: a wave's name, or empty for the whole tenant. `patch` is YAML, ready to commit. `cause`: what many
    resources have in common, one entry of the site file. A plan has one finding for it (planning/causes.py), with this address."""

    code: str
    severity: Severity
    address: Address
    what: str
    why: str = ""
    fix: str = ""
    wave: str = ""
    patch: str = ""
    cause: Address | None = None
