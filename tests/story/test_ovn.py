"""A target on ML2/OVN, where an unbound port draws the traffic of the server that still runs on the source."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.running import Sandbox, start_sandbox
from tests.story.identical import Comparison
from tests.story.stage import Stage
from tests.story.worlds import World, prepare


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    running: Sandbox = start_sandbox(tmp_path_factory.mktemp("ovn"), scenario="small", speed=60, ml2="ovn")
    waves = [{"name": "pilot", "servers": ["web-2"]}]
    yield prepare(running, tmp_path_factory.mktemp("ovn-prepared"), {"waves": waves})
    running.stop()


@pytest.fixture
def stage(prepared: World, tmp_path: Path) -> Stage:
    return prepared.stage(tmp_path)


def nics(stage: Stage) -> list[str]:
    return sorted(
        row["name"] for row in stage.rows("target/neutron/ports") if not row["device_owner"].startswith("network:") and row["name"]
    )


def test_ports_come_with_the_cut_and_go_with_the_way_back(stage: Stage) -> None:
    assert nics(stage) == []
    stage.manifest["waves"] = [{"name": "pilot", "servers": ["web-2"], "cutover": True}]
    assert not stage.settle(saved=stage.saved()).held
    assert nics(stage) == ["web-2-eth0"]
    stage.manifest["cutover"] = True
    assert not stage.settle(saved=stage.saved()).remaining
    assert nics(stage) == ["db-1-eth0", "web-1-eth0", "web-2-eth0"]
    assert list(Comparison(stage).different()) == []
    assert stage.plan().drift == ()
    cuts = {wave.name: wave.cut for wave in stage.plan().waves}
    stage.manifest |= {"cutover": False, "rollback": {"cut": cuts["rest"], "target_writes": "discard"}}
    assert not stage.settle(saved=stage.saved()).remaining
    assert nics(stage) == ["web-2-eth0"]
    stage.manifest["waves"] = [
        {"name": "pilot", "servers": ["web-2"], "cutover": False, "rollback": {"cut": cuts["pilot"], "target_writes": "carry_back"}}
    ]
    del stage.manifest["rollback"]
    result = stage.settle(saved=stage.saved())
    assert not result.remaining, result.plan.tenants[0].steps
    assert nics(stage) == []
    assert {row["power_state"] for row in stage.rows("source/nova/servers")} == {1}
    assert stage.sandbox.control.violations() == []
