"""Since when servers are down on the way back: never since their cut, which may be days ago."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from millpond.model.address import Side
from millpond.model.cutover import Stop
from millpond.model.plan import NOT_KNOWN
from millpond.planning.build import build
from millpond.planning.downtime import dated
from tests.planning.situations import PILOT, back, cut_of, done
from tests.planning.tenant import prepared
from tests.planning.world import World, at

WEB = "acme/server/web-1"


def stopped(how: str) -> tuple[World, datetime]:
    """A way back, an hour after the cut, that was left once the copy was stopped; and when it was."""
    made = done()
    made.tick(3600)
    made.discard(["server-1"] if how == "discard" else [])
    made.advance(back(made, how), at("source_server/web-1#start"))
    copy = next(one for one in made.target.compute.rows.values() if one.marker == "server-1" or one.name == "web-1")
    return made, datetime.fromisoformat(copy.updated_at)


@pytest.mark.parametrize("how", ["discard", "carry_back"])
def test_a_way_back_is_dated_from_the_stop_on_the_target(how: str) -> None:
    made, when = stopped(how)
    made.tick(60)
    (pilot, _) = made.plan(back(made, how)).waves
    assert pilot.down == (WEB,)
    assert abs(datetime.fromisoformat(pilot.outage_since) - when) < timedelta(seconds=60)
    assert datetime.fromisoformat(pilot.outage_since) - datetime.fromisoformat(pilot.cut) > timedelta(hours=1)


def test_a_copy_that_is_gone_leaves_the_time_that_was_read_or_none() -> None:
    made, when = stopped("carry_back")
    on = back(made, "carry_back")
    snapshot = made.snapshot()
    gone = replace(snapshot, target=replace(snapshot.target, servers=()))
    (pilot, _) = build(on, gone).waves
    assert abs(datetime.fromisoformat(pilot.outage_since) - when) < timedelta(minutes=5)
    here = next(server for server in gone.source.servers if server.id == "server-1")
    assert here.record is not None
    untimed = replace(here, record=replace(here.record, returned=""))
    others = tuple(server for server in gone.source.servers if server.id != "server-1")
    (pilot, _) = build(on, replace(gone, source=replace(gone.source, servers=(untimed, *others)))).waves
    assert (pilot.down, pilot.outage_since) == ((WEB,), NOT_KNOWN)


def test_what_the_journal_remembers_of_this_cut_comes_first() -> None:
    made, when = stopped("carry_back")
    on = back(made, "carry_back")
    snapshot, plan = made.snapshot(), made.plan(on)
    sent = when - timedelta(seconds=9)
    stop = Stop(sent, Side.TARGET)
    assert dated(on, snapshot, plan, {WEB: stop}).waves[0].outage_since == sent.isoformat(timespec="seconds")
    assert dated(on, snapshot, plan, {WEB: replace(stop, at=sent - timedelta(days=3))}).waves == plan.waves
    assert dated(on, snapshot, plan, {WEB: replace(stop, side=Side.SOURCE)}).waves == plan.waves  # its copy has run since
    assert dated(on, snapshot, plan, {}).waves == plan.waves


def test_a_cut_is_dated_from_itself() -> None:
    made = prepared()
    made.advance(PILOT, at("server/web-1#create"))
    assert made.plan(PILOT).waves[0].outage_since == cut_of(made)


def test_a_cut_whose_stop_the_journal_remembers_is_dated_from_that() -> None:
    made = prepared()
    made.advance(PILOT, at("server/web-1#create"))
    snapshot, plan = made.snapshot(), made.plan(PILOT)
    sent = datetime.fromisoformat(cut_of(made)) + timedelta(seconds=40)
    assert dated(PILOT, snapshot, plan, {WEB: Stop(sent)}).waves[0].outage_since == sent.isoformat(timespec="seconds")


def test_a_way_back_without_a_copy_is_dated_from_the_stop_on_the_source() -> None:
    """A boot was declared and never sent: the time that was read on the way back is none of its stop."""
    made, when = stopped("carry_back")
    on = back(made, "carry_back")
    snapshot = made.snapshot()
    gone = replace(snapshot, target=replace(snapshot.target, servers=()))
    sent = datetime.fromisoformat(cut_of(made)) + timedelta(seconds=40)
    assert sent < when
    assert dated(on, gone, build(on, gone), {WEB: Stop(sent)}).waves[0].outage_since == sent.isoformat(timespec="seconds")
