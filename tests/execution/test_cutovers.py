"""Cutovers told from the journal: who waited for what, and what decided how long."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from millpond.execution.cutovers import cutovers_of
from millpond.execution.journal import Entry
from millpond.model.cutover import Cutover, Expectation, ExpectedStep, Outage
from millpond.model.outcome import Outcome, Result

NOON = datetime(2026, 12, 1, 12, 0, tzinfo=UTC)
SYNC = "replication_group/core#sync"


def entry(step: str, at: float, result: Result | None = Result.DONE, seconds: float = 0.0) -> Entry:
    id = f"acme/{step}"
    return Entry(0, "run-1", "acme", id, "", NOON + timedelta(seconds=at), Outcome(id, result, seconds) if result else None)


def step(id: str, *after: str, seconds: float = 1.0) -> ExpectedStep:
    return ExpectedStep(f"acme/{id}", tuple(f"acme/{each}" for each in after), ("acme/server/a", "acme/server/b"), seconds)


def way(name: str, *more: str) -> tuple[ExpectedStep, ...]:
    return (
        step(f"source_server/{name}#stop"),
        step(f"source_server/{name}#time", f"source_server/{name}#stop"),
        step(f"server/{name}#create", SYNC, *more),
        step(f"source_server/{name}#verify", f"server/{name}#create"),
    )


GROUP = step(SYNC, "source_server/a#time", "source_server/b#time", seconds=10)
TWO = Expectation(
    "core", (("acme/server/a", 40.0), ("acme/server/b", 60.0)), ("acme/x#y",), (*way("a"), *way("b", "server/a#create"), GROUP)
)
JOURNAL = (
    entry("source_server/a#stop", 0),
    entry("source_server/b#stop", 1, seconds=0.5),
    entry("source_server/a#time", 5),
    entry("source_server/b#time", 8),
    entry(SYNC, 9),
    entry("server/a#create", 20),
    entry("source_server/a#verify", 30, seconds=1),
    entry("server/b#create", 31),
    entry("source_server/b#verify", 45),
)


def told(entries: Sequence[Entry], *said: tuple[datetime, Expectation]) -> tuple[Cutover, ...]:
    return cutovers_of(entries, said or [(NOON, TWO)], NOON + timedelta(seconds=60))


def waits(cutover: Cutover, server: str) -> list[tuple[str, float, float]]:
    """What it waited for, with seconds since noon."""
    found = next(each for each in cutover.servers if each.address == f"acme/server/{server}")
    since = [(wait.step.removeprefix("acme/"), wait.began - NOON, wait.ended - NOON) for wait in found.waits]
    return [(step, began.total_seconds(), ended.total_seconds()) for step, began, ended in since]


def test_a_server_waits_for_its_own_stop_and_then_for_what_decides() -> None:
    (cutover,) = told(JOURNAL)
    assert waits(cutover, "a") == [
        ("source_server/a#stop", 0, 5),
        ("source_server/b#stop", 5, 8),
        ("source_server/b#time", 8, 9),
        (SYNC, 9, 20),
        ("server/a#create", 20, 30),
        ("source_server/a#verify", 30, 31),
    ]


def test_the_critical_path_is_that_of_the_longest_outage() -> None:
    (cutover,) = told(JOURNAL)
    assert [(server.address, server.seconds, server.estimated) for server in cutover.servers] == [
        ("acme/server/a", 31.0, 40.0),
        ("acme/server/b", 44.0, 60.0),
    ]
    names = ("source_server/b#stop", "source_server/b#time", SYNC, "server/a#create", "server/b#create", "source_server/b#verify")
    assert cutover.critical == {f"acme/{name}" for name in names[:-1]}  # the handover itself took no time
    assert (cutover.began, cutover.ended, cutover.back) == (NOON, NOON + timedelta(seconds=45), False)


def test_waits_leave_no_gap_and_make_up_the_outage() -> None:
    (cutover,) = told(JOURNAL)
    for server in cutover.servers:
        assert server.waits[0].began == server.began
        assert server.waits[-1].ended == server.ended
        assert all(one.ended == two.began for one, two in zip(server.waits, server.waits[1:], strict=False))


def test_a_step_that_was_never_written_down_is_looked_through() -> None:
    (cutover,) = told([e for e in JOURNAL if not e.step.endswith(SYNC)])
    assert waits(cutover, "a")[-3:] == [("source_server/b#time", 8, 20), ("server/a#create", 20, 30), ("source_server/a#verify", 30, 31)]


def test_a_way_that_another_run_continues_is_one() -> None:
    said = [(NOON, TWO), (NOON + timedelta(seconds=15), Expectation("core", (("acme/server/b", 9.0),), (), way("b")))]
    (cutover,) = told(JOURNAL, *said)
    assert [server.estimated for server in cutover.servers] == [40.0, 60.0]


def test_a_way_back_is_another_one() -> None:
    ids = ("server/a#stop", "source_server/a#start")
    back = Expectation("core", (("acme/server/a", 30.0),), (), (step(ids[0]), step(ids[1], ids[0])))
    journal = [*JOURNAL, entry(ids[0], 100), entry(ids[1], 130, seconds=2)]
    over, returned = told(journal, (NOON, TWO), (NOON + timedelta(seconds=99), back))
    assert (over.back, returned.back) == (False, True)
    assert [server.seconds for server in returned.servers] == [32.0]
    assert len(over.steps) == len(JOURNAL)


def test_one_that_is_under_way_has_no_end() -> None:
    (cutover,) = told(JOURNAL[:6])
    assert cutover.ended is None
    assert {server.seconds for server in cutover.servers} == {None}
    assert waits(cutover, "b")[-1] == ("server/a#create", 20, 60)


def test_one_whose_stop_was_never_sent_is_none() -> None:
    assert told([entry("source_server/a#stop", 0, Result.FAILED), entry("source_server/b#stop", 0, None)]) == ()


def test_attempts_are_counted_and_other_resources_left_out() -> None:
    journal = [*JOURNAL[:6], entry("server/a#create", 22, Result.UNKNOWN), entry("server/a#delete_failed", 24), entry("image/x#create", 25)]
    (cutover,) = told(journal)
    found = {each.id.removeprefix("acme/"): each for each in cutover.steps}
    assert (found["server/a#create"].attempts, found["server/a#create"].result) == (2, Result.UNKNOWN)
    assert "server/a#delete_failed" in found
    assert "image/x#create" not in found


STOP, END = "server/a#stop", "source_server/{}#start"
BACK = Expectation(
    "core",
    (("acme/server/a", 30.0), ("acme/server/b", 30.0)),
    (),
    (
        step(STOP),
        step("replication_group/core#restore", STOP),
        *(step(END.format(name), "replication_group/core#restore") for name in "ab"),
    ),
)
LEFT = (*JOURNAL[:6], entry("source_server/b#boot", 21))
"""Left between the boots: the copy of `a` runs, that of `b` was never sent."""
TAKEN_BACK = (
    *LEFT,
    entry(STOP, 60, seconds=0.5),
    entry("replication_group/core#restore", 70),
    *(entry(END.format(name), 72, seconds=2) for name in "ab"),
)
GIVEN_UP = "wave/core#give_up"


def assert_whole(cutover: Cutover) -> None:
    """Waits that follow each other from the beginning to the end, none of them shorter than nothing."""
    for server in cutover.servers:
        assert (server.waits[0].began, server.waits[-1].ended) == (server.began, server.ended)
        assert all(wait.began < wait.ended for wait in server.waits)
        assert all(one.ended == two.began for one, two in zip(server.waits, server.waits[1:], strict=False))


def test_a_cutover_that_was_given_up_between_boots_is_told_as_the_way_back() -> None:
    (cutover,) = told(TAKEN_BACK, (NOON, TWO), (NOON + timedelta(seconds=59), BACK))
    assert cutover.back
    assert [(server.address, server.seconds, server.estimated) for server in cutover.servers] == [
        ("acme/server/a", 14.0, 30.0),
        ("acme/server/b", 73.0, 30.0),
    ]
    after = [("replication_group/core#restore", 70, 72), ("source_server/{}#start", 72, 74)]
    assert waits(cutover, "a") == [(STOP, 60, 70), *((id.format("a"), *times) for id, *times in after)]
    assert waits(cutover, "b") == [(GIVEN_UP, 1, 60), (STOP, 60, 70), *((id.format("b"), *times) for id, *times in after)]
    assert_whole(cutover)


def test_such_a_way_back_is_whole_as_a_run_has_measured_it() -> None:
    measured = [
        Outage(f"acme/server/{name}", NOON + timedelta(seconds=at), NOON + timedelta(seconds=76), back=True)
        for name, at in (("a", 60.1), ("b", 1.2))
    ]
    said = [(NOON, TWO), (NOON + timedelta(seconds=59), BACK)]
    (cutover,) = cutovers_of(TAKEN_BACK, said, NOON + timedelta(seconds=90), measured)
    assert [server.seconds for server in cutover.servers] == [15.9, 74.8]
    assert_whole(cutover)


def test_those_that_were_handed_over_before_the_rest_went_back_went_over() -> None:
    over = (*TAKEN_BACK[:6], entry("source_server/a#verify", 30, seconds=1), *TAKEN_BACK[6:])
    went, returned = told(over, (NOON, TWO), (NOON + timedelta(seconds=59), BACK))
    assert [(way.back, [server.address[-1] for server in way.servers]) for way in (went, returned)] == [(False, ["a"]), (True, ["a", "b"])]
    assert_whole(went)


def test_a_cut_that_was_returned_before_the_first_boot_came_back() -> None:
    """Nothing was said of the return: it stops nothing."""
    journal = [*JOURNAL[:4], *(entry(END.format(name), 30, seconds=2) for name in "ab")]
    again = [entry("source_server/a#record", 90), entry("source_server/a#stop", 91), entry("source_server/a#verify", 95)]
    returned, over = told([*journal, *again], (NOON, TWO), (NOON + timedelta(seconds=91), TWO))
    assert (returned.back, over.back) == (True, False)
    assert [(server.seconds, server.estimated) for server in returned.servers] == [(32.0, 0.0), (31.0, 0.0)]
    assert waits(returned, "a") == [("source_server/a#stop", 0, 5), (GIVEN_UP, 5, 30), ("source_server/a#start", 30, 32)]
    assert_whole(returned)
    assert [server.seconds for server in over.servers] == [4.0]


def test_one_that_is_still_down_is_part_of_the_way_that_is_under_way() -> None:
    said = [(NOON, TWO), (NOON + timedelta(seconds=59), BACK)]
    (cutover,) = cutovers_of(TAKEN_BACK[:-3], said, NOON + timedelta(seconds=65))
    assert (cutover.back, cutover.ended) == (True, None)
    assert waits(cutover, "a") == [(STOP, 60, 65)]
    assert waits(cutover, "b") == [(GIVEN_UP, 1, 60), (STOP, 60, 65)]
