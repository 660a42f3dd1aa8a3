"""From wherever cuts, crashes and changes of mind lead, the last flags are reached, without a lost write or a moment of two writers."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from millpond.model.change import Change
from millpond.model.desired import Desired
from millpond.model.manifest import Rollback
from millpond.planning.stages import records
from tests.planning.plan_text import depths
from tests.planning.tenant import desired, prepared
from tests.planning.world import World, at, flagged

SERVERS = {"pilot": "server-1", "rest": "server-2"}
BEGUN = ("carry_back_begun", "discard_begun")
"""What was begun the one way is finished that way: a person who reads it states the word that they find there."""

QUICK = settings(max_examples=25, stateful_step_count=45, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass
class Mind:
    """What people want: which waves are cut, and what becomes of the target's writes where one goes back."""

    on: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(SERVERS, False))
    writes: str = "carry_back"

    def documents(self, world: World) -> Desired:
        """Every wave that goes back gets the block that names its cut."""
        base = flagged(desired(site=world.site), **{name: {"cutover": on} for name, on in self.on.items()})
        snapshot = world.snapshot()
        cuts = {wave.name: next(iter(known.values())).cut for wave in base.waves if (known := records(snapshot, wave)) and not wave.cutover}
        stated = flagged(base, **{name: {"rollback": Rollback(cut, self.writes)} for name, cut in cuts.items()})
        other = "carry_back" if self.writes == "discard" else "discard"
        begun = {found.wave for found in world.plan(stated).blockers if found.code in BEGUN}
        words = {name: other if name in begun else self.writes for name in cuts}
        world.discarded.clear()
        for name, server in SERVERS.items():
            if not self.on[name] and words.get(name, self.writes) == "discard":
                world.discard([server])
            elif name in words:
                world.keep([server])
        return flagged(base, **{name: {"rollback": Rollback(cut, words[name])} for name, cut in cuts.items()})

    def reach(self, world: World) -> None:
        assert world.advance(self.documents(world)).steps == ()


def on_firmware(world: World, *, two_targets: bool) -> World:
    world.site = replace(world.site, replication=replace(world.site.replication, fence_first=two_targets))
    for array in world.arrays.values():
        array.both_targets_allowed = two_targets
    return world


