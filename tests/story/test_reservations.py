"""A boot that dies between two volumes leaves the first reserved for a server which never comes: how the tenant is up again all the same."""

from typing import Any

import pytest

from millpond.model.outcome import Result
from tests.story.stage import Stage
from tests.story.test_faults import boots, cut, discard, home, whole


def asked(stage: Stage) -> list[dict[str, Any]]:
    return [entry for entry in stage.sandbox.control.requests() if "/attachments" in entry["path"] and entry["service"] == "cinder"]


def left_behind(stage: Stage, status: int = 502, reserved: int = 1) -> None:
    stage.sandbox.control.fault(world="boot_refused", cloud="target", name="db-1", times=1, status=status, reserved=reserved)


def test_a_cut_without_trouble_never_reads_the_list_of_attachments(stage: Stage) -> None:
    stage.sandbox.control.clear_requests()
    assert cut(stage) == []
    assert asked(stage) == []
    whole(stage)


@pytest.mark.parametrize("reserved", [1, 2])
def test_what_a_boot_that_died_had_reserved_is_taken_back_and_booted_again(stage: Stage, reserved: int) -> None:
    left_behind(stage, reserved=reserved)
    with stage.counted() as mutating:
        assert cut(stage) == []
    assert boots(mutating) == 4
    taken_back = [entry["path"] for entry in mutating if entry["method"] == "DELETE" and "/attachments/" in entry["path"]]
    assert len(taken_back) == reserved
    whole(stage)


def test_a_boot_that_was_refused_in_between_is_sent_again_by_the_same_run(stage: Stage) -> None:
    left_behind(stage, status=400)
    stage.manifest["cutover"] = True
    result = stage.apply()
    assert not result.remaining
    assert {outcome.result for outcome in result.final.values()} == {Result.DONE}
    whole(stage)


def test_a_boot_that_is_always_refused_is_not_sent_for_ever(stage: Stage) -> None:
    stage.sandbox.control.fault(world="boot_refused", cloud="target", name="db-1", status=400)
    stage.manifest["cutover"] = True
    with stage.counted() as mutating:
        result = stage.apply()
    assert boots(mutating) == 2 + 3
    assert [step.rpartition("/")[2] for step, outcome in result.final.items() if outcome.result is Result.FAILED] == ["db-1#create"]
    assert {row["status"] for row in stage.rows("target/cinder/volumes")} == {"in-use", "available"}
    stage.sandbox.control.clear_faults()
    assert cut(stage) == []
    whole(stage)


def test_a_wave_goes_back_whose_boot_left_its_disk_reserved(stage: Stage) -> None:
    left_behind(stage, status=400)
    stage.sandbox.control.fault(service="cinder", method="DELETE", path="/attachments/", action={"status": 403}, count=0)
    stage.manifest["cutover"] = True
    assert stage.apply().remaining
    [left] = [row for row in stage.rows("target/cinder/attachments") if row["status"] == "reserved"]
    assert {row["name"]: row["status"] for row in stage.rows("target/cinder/volumes") if row["id"] == left["volume_id"]} == {
        "db-1-root": "reserved"
    }
    stage.sandbox.control.clear_faults()
    discard(stage)
    home(stage)
    assert {row["status"] for row in stage.rows("target/cinder/volumes")} == {"maintenance"}
    assert stage.rows("target/cinder/attachments") == []
