"""A boot in ERROR that never launched, says Nova, while its hypervisor runs the guest: it is neither deleted nor left without its disks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from millpond.model.desired import Desired
from millpond.model.plan import Stage
from tests.planning.situations import BACK, PILOT, back
from tests.planning.tenant import prepared
from tests.planning.world import World

MECHANISMS = pytest.mark.parametrize("mechanism", ["ovs", "ovn"])


def unlaunched(mechanism: str) -> tuple[World, str]:
    made = prepared(mechanism)
    made.advance(PILOT, lambda _: bool(made.target.compute.rows))
    id = next(iter(made.target.compute.rows))
    made.target.compute.put(id, status="ERROR", launched_at="", power_state=1, task_state="")
    made.crash()
    return made, id


def ended(made: World, id: str) -> None:
    made.target.compute.put(id, power_state=4)


def deleted(made: World, id: str) -> None:
    made.target.compute.delete_server(id)
    made.tick()


def held(made: World, id: str, on: Desired) -> None:
    sent = len(made.sent)
    plan = made.advance(on)
    assert [(found.code, str(found.address)) for found in plan.blockers] == [("runs_unlaunched", "acme/server/web-1")]
    assert id in made.target.compute.rows
    assert made.source.compute.rows["server-1"].status == "SHUTOFF"
    assert all(disk.writable(number) for _, disk, number in made.disks(made.target, id))
    changed = {step.partition("#")[2] for step in made.sent[sent:]}
    assert not changed & {
        "demote",
        "restore",
        "start",
        "stop",
        "time_return",
        "reverse_sync",
        "delete",
        "delete_first",
        "count_failure",
        "create",
    }


@MECHANISMS
@pytest.mark.parametrize("person", [ended, deleted])
@pytest.mark.parametrize("how", ["discard", "carry_back"])
def test_a_way_back_waits_until_it_is_down(how: str, person: Callable[[World, str], None], mechanism: str) -> None:
    made, id = unlaunched(mechanism)
    on = back(made, how)
    held(made, id, on)
    person(made, id)
    assert made.advance(on).steps == ()
    assert made.source.compute.rows["server-1"].status == "ACTIVE"
    assert not made.target.compute.rows


@MECHANISMS
@pytest.mark.parametrize("person", [ended, deleted])
def test_a_cut_waits_until_it_is_down_and_boots_again(person: Callable[[World, str], None], mechanism: str) -> None:
    made, id = unlaunched(mechanism)
    held(made, id, PILOT)
    person(made, id)
    made.tick(300)
    assert made.advance(PILOT).steps == ()
    assert [(one.marker, one.status) for one in made.target.compute.servers("")] == [("server-1", "ACTIVE")]


def test_it_is_a_second_copy_beside_a_source_that_runs() -> None:
    made, id = unlaunched("ovs")
    made.source.compute.put("server-1", status="ACTIVE")
    for on in (PILOT, BACK):
        plan = made.plan(on)
        assert [wave.stage for wave in plan.waves if wave.name == "pilot"] == [Stage.HELD]
        (found,) = [one for one in plan.blockers if one.code == "both_running"]
        assert f"Nova calls ERROR what its hypervisor runs: {id}" in found.why
        assert "(what Nova calls ERROR: on its host)" in found.fix
