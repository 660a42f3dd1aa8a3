"""The worlds that the sandbox begins with."""

import random
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from openstack.connection import Connection

from millpond.sandbox.digest import digest
from millpond.sandbox.scenarios import seed
from millpond.sandbox.simulation import Simulation, assemble
from tests.sandbox.client import openstack
from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox, start_sandbox

GIB = 2**30
Rows = list[dict[str, Any]]


def seeded(scenario: str, servers: int | None = None) -> Simulation:
    world = assemble()
    seed(world, scenario, servers)
    world.clock.advance(60)
    world.events.run_due()
    return world


def rows(world: Simulation, table: str) -> Rows:
    return list(world.store.table(table))


@pytest.fixture(scope="module")
def shop() -> Simulation:
    return seeded("shop")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    running = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="shop")
    yield running
    assert running.stop() == 0


@pytest.mark.parametrize(("scenario", "servers"), [("small", None), ("shop", None), ("small", 30)])
def test_a_seeded_world_is_sound(scenario: str, servers: int | None) -> None:
    world = seeded(scenario, servers)
    assert world.events.failures == []
    assert world.violations() == []
    assert rows(world, "world/events") == []
    for port in rows(world, "source/neutron/ports"):
        if port["device_owner"] == "compute:nova":
            server = world.clouds["source"].nova.servers.table.get(port["device_id"])
            assert server is not None
            assert port["status"] == ("ACTIVE" if server["vm_state"] == "active" else "DOWN")
    assert {volume["status"] for volume in rows(world, "source/cinder/volumes")} <= {"in-use", "available"}


@pytest.mark.parametrize("scenario", ["small", "shop"])
def test_a_scenario_is_the_same_every_time(scenario: str) -> None:
    random.seed(1)
    first = seeded(scenario)
    random.seed(2)
    second = seeded(scenario)
    assert digest(first) == digest(second)


def test_the_target_knows_nothing_of_the_tenant(shop: Simulation) -> None:
    for kind in ("nova/servers", "nova/keypairs", "nova/server_groups", "cinder/volumes", "neutron/routers", "glance/images"):
        assert rows(shop, f"target/{kind}") == []
    assert [network["name"] for network in rows(shop, "target/neutron/networks")] == ["public"]
    assert {domain["name"] for domain in rows(shop, "target/keystone/domain")} == {"Default", "customers"}
    assert "acme" not in {project["name"] for project in rows(shop, "target/keystone/project")}


def test_both_clouds_share_the_external_prefix_but_no_address(shop: Simulation) -> None:
    source, target = (
        next(one for one in rows(shop, f"{cloud}/neutron/subnets") if one["name"] == "public-v4") for cloud in ("source", "target")
    )
    assert source["cidr"] == target["cidr"]
    assert source["allocation_pools"][0]["end"] < target["allocation_pools"][0]["start"]


def test_volume_types_lead_to_their_pools(shop: Simulation) -> None:
    names = [{row["name"] for row in rows(shop, f"{cloud}/cinder/types")} for cloud in ("source", "target")]
    assert names[0] == names[1] == {"gold", "silver", "gold-multiattach"}
    pools = {row["id"]: row["name"] for row in rows(shop, "ibox-a/pools")}
    used = Counter(pools[row["pool"]] for row in rows(shop, "ibox-a/volumes"))
    assert set(used) == {"pool-a1", "pool-a2"}


def test_the_shop_has_a_bit_of_everything(shop: Simulation) -> None:
    servers = rows(shop, "source/nova/servers")
    by_name = {server["name"]: server for server in servers}
    assert len(servers) == 12
    assert Counter(server["name"] for server in servers)["worker"] == 2
    assert (by_name["app-2"]["vm_state"], by_name["vault"]["locked_by"]) == ("stopped", "owner")
    assert (by_name["legacy"]["image_ref"] != "", by_name["legacy"]["volumes"]) == (True, [])
    assert (by_name["app-1"]["config_drive"], len(by_name["app-1"]["nics"])) == ("True", 2)
    assert by_name["app-1"]["user_data"]
    assert [one["delete_on_termination"] for one in by_name["reports"]["volumes"]] == [True, True]
    assert by_name["web-1"]["host"] != by_name["web-2"]["host"]
    assert by_name["db-1"]["flavor"]["extra_specs"]["hw:watchdog_action"] == "reset"
    volumes = rows(shop, "source/cinder/volumes")
    assert [volume["name"] for volume in volumes if volume["status"] == "available"] == ["archive-2024", "", ""]
    (shared,) = (volume for volume in volumes if volume["multiattach"])
    assert sum(any(one["volume_id"] == shared["id"] for one in server["volumes"]) for server in servers) == 2


