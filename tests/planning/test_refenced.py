"""Where the array refuses two targets: a way back that carries is timed anew while one group of a server is writable on both sides."""

from __future__ import annotations

from dataclasses import replace

import pytest

from millpond.model.array import Role
from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.reconcilers.storage.replication import ends, groups
from tests.planning.situations import cut_of
from tests.planning.tenant import INVENTORY, desired, world
from tests.planning.test_any_way import on_firmware
from tests.planning.world import World, at, flagged
from tests.reconcilers.test_invariants import change, refused

GROUPS = ("web-1-root", "web-1-data")


def between(*, backwards: bool = False, power: str = "ACTIVE") -> tuple[World, Desired, str]:
    """The run died when one group of web-1 was restored, and the other not yet: the name of the first."""
    first, *others = INVENTORY.servers
    tenant = replace(INVENTORY, servers=(replace(first, status=power, power_state=1 if power == "ACTIVE" else 4), *others))
    made = on_firmware(world(tenant), two_targets=False)
    base = flagged(desired(tenant, site=made.site), pilot={"grouping": "volume"})
    made.tick()
    made.advance(base)
    made.tick(3600)
    made.advance(flagged(base, pilot={"cutover": True}))
    made.tick(600)
    on = flagged(base, pilot={"rollback": Rollback(cut_of(made), "carry_back")})
    made.backwards = backwards
    made.advance(on, at(*(f"replication_group/{name}#restore" for name in GROUPS)))
    restore = next(c for c in made.plan(on).changes if c.action == "restore" and not c.after)
    made.perform(restore)
    made.crash()
    return made, on, restore.address.name


def both_writable(made: World, on: Desired) -> list[str]:
    snapshot = made.snapshot()
    return [group.address.name for group in groups(on, snapshot) if ends(group, snapshot).both_writable]


@pytest.mark.parametrize("backwards", [False, True])
def test_a_crash_between_two_groups_of_a_server_ends_with_what_the_target_wrote(backwards: bool) -> None:
    made, on, name = between(backwards=backwards)
    assert both_writable(made, on) == [name]
    plan = made.advance(on)
    assert (plan.steps, plan.blockers) == ((), ())
    assert f"acme/replication_group/{name}#refence" in made.sent
    assert made.source.compute.rows["server-1"].status == "ACTIVE"


def test_what_the_target_wrote_between_two_runs_is_not_lost() -> None:
    """A host brings the locked copy up, and down again, while nobody looks."""
    made, on, name = between()
    snapshot = made.snapshot()
    group = next(one for one in groups(on, snapshot) if one.address.name == name)
    found = ends(group, snapshot)
    assert found.source
    assert found.target
    (pair,) = found.source.pairs
    there, here = made.arrays[found.target.array], made.arrays[found.source.array]
    there.contents[pair.remote_id] = 7777
    made.advance(on)
    assert here.contents[pair.local_id] >= 7777


def test_a_crash_with_nothing_else_away_is_not_timed_anew() -> None:
    made, on, name = between()
    other = next(one for one in GROUPS if one != name)
    made.advance(on, at(f"replication_group/{other}#demote"))
    made.crash()
    sent = len(made.sent)
    assert made.advance(on).steps == ()
    assert not [id for id in made.sent[sent:] if id.endswith("#refence")]


def refencing() -> tuple[World, str, Desired]:
    made, on, name = between()
    made.advance(on, at(f"replication_group/{name}#refence"))
    return made, f"replication_group/{name}#refence", on


def test_it_is_refused_under_a_server_that_is_not_proven_stopped() -> None:
    made, step, on = refencing()
    planned = change(made, on, step)
    made.source.compute.put("server-1", locked=False)
    refused(made, planned, "not proven stopped under an admin lock on the source")


def test_it_is_refused_where_the_target_was_given_up() -> None:
    made, step, on = refencing()
    planned = change(made, on, step)
    array = made.arrays[planned.parameters["peer_array"]]
    id = planned.parameters["peer"]
    array.replicas_[id] = replace(array.replicas_[id], role=Role.TARGET)
    refused(made, planned, "the target side is not writable")


def test_one_that_was_off_stays_locked_until_its_disks_are_back() -> None:
    made, on, _ = between(power="SHUTOFF")
    assert made.source.compute.rows["server-1"].locked
    assert made.advance(on).steps == ()
    assert (made.source.compute.rows["server-1"].status, made.source.compute.rows["server-1"].locked) == ("SHUTOFF", False)
