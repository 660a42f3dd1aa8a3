"""Reviewed fields that say when a wave may begin and what it may exceed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from millpond.model.manifest import BrakeOverride
from millpond.schemas.manifest import load_manifest
from tests.schemas.writing import SiteDirectory

WHEN = datetime(2026, 12, 1, 22, tzinfo=UTC)
OVERRIDE = "brake_overrides:\n  - {brake: outage_budget, value: 15m, expires: 2026-12-01T22:00:00Z, reason: agreed, by: ada}\n"


def test_they_are_read(site: SiteDirectory) -> None:
    found = load_manifest(site.manifest(f"cutover_at: 2026-12-01T22:00:00Z\n{OVERRIDE}"))
    assert found.cutover_at == WHEN
    assert found.brake_overrides == (BrakeOverride("outage_budget", 900, WHEN, "agreed", "ada"),)


@pytest.mark.parametrize(
    "override",
    [
        "{brake: outage_budget, value: 3, expires: 2026-12-01T22:00:00Z, reason: agreed}",
        "{brake: cutovers, value: 3m, expires: 2026-12-01T22:00:00Z, reason: agreed}",
        "{brake: cutovers, value: 3, reason: agreed}",
        "{brake: cutovers, value: 3, expires: 2026-12-01T22:00:00Z}",
        "{brake: all, value: 3, expires: 2026-12-01T22:00:00Z, reason: agreed}",
    ],
)
def test_an_override_needs_a_value_of_its_brakes_kind_a_date_and_a_reason(site: SiteDirectory, override: str) -> None:
    path = site.manifest(f"brake_overrides:\n  - {override}\n")
    assert site.problems(lambda: load_manifest(path))


def test_what_contradicts_is_told(site: SiteDirectory) -> None:
    window = "window: {opens: 2026-12-02T22:00:00Z, closes: 2026-12-03T02:00:00Z}\ncutover_at: 2026-12-03T02:00:00Z\n"
    told = [problem.what for problem in site.problems(lambda: site.acme(window + OVERRIDE + OVERRIDE.partition("\n")[2]))]
    assert told == ["`cutover_at` lies outside of the window", "the brake `outage_budget` is overridden twice"]
