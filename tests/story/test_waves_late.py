"""What the tenant makes on the source after its inventory was written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from millpond.model.finding import Severity
from millpond.model.plan import TenantPlan
from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox
from tests.story.identical import Comparison
from tests.story.stage import Stage
from tests.story.worlds import World, prepare

PILOT = {"name": "pilot", "servers": ["web-2"]}


@pytest.fixture(scope="module")
def divided(small: Sandbox, seeded: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    small.control.restore(seeded)
    return prepare(small, tmp_path_factory.mktemp("late"), {"waves": [PILOT]})


@pytest.fixture
def stage(divided: World, tmp_path: Path) -> Stage:
    return divided.stage(tmp_path)


@pytest.fixture
def tenant(stage: Stage) -> Iterator[Connection]:
    with connect(stage.sandbox, "source-acme") as connection:
        yield connection


def volume(tenant: Connection, name: str) -> Any:
    made = tenant.block_storage.create_volume(size=1, name=name)
    return tenant.block_storage.wait_for_status(made, "available", interval=0.05)


def boot(tenant: Connection, name: str) -> None:
    root = volume(tenant, f"{name}-root")
    tenant.block_storage.set_volume_bootable_status(root, True)
    flavor, network = tenant.compute.find_flavor("m1.volume"), tenant.network.find_network("app")
    assert flavor is not None
    assert network is not None
    disk = {"uuid": root.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    made = tenant.compute.create_server(name=name, flavor_id=flavor.id, networks=[{"uuid": network.id}], block_device_mapping=[disk])
    tenant.compute.wait_for_server(made, interval=0.05)


def attach(tenant: Connection, server: str, name: str) -> None:
    found = tenant.compute.find_server(server)
    assert found is not None
    made = volume(tenant, name)
    tenant.compute.create_volume_attachment(found, volume_id=made.id)
    tenant.block_storage.wait_for_status(made, "in-use", interval=0.05)


def drift(plan: TenantPlan, severity: Severity) -> set[str]:
    return {str(f.address).partition("@")[0] for f in plan.findings if f.code == "source_drift" and f.severity is severity}


def flagged(stage: Stage, **flags: bool) -> None:
    """`pilot` is the wave, `rest` the tenant's flag."""
    stage.manifest |= {"cutover": flags.get("rest", False), "waves": [{**PILOT, "cutover": flags.get("pilot", False)}]}


def held(stage: Stage) -> TenantPlan:
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    assert result.held
    return result.plan.tenants[0]


def merged(stage: Stage) -> None:
    """The inventory is written anew, and everything that came is prepared."""
    stage.discover()
    result = stage.settle()
    assert not result.remaining, (result.plan.tenants[0].steps, result.plan.tenants[0].blockers)
    assert not result.held, result.plan.tenants[0].blockers


def test_a_late_detached_volume_holds_the_last_wave_alone(stage: Stage, tenant: Connection) -> None:
    volume(tenant, "late")
    assert drift(stage.plan(), Severity.WARNING) == {"acme/volume/late"}
    flagged(stage, pilot=True)
    assert not stage.settle().held
    flagged(stage, pilot=True, rest=True)
    assert drift(held(stage), Severity.BLOCKER) == {"acme/volume/late"}
    flagged(stage, pilot=True)
    merged(stage)
    flagged(stage, pilot=True, rest=True)
    assert not stage.settle().held
    assert "late" in {row["name"] for row in stage.rows("target/cinder/volumes")}
    assert list(Comparison(stage).different()) == []


def test_a_late_attached_volume_holds_the_wave_of_its_server(stage: Stage, tenant: Connection) -> None:
    attach(tenant, "web-2", "late")
    assert drift(stage.plan(), Severity.WARNING) >= {"acme/server/web-2"}
    flagged(stage, pilot=True)
    assert drift(held(stage), Severity.BLOCKER) == {"acme/server/web-2", "acme/volume/late"}
    flagged(stage)
    merged(stage)
    flagged(stage, pilot=True)
    assert not stage.settle().held
    assert [row["name"] for row in stage.rows("target/nova/servers")] == ["web-2"]
    assert [line for line in Comparison(stage).different() if "one side only" not in line] == []


def test_a_late_server_holds_the_last_wave_alone(stage: Stage, tenant: Connection) -> None:
    boot(tenant, "late")
    flagged(stage, pilot=True)
    assert not stage.settle().held
    flagged(stage, pilot=True, rest=True)
    assert "acme/server/late" in drift(held(stage), Severity.BLOCKER)
    flagged(stage, pilot=True)
    merged(stage)
    flagged(stage, pilot=True, rest=True)
    assert not stage.settle().remaining
    assert list(Comparison(stage).different()) == []
    assert stage.sandbox.control.violations() == []


def test_a_late_server_holds_the_last_wave_where_there_is_no_rest(named: World, tmp_path: Path) -> None:
    stage = named.stage(tmp_path)
    with connect(stage.sandbox, "source-acme") as tenant:
        boot(tenant, "late")
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert drift(result.plan.tenants[0], Severity.BLOCKER) >= {"acme/server/late"}
    assert [row["name"] for row in stage.rows("target/nova/servers")] == ["web-2"]


@pytest.fixture(scope="module")
def named(small: Sandbox, seeded: str, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Every server is in a wave that the manifest lists."""
    small.control.restore(seeded)
    waves = [PILOT, {"name": "others", "servers": ["web-1", "db-1"]}]
    return prepare(small, tmp_path_factory.mktemp("named"), {"waves": waves})


def test_what_the_tenant_changes_on_the_source_holds_a_cut_until_it_is_merged(stage: Stage, tenant: Connection) -> None:
    server = tenant.compute.find_server("web-2")
    assert server is not None
    tenant.compute.set_server_metadata(server, tier="gold")
    assert drift(stage.plan(), Severity.WARNING) == {"acme/server/web-2"}
    flagged(stage, pilot=True)
    assert drift(held(stage), Severity.BLOCKER) == {"acme/server/web-2"}
    flagged(stage)
    merged(stage)
    flagged(stage, pilot=True)
    assert not stage.settle().held
    row = next(row for row in stage.rows("target/nova/servers") if row["name"] == "web-2")
    assert row["metadata"]["tier"] == "gold"
