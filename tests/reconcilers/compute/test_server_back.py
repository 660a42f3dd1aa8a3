import pytest

from millpond.model.change import Change, Waiting
from millpond.model.desired import Desired
from millpond.reconcilers.compute import server
from tests.planning.situations import BACK, PILOT, back
from tests.planning.tenant import prepared
from tests.planning.world import World
from tests.reconcilers.kinds import change, ids, planned


def moved(mechanism: str) -> World:
    made = prepared(mechanism)
    made.advance(PILOT)
    made.tick(600)
    return made


def copy_of(made: World) -> str:
    return next(id for id in made.target.compute.rows if made.target.compute.shown(id).marker == "server-1")


def rungs(documents: Desired, made: World) -> list[str]:
    return [id.removeprefix("web-1#") for id in ids(planned(server, documents, made)) if id.startswith("web-1#")]


def test_a_port_on_ovn_draws_its_traffic_so_the_server_goes_before_the_source_comes_up() -> None:
    assert rungs(back(ovs := moved("ovs"), "discard"), ovs)[-1] == "delete"
    ovn = moved("ovn")
    assert rungs(back(ovn, "discard"), ovn) == ["lock", "stop", "delete_first"]
    gone = change(planned(server, back(ovn, "discard"), ovn), "#delete_first")
    assert (gone.outage, gone.danger, gone.reversible) == (True, True, False)
    plan = ovn.plan(back(ovn, "discard"))
    start = next(step for step in plan.steps if step.kind == "source_server" and step.action == "start")
    assert any(id.endswith("server/web-1#delete_first") for id in _before(plan.steps, start.id))


def _before(steps: tuple[object, ...], id: str) -> set[str]:
    """All that comes before a step, however far."""
    after = {step.id: step.after for step in steps}  # type: ignore[attr-defined]
    seen: set[str] = set()
    waiting = [id]
    while waiting:
        for earlier in after.get(waiting.pop(), ()):
            if earlier not in seen:
                seen.add(earlier)
                waiting.append(earlier)
    return seen


def test_the_disks_come_back_before_the_copy_is_deleted_on_ovs() -> None:
    made = moved("ovs")
    plan = made.plan(back(made, "carry_back"))
    delete = next(step for step in plan.steps if step.id == "acme/server/web-1#delete")
    assert "acme/source_server/web-1#start" in _before(plan.steps, delete.id)


def test_what_is_deleted_is_named_by_id_and_marker() -> None:
    made = moved("ovs")
    gone = change(planned(server, back(made, "discard"), made), "web-1#delete")
    assert (gone.parameters["server_id"], gone.parameters["marker"]) == (copy_of(made), "server-1")
    assert gone.reason == "wave pilot goes back"


def test_without_a_block_nothing_of_it_is_touched() -> None:
    made = moved("ovs")
    assert not [step for step in planned(server, BACK, made).steps if isinstance(step, Change)]


def test_only_what_is_deleted_or_overwritten_cannot_be_undone() -> None:
    """What the target wrote is on the source before a carrying back demotes the target; a discard overwrites it."""
    made = moved("ovs")
    lasting = {
        way: sorted({change.action.partition(":")[0] for change in made.plan(back(made, way)).changes if not change.reversible})
        for way in ("carry_back", "discard")
    }
    assert lasting == {"carry_back": ["delete"], "discard": ["delete", "demote"]}
    assert {"stop", "demote"} <= {change.action for change in made.plan(back(made, "carry_back")).changes if change.danger}


@pytest.mark.parametrize(("status", "waits"), [("SHUTOFF", ["delete"]), ("DELETED", ["delete"]), ("ACTIVE", ["stop", "delete"])])
def test_once_it_is_being_deleted_only_what_may_still_run_is_waited_for_as_a_stop(status: str, waits: list[str]) -> None:
    """Nova lists it as DELETED for a moment, after its guest is gone."""
    made = moved("ovs")
    made.target.compute.put(copy_of(made), status=status, task_state="deleting")
    found = planned(server, back(made, "carry_back"), made).steps
    assert [step.action for step in found if isinstance(step, Waiting)] == waits
