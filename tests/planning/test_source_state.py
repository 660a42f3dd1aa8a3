"""A server on the source that is neither ACTIVE nor SHUTOFF once its cut has begun."""

from datetime import timedelta
from functools import cache

import pytest

from millpond.model.desired import Desired
from millpond.model.finding import Finding
from millpond.model.manifest import Rollback
from millpond.model.plan import Plan, TenantPlan
from millpond.planning.envelope import Envelope
from tests.planning.situations import BACK, PILOT, back, before, cut_of, one_wave
from tests.planning.tenant import SITE, world
from tests.planning.world import EPOCH, World, at, flagged

STUCK = pytest.mark.parametrize(
    ("status", "verb"),
    [("PAUSED", "unpause"), ("SUSPENDED", "resume"), ("RESCUE", "unrescue"), ("VERIFY_RESIZE", "resize revert"), ("SHELVED", "unshelve")],
)


def found(status: str, step: str = "source_server/web-1#lock") -> World:
    """A crash in the cut; the server is found in this state."""
    made = before(step)
    made.source.compute.put("server-1", status=status)
    return made


def told(plan: TenantPlan) -> Finding:
    [finding] = [finding for finding in plan.blockers if finding.code == "server_state"]
    return finding


@STUCK
def test_one_that_cannot_be_stopped_holds_its_cut_and_is_named(status: str, verb: str) -> None:
    made = found(status)
    plan = made.advance(PILOT)
    finding = told(plan)
    assert (status in finding.what, finding.wave) == (True, "pilot")
    assert f"openstack --os-cloud source server {verb} server-1" in finding.fix
    assert not [id for id in made.sent if id.endswith(("#stop", "#time", "#sync", "#suspend"))]
    made.source.compute.put("server-1", status="ACTIVE")
    assert made.advance(PILOT).blockers == ()
    assert made.source.compute.shown("server-1").record.verified  # type: ignore[union-attr]


def test_one_without_a_way_out_that_is_known_is_told_where_it_has_to_be() -> None:
    assert "ACTIVE or SHUTOFF as an administrator" in told(found("UNKNOWN").plan(PILOT)).fix


def test_one_that_is_on_its_way_is_waited_for() -> None:
    made = before("source_server/web-1#lock")
    made.source.compute.put("server-1", status="REBOOT", task_state="rebooting")
    [wait] = [step for step in made.plan(PILOT).waiting if step.id == "acme/source_server/web-1#stop"]
    assert not wait.long
    assert made.plan(PILOT).blockers == ()


def test_one_in_error_is_stopped_as_one_that_runs() -> None:
    made = found("ERROR")
    assert made.advance(PILOT).blockers == ()
    assert made.sent.count("acme/source_server/web-1#stop") == 1
    assert made.source.compute.shown("server-1").record.verified  # type: ignore[union-attr]


def test_a_plan_that_was_saved_while_it_ran_covers_its_stop_in_error() -> None:
    made = before("source_server/web-1#lock")
    plan = made.plan(PILOT)
    envelope = Envelope.of(Plan(EPOCH, "0", (plan,), plan.digest))
    made.source.compute.put("server-1", status="ERROR")
    stop = next(step for step in made.plan(PILOT).changes if step.id == "acme/source_server/web-1#stop")
    assert envelope.allowed("acme", [stop]) == [stop]
    assert "in ERROR" in stop.reason


@pytest.mark.parametrize("status", ["PAUSED", "ERROR"])
def test_what_it_may_have_written_since_its_stop_was_timed_is_synchronised_anew(status: str) -> None:
    made = found(status, "replication_group/pilot-ssd#fence")
    sent = len(made.sent)
    made.advance(PILOT)
    made.source.compute.put("server-1", status="SHUTOFF")
    made.advance(PILOT)
    again = [id.partition("#")[2] for id in made.sent[sent:] if id.endswith(("#untime", "#time", "#sync", "#fence"))]
    assert again == ["untime", "time", "sync", "fence"]


def test_it_is_not_to_be_brought_up_beside_its_copy() -> None:
    made = before("source_server/web-1#verify")
    made.source.compute.put("server-1", status="PAUSED")
    assert "must not run at once" in told(made.plan(PILOT)).fix
    assert "unpause" not in told(made.plan(PILOT)).fix


