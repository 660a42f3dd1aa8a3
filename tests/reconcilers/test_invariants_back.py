"""On the way back no disk of the target is given up that somebody else may be writing to: refused, and nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from millpond.model.block_storage import Attachment
from tests.planning.arrays import LunMapping
from tests.planning.situations import back, done
from tests.planning.test_any_way import on_firmware
from tests.planning.world import World, at
from tests.reconcilers.test_invariants import GROUP, change, ready, refused

HOST = "openstack-host-iqn-theirs"
PORTS = ("openstack-host-50014380186af83c", "openstack-host-50014380186af83e")


def data(world: World) -> str:
    storage = world.target.block_storage
    return next(id for id in storage.rows if storage.shown(id).marker == "data-1")


def disk(world: World) -> int:
    return world.arrays["ibox-b"].by_name(world.target.block_storage.rows[data(world)].backend_name).id


def mapped(world: World, *hosts: str) -> None:
    world.arrays["ibox-b"].mappings |= {LunMapping(host, disk(world)) for host in hosts}


def transferred(world: World) -> None:
    mapped(world, HOST)
    del world.target.block_storage.rows[data(world)]


def more_hosts(world: World) -> None:
    mapped(world, HOST, "openstack-host-iqn-ours")


def more_ports(world: World) -> None:
    """Of two hypervisors, of which Cinder tells one."""
    mapped(world, *PORTS)
    holder = world.target.block_storage.rows[data(world)].attachments[0].server_id
    world.target.block_storage.initiators_ = {(data(world), holder): frozenset({"50014380186af83c"})}
    mapped(world, "openstack-host-50014380186af8ff")


def unmarked_elsewhere(world: World) -> None:
    id = data(world)
    world.target.block_storage.put(id, attachments=(Attachment("theirs"),))
    world.target.block_storage.raw[id].pop("millpond:source")


def unlisted(world: World) -> None:
    del world.arrays["ibox-b"].volumes_[disk(world)]


OTHERS = [
    (transferred, "mapped to openstack-host-iqn-theirs, more than its stopped servers account for"),
    (more_hosts, "more than its stopped servers account for"),
    (more_ports, "more than its stopped servers account for"),
    (unmarked_elsewhere, "attached to a server on the target that is not stopped"),
    (unlisted, "disks are not listed"),
]


@pytest.mark.parametrize("how", ["discard", "carry_back"])
@pytest.mark.parametrize(("turn", "match"), OTHERS)
def test_a_disk_that_somebody_else_has_is_not_given_up(turn: Callable[[World], None], match: str, how: str) -> None:
    start = done()
    world, planned = ready(back(start, how), f"{GROUP}#demote", start)
    turn(world)
    refused(world, planned, match)


@pytest.mark.parametrize("action", ["restore", "demote"])
def test_nor_where_the_array_refuses_two_targets(action: str) -> None:
    world = on_firmware(done(), two_targets=False)
    on = back(world, "discard", world.site)
    world.advance(on, at(f"{GROUP}#{action}"))
    planned = change(world, on, f"{GROUP}#{action}")
    transferred(world)
    refused(world, planned, "more than its stopped servers account for")


def test_a_free_volume_without_its_marker_is_not_taken_for_one_that_nobody_wrote_to() -> None:
    start = done()
    world, planned = ready(back(start, "carry_back"), f"{GROUP}#demote", start)
    storage, id = world.target.block_storage, data(world)
    storage.put(id, status="available", attachments=())
    storage.raw[id].pop("millpond:source")
    refused(world, planned, "is free: it may have been written after the last sync")


def of_its_own(world: World) -> None:
    mapped(world, HOST)


def ports_of_its_own(world: World) -> None:
    mapped(world, *PORTS)
    holder = world.target.block_storage.rows[data(world)].attachments[0].server_id
    world.target.block_storage.initiators_ = {(data(world), holder): frozenset(one.removeprefix("openstack-host-") for one in PORTS)}


def of_a_boot_that_failed(world: World) -> None:
    """Cinder shows no attachment that did not end; Nova tells that the server has the disk."""
    mapped(world, HOST)
    world.target.block_storage.put(data(world), status="reserved", attachments=())
    copy = next(iter(world.target.compute.rows))
    world.target.compute.put(copy, status="ERROR", launched_at="", power_state=0)


@pytest.mark.parametrize("turn", [of_its_own, ports_of_its_own, of_a_boot_that_failed])
def test_the_mappings_of_its_own_stopped_server_are_no_reason(turn: Callable[[World], None]) -> None:
    start = done()
    start.discard(["server-1"])
    world, planned = ready(back(start, "discard"), f"{GROUP}#demote", start)
    turn(world)
    world.perform(planned)
    assert world.sent[-1] == planned.id


def test_what_cannot_be_written_any_more_is_given_back_whoever_has_it() -> None:
    start = done()
    start.discard(["server-1"])
    world, planned = ready(back(start, "discard"), f"{GROUP}#restore", start)
    transferred(world)
    world.perform(replace(planned))
    assert world.sent[-1] == planned.id
