"""What is said of an outage that is about to begin."""

from __future__ import annotations

from millpond.model.desired import Desired
from millpond.planning.expectation import expectations
from tests.planning.situations import BOTH, PILOT, back, before, done, prepared
from tests.planning.world import World, at

STOP = "source_server/web-1#stop"


def said(made: World, desired: Desired) -> list[tuple[str, dict[str, float], list[str]]]:
    """Wave, seconds by server, and the steps, of all that is ready."""
    plan = made.plan(desired)
    found = expectations(desired, plan, [change for change in plan.changes if not change.after])
    return [(each.wave, dict(each.servers), [step.id.removeprefix("acme/") for step in each.steps]) for each in found]


def about_to_stop() -> World:
    made = prepared()
    made.advance(PILOT, at(STOP))
    return made


def test_all_that_the_return_waits_for_is_in_it() -> None:
    made = about_to_stop()
    ((wave, servers, steps),) = said(made, PILOT)
    assert (wave, servers) == ("pilot", dict(made.plan(PILOT).outage.servers))
    assert {STOP, "replication_group/pilot-ssd#promote", "server/web-1#create", "source_server/web-1#verify"} <= set(steps)


def test_what_comes_after_the_return_is_not() -> None:
    made = done()
    way_back = back(made, "carry_back")
    made.advance(way_back, at("server/web-1#stop"))
    ((_, _, steps),) = said(made, way_back)
    assert {"server/web-1#stop", "source_server/web-1#start"} <= set(steps)
    assert not [id for id in steps if "forget" in id or "delete" in id]


def test_each_step_names_what_it_comes_after_and_what_it_takes() -> None:
    made = about_to_stop()
    plan = made.plan(PILOT)
    (expectation,) = expectations(PILOT, plan, [change for change in plan.changes if not change.after])
    known = {step.id for step in expectation.steps}
    assert all(set(step.after) <= known for step in expectation.steps)
    stop = next(step for step in expectation.steps if step.id.endswith(STOP))
    assert (stop.seconds, stop.servers, stop.after) == (15.0, ("acme/server/web-1",), ())


def test_nothing_is_said_where_nothing_is_about_to_stop() -> None:
    assert said(before("source_server/web-1#lock"), PILOT) == []
    assert said(before("replication_group/pilot-ssd#suspend"), BOTH) == []