@pytest.mark.parametrize(("status", "verb"), [("PAUSED", "unpause"), ("ERROR", "reboot --hard")])
def test_on_the_way_back_it_stays_locked_until_it_is_brought_up_and_says_so(status: str, verb: str) -> None:
    made = found(status, "source_server/web-1#stop")
    finding = told(made.advance(BACK))
    assert f"openstack --os-cloud source server {verb} server-1" in finding.fix
    assert made.source.compute.shown("server-1").locked
    made.source.compute.put("server-1", status="ACTIVE")
    assert made.advance(BACK).blockers == ()
    assert (made.source.compute.shown("server-1").record, made.source.compute.shown("server-1").locked) == (None, False)


ENDED = "openstack --os-cloud source server set --state active server-1\n    openstack --os-cloud source server stop server-1"


def test_on_the_way_back_nobody_is_asked_to_bring_it_up_while_its_disks_are_away() -> None:
    made = before("source_server/web-1#verify")
    made.source.compute.put("server-1", status="PAUSED", power_state=3)
    made.discard(["server-1"])
    home = back(made, "discard")
    assert ENDED in told(made.plan(home)).fix
    assert "unpause" not in told(made.plan(home)).fix
    made.source.compute.put("server-1", status="SHUTOFF", power_state=4)
    assert made.advance(home).blockers == ()


@cache
def cut_over() -> World:
    base = one_wave()
    made = world(base.inventory)
    made.tick()
    made.advance(base)
    made.tick(3600)
    made.advance(flagged(base, pilot={"cutover": True}))
    made.tick(600)
    return made


def came_back(how: str) -> tuple[World, Desired]:
    """The copy of web-1 runs, web-2 shares its replica, and both are to go back."""
    base, made = one_wave(), cut_over().copy()
    made.discard(["server-1", "server-2"] if how == "discard" else [])
    return made, flagged(base, pilot={"rollback": Rollback(cut_of(made), how)})


def statuses(made: World) -> dict[str, str]:
    return {made.target.compute.shown(id).marker: one.status for id, one in made.target.compute.rows.items()}


UP = {"server-1": "ACTIVE", "server-2": "ACTIVE"}
WAYS = pytest.mark.parametrize("how", ["discard", "carry_back"])
AWAKE = [
    ("PAUSED", 3, ENDED),
    ("SUSPENDED", 4, ENDED),
    ("RESCUE", 1, ENDED),
    ("ERROR", 1, "openstack --os-cloud source server stop server-1"),
    ("VERIFY_RESIZE", 1, "openstack --os-cloud source server resize confirm server-1"),
    ("REVERT_RESIZE", 1, "bring it to SHUTOFF"),
]


@WAYS
@pytest.mark.parametrize(("status", "power", "fix"), AWAKE)
def test_nothing_is_stopped_or_turned_for_a_source_that_is_not_off(status: str, power: int, fix: str, how: str) -> None:
    made, home = came_back(how)
    made.source.compute.put("server-1", status=status, power_state=power)
    plan = made.advance(home)
    finding = told(plan)
    assert (str(finding.address), fix in finding.fix) == ("acme/server/web-1", True)
    assert statuses(made) == UP
    assert not [wave.outage_since for wave in plan.waves if wave.outage_since]
    made.source.compute.put("server-1", status="SHUTOFF", power_state=4)
    assert made.advance(home).steps == ()
    assert {one.status for one in made.source.compute.rows.values()} == {"ACTIVE"}


@WAYS
@pytest.mark.parametrize("status", ["ERROR", "SHELVED_OFFLOADED"])
def test_one_of_which_nothing_is_up_gets_its_disks_back_once_its_copy_is_down(status: str, how: str) -> None:
    made, home = came_back(how)
    made.advance(home, at("replication_group/pilot-ssd#demote"))
    made.source.compute.put("server-1", status=status, power_state=4)
    assert told(made.advance(home)).what.endswith("ran before its cut")
    assert "acme/replication_group/pilot-ssd#restore" in made.sent
    made.source.compute.put("server-1", status="ACTIVE")
    assert made.advance(home).steps == ()


@WAYS
def test_one_that_left_its_rest_after_the_copies_were_stopped_holds_the_roles(how: str) -> None:
    made, home = came_back(how)
    made.advance(home, at("replication_group/pilot-ssd#demote"))
    made.source.compute.put("server-1", status="RESCUE", power_state=1)
    assert told(made.advance(home))
    assert not [id for id in made.sent if id.endswith(("#demote", "#restore"))]
    made.source.compute.put("server-1", status="SHUTOFF", power_state=4)
    assert made.advance(home).steps == ()


