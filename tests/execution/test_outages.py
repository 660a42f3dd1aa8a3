from datetime import UTC, datetime, timedelta

import pytest

from millpond.execution.journal import Entry
from millpond.execution.outages import outages_of, stops_of
from millpond.model.address import Side
from millpond.model.cutover import Outage, Stop
from millpond.model.outcome import Outcome, Result

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)


def entry(step: str, at: float, result: Result | None = Result.DONE, seconds: float = 1.0) -> Entry:
    outcome = Outcome(step, result, seconds) if result else None
    return Entry(int(at), "run-1", "acme", step, "", NOON + timedelta(seconds=at), outcome)


def test_an_outage_lasts_from_the_stop_to_the_handover() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0),
        entry("acme/server/web-1#create", 20),
        entry("acme/source_server/web-1#verify", 45, seconds=2),
    ]
    (outage,) = outages_of(entries)
    assert (outage.server, outage.began, outage.seconds) == ("acme/server/web-1", NOON, 47.0)


def test_a_stop_that_was_tried_again_counts_from_the_first_time() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0, Result.FAILED),
        entry("acme/source_server/web-1#stop", 10, Result.UNKNOWN),
        entry("acme/source_server/web-1#stop", 30),
        entry("acme/source_server/web-1#verify", 60, Result.UNKNOWN),
        entry("acme/source_server/web-1#verify", 70),
    ]
    assert [outage.seconds for outage in outages_of(entries)] == [61.0]


def test_the_way_back_is_an_outage_of_its_own() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0),
        entry("acme/source_server/web-1#verify", 40),
        entry("acme/server/web-1#stop", 100),
        entry("acme/source_server/web-1#start", 130),
    ]
    assert [outage.seconds for outage in outages_of(entries)] == [41.0, 31.0]


def test_what_a_run_measured_holds_and_the_rest_is_told_from_its_steps() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0),
        entry("acme/source_server/web-1#verify", 40),
        entry("acme/server/web-1#stop", 100),
        entry("acme/source_server/web-1#start", 130),
        entry("acme/server/db-1#stop", 101),
        entry("acme/source_server/db-1#start", 130),
    ]
    seen = Outage("acme/server/web-1", NOON + timedelta(seconds=100), NOON + timedelta(seconds=136), back=True)
    found = outages_of(entries, [seen])
    assert [(outage.server[-5:], outage.back, outage.seconds) for outage in found] == [
        ("web-1", False, 41.0),
        ("/db-1", True, 30.0),
        ("web-1", True, 36.0),
    ]


def test_what_has_not_ended_or_is_not_known_is_none() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0),
        entry("acme/source_server/db-1#stop", 0, None),
        entry("acme/source_server/db-1#verify", 9),
    ]
    assert outages_of(entries) == ()


def stop(at: float, side: Side = Side.TARGET) -> Stop:
    return Stop(NOON + timedelta(seconds=at), side)


def test_a_stop_on_the_target_is_remembered_until_something_of_its_source_is_done() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0),
        entry("acme/source_server/web-1#verify", 40),
        entry("acme/server/web-1#stop", 90, Result.FAILED),
        entry("acme/server/web-1#stop", 100, Result.UNKNOWN),
        entry("acme/server/web-1#stop", 120),
        entry("acme/server/web-2#stop", 110, None),
    ]
    began = {"acme/server/web-1": stop(100), "acme/server/web-2": stop(110)}
    assert stops_of(entries) == began
    assert stops_of([*entries, entry("acme/source_server/web-1#start", 200, Result.FAILED)]) == began
    del began["acme/server/web-1"]
    assert stops_of([*entries, entry("acme/source_server/web-1#start", 200)]) == began


def test_a_copy_that_was_started_again_is_not_down_by_an_earlier_stop() -> None:
    entries = [entry("acme/server/web-1#stop", 100), entry("acme/server/web-1#power_on", 200)]
    assert stops_of(entries) == {}
    again = [*entries, entry("acme/server/web-1#stop", 900)]
    assert stops_of(again) == {"acme/server/web-1": stop(900)}


@pytest.mark.parametrize("end", ["verify", "start", "forget:millpond.cut", "record"])
def test_a_stop_on_the_source_is_remembered_until_its_copy_is_stopped_or_its_cut_has_ended(end: str) -> None:
    entries = [
        entry("acme/source_server/web-1#record", 0),
        entry("acme/source_server/web-1#stop", 1, Result.HELD),
        entry("acme/source_server/web-1#stop", 2),
        entry("acme/source_server/web-1#stop", 8),
        entry("acme/server/web-1#delete", 9),
    ]
    assert stops_of(entries) == {"acme/server/web-1": stop(2, Side.SOURCE)}
    assert stops_of([*entries, entry(f"acme/source_server/web-1#{end}", 20)]) == {}
    assert stops_of([*entries, entry("acme/server/web-1#stop", 20)]) == {"acme/server/web-1": stop(20)}


def test_a_server_that_was_off_when_it_was_found_has_no_outage() -> None:
    """The first cut is carried back while its copy still runs; the second one succeeds."""
    first = [entry("acme/server/app-2#create", 1), entry("acme/server/app-2#stop", 45)]
    undone = [entry("acme/server/app-2#delete", 120), entry("acme/source_server/app-2#forget:millpond.cut", 122)]
    second = [entry("acme/source_server/app-2#record", 200), entry("acme/source_server/app-2#verify", 220)]
    assert outages_of([*first, *undone, *second]) == ()
    for forgotten in (undone[:1], undone[1:], []):
        assert outages_of([*first, *forgotten, *second]) == ()
    assert stops_of([*first, *undone]) == {}


def test_a_way_back_from_a_cut_between_boots_counts_from_what_each_server_is_down_by() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0),
        entry("acme/source_server/web-2#stop", 0),
        entry("acme/server/web-1#create", 6),
        entry("acme/server/web-1#stop", 50),
        entry("acme/source_server/web-1#start", 126),
        entry("acme/source_server/web-2#start", 126),
        entry("acme/server/web-1#delete", 130),
    ]
    assert [(each.server, each.back, each.seconds) for each in outages_of(entries)] == [
        ("acme/server/web-1", True, 77.0),
        ("acme/server/web-2", True, 127.0),
    ]
