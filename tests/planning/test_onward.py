"""A cut that a later run goes on with: what is still up is not stopped for a group that cannot change hands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from millpond.model.array import Replica
from millpond.model.change import Waiting
from millpond.model.cut_record import MARKER_KEY
from millpond.model.desired import Desired, DesiredWave
from tests.planning.situations import PILOT, before, one_wave
from tests.planning.tenant import INVENTORY, SITE, desired, volume, world
from tests.planning.world import World, at, flagged


def replicas(made: World, changed: Callable[[Replica], Replica | None]) -> Callable[[], None]:
    kept = [(array, dict(array.replicas_)) for array in made.arrays.values()]
    for array, known in kept:
        array.replicas_ = {id: one for id, old in known.items() if (one := changed(old)) is not None}

    def mend() -> None:
        for array, known in kept:
            array.replicas_ = known

    return mend


def unreadable(made: World) -> Callable[[], None]:
    return replicas(made, lambda one: replace(one, unknown="state FOO"))


def lost(made: World) -> Callable[[], None]:
    return replicas(made, lambda one: None)


def cut_off(made: World) -> Callable[[], None]:
    def link(*, up: bool) -> None:
        for array in made.arrays.values():
            array.link_up = up

    link(up=False)
    return lambda: link(up=True)


def in_error(made: World, status: str = "error") -> Callable[[], None]:
    storage = made.target.block_storage
    twin = next(one for one in storage.volumes("") if one.marker == "root-1")
    storage.put(twin.id, status=status)
    return lambda: storage.put(twin.id, status=twin.status)


def not_extended(made: World) -> Callable[[], None]:
    return in_error(made, "error_extending")


BLOCKED = pytest.mark.parametrize(
    ("happens", "code"),
    [
        (unreadable, "unknown_replica"),
        (lost, "pair_lost"),
        (cut_off, "link_down"),
        (in_error, "volume_error"),
        (not_extended, "volume_error"),
    ],
)


@BLOCKED
def test_a_server_that_is_up_stays_up_until_the_blocker_is_gone(happens: Callable[[World], Callable[[], None]], code: str) -> None:
    made = before("source_server/web-1#lock")
    mend = happens(made)
    plan = made.advance(PILOT)
    assert code in {finding.code for finding in plan.blockers}
    assert made.source.compute.rows["server-1"].status == "ACTIVE"
    assert not [wave.outage_since for wave in plan.waves if wave.outage_since]
    mend()
    assert made.advance(PILOT).blockers == ()
    assert made.source.compute.shown("server-1").record.verified  # type: ignore[union-attr]


@BLOCKED
def test_what_is_down_or_on_its_way_is_not_held_by_it(happens: Callable[[World], Callable[[], None]], code: str) -> None:
    made = before("source_server/web-1#time")
    happens(made)
    plan = made.plan(PILOT)
    assert code in {finding.code for finding in plan.blockers}
    assert not [step for step in plan.steps if step.id.endswith("#cut")]
    assert made.advance(PILOT, at("source_server/web-1#boot"), ticks=40)
    assert "acme/source_server/web-1#time" in made.sent


@BLOCKED
def test_a_stop_that_is_under_way_is_waited_for(happens: Callable[[World], Callable[[], None]], code: str) -> None:
    made = before("source_server/web-1#stop")
    made.source.compute.put("server-1", task_state="powering-off")
    happens(made)
    plan = made.plan(PILOT)
    assert code in {finding.code for finding in plan.blockers}
    [stop] = [step for step in plan.steps if step.id == "acme/source_server/web-1#stop"]
    assert isinstance(stop, Waiting)
    assert not [id for id in stop.after if id.endswith(("#cut", "#blocked"))]


def both_to_be_stopped() -> tuple[World, Desired]:
    base = one_wave()
    made = world()
    made.tick()
    made.advance(base)
    made.tick(3600)
    on = flagged(base, pilot={"cutover": True})
    made.advance(on, at("source_server/web-1#stop"))
    made.crash()
    return made, on


def test_the_others_of_a_group_stay_up_beside_one_that_cannot_be_stopped() -> None:
    made, on = both_to_be_stopped()
    made.source.compute.put("server-2", status="PAUSED")
    plan = made.advance(on)
    assert {finding.code for finding in plan.blockers} == {"server_state"}
    assert {id: one.status for id, one in made.source.compute.rows.items()} == {"server-1": "ACTIVE", "server-2": "PAUSED"}
    made.source.compute.put("server-2", status="ACTIVE")
    assert made.advance(on).blockers == ()
    assert {one.status for one in made.target.compute.rows.values()} == {"ACTIVE"}


def test_a_link_that_is_lost_while_one_of_them_is_down_does_not_end_the_run() -> None:
    made, on = both_to_be_stopped()
    cut_off(made)
    assert [step.servers for step in made.plan(on).steps if step.id.endswith("#cut")] == [("server-1", "server-2")]
    made.source.compute.put("server-2", status="SHUTOFF")
    assert not [step for step in made.plan(on).steps if step.id.endswith("#cut")]


def test_a_volume_that_cannot_be_used_holds_no_server_that_is_down_beside_it() -> None:
    made, on = both_to_be_stopped()
    in_error(made)
    assert [step.servers for step in made.plan(on).steps if step.id.endswith("#cut")] == [("server-1", "server-2")]
    made.source.compute.put("server-2", status="SHUTOFF", power_state=4)
    plan = made.advance(on)
    assert "volume_error" in {finding.code for finding in plan.blockers}
    assert {one.name: one.status for one in made.target.compute.rows.values()} == {"web-2": "ACTIVE"}


def test_before_its_admission_a_wave_has_the_gate_of_its_admission_alone() -> None:
    made = before("source_server/web-1#record")
    lost(made)
    assert [step.id for step in made.plan(PILOT).steps if step.kind == "gate"] == ["acme/gate/pilot#admission"]


SPARE = volume("vol-spare", "spare", 5)


def of_two_groups() -> tuple[World, Desired]:
    """Each disk replicates by itself; the detached one moves with both servers. web-2 is down by the cut, web-1 is not stopped yet."""
    inventory = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
    wave = DesiredWave("pilot", ("server-1", "server-2"), tuple(one.id for one in inventory.volumes), cutover=False, grouping="volume")
    base = replace(desired(inventory), waves=(wave,))
    made = world(inventory)
    made.tick()
    made.advance(base)
    made.tick(3600)
    on = flagged(base, pilot={"cutover": True})
    stop = next(one for one in made.advance(on, at("source_server/web-2#stop")).changes if one.id == "acme/source_server/web-2#stop")
    made.perform(stop)
    made.tick()
    made.crash()
    return made, on


def statuses(made: World) -> tuple[dict[str, str], dict[str, str]]:
    """On the source, and of the copies on the target."""
    there = {made.target.compute.shown(id).marker: one.status for id, one in made.target.compute.rows.items()}
    return {id: one.status for id, one in made.source.compute.rows.items()}, there


def unreadable_replica(made: World, volume: str = "root-1") -> Callable[[], None]:
    array = made.arrays["ibox-a"]
    local = array.by_name(f"openstack-vol-{volume}").id
    [id] = [id for id, one in array.replicas_.items() if one.pairs[0].local_id == local]

    def say(unknown: str) -> None:
        array.replicas_[id] = replace(array.replicas_[id], unknown=unknown)

    say("state FOO")
    return lambda: say("")


def test_one_that_is_down_does_not_wait_for_one_that_is_held_for_another_group() -> None:
    made, on = of_two_groups()
    mend = unreadable_replica(made)
    plan = made.advance(on)
    assert {finding.code for finding in plan.blockers} == {"unknown_replica"}
    assert statuses(made) == ({"server-1": "SHUTOFF", "server-2": "SHUTOFF"}, {"server-2": "ACTIVE"})
    mend()
    assert made.advance(on).blockers == ()
    assert statuses(made)[1] == {"server-1": "ACTIVE", "server-2": "ACTIVE"}


@pytest.mark.parametrize("also", ["root-2", "vol-spare"])
def test_nobody_is_stopped_for_one_that_waits_for_a_blocker_of_its_own(also: str) -> None:
    made, on = of_two_groups()
    unreadable_replica(made)
    unreadable_replica(made, also)
    made.advance(on)
    assert statuses(made) == ({"server-1": "ACTIVE", "server-2": "SHUTOFF"}, {})


def test_what_shares_a_group_with_one_that_is_held_is_not_stopped_in_vain() -> None:
    made, on = of_two_groups()
    made.source.compute.put("server-2", status="ACTIVE", power_state=1)
    mend = unreadable_replica(made)
    plan = made.advance(on)
    assert {finding.code for finding in plan.blockers} == {"unknown_replica"}
    assert statuses(made) == ({"server-1": "ACTIVE", "server-2": "ACTIVE"}, {})
    mend()
    assert made.advance(on).blockers == ()
    assert statuses(made)[1] == {"server-1": "ACTIVE", "server-2": "ACTIVE"}


def not_in_the_inventory(made: World, on: Desired) -> Desired:
    one, two = on.inventory.servers
    ports = tuple(port for port in on.inventory.ports if port.id not in one.port_ids)
    made.target.network.rows["port"] = {
        id: port for id, port in made.target.network.rows["port"].items() if port.mac_address != one.nic_macs[0]
    }
    return replace(on, inventory=replace(on.inventory, servers=(one, two), ports=ports))


def given_up(made: World, on: Desired) -> Desired:
    made.source.compute.raw["server-1"]["millpond.attempts"] = f"{SITE.limits.attempts}:12345678:No valid host was found."
    return on


def doubled(made: World, on: Desired) -> Desired:
    for id in ("copy-1", "copy-2"):
        made.target.compute.rows[id] = replace(made.source.compute.rows["server-1"], id=id, status="SHUTOFF", power_state=4, volumes=())
        made.target.compute.raw[id] = {MARKER_KEY: "server-1"}
    return on


UNBOOTABLE = pytest.mark.parametrize(
    ("happens", "code"), [(not_in_the_inventory, "incomplete_boot"), (given_up, "boot_failed"), (doubled, "ambiguous_server")]
)


@UNBOOTABLE
def test_one_that_could_not_be_booted_is_not_stopped(happens: Callable[[World, Desired], Desired], code: str) -> None:
    made = before("source_server/web-1#stop")
    changed = happens(made, PILOT)
    plan = made.advance(changed)
    assert code in {finding.code for finding in plan.blockers}
    assert made.source.compute.rows["server-1"].status == "ACTIVE"
    assert not [wave.outage_since for wave in plan.waves if wave.outage_since]


@UNBOOTABLE
def test_nor_are_those_whose_disks_change_hands_with_its_own(happens: Callable[[World, Desired], Desired], code: str) -> None:
    made, on = both_to_be_stopped()
    plan = made.advance(happens(made, on))
    assert code in {finding.code for finding in plan.blockers}
    assert statuses(made)[0] == {"server-1": "ACTIVE", "server-2": "ACTIVE"}


@UNBOOTABLE
def test_it_is_stopped_for_one_that_is_down_and_could_be(happens: Callable[[World, Desired], Desired], code: str) -> None:
    made, on = both_to_be_stopped()
    made.source.compute.put("server-2", status="SHUTOFF", power_state=4)
    plan = made.advance(happens(made, on))
    assert code in {finding.code for finding in plan.blockers}
    here, there = statuses(made)
    assert (here["server-1"], there["server-2"]) == ("SHUTOFF", "ACTIVE")


def test_one_goes_on_once_its_boot_has_no_blocker() -> None:
    made = before("source_server/web-1#stop")
    doubled(made, PILOT)
    assert made.advance(PILOT).blockers
    for id in ("copy-1", "copy-2"):
        del made.target.compute.rows[id]
    assert made.advance(PILOT).blockers == ()
    assert made.source.compute.shown("server-1").record.verified  # type: ignore[union-attr]
