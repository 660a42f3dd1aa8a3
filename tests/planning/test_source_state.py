"""A server on the source that is neither ACTIVE nor SHUTOFF once its cut has begun."""

import pytest

from millpond.model.finding import Finding
from millpond.model.plan import Plan, TenantPlan
from millpond.planning.envelope import Envelope
from tests.planning.situations import BACK, PILOT, back, before
from tests.planning.world import EPOCH, World

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
    assert f"openstack server {verb} server-1" in finding.fix
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
    assert f"openstack server {verb} server-1" in finding.fix
    assert made.source.compute.shown("server-1").locked
    made.source.compute.put("server-1", status="ACTIVE")
    assert made.advance(BACK).blockers == ()
    assert (made.source.compute.shown("server-1").record, made.source.compute.shown("server-1").locked) == (None, False)


def test_on_the_way_back_nobody_is_asked_to_bring_it_up_while_its_disks_are_away() -> None:
    made = before("source_server/web-1#verify")
    made.source.compute.put("server-1", status="PAUSED")
    made.discard(["server-1"])
    home = back(made, "discard")
    assert "server_state" not in {finding.code for finding in made.plan(home).findings}
    assert told(made.advance(home))
