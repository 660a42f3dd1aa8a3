"""Waves: one after the other, on segments that they share, through windows, and one of them back."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.running import Sandbox
from tests.story.identical import Comparison
from tests.story.stage import Stage
from tests.story.worlds import World, prepare

FRONT, DATA = ("web-1", "web-2", "firewall"), ("db-1", "db-2", "reports", "vault")
REST = ("app-1", "app-2", "worker", "worker", "bobs")
WAVES: list[dict[str, Any]] = [
    {"name": "front", "servers": list(FRONT), "volumes": ["archive-2024"]},
    {"name": "data", "servers": list(DATA), "grouping": "volume"},
    {"name": "rest"},
]


@pytest.fixture(scope="module")
def divided(shop: Sandbox, shop_seeded: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three waves. `front` and `rest` share the segment of the router `edge`, `data` and `rest` that of `data-edge`."""
    shop.control.restore(shop_seeded)
    return prepare(shop, tmp_path_factory.mktemp("divided"), {"waves": WAVES})


@pytest.fixture
def stage(divided: World, tmp_path: Path) -> Stage:
    return divided.stage(tmp_path)


@dataclass(frozen=True)
class Arrived:
    """All three waves are on the target; `sent` holds the mutating requests that brought them there, in order."""

    world: World
    sent: list[dict[str, Any]]


@pytest.fixture(scope="module")
def arrived(divided: World, tmp_path_factory: pytest.TempPathFactory) -> Arrived:
    stage = divided.stage(tmp_path_factory.mktemp("arrived"))
    stage.manifest["cutover"] = True
    with stage.counted() as mutating:
        assert not stage.settle().remaining
    return Arrived(replace(divided, snapshot=stage.sandbox.control.snapshot(), manifest=dict(stage.manifest)), mutating)


def flag(stage: Stage, name: str, **values: Any) -> None:
    stage.manifest["waves"] = [{**wave, **(values if wave["name"] == name else {})} for wave in stage.manifest["waves"]]


def running(stage: Stage, cloud: str) -> list[str]:
    return sorted(row["name"] for row in stage.rows(f"{cloud}/nova/servers") if row["power_state"] == 1)


def gateways(stage: Stage, cloud: str) -> dict[str, int]:
    """Router → how many interfaces are attached to it in tenant networks."""
    routers = {row["id"]: row["name"] for row in stage.rows(f"{cloud}/neutron/routers")}
    legs = [row["device_id"] for row in stage.rows(f"{cloud}/neutron/ports") if row["device_owner"] == "network:router_interface"]
    return {name: legs.count(id) for id, name in routers.items() if id in legs}


def touched(stage: Stage, names: tuple[str, ...]) -> list[str]:
    return [
        row["name"]
        for row in stage.rows("source/nova/servers")
        if row["name"] in names and (any(key.startswith("millpond") for key in row["metadata"]) or row["vm_state"] == "stopped")
    ]


def test_each_wave_is_cut_on_its_own_and_the_gateways_follow_the_last(stage: Stage) -> None:
    flag(stage, "front", cutover=True)
    assert not stage.settle().held
    assert running(stage, "target") == sorted(FRONT)
    assert touched(stage, DATA) == []
    assert gateways(stage, "source") == {"edge": 3, "data-edge": 1}
    assert gateways(stage, "target") == {}
    flag(stage, "data", cutover=True)
    assert not stage.settle().held
    assert running(stage, "target") == sorted(FRONT + DATA)
    assert gateways(stage, "source") == {"edge": 3, "data-edge": 1}
    flag(stage, "rest", cutover=True)
    assert not stage.settle().remaining
    assert gateways(stage, "source") == {}
    assert gateways(stage, "target") == {"edge": 3, "data-edge": 1}
    assert list(Comparison(stage).different()) == []
    assert stage.sandbox.control.violations() == []


def test_waves_that_are_flagged_together_are_admitted_one_after_the_other(arrived: Arrived, tmp_path: Path) -> None:
    stage = arrived.world.stage(tmp_path)
    wave_of = {name: at for at, names in enumerate((FRONT, DATA, REST)) for name in names}
    servers = {row["id"]: wave_of[row["name"]] for row in stage.rows("source/nova/servers") if row["name"] in wave_of}
    sent = [servers[id] for entry in arrived.sent for id in servers if f"/servers/{id}/" in entry["path"] and entry["cloud"] == "source"]
    assert set(sent) == {0, 1, 2}
    assert sent == sorted(sent)
    assert stage.sandbox.control.violations() == []


