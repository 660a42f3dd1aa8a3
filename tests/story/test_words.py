"""A rollback whose word is changed, or whose disks somebody else has: what was written is on the source in the end, or told where it is."""

from __future__ import annotations

from typing import Any

from millpond.model.change import Change
from millpond.model.outcome import Outcome
from tests.sandbox.conftest import connect
from tests.story.silent import Silent
from tests.story.stage import Stage
from tests.story.test_small import contents, statuses, write

ACME = {"project_name": "acme", "project_domain_name": "customers"}


def row(stage: Stage, table: str, **wanted: Any) -> dict[str, Any]:
    return next(row for row in stage.rows(f"target/{table}") if all(row[key] == value for key, value in wanted.items()))


class Dies(Exception):
    """Of the run, after a step."""


class DiesAfter(Silent):
    def __init__(self, action: str) -> None:
        self.action = action

    def ended(self, change: Change, outcome: Outcome) -> None:
        if change.action == self.action:
            raise Dies


def rolls_back(stage: Stage, cut: str, word: str) -> None:
    stage.manifest |= {"cutover": False, "rollback": {"cut": cut, "target_writes": word}}


def begun(stage: Stage, cut: str, *, until: str) -> None:
    rolls_back(stage, cut, "discard")
    try:
        stage.apply(DiesAfter(until))
        raise AssertionError(f"{until} was not among what was done")
    except Dies:
        stage.unlocked()


def test_a_discard_that_has_begun_is_not_changed_into_a_carry_back_without_a_word(moved: Stage) -> None:
    """The target's disks are read-only and alone hold what was written there: as the blocker says, cut again, then carried back."""
    cut = moved.cut()
    write(moved, "target", "the order of Tuesday")
    source, target = contents(moved, "ibox-a"), contents(moved, "ibox-b")
    begun(moved, cut, until="demote")
    rolls_back(moved, cut, "carry_back")
    with moved.counted() as mutating:
        result = moved.apply()
    (found,) = result.plan.tenants[0].blockers
    assert (found.code, result.held, mutating) == ("discard_begun", True, [])
    assert (contents(moved, "ibox-a"), contents(moved, "ibox-b")) == (source, target)
    moved.manifest["cutover"] = True
    del moved.manifest["rollback"]
    assert moved.settle().plan.tenants[0].steps == ()
    assert set(statuses(moved, "target").values()) == {"active"}
    rolls_back(moved, moved.cut(), "carry_back")
    assert moved.settle().plan.tenants[0].steps == ()
    assert set(statuses(moved, "source").values()) == {"active"}
    assert sorted(contents(moved, "ibox-a").values()) == sorted(target.values())
    told = {(one["kind"], one["where"]) for one in moved.sandbox.control.violations()}
    assert told == {("write_lost", "ibox-b")}  # any promotion with other contents than the source's: here they are the newer ones


def test_a_disk_that_went_to_other_hands_is_not_carried_back_behind_their_back(moved: Stage) -> None:
    """The tenant has detached it, taken the mark away and attached it to a server of their own, which goes on writing."""
    disk = row(moved, "cinder/volumes", name="db-1-data")["id"]
    with connect(moved.sandbox, "target-admin", **ACME) as tenant:
        tenant.compute.delete_volume_attachment(row(moved, "nova/servers", name="db-1")["id"], disk)
        tenant.block_storage.delete_volume_metadata(disk, ["millpond:source"])
        image = {"source_type": "blank", "destination_type": "volume", "volume_size": 1, "boot_index": 0, "delete_on_termination": True}
        flavor = next(iter(tenant.compute.flavors()))
        theirs = tenant.compute.create_server(name="theirs", flavor_id=flavor.id, networks="none", block_device_mapping_v2=[image])
        theirs = tenant.compute.wait_for_server(theirs, interval=0.05)
        tenant.compute.create_volume_attachment(theirs, volume_id=disk)
        rolls_back(moved, moved.cut(), "carry_back")
        moved.apply()
        (found,) = moved.plan().blockers
        assert found.code == "marker_lost"
        assert set(statuses(moved, "target").values()) == {"active"}
        written = moved.sandbox.control.write(cloud="target", server_id=theirs.id, data="orders")["volumes"][disk]
        tenant.block_storage.set_volume_metadata(disk, **{found.fix.split()[7].partition("=")[0]: found.fix.split()[7].partition("=")[2]})
        assert {one.code for one in moved.plan().blockers} == {"volume_used_elsewhere"}
        tenant.compute.delete_server(theirs)
        tenant.compute.wait_for_delete(theirs, interval=0.05)
    assert not moved.settle().remaining
    kept = [one["content"] for one in moved.rows("ibox-a/volumes") if one["type"] == "MASTER"]
    assert written in {f"{one['writes']}:{one['chain']}:{one['last']}" for one in kept}
    assert moved.sandbox.control.violations() == []
