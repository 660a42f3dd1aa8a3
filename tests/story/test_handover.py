"""After the handover the target is the tenant's: what they change is told and left alone; pairs go when their time is over."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from tests.sandbox.conftest import connect
from tests.story.stage import Stage
from tests.story.worlds import Moved


@pytest.fixture
def stage(shop_moved: Moved, tmp_path: Path) -> Stage:
    return shop_moved.world.stage(tmp_path)


@pytest.fixture
def cloud(stage: Stage) -> Iterator[Connection]:
    with connect(stage.sandbox, "target-admin") as connection:
        yield connection


def row(stage: Stage, table: str, **wanted: Any) -> dict[str, Any]:
    return next(row for row in stage.rows(f"target/{table}") if all(row[key] == value for key, value in wanted.items()))


def change_servers(stage: Stage, cloud: Connection) -> None:
    servers = {row["name"]: row["id"] for row in stage.rows("target/nova/servers")}
    compute = cloud.compute
    big = compute.find_flavor("v2.large")
    assert big is not None
    compute.resize_server(servers["web-1"], big.id)
    compute.wait_for_server(compute.get_server(servers["web-1"]), "VERIFY_RESIZE", interval=0.05)
    compute.confirm_server_resize(servers["web-1"])
    compute.delete_server(servers["bobs"])
    compute.stop_server(servers["app-1"])
    compute.update_server(servers["web-2"], name="web-two")
    compute.set_server_metadata(servers["db-1"], tier="gold")
    compute.delete_volume_attachment(servers["db-2"], row(stage, "cinder/volumes", name="db-2-data")["id"])
    cloud.block_storage.update_volume(row(stage, "cinder/volumes", name="archive-2024")["id"], name="archive")


def change_networks(stage: Stage, cloud: Connection) -> None:
    network = cloud.network
    network.delete_port(row(stage, "neutron/ports", name="firewall-1")["id"])
    group = row(stage, "neutron/security_groups", name="web")
    rule = row(stage, "neutron/security_group_rules", security_group_id=group["id"], port_range_min=443, ethertype="IPv6")
    network.delete_security_group_rule(rule["id"])
    edge, project = row(stage, "neutron/routers", name="edge"), group["project_id"]
    public = row(stage, "neutron/networks", name="public")
    db = row(stage, "neutron/ports", name="db-1-eth0")
    network.create_ip(floating_network_id=public["id"], project_id=project, port_id=db["id"])
    address = next(row for row in stage.rows("target/neutron/floatingips") if row["description"] == "shop front 1")
    network.update_ip(address["id"], port_id=None)
    network.update_subnet(row(stage, "neutron/subnets", name="app-v4")["id"], dns_nameservers=["192.0.2.53"])
    network.update_network(row(stage, "neutron/networks", name="data")["id"], description="moved")
    network.update_router(edge["id"], routes=[])


def test_what_the_tenant_changes_is_told_and_left_alone(stage: Stage, cloud: Connection) -> None:
    change_servers(stage, cloud)
    change_networks(stage, cloud)
    stage.sandbox.control.advance(600)
    with stage.counted() as mutating:
        result = stage.apply()
    assert mutating == []
    assert not result.plan.tenants[0].steps
    assert not result.held
    drift = {str(item.address).removeprefix("acme/"): item for item in stage.plan().drift if item.side == "target"}
    assert drift["server/bobs"].what == "is gone from the target"
    assert drift["port/firewall-1"].what == "is gone from the target"
    told = {name: sorted({field.path.partition(".")[0] for field in item.fields}) for name, item in drift.items() if item.fields}
    assert told == {
        "server/web-1": ["flavor"],
        "server/app-1": ["status"],
        "server/web-2": ["name"],
        "server/db-1": ["metadata"],
        "server/db-2": ["volumes"],
        "server/firewall": ["ports"],
        "volume/archive-2024": ["name"],
        "security_group/web": ["rules"],
        "floating_ip/" + next(name.partition("/")[2] for name in drift if name.startswith("floating_ip/")): ["port"],
        "subnet/app-v4": ["dns_nameservers"],
        "network/data": ["description"],
        "router/edge": ["routes"],
    }


def add_own(stage: Stage, cloud: Connection) -> None:
    """A server with its port and disk, a network with its router, a group, an address: the tenant's own, none of which was moved."""
    network, project = cloud.network, row(stage, "neutron/security_groups", name="web")["project_id"]
    app, public = row(stage, "neutron/networks", name="app")["id"], row(stage, "neutron/networks", name="public")["id"]
    port = network.create_port(network_id=app, project_id=project, name="own-eth0")
    network.create_port(network_id=app, project_id=project, name="own-vip")
    own = network.create_network(name="own", project_id=project)
    subnet = network.create_subnet(network_id=own.id, project_id=project, ip_version=4, cidr="198.18.0.0/24", name="own-v4")
    router = network.create_router(name="own", project_id=project)
    network.add_interface_to_router(router, subnet_id=subnet.id)
    network.create_security_group(name="own", project_id=project)
    network.create_ip(floating_network_id=public, project_id=project, description="own")
    tenant = connect(stage.sandbox, "target-admin", project_name="", project_domain_name="", project_id=project)
    disk = tenant.block_storage.wait_for_status(tenant.block_storage.create_volume(size=1, name="own-root"), "available", interval=0.05)
    tenant.block_storage.create_volume(size=1, name="own-detached")
    tenant.block_storage.set_volume_bootable_status(disk, True)
    boot = {"uuid": disk.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    flavor = tenant.compute.find_flavor("v2.large", ignore_missing=False)
    made = tenant.compute.create_server(name="own", flavor_id=flavor.id, networks=[{"port": port.id}], block_device_mapping=[boot])
    tenant.compute.wait_for_server(made, interval=0.05)


def test_what_nobody_moved_does_not_drift(stage: Stage, cloud: Connection) -> None:
    add_own(stage, cloud)
    cloud.compute.update_server(row(stage, "nova/servers", name="web-2")["id"], name="web-two")
    with stage.counted() as mutating:
        plan = stage.plan()
    assert mutating == []
    told = {str(item.address): [field.path for field in item.fields] for item in plan.drift}
    assert told == {"acme/server/web-2": ["name"]}
    assert not plan.steps


def test_a_target_that_nobody_changed_has_no_drift(stage: Stage) -> None:
    assert stage.plan().drift == ()


def test_pairs_go_when_their_time_is_over_and_leave_nothing_behind(stage: Stage) -> None:
    stage.manifest["keep_pairs_until"] = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    with stage.counted() as mutating:
        result = stage.settle()
    assert not result.remaining, result.plan.tenants[0].steps
    for array in ("ibox-a", "ibox-b"):
        assert stage.rows(f"{array}/replicas") == stage.rows(f"{array}/cgs") == []
        assert {row["type"] for row in stage.rows(f"{array}/volumes")} == {"MASTER"}
        assert not any(row["rmr_source"] or row["rmr_target"] for row in stage.rows(f"{array}/volumes"))
    kept = {row["name"]: {disk["delete_on_termination"] for disk in row["volumes"]} for row in stage.rows("target/nova/servers")}
    assert kept.pop("reports") == {True}
    assert set(map(frozenset, kept.values())) == {frozenset({False})}
    flags = [at for at, entry in enumerate(mutating) if entry["method"] == "PUT" and "os-volume_attachments" in entry["path"]]
    pairs = [at for at, entry in enumerate(mutating) if entry["method"] == "DELETE" and "/replicas/" in entry["path"]]
    assert len(flags) == 2
    assert pairs
    assert max(flags) < min(pairs)
    with stage.counted() as mutating:
        stage.apply()
    assert mutating == []
    assert stage.sandbox.control.violations() == []
