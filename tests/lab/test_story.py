"""The whole migration on real services: prepared, a pilot cut over and rolled back, all cut over in spite of kills, switched, decommissioned.

One tenant goes all the way. Every fixture takes it one step further and keeps what was seen there; the tests look at what was kept.
"""

from __future__ import annotations

import pytest
import requests

from tests.lab.access import Lab
from tests.lab.disks import DRIVERS_HOSTS
from tests.lab.move import Move, Seen, begin, look
from tests.lab.tenant import CLUSTER_DISK
from tests.sandbox.running import Control

pytestmark = pytest.mark.lab

PILOT = "web-1"
ORDER = "order 4711: paid"


@pytest.fixture(scope="module")
def prepared(lab: Lab, arrays: Control, tmp_path_factory: pytest.TempPathFactory) -> Move:
    move = begin(lab, arrays, tmp_path_factory.mktemp("story"), "shop")
    move.site.manifest["waves"] = [{"name": "pilot", "servers": [PILOT]}]
    move.discover()
    move.done()
    return move


@pytest.fixture(scope="module")
def piloted(prepared: Move) -> Seen:
    prepared.disks("source").write(f"{PILOT}-root", "written before the stop")
    prepared.site.manifest["waves"] = [{"name": "pilot", "servers": [PILOT], "cutover": True}]
    prepared.done()
    return look(prepared)


@pytest.fixture(scope="module")
def returned(piloted: Seen) -> Seen:
    """What the pilot writes on the target is carried back."""
    move = piloted.move
    move.disks("target").write(f"{PILOT}-root", ORDER)
    pilot = {"name": "pilot", "servers": [PILOT], "cutover": False}
    move.site.manifest["waves"] = [pilot]
    move.site.manifest["waves"] = [{**pilot, "rollback": {"cut": move.site.cut(), "target_writes": "carry_back"}}]
    move.done()
    return look(move)


@pytest.fixture(scope="module")
def moved(returned: Seen) -> Seen:
    """All servers, by applies that are killed (`kill -9`) in the middle of the cuts, and one that is not."""
    move = returned.move
    site, disk, made = move.site, f"{PILOT}-root", sum(move.boots().values())
    site.manifest |= {"waves": [{"name": "pilot", "servers": [PILOT]}], "cutover": True}
    site.apply_killed_after("source_server", "lock")
    assert site.unlock().code == 0
    site.apply_killed_after("replication_group", "fence")
    assert [move.disks(side).read()[disk].write_protected for side in ("source", "target")] == [True, True]
    assert site.unlock().code == 0
    site.apply_killed_when(lambda: sum(move.boots().values()) > made, "the first POST /servers")
    site.lose_local_files()
    site.apply_killed_when(lambda: sum(move.boots().values()) > made + 1, "the second wave's POST /servers")
    site.lose_local_files()
    move.done()
    return look(move)


@pytest.fixture(scope="module")
def ended(moved: Seen) -> Seen:
    move = moved.move
    move.site.manifest |= {"decommission": True, "soak": "0s"}
    move.site.approve()
    move.done()
    return Seen(move, move.on_source(), move.on_target(), {}, move.disks("target").read())


def test_preparing_leaves_the_servers_alone_and_is_done_once(prepared: Move) -> None:
    assert prepared.on_source().servers == prepared.before.servers
    assert prepared.on_target().servers == {}
    answer = prepared.site.run("plan", prepared.site.tenant, "--detailed-exitcode")
    assert answer.code == 0, answer.text
    assert "No changes. Your infrastructure matches the configuration." in answer.text
    assert "[snapshots_left_behind]" in answer.text
    assert "1 snapshot of a volume is not moved: archive-2025" in answer.text


def test_disks_are_kept_from_the_tenant_until_the_cut(prepared: Move) -> None:
    volumes = prepared.target.block_storage.volumes(all_projects=True, project_id=prepared.target_id)
    assert {volume.status for volume in volumes} == {"maintenance"}


