"""Volumes that the target's real Cinder adopts after the cut, by `manage`, instead of making them ahead."""

from __future__ import annotations

import pytest

from tests.lab.access import Lab
from tests.lab.disks import DRIVERS_HOSTS
from tests.lab.move import Move, Seen, begin, look
from tests.sandbox.running import Control

pytestmark = pytest.mark.lab

LAST_WRITE = "written before the stop"


@pytest.fixture(scope="module")
def prepared(lab: Lab, arrays: Control, tmp_path_factory: pytest.TempPathFactory) -> Move:
    move = begin(lab, arrays, tmp_path_factory.mktemp("manage"), "adopted", only_database=True)
    move.site.manifest["adoption"] = "manage"
    move.discover()
    move.done()
    return move


@pytest.fixture(scope="module")
def moved(prepared: Move) -> Seen:
    prepared.disks("source").write("db-1-data", LAST_WRITE)
    prepared.site.manifest["cutover"] = True
    prepared.done()
    return look(prepared)


@pytest.fixture(scope="module")
def returned(moved: Seen) -> Seen:
    move = moved.move
    move.site.manifest["cutover"] = False
    move.site.manifest["rollback"] = {"cut": move.site.cut(), "target_writes": "discard"}
    move.done()
    return look(move)


def test_nothing_is_in_the_targets_cinder_before_the_cut(prepared: Move) -> None:
    assert prepared.disks("target").names == {}


def test_the_server_arrives_identical_on_adopted_volumes(moved: Seen) -> None:
    assert moved.target.servers == moved.move.before.servers
    assert moved.target_disks["db-1-data"].content["last"] == LAST_WRITE
    assert {name: disk.content for name, disk in moved.target_disks.items()} == {
        name: disk.content for name, disk in moved.source_disks.items()
    }
    attached = [disk for name, disk in moved.target_disks.items() if name != "archive"]
    assert all(host.startswith(DRIVERS_HOSTS) for disk in attached for host in disk.hosts)
    assert [len(disk.hosts) for disk in attached] == [1, 1]


def test_a_rollback_gives_the_volumes_up_and_the_server_back(returned: Seen) -> None:
    assert returned.source.servers == returned.move.before.servers
    assert returned.target.servers == {}
    assert returned.target_disks == {}
