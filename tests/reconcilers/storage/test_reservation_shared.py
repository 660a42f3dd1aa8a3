"""A volume that two servers share: while one of them is built it is reserved for that one, and no boot has come to nothing."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.block_storage import Attachment
from millpond.model.compute import AttachedVolume
from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.model.plan import TenantPlan
from millpond.reconcilers.base import Scope
from millpond.reconcilers.storage.reservation import ACTION, RESERVATIONS
from tests.planning.situations import cut_of
from tests.planning.tenant import INVENTORY, VOLUMES, desired, world
from tests.planning.world import World, at, flagged

FIRST, SECOND = INVENTORY.servers
DATA = replace(VOLUMES[1], multiattach=True, attachments=(Attachment("server-1", "/dev/vdb"), Attachment("server-2", "/dev/vdb")))
TENANT = replace(
    INVENTORY,
    servers=(FIRST, replace(SECOND, volumes=(*SECOND.volumes, AttachedVolume("data-1", "/dev/vdb")))),
    volumes=(VOLUMES[0], DATA, VOLUMES[2]),
)


def documents(**flags: object) -> Desired:
    base = desired(TENANT)
    wave = replace(base.waves[0], servers=("server-1", "server-2"), volumes=("root-1", "data-1", "root-2"))
    return flagged(replace(base, waves=(wave,)), pilot=flags)


CUT = documents(cutover=True)


def building(name: str, after: float = 0) -> World:
    """In the cut of both, in the midst of the build of this one."""
    made = world(TENANT)
    made.tick()
    made.advance(documents())
    made.tick(3600)
    made.target.block_storage.put(shared(made), multiattach=True)
    made.advance(CUT, lambda _: status(made).get(name) == "BUILD")
    made.now += timedelta(seconds=after)
    return made


def shared(made: World) -> str:
    return next(id for id, known in made.target.block_storage.rows.items() if known.name == "web-1-data")


def status(made: World) -> dict[str, str]:
    return {server.name: server.status for server in made.target.compute.servers("")}


def told(plan: TenantPlan) -> Iterator[str]:
    yield from (finding.code for finding in plan.findings if "reserv" in finding.code)
    yield from (step.id for step in plan.steps if step.action == ACTION)


@pytest.mark.parametrize("after", [0, 119, 600])
@pytest.mark.parametrize("name", ["web-1", "web-2"])
def test_what_the_one_that_is_built_has_reserved_is_nobody_elses(name: str, after: float) -> None:
    made = building(name, after)
    assert made.target.block_storage.rows[shared(made)].status == "reserved"
    assert list(told(made.plan(CUT))) == []
    made.advance(CUT)
    assert status(made) == {"web-1": "ACTIVE", "web-2": "ACTIVE"}
    assert not [id for id in made.sent if id.endswith(ACTION)]


def test_a_build_that_takes_too_long_is_told_by_its_own_blocker() -> None:
    assert [finding.code for finding in building("web-1", 1000).plan(CUT).blockers] == ["boot_timeout"]


def test_nothing_is_asked_for_it_either() -> None:
    made = building("web-1", 600)
    assert RESERVATIONS.observe(made, Scope("acme", "p", "q", made.snapshot())).target["volume_attachments"] is None


def test_a_boot_that_failed_takes_its_reservation_with_it() -> None:
    """It ends in ERROR and holds its disks until it is deleted; then it is booted again, and the other one after it."""
    made = building("web-1", 600)
    failed = next(id for id, known in made.target.compute.rows.items() if known.name == "web-1")
    made.target.compute.put(failed, status="ERROR", fault="no host")
    assert list(told(made.plan(CUT))) == [f"acme/volume/web-1-data#{ACTION}"]
    made.advance(CUT)
    assert [id.rpartition("/")[2] for id in made.sent if "delete_failed" in id or ACTION in id] == ["web-1#delete_failed"]
    assert status(made) == {"web-1": "ACTIVE", "web-2": "ACTIVE"}


def test_what_the_second_boot_left_is_taken_back_once_the_first_runs() -> None:
    made = building("web-1")
    made.advance(CUT, at("server/web-2#create"))
    made.target.block_storage.reserve(shared(made), "a-server-that-never-was")
    made.crash()
    made.now += timedelta(seconds=600)
    made.advance(CUT)
    assert [id.rpartition("/")[2] for id in made.sent if ACTION in id] == [f"web-1-data#{ACTION}"]
    assert status(made) == {"web-1": "ACTIVE", "web-2": "ACTIVE"}


def test_one_of_its_own_that_ran_is_not_called_a_strangers() -> None:
    made = building("web-1")
    made.advance(CUT, at("server/web-2#create"))
    made.target.block_storage.reserve(shared(made), next(iter(made.target.compute.rows)))
    made.crash()
    made.now += timedelta(seconds=600)
    [finding] = [finding for finding in made.plan(CUT).blockers if finding.code == "reserved_elsewhere"]
    assert "is reserved for server web-1" in finding.what


def test_on_the_way_back_the_one_that_is_built_is_removed_first() -> None:
    made = building("web-1", 600)
    made.discard(["server-1", "server-2"])
    home = documents(rollback=Rollback(cut_of(made), "discard"))
    assert list(told(made.plan(home))) == []
    made.advance(home)
    assert {server.status for server in made.source.compute.servers("")} == {"ACTIVE"}
    assert status(made) == {}
