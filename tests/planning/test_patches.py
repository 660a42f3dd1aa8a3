"""What a blocker gives to be committed is whole: it is read as it stands."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from millpond.model.manifest import Reference
from millpond.planning.stages import stage_of
from tests.planning.situations import BACK, PILOT, cut_of, done, leaving
from tests.planning.tenant import prepared
from tests.planning.world import World


def spec_of(patch: str) -> Any:
    return yaml.safe_load(patch)["spec"]


def undecided(made: World, *servers: Reference, volumes: tuple[Reference, ...] = ()) -> Any:
    listed = replace(BACK.manifest.waves[0], servers=servers, volumes=volumes)
    on = replace(BACK, manifest=replace(BACK.manifest, waves=(listed,)))
    _, finding = stage_of(on, made.snapshot(), on.waves[0], frozenset())
    assert finding is not None
    return spec_of(finding.patch)


def test_a_wave_is_named_with_its_servers_and_volumes_as_the_manifest_names_them() -> None:
    made = done(PILOT)
    rollback = {"cut": cut_of(made), "target_writes": "carry_back"}
    (wave,) = undecided(made, Reference("web-1"), Reference("007"), Reference(source_id="server-2"), volumes=(Reference("spare"),))["waves"]
    assert wave == {
        "name": "pilot",
        "servers": ["web-1", "007", {"source_id": "server-2"}],
        "volumes": ["spare"],
        "cutover": False,
        "rollback": rollback,
    }


def test_an_approval_stands_under_spec() -> None:
    made = prepared()
    made.advance(leaving())
    made.tick(3600)
    (found,) = made.plan(leaving()).blockers
    assert list(spec_of(found.patch)) == ["approvals"]
    assert [entry["action"] for entry in spec_of(found.patch)["approvals"]] == ["decommission"]
