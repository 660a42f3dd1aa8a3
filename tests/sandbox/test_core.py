from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millpond.sandbox.core.clock import Clock
from millpond.sandbox.core.events import Events
from millpond.sandbox.core.store import Store
from millpond.sandbox.core.world import World
from millpond.sandbox.settings import Settings


def frozen(store: Store | None = None) -> tuple[Clock, Events]:
    clock = Clock(speed=0, start=1000)
    return clock, Events(clock, store or Store())


def test_clock_runs_faster_and_keeps_its_time_when_the_speed_changes() -> None:
    clock = Clock(speed=0, start=1000)
    clock.advance(500)
    clock.speed = 1e6
    while clock.now() < 2000:
        pass
    clock.speed = 0
    assert clock.now() > 2000


def test_clock_prints_times_as_the_services_do() -> None:
    clock = Clock(speed=0, start=1795234995.25)
    assert clock.iso() == "2026-11-21T04:23:15Z"
    assert clock.iso_us() == "2026-11-21T04:23:15.250000"
    assert clock.ms() == 1795234995250


def test_table_finds_rows_after_they_changed() -> None:
    table = Store().table("servers")
    for number in range(3):
        table.insert({"id": str(number), "status": "ACTIVE", "n": number})
    assert [row["id"] for row in table.where(status="ACTIVE")] == ["0", "1", "2"]
    table.update("1", status="SHUTOFF")
    table.delete("0")
    table.insert({"id": "0", "status": "ACTIVE", "n": 0})
    assert [row["id"] for row in table.where(status="ACTIVE")] == ["2", "0"]
    assert [row["id"] for row in table.where(status="SHUTOFF", n=1)] == ["1"]
    assert table.where(status="ERROR") == []
    assert table.where(missing=None) == []


STEPS = st.lists(st.tuples(st.sampled_from("iud"), st.integers(0, 4), st.sampled_from("abc")), max_size=30)


@given(STEPS)
def test_table_finds_what_a_plain_list_would(steps: list[tuple[str, int, str]]) -> None:
    table, plain = Store().table("servers"), list[dict[str, str]]()
    for deed, number, status in steps:
        held = next((row for row in plain if row["id"] == str(number)), None)
        if deed == "i" and held is None:
            table.insert({"id": str(number), "status": status})
            plain.append({"id": str(number), "status": status})
        elif deed == "u" and held is not None:
            table.update(str(number), status=status)
            held["status"] = status
        elif deed == "d" and held is not None:
            table.delete(str(number))
            plain.remove(held)
        for wanted in "abc":
            assert table.where(status=wanted) == [row for row in plain if row["status"] == wanted]
        assert table.where(status=status, id=str(number)) == [row for row in plain if row == {"id": str(number), "status": status}]
    assert list(table) == plain


def test_table_refuses_an_id_twice() -> None:
    table = Store().table("servers")
    table.insert({"id": "a"})
    with pytest.raises(ValueError, match="not a new"):
        table.insert({"id": "a"})


def test_store_survives_a_restart_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    for name in ("b", "a", "c"):
        store.table("things").insert({"id": name, "nested": {"deep": [1, None]}})
    store.flush()
    store.table("things").delete("a")
    store.table("things").update("c", nested=2)
    store.flush()
    again = Store(tmp_path / "state.sqlite")
    again.table("things").insert({"id": "0"})
    again.close()
    rows = list(Store(tmp_path / "state.sqlite").table("things"))
    assert rows == [{"id": "b", "nested": {"deep": [1, None]}}, {"id": "c", "nested": 2}, {"id": "0"}]


def test_restore_undoes_everything_on_disk_too(tmp_path: Path) -> None:
    store = Store(tmp_path / "state.sqlite")
    table = store.table("things")
    table.insert({"id": "kept", "list": [1]})
    store.flush()
    before = store.snapshot()
    table.update("kept", list=[1, 2])
    table.insert({"id": "new"})
    store.table("others").insert({"id": "x"})
    store.flush()
    store.restore(before)
    assert list(table) == [{"id": "kept", "list": [1]}]
    store.close()
    again = Store(tmp_path / "state.sqlite")
    assert list(again.table("things")) == [{"id": "kept", "list": [1]}]
    assert list(again.table("others")) == []


def test_events_run_in_order_of_due_time_at_their_own_moment() -> None:
    clock, events = frozen()
    seen: list[tuple[str, float]] = []

    def note(what: str) -> None:
        seen.append((what, clock.now()))
        if what == "early":
            events.at(3, "note", what="follows")

    events.on("note", note)
    events.at(10, "note", what="late")
    events.at(2, "note", what="early")
    cancelled = events.at(4, "note", what="cancelled")
    events.cancel(cancelled)
    events.cancel(cancelled)
    events.run_due()
    assert seen == []
    clock.advance(100)
    events.run_due()
    assert seen == [("early", 1002), ("follows", 1005), ("late", 1010)]
    assert clock.now() == 1100


def test_events_survive_a_restart() -> None:
    store = Store()
    _, events = frozen(store)
    events.at(5, "stopped", server="web-1")
    clock, again = frozen(store)
    seen: list[Any] = []
    again.on("stopped", lambda server: seen.append(server))
    clock.advance(5)
    again.run_due()
    assert seen == ["web-1"]
    assert not len(store.table("world/events"))


def test_a_failing_event_is_reported_and_time_goes_on() -> None:
    world = World(settings=Settings(speed=0))
    world.events.on("broken", lambda: {}["nothing"])
    world.events.at(0, "broken")
    world.events.at(0, "unknown")
    world.events.run_due()
    assert [violation["kind"] for violation in world.violations()] == ["event_failed", "event_failed"]


def test_world_goes_back_in_time_with_a_snapshot(tmp_path: Path) -> None:
    world = World(tmp_path / "state.sqlite", Settings(speed=0))
    seen: list[float] = []
    world.events.on("due", lambda: seen.append(world.clock.now()))
    start = world.clock.now()
    world.events.at(10, "due")
    before = world.snapshot()
    for _ in range(2):
        world.clock.advance(20)
        world.events.run_due()
        assert not len(world.store.table("world/events"))
        world.restore(before)
        assert world.clock.now() == start
    assert seen == [start + 10, start + 10]


def test_world_resumes_its_virtual_time(tmp_path: Path) -> None:
    world = World(tmp_path / "state.sqlite", Settings(speed=0))
    world.clock.advance(1e6)
    ahead = world.clock.now()
    world.close()
    assert World(tmp_path / "state.sqlite", Settings(speed=0)).clock.now() == ahead


@pytest.mark.parametrize(
    "wrong", [{"sped": 1}, {"speed": "fast"}, {"speed": -1}, {"speed": True}, {"delays": 3}, {"delays": {"server_strat": 1}}]
)
def test_settings_refuse_what_they_do_not_know_and_change_nothing(wrong: dict[str, Any]) -> None:
    settings = Settings()
    with pytest.raises(ValueError, match=r"setting|number"):
        settings.change({"latency": 5, **wrong})
    assert settings == Settings()


def test_settings_change_in_part() -> None:
    settings = Settings()
    settings.change({"latency": 0.5, "delays": {"server_stop": 60}})
    assert (settings.latency, settings.delays.server_stop, settings.delays.server_start) == (0.5, 60, 6)