class Migration(RuleBasedStateMachine):
    @initialize(mechanism=st.sampled_from(["ovs", "ovn"]), two_targets=st.booleans(), pilot=st.booleans(), rest=st.booleans())
    def begin(self, mechanism: str, two_targets: bool, pilot: bool, rest: bool) -> None:
        self.world, self.mind = on_firmware(prepared(mechanism), two_targets=two_targets), Mind({"pilot": pilot, "rest": rest})
        self.documents = self.mind.documents(self.world)

    def ready(self) -> list[Change]:
        plan = self.world.plan(self.documents)
        depths(plan.steps)
        return [change for change in plan.changes if not change.after]

    @rule(which=st.integers(0, 20))
    def one_change(self, which: int) -> None:
        ready = self.ready()
        if ready:
            change = ready[which % len(ready)]
            note(change.id)
            self.world.perform(change)
        else:
            self.world.tick()

    @rule()
    def all_changes(self) -> None:
        for change in self.ready():
            note(change.id)
            self.world.perform(change)

    @rule()
    def time_passes(self) -> None:
        self.world.tick()

    @rule()
    def crash(self) -> None:
        self.world.crash()

    @rule(arrived=st.booleans())
    def a_boots_reply_is_lost(self, arrived: bool) -> None:
        for change in self.ready():
            if change.kind == "server" and change.action == "create":
                if arrived:
                    self.world.perform(change)
                self.world.crash()
                return

    @rule(wave=st.sampled_from(sorted(SERVERS)))
    def boots_fail(self, wave: str) -> None:
        self.world.target.compute.failing ^= {self.world.source.compute.rows[SERVERS[wave]].name}

    @rule(wave=st.sampled_from(sorted(SERVERS)))
    def the_host_brings_the_source_up(self, wave: str) -> None:
        """Only where it would not be a second copy, and its disk is writable: anything else is a fault that nobody can plan away."""
        server, compute = SERVERS[wave], self.world.source.compute
        twins = [s for s in self.world.target.compute.servers("") if s.marker == server and s.status in ("ACTIVE", "BUILD")]
        writable = all(array.writable(disk) for _, array, disk in self.world.disks(self.world.source, server))
        if compute.rows[server].stopped and writable and not twins and compute.shown(server).record:
            self.world.host_brings_up(server)

    @precondition(lambda self: len(self.world.sent) % 3 == 0)
    @rule(wave=st.sampled_from(sorted(SERVERS)), writes=st.sampled_from(["carry_back", "discard"]))
    def people_change_their_mind(self, wave: str, writes: str) -> None:
        self.mind.on[wave], self.mind.writes = not self.mind.on[wave], writes
        self.documents = self.mind.documents(self.world)
        note(f"{self.mind}")

    @rule()
    def people_change_the_word_alone(self) -> None:
        self.mind.writes = "carry_back" if self.mind.writes == "discard" else "discard"
        self.documents = self.mind.documents(self.world)
        note(f"{self.mind}")

    @invariant()
    def nothing_is_unsafe(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.settle()

    def settle(self) -> None:
        """Boots succeed again, failures that were counted are forgiven: then the flags must be reached, and nothing be left to do."""
        self.world.target.compute.failing.clear()
        for server in SERVERS.values():
            self.world.source.compute.raw[server].pop("millpond.attempts", None)
        self.documents = self.mind.documents(self.world)
        plan = self.world.advance(self.documents)
        assert (plan.steps, plan.blockers) == ((), ())
        for wave, server in SERVERS.items():
            self.reached(server, cut=self.mind.on[wave])

    def reached(self, server: str, *, cut: bool) -> None:
        here = self.world.source.compute.shown(server)
        there = [s for s in self.world.target.compute.servers("") if s.marker == server]
        assert [(s.status, s.locked) for s in there] == ([("ACTIVE", False)] if cut else [])
        assert (here.status, here.locked) == (("SHUTOFF", True) if cut else ("ACTIVE", False))
        assert bool(here.record and here.record.verified) is cut
        assert cut or here.record is None


@pytest.mark.parametrize("mechanism", ["ovs", "ovn"])
def test_a_source_that_came_up_before_its_side_was_fenced_is_synchronised_again(mechanism: str) -> None:
    """On firmware that refuses two targets both sides are writable for a moment: what the source writes then must not be lost."""
    machine = Migration()
    machine.world, machine.mind = on_firmware(prepared(mechanism), two_targets=False), Mind({"pilot": True, "rest": False})
    machine.documents = machine.mind.documents(machine.world)
    machine.world.advance(machine.documents, at("replication_group/pilot-ssd#fence"))
    machine.world.host_brings_up("server-1")
    machine.world.tick()
    machine.settle()
    assert "acme/replication_group/pilot-ssd#take_back" in machine.world.sent


def test_every_way_leads_where_the_flags_say() -> None:
    run_state_machine_as_test(Migration, settings=QUICK)


@pytest.mark.parametrize("two_targets", [True, False])
def test_every_crash_on_the_straight_ways_is_made_good(two_targets: bool) -> None:
    """Each single change of a cut of both waves, then the way on, and the ways back."""
    start = on_firmware(prepared(), two_targets=two_targets)
    on = Mind({"pilot": True, "rest": True})
    documents = on.documents(start)
    worlds, world = [], start
    while any(not step.after for step in world.plan(documents).steps):
        ready = [change for change in world.plan(documents).changes if not change.after]
        world = world.copy()
        if ready:
            world.perform(ready[0])
        else:
            world.tick()
        worlds.append(world)
    for crashed in worlds:
        for mind in (Mind({"pilot": True, "rest": True}), Mind(writes="discard"), Mind({"pilot": False, "rest": True})):
            machine = Migration()
            machine.world, machine.mind = crashed.copy(), mind
            machine.world.crash()
            machine.settle()


@pytest.mark.parametrize("mechanism", ["ovs", "ovn"])
@pytest.mark.parametrize("two_targets", [True, False])
@pytest.mark.parametrize(("first", "then"), [("discard", "carry_back"), ("carry_back", "discard")])
def test_every_change_of_the_word_is_refused_or_carried_out(first: str, then: str, two_targets: bool, mechanism: str) -> None:
    """After each single change of the way back that was stated first: what it makes impossible is told, nothing that is owed is lost."""
    world = on_firmware(prepared(mechanism), two_targets=two_targets)
    Mind({"pilot": True, "rest": False}).reach(world)
    world.tick(600)
    machine = Migration()
    machine.world, machine.mind = world, Mind({"pilot": False, "rest": False}, first)
    machine.documents = machine.mind.documents(world)
    for _ in range(60):
        ready = machine.ready()
        if ready:
            world.perform(ready[0])
        elif any(not step.after for step in world.plan(machine.documents).waiting):
            world.tick()
        else:
            break
        changed = Migration()
        changed.world, changed.mind = world.copy(), Mind({"pilot": False, "rest": False}, then)
        changed.world.crash()
        changed.settle()
    assert not world.plan(machine.documents).steps
