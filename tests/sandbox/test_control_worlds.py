"""Guests' writes, violations, digest and snapshots of a world with running servers."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, str]]:
    running = start_sandbox(tmp_path_factory.mktemp("small"), scenario="small")
    yield running, running.control.snapshot()
    running.stop()


@pytest.fixture
def world(small: tuple[Sandbox, str]) -> Sandbox:
    running, beginning = small
    running.control.restore(beginning)
    running.control.settings(speed=50)
    return running


def server(world: Sandbox, name: str = "db-1") -> dict[str, Any]:
    return next(row for row in world.control.dump()["source/nova/servers"] if row["name"] == name)


def refused(world: Sandbox, **order: Any) -> str:
    with pytest.raises(requests.HTTPError) as refusal:
        world.control.write(cloud="source", data="x", **order)
    assert refusal.value.response.status_code == 409
    return str(refusal.value)


def test_a_guest_writes_to_all_its_disks_or_to_one(world: Sandbox) -> None:
    db = server(world)
    both = world.control.write(cloud="source", server_id=db["id"], data="first")["volumes"]
    disks = [one["volume_id"] for one in db["volumes"]]
    assert sorted(both) == sorted(disks)
    assert all(content.endswith(":first") for content in both.values())
    one = world.control.write(cloud="source", volume_id=disks[0], data="second")["volumes"]
    assert list(one) == [disks[0]]
    assert one[disks[0]].startswith("3:")
    again = world.control.write(cloud="source", volume_id=disks[1], data="second")["volumes"]
    assert again[disks[1]] != one[disks[0]]


def test_only_a_running_server_writes(world: Sandbox) -> None:
    db = server(world)
    connect(world, "source-admin").compute.stop_server(db["id"])
    world.control.write(cloud="source", server_id=db["id"], data="while it stops")
    world.control.advance(60)
    assert "does not run" in refused(world, server_id=db["id"])
    with pytest.raises(requests.HTTPError, match="404"):
        world.control.write(cloud="source", server_id="unknown", data="x")
    with pytest.raises(requests.HTTPError, match="400"):
        world.control.write(cloud="nowhere", server_id=db["id"], data="x")


def test_a_write_needs_a_mapping_and_no_write_protection(world: Sandbox) -> None:
    db = server(world)
    root = db["volumes"][0]["volume_id"]
    array = world.urls["ibox-a"] + "/api/rest"
    login = {"auth": ("admin", "123456"), "timeout": 10}
    volume = requests.get(f"{array}/volumes?name=eq:openstack-vol-{root}", **login).json()["result"][0]
    answer = requests.put(f"{array}/volumes/{volume['id']}?approved=true", json={"write_protected": True}, **login)
    assert answer.status_code == 200
    before = world.control.digest()
    assert "write-protected" in refused(world, server_id=db["id"])
    assert world.control.digest() == before
    lun = requests.get(f"{array}/volumes/{volume['id']}/luns", **login).json()["result"][0]
    requests.delete(f"{array}/hosts/{lun['host_id']}/luns/lun/{lun['lun']}?approved=true", **login).raise_for_status()
    assert "not mapped" in refused(world, server_id=db["id"])


def test_two_running_copies_are_a_violation(world: Sandbox) -> None:
    source, target = connect(world, "source-admin"), connect(world, "target-admin")
    port = next(row for row in source.network.ports() if row.name == "web-1-eth0")
    network = target.network.create_network(name="app")
    subnet = target.network.create_subnet(network_id=network.id, ip_version=4, cidr="10.10.1.0/24")
    twin = target.network.create_port(
        network_id=network.id, mac_address=port.mac_address, fixed_ips=[{"subnet_id": subnet.id, "ip_address": "10.10.1.11"}]
    )
    flavor = target.compute.find_flavor("v2.medium", ignore_missing=False)
    volume = target.block_storage.create_volume(size=1, bootable=True, volume_type="gold")
    world.control.advance(10)
    target.block_storage.set_volume_bootable_status(volume, True)
    disk = {"uuid": volume.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    wanted = {"name": "web-1", "flavor_id": flavor.id, "networks": [{"port": twin.id}], "block_device_mapping": [disk]}
    assert world.control.violations() == []
    copy = target.compute.create_server(**wanted)
    world.control.advance(60)
    assert target.compute.get_server(copy.id).status == "ACTIVE"
    [violation] = [one for one in world.control.violations() if one["kind"] == "running_twice"]
    assert violation["detail"] == f"source/web-1 and target/web-1 run at once with MAC address {port.mac_address}"


def test_restore_brings_back_what_was_under_way(world: Sandbox) -> None:
    compute = connect(world, "source-admin").compute
    db = server(world)["id"]
    world.control.settings(speed=0)
    compute.stop_server(db)
    stopping = world.control.snapshot()
    for _ in range(2):
        assert compute.get_server(db).task_state == "powering-off"
        world.control.advance(60)
        assert compute.get_server(db).status == "SHUTOFF"
        world.control.restore(stopping)


def test_equal_scenarios_have_equal_digests(world: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> None:
    other = start_sandbox(tmp_path_factory.mktemp("other"), scenario="small")
    try:
        assert other.control.digest() == world.control.digest()
        connect(other, "source-admin").compute.set_server_metadata(server(other)["id"], **{"millpond.run": "a"})
        connect(world, "source-admin").compute.set_server_metadata(server(world)["id"], **{"millpond.run": "b"})
        assert other.control.digest() == world.control.digest()
        connect(other, "source-admin").compute.set_server_metadata(server(other)["id"], power="a")
        assert other.control.digest() != world.control.digest()
    finally:
        other.stop()


def test_a_seeded_world_is_not_seeded_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    running = start_sandbox(tmp_path_factory.mktemp("seeded"), scenario="small", ml2="ovn")
    try:
        before = running.control.digest()
        running = running.restarted()
        assert running.control.digest() == before
        assert {row["id"]: row["ml2"] for row in running.control.dump()["world/releases"]} == {"source": "ovs", "target": "ovn"}
    finally:
        running.stop()


def test_a_host_of_a_cloud_that_is_not_simulated_writes_to_an_array(world: Sandbox) -> None:
    disks = {row["name"]: row for row in world.control.dump()["ibox-a/volumes"]}
    name = f"openstack-vol-{server(world)['volumes'][0]['volume_id']}"
    assert name in disks
    written = world.control.write(array="ibox-a", volume=name, data="from a host")["volumes"]
    assert written[name].endswith(":from a host")
    with pytest.raises(requests.HTTPError, match="404"):
        world.control.write(array="ibox-a", volume="unknown", data="x")
    with pytest.raises(requests.HTTPError, match="404"):
        world.control.write(array="ibox-c", volume=name, data="x")
    connect(world, "source-admin").compute.delete_server(server(world)["id"])
    world.control.advance(60)
    with pytest.raises(requests.HTTPError, match="no host sees"):
        world.control.write(array="ibox-a", volume=name, data="x")
