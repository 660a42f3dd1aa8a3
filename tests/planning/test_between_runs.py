"""What nobody saw between two runs: a locked server that its host brought up and down, a disk that was used."""

from __future__ import annotations

import pytest

from millpond.errors import InvariantBroken
from tests.planning.situations import BOTH, PILOT, back, done
from tests.planning.tenant import prepared
from tests.planning.world import World, at

GROUP = "replication_group/pilot-ssd"


def unseen_on_the_source(made: World) -> None:
    """A host brings the server up, it writes, and is stopped again."""
    made.crash()
    made.host_brings_up("server-1")
    made.tick(30, jobs=False)
    made.source.compute.put("server-1", status="SHUTOFF", task_state="")
    made.check()


def unseen_on_the_target(made: World) -> None:
    made.crash()
    copy = next(iter(made.target.compute.rows))
    made.target.compute.put(copy, status="ACTIVE")
    made.tick(30, jobs=False)
    made.target.compute.put(copy, status="SHUTOFF", task_state="")


@pytest.mark.parametrize("step", ["sync", "suspend", "fence"])
def test_a_stop_that_another_run_timed_is_timed_anew(step: str) -> None:
    made = prepared()
    made.advance(PILOT, at(f"{GROUP}#{step}"))
    unseen_on_the_source(made)
    plan = made.advance(PILOT)
    assert [str(wave.stage) for wave in plan.waves] == ["handed_over", "replicate"]
    assert made.sent.count("acme/source_server/web-1#time") == 2


@pytest.mark.parametrize("step", ["reverse_sync", "reverse_suspend", "demote"])
def test_a_return_that_another_run_timed_is_timed_anew(step: str) -> None:
    made = done()
    home = back(made, "carry_back")
    made.advance(home, at(f"{GROUP}#{step}"))
    unseen_on_the_target(made)
    assert made.advance(home).steps == ()
    assert made.sent.count("acme/source_server/web-1#time_return") == 2


def test_a_run_that_goes_on_times_a_stop_once() -> None:
    made = prepared()
    made.advance(PILOT, at(f"{GROUP}#fence"))
    made.crash()
    before = len(made.sent)
    made.advance(PILOT)
    assert [id for id in made.sent[before:] if id.endswith(("#time", "#sync"))] == ["acme/source_server/web-1#time", f"acme/{GROUP}#sync"]


def test_once_a_side_gave_way_its_time_holds() -> None:
    made = prepared()
    made.advance(BOTH, at(f"{GROUP}#promote"))
    made.crash()
    made.advance(BOTH)
    assert made.sent.count("acme/source_server/web-1#time") == 1


@pytest.mark.parametrize("step", ["sync", "suspend", "fence"])
def test_a_guest_that_its_host_started_under_a_stopped_server_is_waited_for_and_timed_anew(step: str) -> None:
    """Nova goes on calling it SHUTOFF, and stops it some minutes later: its power state alone tells."""
    made = prepared()
    planned = made.advance(PILOT, at(f"{GROUP}#{step}"))
    array = made.arrays["ibox-a"]
    disk = array.by_name("openstack-vol-root-1").id
    made.source.compute.put("server-1", power_state=1)
    array.contents[disk] = made.owed["root-1"] = 7777
    for change in planned.changes:
        if change.action == "fence" and not change.after:
            with pytest.raises(InvariantBroken, match="not proven stopped"):
                made.perform(change)
    made.advance(PILOT, lambda plan: any(w.action == "stop" and not w.after for w in plan.waiting))
    assert not made.source.compute.shown("server-1").record.stopped  # type: ignore[union-attr]
    made.source.compute.put("server-1", power_state=4)
    assert [str(wave.stage) for wave in made.advance(PILOT).waves] == ["handed_over", "replicate"]
    assert 7777 in made.arrays["ibox-b"].contents.values()


def test_on_the_way_back_too() -> None:
    made = done()
    home = back(made, "carry_back")
    made.advance(home, at(f"{GROUP}#demote"))
    demote = next(change for change in made.plan(home).changes if change.action == "demote")
    copy = next(iter(made.target.compute.rows))
    made.target.compute.put(copy, power_state=1)
    with pytest.raises(InvariantBroken, match="1 server still runs on the target"):
        made.perform(demote)
    made.advance(home, lambda plan: any(w.action == "stop" and not w.after for w in plan.waiting))
    assert not [change for change in made.plan(home).changes if change.action == "time_return" and not change.after]
    made.target.compute.put(copy, power_state=4)
    assert made.advance(home).steps == ()
    assert made.sent.count("acme/source_server/web-1#time_return") == 2
