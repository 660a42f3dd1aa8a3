from datetime import UTC, datetime, timedelta

from millpond.execution.journal import Entry
from millpond.execution.outages import outages_of, stopped_on_target
from millpond.model.cutover import Outage
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


def test_a_stop_on_the_target_is_remembered_until_something_of_its_source_is_done() -> None:
    entries = [
        entry("acme/source_server/web-1#stop", 0),
        entry("acme/source_server/web-1#verify", 40),
        entry("acme/server/web-1#stop", 90, Result.FAILED),
        entry("acme/server/web-1#stop", 100, Result.UNKNOWN),
        entry("acme/server/web-1#stop", 120),
        entry("acme/server/web-2#stop", 110, None),
    ]
    began = {"acme/server/web-1": NOON + timedelta(seconds=100), "acme/server/web-2": NOON + timedelta(seconds=110)}
    assert stopped_on_target(entries) == began
    assert stopped_on_target([*entries, entry("acme/source_server/web-1#start", 200, Result.FAILED)]) == began
    del began["acme/server/web-1"]
    assert stopped_on_target([*entries, entry("acme/source_server/web-1#start", 200)]) == began


def test_a_copy_that_was_started_again_is_not_down_by_an_earlier_stop() -> None:
    entries = [entry("acme/server/web-1#stop", 100), entry("acme/server/web-1#power_on", 200)]
    assert stopped_on_target(entries) == {}
    again = [*entries, entry("acme/server/web-1#stop", 900)]
    assert stopped_on_target(again) == {"acme/server/web-1": NOON + timedelta(seconds=900)}
