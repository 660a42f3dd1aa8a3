"""The boot is declared before the tenant can get at any disk of its server on the target: from there on a way back asks what becomes of
the target's writes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.errors import Refused
from millpond.model.address import Address
from millpond.model.block_storage import Attachment
from millpond.model.change import Change
from millpond.model.desired import Desired
from millpond.model.plan import TenantPlan
from millpond.planning.ordering import RELEASED, ordered
from tests.planning.situations import BACK, PILOT, back, before, block, cut_of, flagged, flags
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, world
from tests.planning.walk_cases import CASES
from tests.planning.world import World, at

ADOPTIONS = pytest.mark.parametrize("adoption", ["precreate", "manage"])
BOOT, CREATE = "acme/source_server/web-1#boot", "acme/server/web-1#create"


def opens(step: Change) -> bool:
    return f"{step.kind}#{step.action}" in RELEASED


def begun(adoption: str) -> tuple[Desired, World]:
    """The documents of a tenant that stays, and its world once it is in sync."""
    off = desired(site=replace(SITE, replication=replace(SITE.replication, adoption=adoption)))
    made = world(site=off.site)
    made.tick()
    made.advance(off)
    made.tick(3600)
    return off, made


def root(made: World) -> str:
    return next((one.id for one in made.target.block_storage.volumes("") if one.marker == "root-1"), "")


def free(made: World) -> bool:
    return bool(root(made)) and made.target.block_storage.shown(root(made)).status == "available"


def ready(plan: TenantPlan) -> set[str]:
    return {step.id for step in plan.changes if not step.after}


def written(made: World) -> None:
    """The tenant attaches the disk to another server of theirs on the target, and that writes to it."""
    array = made.arrays["ibox-b"]
    array.contents[array.by_name(made.target.block_storage.shown(root(made)).backend_name).id] = made.owed["root-1"] = 7777
    theirs = replace(made.source.compute.rows["server-2"], id="theirs", name="theirs", metadata={}, volumes=(), port_ids=(), nic_macs=())
    made.target.compute.rows["theirs"] = theirs
    made.target.block_storage.put(root(made), status="in-use", attachments=(Attachment("theirs", "/dev/vdb"),))


@ADOPTIONS
def test_what_a_tenant_wrote_to_a_released_disk_before_the_boot_is_not_lost(adoption: str) -> None:
    off, made = begun(adoption)
    made.advance(flags(pilot=True, base=off), lambda _: free(made))
    assert not made.target.compute.rows
    made.crash()
    written(made)
    sent = len(made.sent)
    plan = made.advance(off)
    assert [finding.code for finding in plan.blockers] == ["rollback_undecided"]
    assert "target_writes: carry_back" in plan.blockers[0].patch
    assert {id.split("/")[1] for id in made.sent[sent:]} <= {"key_pair"}
    decided = flagged(off, **block(cut_of(made), "carry_back"))
    made.tick(600)
    assert [finding.code for finding in made.advance(decided).blockers] == ["volume_used_elsewhere"]
    made.target.block_storage.put(root(made), status="available", attachments=())
    made.advance(decided, at("source_server/web-1#start"))
    here = made.arrays["ibox-a"]
    assert here.contents[here.by_name("openstack-vol-root-1").id] == 7777
    assert made.advance(decided).steps == ()
    assert made.source.compute.rows["server-1"].status == "ACTIVE"


def test_a_disk_that_the_tenant_uses_elsewhere_is_left_to_the_services_refusal_and_not_waited_for() -> None:
    made = prepared()
    made.advance(PILOT, lambda _: free(made))
    made.crash()
    written(made)
    assert CREATE not in {step.id for step in made.plan(PILOT).changes}
    made.now += timedelta(seconds=2 * SITE.limits.request_timeout)
    assert {BOOT, CREATE} <= {step.id for step in made.plan(PILOT).changes}
    with pytest.raises(Refused):
        made.advance(PILOT)
    made.target.block_storage.put(root(made), status="available", attachments=())
    assert [str(wave.stage) for wave in made.advance(PILOT).waves] == ["handed_over", "replicate"]


@ADOPTIONS
def test_before_the_declaration_a_way_back_asks_nobody_and_the_disks_were_nobodys(adoption: str) -> None:
    off, made = begun(adoption)
    made.advance(flags(pilot=True, base=off), at("source_server/web-1#boot"))
    assert {one.status for one in made.target.block_storage.volumes("") if one.marker in ("root-1", "data-1")} <= {"maintenance"}
    made.crash()
    assert made.advance(off).steps == ()
    assert made.source.compute.rows["server-1"].status == "ACTIVE"


@pytest.mark.parametrize("name", [name for name in CASES if name.endswith("-t")])
def test_no_plan_lets_anybody_at_a_disk_of_a_boot_that_is_not_declared(name: str) -> None:
    documents, made = CASES[name]()
    plan, source = made.plan(documents), made.source.compute
    for step in (step for step in plan.changes if opens(step)):
        for id in (id for id in step.servers if id in source.rows):
            record = source.shown(id).record
            boots = {f"acme/source_server/{source.shown(id).name}#boot"}
            assert (record and record.booting) or boots & set(step.after), (step.id, id)


def test_a_shared_disk_waits_for_the_boots_of_all_that_have_it_and_each_boot_for_its_own_disks() -> None:
    def step(kind: str, name: str, action: str, *servers: str) -> Change:
        return Change(Address("acme", kind, name), action, servers=servers)

    steps = (
        step("volume", "shared", "release", "s1", "s2"),
        step("volume", "own", "manage", "s1"),
        step("volume", "spare", "release_detached", "s1", "s2"),
        *(step("source_server", name, "boot", name) for name in ("s1", "s2")),
        *(step("server", name, "create", name) for name in ("s1", "s2")),
    )
    after = {f"{one.address.name}#{one.action}": {id.removeprefix("acme/") for id in one.after} for one in ordered(steps)}
    both = {"source_server/s1#boot", "source_server/s2#boot"}
    assert after["shared#release"] == after["spare#release_detached"] == both
    assert after["own#manage"] == {"source_server/s1#boot"}
    assert after["s1#create"] == {"source_server/s1#boot", "volume/shared#release", "volume/own#manage"}
    assert after["s2#create"] == {"source_server/s2#boot", "volume/shared#release"}
    assert after["s1#boot"] == after["s2#boot"] == set()


@ADOPTIONS
def test_another_run_releases_at_once_and_boots_when_no_boot_can_come_any_more(adoption: str) -> None:
    """A disk in `maintenance` is no proof that nothing was sent: a way back that was broken off sets it, too."""
    off, made = begun(adoption)
    on = flags(pilot=True, base=off)
    verb = "release" if adoption == "precreate" else "manage"
    made.advance(on, at(f"volume/web-1-root#{verb}"))
    made.crash()
    declared, patience = made.now, timedelta(seconds=2 * SITE.limits.request_timeout)
    plan = made.advance(on, lambda plan: f"acme/volume/web-1-root#{verb}" in ready(plan))
    assert BOOT not in {step.id for step in plan.changes}
    sent = len(made.sent)
    assert [str(wave.stage) for wave in made.advance(on).waves] == ["handed_over", "replicate"]
    again = made.sent[sent:]
    assert again.index(f"acme/volume/web-1-root#{verb}") < again.index(BOOT) < again.index(CREATE)
    assert made.sent.count(CREATE) == 1
    assert made.now - declared >= patience


def test_a_disk_that_is_blocked_keeps_all_of_its_server_out_of_reach() -> None:
    made = before("source_server/web-1#boot")
    data = next(one.id for one in made.target.block_storage.volumes("") if one.marker == "data-1")
    made.target.block_storage.put(data, status="error")
    made.advance(PILOT)
    assert made.target.block_storage.shown(root(made)).status == "maintenance"
    assert [str(wave.stage) for wave in made.plan(BACK).waves] == ["return", "replicate"]


def test_one_that_could_not_be_adopted_after_the_declaration_is_adopted_again_and_booted_once() -> None:
    off, made = begun("manage")
    on = flags(pilot=True, base=off)
    made.advance(on, lambda _: free(made))
    array = made.arrays["ibox-b"]
    array.rename(array.by_name(f"openstack-vol-{root(made)}").id, "millpond-root-1")
    made.target.block_storage.put(root(made), status="error")
    made.crash()
    assert [finding.code for finding in made.plan(off).blockers] == ["rollback_undecided"]
    assert [str(wave.stage) for wave in made.advance(on).waves] == ["handed_over", "replicate"]
    assert made.sent.count(CREATE) == 1


def test_what_the_target_will_never_have_keeps_the_disks_out_of_reach_too() -> None:
    made = before("source_server/web-1#boot")
    ports = tuple(port for port in INVENTORY.ports if port.id != "port-1")
    for port in [id for id, one in made.target.network.rows["port"].items() if one.fixed_ips and not one.device_owner]:
        del made.target.network.rows["port"][port]
    on = flagged(desired(replace(INVENTORY, ports=ports)), pilot={"cutover": True})
    made.advance(on)
    assert not free(made)
    assert [str(wave.stage) for wave in made.plan(flags(base=on)).waves] == ["return", "replicate"]


@pytest.mark.parametrize("mechanism", ["ovs", "ovn"])
def test_a_boot_is_declared_when_its_ports_are_there(mechanism: str) -> None:
    steps = {step.id: step for step in prepared(mechanism).plan(PILOT).steps}
    inside = {id for id in steps if id.startswith("acme/port/") and "inside" in id}
    assert bool(inside) is (mechanism == "ovn")
    assert inside <= set(steps[BOOT].after)


@pytest.mark.parametrize("how", ["discard", "carry_back"])
def test_a_cut_that_is_undone_between_the_declaration_and_the_release(how: str) -> None:
    made = before("volume/web-1-root#release")
    made.now += timedelta(seconds=600)
    home = back(made, how)
    assert made.advance(home).steps == ()
    assert not made.target.compute.rows
    assert made.source.compute.rows["server-1"].status == "ACTIVE"
