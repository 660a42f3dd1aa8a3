"""What it costs to move many servers: requests, never times."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from millpond.model.address import Address
from millpond.model.change import Change
from millpond.reconcilers.registry import BY_KIND
from millpond.runs.moving import MOVED_BY, moved_by
from millpond.runs.observe import READERS
from tests.sandbox.running import Sandbox, start_sandbox
from tests.story.stage import Stage

FAST = {"request_timeout": "1s", "mac_move": "0s", "poll": "50ms"}


def test_a_wave_larger_than_the_limit_of_builds_boots_in_turns(stage: Stage) -> None:
    stage.site_spec = {"limits": {**FAST, "builds": 1}}
    stage.manifest["cutover"] = True
    result = stage.settle()
    assert not result.plan.tenants[0].steps
    assert {row["vm_state"] for row in stage.rows("target/nova/servers")} == {"active"}


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Sixty servers with three volumes and three ports each."""
    running = start_sandbox(tmp_path_factory.mktemp("many"), servers=60, speed=60)
    yield running
    running.stop()


def asked(sandbox: Sandbox) -> list[tuple[str, str]]:
    return [(entry["cloud"], entry["path"]) for entry in sandbox.control.requests()]


def test_reading_takes_lists_and_never_a_request_per_object(many: Sandbox, tmp_path: Path) -> None:
    stage = Stage(many, tmp_path)
    many.control.clear_requests()
    stage.discover()
    reading = asked(many)
    many.control.clear_requests()
    plan = stage.plan()
    planning = asked(many)
    assert len(plan.changes) > 1000
    assert len(reading) < 40
    assert len(planning) < 100
    assert [path for path, times in Counter([*planning]).items() if times > 2] == []


def test_many_ids_are_asked_for_in_filters_that_web_servers_take(many: Sandbox, tmp_path: Path) -> None:
    stage = Stage(many, tmp_path)
    stage.discover()
    many.control.clear_requests()
    stage.plan()
    assert max(len(path) for _, path in asked(many)) < 8192


def change(kind: str, action: str) -> Change:
    return Change(Address("acme", kind, "one"), action)


def test_what_is_read_again_is_something_that_can_be_read() -> None:
    readers = {reader.KIND for reader in READERS} | {"projects"}
    assert {name for wanted in MOVED_BY.values() for name, _ in wanted} <= readers
    assert {pattern.partition("#")[0] for pattern in MOVED_BY} <= {*BY_KIND, "gate"}


def test_a_change_of_role_has_the_replicas_alone_read_again() -> None:
    assert set(moved_by([change("replication_group", "promote")])) == {"replica"}
    assert set(moved_by([change("replication_group", "add_member:root")])) == {"replication_group"}


def test_steps_that_move_different_sides_have_both_read_again() -> None:
    wanted = moved_by([change("source_server", "stop"), change("server", "create"), change("quota", "update")])
    assert wanted["server"] == {"source", "target"}
    assert wanted["port"] == {"target"}
    assert wanted["quota"] == {"source", "target"}
