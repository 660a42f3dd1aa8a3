from typing import Any

import pytest

from millpond.model.compute import AttachedVolume, Flavor
from millpond.model.secret import Secret
from millpond.providers.openstack.parse_compute import (
    nic_macs,
    parse_detailed_quota,
    parse_flavor,
    parse_key_pair,
    parse_server,
    parse_server_group,
)


def entry(mac: str, address: str, kind: str = "fixed") -> dict[str, Any]:
    return {"OS-EXT-IPS-MAC:mac_addr": mac, "version": 4, "addr": address, "OS-EXT-IPS:type": kind}


SERVER: dict[str, Any] = {
    "id": "s1",
    "name": "web-1",
    "status": "ERROR",
    "user_id": "u1",
    "image": "",
    "flavor": {"vcpus": 2, "ram": 4096, "disk": 0, "ephemeral": 1, "swap": 512, "original_name": "m1.volume", "extra_specs": {"hw:a": "b"}},
    "created": "2026-11-21T04:00:00Z",
    "description": None,
    "addresses": {
        "b": [entry("FA:16:3E:00:00:02", "10.0.0.2"), entry("fa:16:3e:00:00:02", "203.0.113.9", "floating")],
        "a": [entry("fa:16:3e:00:00:01", "10.1.0.2")],
    },
    "config_drive": "True",
    "key_name": None,
    "OS-EXT-AZ:availability_zone": "nova",
    "OS-EXT-STS:task_state": None,
    "OS-EXT-STS:vm_state": "error",
    "OS-SRV-USG:launched_at": None,
    "OS-EXT-SRV-ATTR:hostname": "web-1.example",
    "OS-EXT-SRV-ATTR:root_device_name": "/dev/vda",
    "OS-EXT-SRV-ATTR:user_data": "c2VjcmV0",
    "metadata": {"app": "shop", "millpond.cut": "c1", "millpond.power": "active", "millpond:source": "old"},
    "tags": ["z", "a"],
    "locked": True,
    "os-extended-volumes:volumes_attached": [{"id": "v2", "delete_on_termination": True}, {"id": "v1"}],
    "fault": {"code": 500, "message": "No valid host was found."},
}


def test_a_server_that_is_gone_but_for_its_row_is_still_being_deleted() -> None:
    last = {**SERVER, "status": "DELETED", "OS-EXT-STS:vm_state": "deleted"}
    assert parse_server(last).task_state == "deleting"
    assert parse_server(SERVER).task_state == ""


@pytest.mark.parametrize(("power", "stopped"), [(0, True), (1, False), (3, False), (4, True), (6, True), (None, True)])
def test_what_nova_calls_shutoff_is_stopped_once_its_hypervisor_says_so(power: int | None, stopped: bool) -> None:
    found = parse_server({**SERVER, "status": "SHUTOFF", "OS-EXT-STS:power_state": power})
    assert (found.stopped, found.guest_runs) == (stopped, not stopped)


def test_a_server_row_becomes_a_server() -> None:
    server = parse_server(SERVER)
    assert server.flavor == Flavor("m1.volume", vcpus=2, ram=4096, disk=0, ephemeral=1, swap=512, extra_specs={"hw:a": "b"})
    assert server.nic_macs == ("fa:16:3e:00:00:02", "fa:16:3e:00:00:01")
    assert server.metadata == {"app": "shop"}
    assert server.marker == "old"
    assert server.record is not None
    assert (server.record.cut, server.record.power) == ("c1", "active")
    assert server.user_data == Secret("c2VjcmV0")
    assert (server.has_user_data, server.config_drive, server.locked) == (True, True, True)
    assert (server.image_id, server.description, server.key_name, server.task_state, server.launched_at) == ("", "", "", "", "")
    assert server.volumes == (AttachedVolume("v2", delete_on_termination=True), AttachedVolume("v1"))
    assert server.fault == "No valid host was found."
    assert server.tags == ("a", "z")


def test_user_data_does_not_show() -> None:
    assert "c2VjcmV0" not in repr(parse_server(SERVER))


def test_a_server_of_a_cell_that_is_down_has_little() -> None:
    server = parse_server({"id": "s1", "status": "UNKNOWN", "tenant_id": "p", "created": "2026-11-21T04:00:00Z", "links": []})
    assert (server.id, server.status, server.name, server.flavor.name) == ("s1", "UNKNOWN", "", "")


def test_an_image_booted_server_and_a_config_drive_s_empty_string() -> None:
    server = parse_server({**SERVER, "image": {"id": "i1"}, "config_drive": ""})
    assert server.image_id == "i1"
    assert not server.config_drive


def test_nics_without_a_mac_are_no_nics() -> None:
    assert nic_macs({"a": [{"addr": "10.0.0.1", "version": 4}]}) == ()


def test_flavors_of_both_ages() -> None:
    row = {
        "id": "1",
        "name": "m1",
        "vcpus": 1,
        "ram": 512,
        "disk": 1,
        "swap": "",
        "OS-FLV-EXT-DATA:ephemeral": 3,
        "os-flavor-access:is_public": False,
    }
    assert parse_flavor(row, {"a": "b"}) == Flavor("m1", 1, 512, 1, ephemeral=3, extra_specs={"a": "b"}, id="1", is_public=False)
    assert parse_flavor({**row, "swap": 256, "extra_specs": {"c": "d"}, "description": "x"}).extra_specs == {"c": "d"}


@pytest.mark.parametrize(
    "row",
    [
        {"policies": ["anti-affinity"], "metadata": {}},
        {"policy": "anti-affinity", "rules": {"max_server_per_host": 2}},
    ],
)
def test_server_groups_of_both_ages(row: dict[str, Any]) -> None:
    group = parse_server_group({"id": "g", "name": "db", "members": ["s1"], **row})
    assert group.policy == "anti-affinity"
    assert group.rules == row.get("rules", {})
    assert group.members == ("s1",)


def test_key_pairs_carry_their_owner() -> None:
    pair = parse_key_pair({"keypair": {"name": "k", "public_key": "ssh-rsa A", "fingerprint": "f", "type": "x509"}}, "u1", "alice")
    assert (pair.user_id, pair.user, pair.type) == ("u1", "alice", "x509")


def test_what_is_reserved_counts_as_used() -> None:
    row = {"id": "p", "cores": {"limit": 20, "in_use": 3, "reserved": 2}, "gigabytes_gold": {"limit": -1, "in_use": 5, "reserved": 0}}
    quota = parse_detailed_quota("volume", row)
    assert quota.limits == {"cores": 20, "gigabytes_gold": -1}
    assert quota.used == {"cores": 5, "gigabytes_gold": 5}