def test_a_wave_that_cannot_be_verified_holds_the_next_one(stage: Stage) -> None:
    stage.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", times=3)
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert result.held
    assert [finding.code for finding in result.plan.tenants[0].blockers] == ["boot_failed"]
    assert running(stage, "target") == ["firewall", "web-2"]
    assert touched(stage, DATA + REST) == ["app-2"]
    assert gateways(stage, "target") == {}


def test_a_wave_goes_back_after_the_switch_and_the_gateways_stay(arrived: Arrived, tmp_path: Path) -> None:
    stage = arrived.world.stage(tmp_path)
    cut = next(wave.cut for wave in stage.plan().waves if wave.name == "data")
    flag(stage, "data", cutover=False, rollback={"cut": cut, "target_writes": "carry_back"})
    result = stage.settle()
    assert not result.remaining, result.plan.tenants[0].steps
    assert set(DATA) <= set(running(stage, "source"))
    assert set(running(stage, "target")) == {"web-1", "web-2", "firewall", "app-1", "worker", "bobs"}
    assert gateways(stage, "source") == {}
    assert gateways(stage, "target") == {"edge": 3, "data-edge": 1}
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []
    stage.manifest["waves"] = WAVES
    assert not stage.settle().remaining
    assert list(Comparison(stage).different()) == []
    assert stage.sandbox.control.violations() == []


def test_a_wave_chooses_how_its_volumes_are_grouped(stage: Stage) -> None:
    names = {row["id"]: row["name"] for row in stage.rows("ibox-a/volumes")}
    volumes = {f"openstack-vol-{row['name_id']}": row["name"] for row in stage.rows("source/cinder/volumes")}
    replicas = [
        sorted(volumes[names[str(pair["local_entity_id"])]] for pair in row["entity_pairs"]) for row in stage.rows("ibox-a/replicas")
    ]
    alone = sorted(members[0] for members in replicas if len(members) == 1)
    assert {"db-1-root", "db-1-data", "db-2-root", "db-2-data", "db-quorum", "reports-root", "reports-data", "vault-root"} <= set(alone)
    assert sorted(["web-1-root", "web-2-root"]) in replicas


def window(opens: timedelta, closes: timedelta) -> dict[str, str]:
    now = datetime.now(UTC)
    return {"opens": (now + opens).isoformat(), "closes": (now + closes).isoformat()}


@pytest.mark.parametrize(("shift", "codes"), [(timedelta(hours=-4), ["window_closed"]), (timedelta(hours=4), [])])
def test_outside_its_window_no_wave_is_admitted(stage: Stage, shift: timedelta, codes: list[str]) -> None:
    flag(stage, "front", cutover=True, window=window(shift - timedelta(hours=1), shift + timedelta(hours=1)))
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    assert result.held
    assert [finding.code for finding in result.plan.tenants[0].blockers] == codes
    assert [gate.wave for gate in result.plan.tenants[0].shut] == ([] if codes else ["front"])


def test_a_window_that_closes_holds_no_wave_that_was_admitted_in_it(stage: Stage) -> None:
    flag(stage, "front", cutover=True, window=window(timedelta(hours=-1), timedelta(hours=1)))
    stage.sandbox.control.fault(action={"status": 400}, service="nova", cloud="source", path="/action$", mutating=True, skip=4, count=1)
    stage.apply()
    assert running(stage, "target") == []
    assert len(touched(stage, FRONT)) == 3
    flag(stage, "front", window=window(timedelta(hours=-2), timedelta(hours=-1)))
    result = stage.settle()
    assert not result.held, result.plan.tenants[0].blockers
    assert running(stage, "target") == sorted(FRONT)
    assert touched(stage, DATA) == []


def test_the_brake_of_cutovers_counts_every_wave_of_one_apply(stage: Stage) -> None:
    stage.site_spec = {**stage.site_spec, "brakes": {"cutovers": 1}}
    stage.manifest["cutover"] = True
    result = stage.apply()
    assert running(stage, "target") == sorted(FRONT)
    assert touched(stage, DATA + REST) == ["app-2"]
    found = result.plan.tenants[0].blockers
    assert [(finding.code, finding.wave) for finding in found] == [("brake_cutovers", "data"), ("brake_cutovers", "rest")]
    assert {finding.what for finding in found} == {"2 waves would be cut, the brake allows 1"}
