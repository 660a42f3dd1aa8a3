"""What goes wrong in a cut, and how it ends."""

from collections.abc import Iterator, Sequence
from threading import Timer
from typing import Any

import openstack
import pytest

from millpond.model.change import Change
from millpond.model.finding import Finding
from millpond.model.outcome import Result
from tests.story.identical import Comparison
from tests.story.silent import Silent
from tests.story.stage import Stage
from tests.story.test_small import statuses

FAULT = "The hypervisor failed to start the guest."


def only(findings: Sequence[Finding]) -> Finding:
    [found] = findings
    return found


def whole(stage: Stage) -> None:
    """The tenant has arrived, each server once, with all that was written."""
    assert list(Comparison(stage).different()) == []
    assert len(stage.rows("target/nova/servers")) == len(Comparison(stage).was())
    assert set(statuses(stage, "source").values()) == {"stopped"}
    assert stage.sandbox.control.violations() == []


def home(stage: Stage) -> None:
    """The tenant is back, and nothing of it runs on the target."""
    assert set(statuses(stage, "source").values()) == {"active"}
    assert stage.rows("target/nova/servers") == []
    assert not any(key.startswith("millpond") for row in stage.rows("source/nova/servers") for key in row["metadata"])
    assert stage.sandbox.control.violations() == []


def cut(stage: Stage) -> list[str]:
    """Cuts over and returns the codes of what holds it."""
    stage.manifest["cutover"] = True
    return [finding.code for finding in stage.settle().plan.tenants[0].blockers]


def discard(stage: Stage) -> None:
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "discard"}}
    result = stage.settle()
    assert not result.remaining, (result.plan.tenants[0].steps, result.plan.tenants[0].blockers)
    del stage.manifest["rollback"]


def boots(mutating: Sequence[dict[str, Any]]) -> int:
    return sum(1 for entry in mutating if entry["cloud"] == "target" and entry["method"] == "POST" and entry["path"].endswith("/servers"))


def test_a_boot_that_fails_before_launch_is_tried_again(stage: Stage) -> None:
    stage.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", times=2)
    with stage.counted() as mutating:
        assert cut(stage) == []
    assert boots(mutating) == 5
    whole(stage)


def test_after_three_failed_boots_a_person_is_asked_and_the_wave_goes_back_whole(stage: Stage) -> None:
    stage.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", times=3)
    with stage.counted() as mutating:
        stage.manifest["cutover"] = True
        result = stage.settle()
    blocker = only(result.plan.tenants[0].blockers)
    assert (blocker.code, FAULT in blocker.why) == ("boot_failed", True)
    create = result.final["acme/server/web-1#create"]
    assert (create.result, FAULT in create.message) == (Result.FAILED, True)
    assert result.final["acme/server/web-2#create"].result is Result.DONE
    assert boots(mutating) == 5
    assert statuses(stage, "target") == {"web-2": "active", "db-1": "active"}
    verified = {row["name"]: "millpond.verified" in row["metadata"] for row in stage.rows("source/nova/servers")}
    assert verified == {"web-1": False, "web-2": True, "db-1": True}
    with stage.counted() as mutating:
        assert stage.apply().held
    assert mutating == []
    discard(stage)
    home(stage)
    assert cut(stage) == []
    whole(stage)


def test_what_failed_three_times_is_tried_again_by_the_command_that_its_blocker_names(stage: Stage) -> None:
    stage.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", times=3)
    assert cut(stage) == ["boot_failed"]
    blocker = only(stage.plan().blockers)
    source_id = next(row["id"] for row in stage.rows("source/nova/servers") if row["name"] == "web-1")
    assert f"openstack --os-cloud source-admin server unset --property millpond.attempts {source_id}" in blocker.fix
    openstack.connect(cloud="source-admin").compute.delete_server_metadata(source_id, ["millpond.attempts"])
    assert cut(stage) == []
    whole(stage)


def test_a_server_that_failed_after_its_launch_is_never_touched(stage: Stage) -> None:
    stage.sandbox.control.fault(world="boot_error", cloud="target", name="web-1", launched=True, times=1)
    with stage.counted() as mutating:
        assert cut(stage) == ["error_after_launch"]
    assert boots(mutating) == 3
    assert [
        entry for entry in mutating if entry["method"] == "DELETE" and "/servers/" in entry["path"] and "/metadata" not in entry["path"]
    ] == []
    assert statuses(stage, "target") == {"web-1": "error", "web-2": "active", "db-1": "active"}
    discard(stage)
    home(stage)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_errors_in_the_middle_of_a_cut_change_nothing_about_its_end(stage: Stage, status: int) -> None:
    for skip in range(2, 40, 5):
        stage.sandbox.control.fault(action={"status": status}, mutating=True, skip=skip, count=1)
    for skip in range(10, 100, 15):
        stage.sandbox.control.fault(action={"status": status if status != 500 else 502}, mutating=False, skip=skip, count=1)
    assert cut(stage) == []
    whole(stage)


@pytest.mark.parametrize("path", ["/servers$", "/suspend"])
def test_a_service_that_takes_nothing_in_for_a_while_is_asked_again(stage: Stage, path: str) -> None:
    stage.sandbox.control.fault(action={"status": 503}, method="POST", path=path, count=12)
    assert cut(stage) == []
    whole(stage)