def test_a_guest_that_is_up_on_the_source_is_waited_for_no_longer_than_the_site_allows() -> None:
    made, home = came_back("discard")
    for one in made.target.compute.rows:
        made.target.compute.put(one, status="SHUTOFF", power_state=4, locked=True)
    made.source.compute.put("server-1", power_state=1, updated_at=made.stamp())
    assert made.plan(home).blockers == ()
    made.advance(home, lambda plan: not [change for change in plan.changes if not change.after])
    first = [(step.id, step.long) for step in made.plan(home).waiting if not step.after]
    assert first == [("acme/source_server/web-1#stop", False), ("acme/gate/web-2#stops", False)]
    made.now += timedelta(seconds=SITE.limits.stop_timeout)
    assert [finding.code for finding in made.advance(home).blockers] == ["stop_timeout"]
    assert "acme/replication_group/pilot-ssd#restore" not in made.sent


@pytest.mark.parametrize(("status", "verb"), [("PAUSED", "unpause"), ("SUSPENDED", "resume"), ("RESCUE", "unrescue")])
@WAYS
def test_what_sleeps_on_disks_that_were_carried_back_is_rebooted(status: str, verb: str, how: str) -> None:
    made, home = came_back(how)
    made.advance(home, at("source_server/web-1#start"))
    made.source.compute.put("server-1", status=status)
    older = how == "carry_back" and status != "RESCUE"
    assert f"openstack --os-cloud source server {'reboot --hard' if older else verb} server-1" in told(made.plan(home)).fix


def to_its_end(made: World, on: Desired) -> None:
    """By the plan that is saved now."""
    plan = made.plan(on)
    envelope = Envelope.of(Plan(EPOCH, "0", (plan,), plan.digest))
    assert [change.id for change in plan.changes if not change.after and change.action == "start"] == []

    def reviewed(plan: TenantPlan) -> bool:
        ready = [change for change in plan.changes if not change.after]
        assert envelope.allowed("acme", ready) == ready, envelope.stale
        return False

    assert made.advance(on, reviewed).steps == ()
    assert {one.status for one in made.source.compute.rows.values()} == {"ACTIVE"}


def first(made: World, on: Desired) -> list[tuple[str, str, bool]]:
    return [(step.action, step.reason, step.long) for step in made.plan(on).waiting if step.kind == "source_server"]


def test_a_way_back_that_is_reviewed_while_the_source_is_still_being_stopped_knows_of_its_start() -> None:
    made = before("source_server/web-1#stop")
    plan = made.advance(PILOT, at("source_server/web-1#stop"))
    made.perform(next(change for change in plan.changes if change.action == "stop"))
    assert first(made, BACK) == [("settle", "the server is being stopped (task powering-off)", False)]
    (start,) = [change for change in made.plan(BACK).changes if change.action == "start"]
    assert "acme/source_server/web-1#settle" in start.after
    to_its_end(made, BACK)


@WAYS
def test_so_does_one_whose_disks_are_to_be_given_back_after_the_stop(how: str) -> None:
    made, home = came_back(how)
    made.source.compute.put("server-1", status="ERROR", task_state="powering-off")
    assert [action for action, _, _ in first(made, home)] == ["stop"]
    to_its_end(made, home)


@pytest.mark.parametrize(
    ("status", "task", "waits", "starts"),
    [
        ("SHUTOFF", "image_uploading", ("settle", "the server is changing its state on the source (task image_uploading)"), True),
        ("SHUTOFF", "powering-on", ("start", "the server is starting (task powering-on)"), False),
        ("ACTIVE", "image_uploading", ("start", "the server is changing its state on the source (task image_uploading)"), False),
    ],
)
def test_a_task_of_the_source_is_named_and_what_it_leaves_off_is_started_after_it(
    status: str, task: str, waits: tuple[str, str], *, starts: bool
) -> None:
    made = before("replication_group/pilot-ssd#sync")
    made.source.compute.put("server-1", status=status, task_state=task)
    assert first(made, BACK) == [(*waits, False)]
    assert ("start" in {change.action for change in made.plan(BACK).changes}) is starts
    made.now += timedelta(seconds=SITE.limits.boot_timeout)
    plan = made.plan(BACK)
    code = "boot_timeout" if task == "powering-on" else "stop_timeout"
    assert ([finding.code for finding in plan.blockers], first(made, BACK)) == ([code], [(*waits, True)])