def test_one_volume_of_the_shop_is_no_whole_number_of_gib(shop: Simulation) -> None:
    odd = [row for row in rows(shop, "ibox-a/volumes") if row["size"] % GIB]
    (volume,) = (row for row in rows(shop, "source/cinder/volumes") if row["name"] == "reports-data")
    assert [row["name"] for row in odd] == [f"openstack-vol-{volume['id']}"]
    assert odd[0]["size"] < volume["size"] * GIB < odd[0]["size"] + GIB


def test_the_networks_of_the_shop(shop: Simulation) -> None:
    ports = rows(shop, "source/neutron/ports")
    interfaces = Counter(port["device_id"] for port in ports if port["device_owner"] == "network:router_interface")
    routers = {row["name"]: row for row in rows(shop, "source/neutron/routers")}
    assert interfaces[routers["edge"]["id"]] == 3
    assert interfaces[routers["data-edge"]["id"]] == 1
    assert routers["edge"]["routes"] == [{"destination": "10.99.0.0/16", "nexthop": "10.20.2.254"}]
    assert [port["name"] for port in ports if port["device_owner"] == "" and port["name"]] == ["web-vip"]
    assert [port["port_security_enabled"] for port in ports if port["name"].startswith("firewall")] == [False, False]
    assert all(pair["ip_address"] == "10.20.1.100" for port in ports for pair in port["allowed_address_pairs"])
    networks = [row for row in rows(shop, "source/neutron/networks") if row["name"] != "public"]
    assert {row["provider:network_type"] for row in networks} == {"vlan"}
    assert {row["provider:physical_network"] for row in networks} == {"physnet1"}


def test_key_pairs_of_the_shop_repeat_names_between_users(shop: Simulation) -> None:
    assert Counter(row["name"] for row in rows(shop, "source/nova/keypairs")) == {"work": 2, "alice": 1}


def test_three_hundred_servers_are_there_in_seconds() -> None:
    started = time.monotonic()
    world = seeded("small", 300)
    assert time.monotonic() - started < 15
    servers = rows(world, "source/nova/servers")
    assert len(servers) == 300
    assert {len(server["volumes"]) for server in servers} == {3}
    assert {len(server["nics"]) for server in servers} == {3}
    assert len({row["mac_address"] for row in rows(world, "source/neutron/ports")}) == len(rows(world, "source/neutron/ports"))


def test_a_world_is_seeded_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    first = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="small", speed=1)
    first.control.advance(60)
    before = first.control.digest()
    second = first.restarted()
    assert second.control.digest() == before
    assert second.stop() == 0


def test_a_build_goes_on_after_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    first = start_sandbox(tmp_path_factory.mktemp("sandbox"), scenario="small", speed=1)
    alice = connect(first, "source-acme")
    volume = alice.block_storage.create_volume(size=1)
    first.control.advance(3)
    alice.block_storage.set_volume_bootable_status(volume, True)
    device = {"uuid": volume.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    made = alice.compute.create_server(
        name="late", flavor_id=alice.compute.find_flavor("m1.volume").id, networks="none", block_device_mapping=[device]
    )
    second = first.restarted()
    assert connect(second, "source-acme").compute.get_server(made.id).status == "BUILD"
    second.control.advance(30)
    assert connect(second, "source-acme").compute.get_server(made.id).status == "ACTIVE"
    assert second.stop() == 0


def test_the_tenant_of_the_shop_can_log_in(sandbox: Sandbox) -> None:
    alice: Connection = connect(sandbox, "source-acme")
    assert len(list(alice.compute.servers())) == 12
    assert {key.name for key in alice.compute.keypairs()} == {"alice", "work"}


@pytest.mark.parametrize(
    ("cloud", "command"),
    [
        ("source-acme", ["server", "list", "--long"]),
        ("source-acme", ["server", "show", "web-1"]),
        ("source-acme", ["server", "volume", "list", "db-1"]),
        ("source-acme", ["server", "event", "list", "app-2"]),
        ("source-acme", ["volume", "list"]),
        ("source-acme", ["port", "list", "--server", "app-1"]),
        ("source-admin", ["server", "list", "--all-projects", "--name", "web"]),
        ("source-admin", ["keypair", "list", "--user", "bob"]),
        ("source-acme", ["server", "set", "--property", "a=b", "--tag", "t", "web-1"]),
        ("target-admin", ["quota", "show", "--default"]),
    ],
)
def test_the_openstack_client(sandbox: Sandbox, cloud: str, command: list[str]) -> None:
    done = openstack(sandbox, cloud, *command)
    assert done.code == 0, done.err