@pytest.mark.parametrize("action", ["drop_before", "drop_after"])
def test_a_boot_whose_reply_is_lost_is_looked_for_before_it_is_sent_again(stage: Stage, action: str) -> None:
    stage.sandbox.control.fault(action=action, cloud="target", service="nova", method="POST", path="/servers$", count=2)
    with stage.counted() as mutating:
        assert cut(stage) == []
    assert boots(mutating) == (5 if action == "drop_before" else 3)
    whole(stage)


def test_lost_replies_anywhere_change_nothing_about_the_end(stage: Stage) -> None:
    for skip in range(1, 60, 4):
        stage.sandbox.control.fault(action="drop_after", mutating=True, skip=skip, count=1)
    assert cut(stage) == []
    whole(stage)


def test_a_guest_that_does_not_listen_is_waited_for(stage: Stage) -> None:
    stage.sandbox.control.fault(world="deaf_guest", cloud="source", name="db-1")
    assert cut(stage) == []
    whole(stage)


class Interruption(Silent):
    """The link between the arrays goes down when the guests are being stopped, and comes back a while later."""

    def __init__(self, stage: Stage) -> None:
        self._fault = stage.sandbox.control.fault
        self.restored = Timer(1.0, self._fault, kwargs={"world": "link_up"})

    def began(self, change: Change) -> None:
        if change.action == "stop" and not self.restored.is_alive():
            self._fault(world="link_down")
            self.restored.start()


def test_a_link_that_is_down_for_a_while_in_the_middle_of_a_cut_is_waited_for(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    interruption = Interruption(stage)
    result = stage.apply(interruption)
    interruption.restored.join()
    assert not result.remaining, (result.plan.tenants[0].steps, result.outcomes)
    whole(stage)


def suspend(stage: Stage) -> list[str]:
    """Lets the array itself suspend the replicas: what the guests write no longer fits into the target's pool."""
    stage.sandbox.control.fault(world="pool_full", name="pool-b1")
    for row in stage.rows("source/nova/servers"):
        stage.sandbox.control.write(cloud="source", server_id=row["id"], data="more than fits")
    stage.sandbox.control.advance(400)
    stage.sandbox.control.advance(10)
    stage.sandbox.control.clear_faults()
    return sorted({row["state"] for row in stage.rows("ibox-a/replicas")})


def test_replication_that_the_array_suspended_is_resumed_and_synced_before_a_cut(stage: Stage) -> None:
    assert suspend(stage) == ["AUTO_SUSPENDED"]
    for row in stage.rows("source/nova/servers"):
        stage.sandbox.control.write(cloud="source", server_id=row["id"], data="after the suspension")
    assert cut(stage) == []
    whole(stage)


class Overflow(Silent):
    """The target's pool is full by the time that the last writes are to be synced."""

    def __init__(self, stage: Stage) -> None:
        self._control, self._servers = stage.sandbox.control, [row["id"] for row in stage.rows("source/nova/servers")]
        self._full = False

    def began(self, change: Change) -> None:
        if change.action == "stop" and not self._full:
            self._full = True
            self._control.fault(world="pool_full", name="pool-b1")
            for server in self._servers:
                self._control.write(cloud="source", server_id=server, data="more than fits")


@pytest.mark.parametrize("onward", [True, False])
def test_a_pool_that_is_full_in_the_middle_of_a_cut_loses_nothing(stage: Stage, onward: bool) -> None:
    stage.manifest["cutover"] = True
    result = stage.apply(Overflow(stage))
    assert result.remaining
    assert statuses(stage, "target") == {}
    stage.sandbox.control.clear_faults()
    stage.manifest["cutover"] = onward
    assert not stage.settle().remaining
    if onward:
        whole(stage)
    else:
        home(stage)


def test_replication_that_the_array_suspended_goes_on_without_a_cut(stage: Stage) -> None:
    suspend(stage)
    assert not stage.settle().remaining
    assert {row["state"] for row in stage.rows("ibox-a/replicas")} == {"ACTIVE"}


@pytest.fixture
def strict(stage: Stage) -> Iterator[Stage]:
    """Arrays whose firmware refuses two targets, and the site file that says so."""
    for array in ("ibox-a", "ibox-b"):
        stage.sandbox.control.firmware(array, both_targets_allowed=False)
    stage.site_spec["replication"] = {"fence_first": False}
    stage.sandbox.control.settings(speed=20)
    yield stage
    stage.sandbox.control.settings(speed=60)
    for array in ("ibox-a", "ibox-b"):
        stage.sandbox.control.firmware(array, both_targets_allowed=True)


@pytest.mark.parametrize("target_writes", ["discard", "carry_back"])
def test_arrays_that_refuse_two_targets_are_promoted_first_and_fenced_at_once_after(strict: Stage, target_writes: str) -> None:
    assert cut(strict) == []
    whole(strict)
    strict.manifest |= {"cutover": False, "rollback": {"cut": strict.cut(), "target_writes": target_writes}}
    result = strict.settle()
    assert not result.remaining, (result.plan.tenants[0].steps, result.outcomes)
    home(strict)


def test_a_site_file_that_expects_too_much_of_its_arrays_can_go_back(strict: Stage) -> None:
    strict.site_spec["replication"] = {"fence_first": True}
    strict.manifest["cutover"] = True
    result = strict.apply()
    assert result.remaining
    assert statuses(strict, "target") == {}
    strict.manifest["cutover"] = False
    assert not strict.settle().remaining
    home(strict)