def test_the_pilot_arrives_identical(piloted: Seen) -> None:
    assert piloted.target.servers == {PILOT: piloted.move.before.servers[PILOT]}
    assert piloted.target_disks[f"{PILOT}-root"].content["last"] == "written before the stop"


def test_the_pilot_stays_stopped_and_locked_on_the_source_and_its_disk_mapped(piloted: Seen) -> None:
    left = piloted.source.servers[PILOT]
    assert (left["status"], left["locked"]) == ("SHUTOFF", True)
    disk = piloted.source_disks[f"{PILOT}-root"]
    assert disk.write_protected
    assert [host.startswith(DRIVERS_HOSTS) for host in disk.hosts] == [True], "stopping keeps the mapping that the driver made"


def test_the_targets_driver_mapped_the_disk_to_the_targets_host(piloted: Seen) -> None:
    disk = piloted.target_disks[f"{PILOT}-root"]
    assert not disk.write_protected
    assert [host.startswith(DRIVERS_HOSTS) for host in disk.hosts] == [True]
    assert {host for one in piloted.source_disks.values() for host in one.hosts}.isdisjoint(disk.hosts)


def test_the_pilot_comes_back_with_what_it_wrote(returned: Seen) -> None:
    assert returned.source.servers == returned.move.before.servers
    assert returned.target.servers == {}
    disk = returned.source_disks[f"{PILOT}-root"]
    assert (disk.content["last"], disk.write_protected) == (ORDER, False)


def test_every_server_arrives_identical_in_spite_of_kills(moved: Seen) -> None:
    assert moved.target.servers == moved.move.before.servers
    shared = [name for name, server in moved.target.servers.items() for disk in server["volumes"] if disk["name"] == CLUSTER_DISK]
    assert sorted(shared) == ["app-1", "db-1"]
    assert moved.target_disks[f"{PILOT}-root"].content["last"] == ORDER
    assert {name: disk.content for name, disk in moved.target_disks.items()} == {
        name: disk.content for name, disk in moved.source_disks.items()
    }


def test_no_server_was_booted_twice(moved: Seen) -> None:
    """The pilot once more than the others: its first cut was rolled back."""
    assert moved.move.boots() == {**dict.fromkeys(moved.move.before.servers, 1), PILOT: 2}


def test_networks_security_groups_and_quotas_are_the_same(moved: Seen) -> None:
    before = moved.move.before
    assert moved.target.networks == before.networks
    assert moved.target.security_groups == before.security_groups
    assert moved.target.quotas == before.quotas


def test_no_copy_runs_twice(moved: Seen) -> None:
    assert {server["status"] for server in moved.source.servers.values()} == {"SHUTOFF"}
    assert all(disk.write_protected for disk in moved.source_disks.values())
    assert not any(disk.write_protected for disk in moved.target_disks.values())
    with pytest.raises(requests.HTTPError, match="write-protected"):
        moved.move.disks("source").write("db-1-root", "too late")


def test_routes_and_floating_addresses_have_switched(moved: Seen) -> None:
    before = moved.move.before
    assert moved.target.routers == before.routers
    assert moved.target.floating == before.floating
    assert [(router["external"], router["interfaces"]) for router in moved.source.routers.values()] == [(None, [])]


def test_nothing_is_left_on_the_source(ended: Seen) -> None:
    move = ended.move
    assert move.source.identity.find_project(move.site.tenant) is None
    assert ended.source.servers == {}
    left = [volume.name for volume in move.source.block_storage.volumes(all_projects=True, project_id=move.source_id)]
    assert left == []
    assert list(move.source.block_storage.snapshots(all_projects=True, project_id=move.source_id)) == []


def test_the_tenant_on_the_target_does_not_notice(ended: Seen, moved: Seen) -> None:
    assert ended.target.servers == moved.target.servers
    assert ended.target_disks == moved.target_disks
    assert (ended.target.networks, ended.target.security_groups) == (moved.target.networks, moved.target.security_groups)
