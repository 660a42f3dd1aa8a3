"""A disk of the target that somebody else has: told before anything is stopped, and what is written there meanwhile is not lost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from millpond.model.block_storage import Attachment, Volume
from millpond.model.cut_record import MARKER_KEY
from tests.planning.arrays import LunMapping
from tests.planning.situations import BACK, before
from tests.planning.test_any_order import CUT, decided, prepared
from tests.planning.world import World

HOST = "openstack-host-iqn-theirs"
WAYS = pytest.mark.parametrize("how", ["discard", "carry_back"])


class Elsewhere:
    """The detached volume of the wave, in somebody else's hands, and back."""

    def __init__(self) -> None:
        self.world = prepared()
        self.world.advance(CUT)
        self.world.tick(600)
        self.storage, self.array = self.world.target.block_storage, self.world.arrays["ibox-b"]
        self.volume: Volume = next(one for one in self.storage.volumes("") if one.marker == "spare-1-")
        self.disk = self.array.by_name(self.volume.backend_name).id

    def is_mapped(self) -> None:
        self.array.mappings.add(LunMapping(HOST, self.disk))

    def is_free(self) -> None:
        self.array.mappings.discard(LunMapping(HOST, self.disk))

    def write(self, number: int) -> None:
        assert self.array.writable(self.disk)
        self.array.contents[self.disk] = number

    def on_source(self) -> int:
        array = self.world.arrays["ibox-a"]
        return array.contents[array.by_name("openstack-vol-spare-1-").id]


def transferred(case: Elsewhere) -> Callable[[], None]:
    row = case.storage.rows.pop(case.volume.id)
    case.is_mapped()

    def over() -> None:
        case.is_free()
        case.storage.rows[row.id] = row

    return over


def more_hosts(case: Elsewhere) -> Callable[[], None]:
    """No attachment of it is shown, and the array has a host."""
    case.is_mapped()
    return case.is_free


def unmarked(case: Elsewhere) -> Callable[[], None]:
    case.storage.raw[case.volume.id].pop(MARKER_KEY)
    case.storage.put(case.volume.id, status="in-use", attachments=(Attachment("theirs", "/dev/vdb"),))
    case.is_mapped()

    def over() -> None:
        case.is_free()
        case.storage.put(case.volume.id, status="available", attachments=())
        case.storage.raw[case.volume.id][MARKER_KEY] = case.volume.marker

    return over


CASES = [(transferred, "disk_used_elsewhere"), (more_hosts, "disk_used_elsewhere"), (unmarked, "marker_lost")]


@WAYS
@pytest.mark.parametrize(("begins", "code"), CASES)
def test_nothing_is_stopped_while_somebody_else_has_a_disk(begins: Callable[[Elsewhere], Callable[[], None]], code: str, how: str) -> None:
    case = Elsewhere()
    world = case.world
    over = begins(case)
    world.discard(["server-1", "server-2"] if how == "discard" else [])
    plan = world.advance(decided(world, how))
    (found,) = plan.blockers
    assert (found.code, str(found.address), found.wave) == (code, "acme/volume/spare", "rest")
    assert [(one.marker, one.status) for one in world.target.compute.servers("")] == [("server-2", "ACTIVE")]
    case.write(6000)
    over()
    assert world.advance(decided(world, how)).steps == ()
    assert case.on_source() == (6000 if how == "carry_back" else 0)


@pytest.mark.parametrize(("begins", "code"), CASES)
def test_what_was_timed_before_is_timed_anew(begins: Callable[[Elsewhere], Callable[[], None]], code: str) -> None:
    """The copies are stopped already, and the same run sees the end of it: the sync before it counts for nothing."""
    case = Elsewhere()
    world = case.world
    on = decided(world, "carry_back")
    world.advance(on, lambda plan: any(one.id == "acme/replication_group/rest-ssd#demote" and not one.after for one in plan.changes))
    case.storage.put(case.volume.id, status="available")
    over = begins(case)
    assert {found.code for found in world.advance(on).blockers} == {code}
    case.write(6000)
    over()
    assert world.advance(on).steps == ()
    assert case.on_source() == 6000


def test_mappings_on_fibre_channel_are_left_to_the_call() -> None:
    """A hypervisor has several hosts on the array there: more than one are no reason to hold anything."""
    case = Elsewhere()
    own = next(one.id for one in case.world.target.compute.servers("") if one.marker == "server-2")
    case.storage.put(case.volume.id, status="in-use", attachments=(Attachment(own, "/dev/vdc"),))
    for port in ("50014380186af83c", "50014380186af83e"):
        case.array.mappings.add(LunMapping(f"openstack-host-{port}", case.disk))
    assert case.world.plan(decided(case.world, "carry_back")).blockers == ()
    case.storage.rows[case.volume.id] = replace(case.storage.rows[case.volume.id], attachments=())
    del case.storage.rows[case.volume.id]
    assert {found.code for found in case.world.plan(decided(case.world, "carry_back")).blockers} == {"disk_used_elsewhere"}


def unmarked_before_its_boot() -> tuple[World, Volume]:
    made = before("source_server/web-1#boot")
    storage = made.target.block_storage
    twin = next(one for one in storage.volumes("") if one.marker == "root-1")
    assert twin.status == "maintenance"
    storage.raw[twin.id].pop(MARKER_KEY)
    return made, twin


def test_one_that_is_out_of_use_goes_back_without_its_marker() -> None:
    """Cinder would refuse what the finding asks for."""
    made, twin = unmarked_before_its_boot()
    assert made.advance(BACK).steps == ()
    assert (made.source.compute.rows["server-1"].status, made.target.block_storage.rows[twin.id].status) == ("ACTIVE", "maintenance")


@pytest.mark.parametrize("use", [{"status": "available"}, {"attachments": (Attachment("theirs", "/dev/vdb"),)}])
def test_one_without_its_marker_that_somebody_may_use_does_not(use: dict[str, Any]) -> None:
    made, twin = unmarked_before_its_boot()
    made.target.block_storage.put(twin.id, **use)
    assert [found.code for found in made.advance(BACK).blockers] == ["marker_lost"]


def test_a_disk_that_is_mapped_does_not_whatever_its_volume_is_called() -> None:
    made, twin = unmarked_before_its_boot()
    array = made.arrays["ibox-b"]
    array.mappings.add(LunMapping(HOST, array.by_name(twin.backend_name).id))
    assert [found.code for found in made.advance(BACK).blockers] == ["disk_used_elsewhere"]
