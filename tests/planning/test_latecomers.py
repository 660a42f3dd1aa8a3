"""Servers and volumes that come into a wave after its cut had begun, and cuts that the manifest moves into another wave."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from millpond.model.block_storage import Attachment, Volume
from millpond.model.compute import AttachedVolume, Server
from millpond.model.desired import Desired, DesiredWave
from millpond.model.manifest import Rollback, Window
from millpond.model.plan import Stage, TenantPlan
from millpond.reconcilers.storage.moved_with import moved_with
from millpond.reconcilers.storage.replication import groups
from tests.planning.arrays import GIB
from tests.planning.situations import PILOT, cut_of, flags
from tests.planning.tenant import INVENTORY, desired, prepared, server, volume, world
from tests.planning.world import World, at, flagged

ROOT = volume("root-3", "web-3-root", 10, "server-3", "/dev/vda", bootable=True)
LATE = replace(server(3, (AttachedVolume("root-3", "/dev/vda"),)), port_ids=(), nic_macs=())
THREE = replace(INVENTORY, servers=(*INVENTORY.servers, LATE), volumes=(*INVENTORY.volumes, ROOT))
SPARE = volume("vol-spare", "spare", 5)


def codes(plan: TenantPlan) -> list[str]:
    return [finding.code for finding in plan.findings if finding.code != "users_without_password"]


def comes(made: World, disk: Volume, owner: Server | None = None) -> None:
    """The tenant makes it on the source."""
    made.source.block_storage.rows[disk.id] = disk
    made.arrays["ibox-a"].make(disk.backend_name, disk.size * GIB)
    if owner is not None:
        made.source.compute.rows[owner.id] = owner
        made.source.compute.raw[owner.id] = dict(owner.metadata)


def closed(made: World) -> Window:
    return Window(made.now - timedelta(hours=2), made.now - timedelta(hours=1))


def joined(made: World) -> Desired:
    """web-2, which is prepared in a group of its own, comes into the pilot, whose window has closed since."""
    base = desired()
    pilot = replace(base.waves[0], servers=("server-1", "server-2"), volumes=("root-1", "data-1", "root-2"), cutover=True)
    return replace(base, waves=(replace(pilot, window=closed(made)),))


@pytest.mark.parametrize("step", ["source_server/web-1#lock", "source_server/web-1#stop", "replication_group/pilot-ssd#fence"])
def test_a_server_that_joins_a_wave_under_way_is_not_cut_with_it(step: str) -> None:
    made = prepared()
    made.advance(PILOT, at(step))
    made.crash()
    plan = made.advance(joined(made))
    assert not [id for id in made.sent if id.startswith("acme/source_server/web-2#")]
    assert made.source.compute.rows["server-2"].status == "ACTIVE"
    if step.endswith("lock"):  # nothing but the record was written: the wave is judged again, and its window has closed
        assert "window_closed" in codes(plan)
        assert "acme/source_server/web-1#lock" not in made.sent
    else:
        assert "acme/source_server/web-1#verify" in made.sent
        assert codes(plan) == ["window_closed"]


def test_who_joined_is_told_and_cut_the_next_time() -> None:
    made = prepared()
    made.advance(PILOT, at("replication_group/pilot-ssd#fence"))
    made.crash()
    on = flagged(joined(made), pilot={"window": None})
    plan = made.plan(on)
    assert codes(plan) == ["joins_next_cut"]
    made.advance(on, at("source_server/web-2#record"))
    first = cut_of(made)
    assert made.source.compute.shown("server-1").record.verified  # type: ignore[union-attr]
    assert codes(made.advance(on)) == []
    assert [wave.stage for wave in made.plan(on).waves] == [Stage.HANDED_OVER]
    assert cut_of(made, "server-2") != first


def test_a_late_server_is_prepared_while_the_wave_goes_on() -> None:
    made = prepared()
    made.advance(flags(rest=True), at("replication_group/web-2-root#fence"))
    made.crash()
    comes(made, ROOT, LATE)
    on = flagged(flags(rest=True, base=desired(THREE)), rest={"window": closed(made)})
    assert codes(made.plan(on)) == ["joins_next_cut"]
    plan = made.advance(on)
    assert made.source.compute.rows["server-3"].status == "ACTIVE"
    assert "acme/source_server/web-2#verify" in made.sent
    assert codes(plan) == ["window_closed"]
    assert "acme/replication_group/web-3-root#pair" in made.sent


def test_a_late_server_does_not_hold_a_way_back() -> None:
    made = prepared()
    made.advance(flags(rest=True), at("replication_group/web-2-root#promote"))
    made.crash()
    comes(made, ROOT, LATE)
    plan = made.advance(flags(base=desired(THREE)))
    assert codes(plan) == []
    assert made.source.compute.shown("server-2").record is None
    assert made.source.compute.rows["server-2"].status == "ACTIVE"


def with_spare() -> Desired:
    return flags(rest=True, base=desired(replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))))


def test_a_late_detached_volume_holds_no_boot() -> None:
    made = prepared()
    made.advance(flags(rest=True), at("replication_group/web-2-root#fence"))
    made.crash()
    comes(made, SPARE)
    assert codes(made.plan(with_spare())) == ["not_in_this_cut"]
    made.advance(with_spare(), at("source_server/web-2#verify"))
    assert not [id for id in made.sent if "spare" in id]


def test_a_late_detached_volume_holds_no_way_back() -> None:
    made = prepared()
    made.advance(flags(rest=True), at("replication_group/web-2-root#promote"))
    made.crash()
    comes(made, SPARE)
    assert codes(made.advance(flagged(with_spare(), rest={"cutover": False}))) == []
    assert made.source.compute.rows["server-2"].status == "ACTIVE"


def test_a_crash_between_two_records_leaves_nobody_behind() -> None:
    base = desired()
    pilot = replace(base.waves[0], servers=("server-1", "server-2"), volumes=("root-1", "data-1", "root-2"), grouping="volume")
    base = replace(base, waves=(pilot,))
    made = world()
    made.tick()
    made.advance(base)
    made.tick(3600)
    on = flagged(base, pilot={"cutover": True})
    first = next(change for change in made.plan(on).changes if change.action == "record")
    made.perform(first)
    made.crash()
    assert codes(made.plan(on)) == []
    made.advance(on, at("source_server/web-1#stop"))
    assert cut_of(made, "server-1") == cut_of(made, "server-2")
    assert codes(made.advance(on)) == []


def test_an_unpaired_disk_that_an_admitted_server_shares_with_a_late_one_is_told_and_can_be_left_out() -> None:
    shared = volume("vol-both", "both", 5, "server-2", "/dev/vdb", multiattach=True)
    second = replace(INVENTORY.servers[1], volumes=(*INVENTORY.servers[1].volumes, AttachedVolume("vol-both", "/dev/vdb")))
    third = replace(LATE, volumes=(*LATE.volumes, AttachedVolume("vol-both", "/dev/vdb")))
    made = prepared()
    made.advance(flags(rest=True), at("replication_group/web-2-root#fence"))
    made.crash()
    comes(made, ROOT, third)
    comes(made, shared)
    tenant = replace(THREE, servers=(INVENTORY.servers[0], second, third), volumes=(*THREE.volumes, shared))
    on = flags(rest=True, base=desired(tenant))
    found = next(finding for finding in made.plan(on).blockers if finding.code == "pair_lost")
    assert (found.what.startswith("both has no replica"), "exclude a disk" in found.fix, found.wave) == (True, True, "rest")
    assert not [id for id in made.sent if "pair" in id and "both" in id]
    waves = tuple(replace(wave, volumes=tuple(id for id in wave.volumes if id != "vol-both")) for wave in on.waves)
    made.advance(replace(on, waves=waves, excluded=frozenset({"vol-both"})))
    assert made.source.compute.shown("server-2").record.verified  # type: ignore[union-attr]


@pytest.mark.parametrize("how", ["discard", "carry_back"])
@pytest.mark.parametrize("grouping", ["consistency_group", "volume"])
def test_a_late_server_holds_no_detached_volume_of_its_wave_on_the_way_back(how: str, grouping: str) -> None:
    tenant = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
    joined = replace(tenant, servers=(*tenant.servers, LATE), volumes=(*tenant.volumes, ROOT))
    made = world(tenant)
    made.tick()
    made.advance(flagged(desired(tenant), rest={"grouping": grouping}))
    made.tick(3600)
    made.advance(flagged(desired(tenant), rest={"grouping": grouping, "cutover": True}))
    made.tick(600)
    made.crash()
    comes(made, ROOT, LATE)
    if how == "discard":
        made.discard(["server-2"])
    on = flagged(desired(joined), rest={"grouping": grouping, "rollback": Rollback(cut_of(made, "server-2"), how)})
    plan = made.advance(on)
    assert (codes(plan), plan.steps) == ([], ())
    assert made.source.compute.shown("server-2").record is None
    assert [made.source.compute.rows[id].status for id in ("server-2", "server-3")] == ["ACTIVE", "ACTIVE"]


def test_a_late_server_holds_no_detached_volume_of_its_wave_in_its_cut() -> None:
    tenant = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
    joined = replace(tenant, servers=(*tenant.servers, LATE), volumes=(*tenant.volumes, ROOT))
    made = world(tenant)
    made.tick()
    made.advance(desired(tenant))
    made.tick(3600)
    made.advance(flags(rest=True, base=desired(tenant)), at("replication_group/rest-ssd#fence"))
    made.crash()
    comes(made, ROOT, LATE)
    plan = made.advance(flagged(flags(rest=True, base=desired(joined)), rest={"window": closed(made)}))
    assert codes(plan) == ["window_closed"]
    assert made.source.compute.shown("server-2").record.verified  # type: ignore[union-attr]
    assert made.source.compute.rows["server-3"].status == "ACTIVE"
    assert made.source.compute.shown("server-3").record is None


def test_a_late_server_that_has_got_the_detached_volume_counts() -> None:
    tenant = replace(INVENTORY, volumes=(*INVENTORY.volumes, SPARE))
    joined = replace(tenant, servers=(*tenant.servers, LATE), volumes=(*tenant.volumes, ROOT))
    made = world(tenant)
    made.tick()
    made.advance(desired(tenant))
    made.tick(3600)
    made.advance(flags(rest=True, base=desired(tenant)))
    comes(made, ROOT, LATE)
    base = flagged(desired(joined), rest={"rollback": Rollback(cut_of(made, "server-2"), "discard")})
    snapshot = made.snapshot()
    (group,) = [one for one in groups(base, snapshot) if one.address.name == "rest-ssd"]
    assert moved_with(base, snapshot, group) == ("server-2",)
    made.source.block_storage.put(SPARE.id, status="in-use", attachments=(Attachment("server-3", "/dev/vdb"),))
    assert moved_with(base, made.snapshot(), group) == ("server-2", "server-3")
    attached = replace(LATE, volumes=(*LATE.volumes, AttachedVolume(SPARE.id, "/dev/vdb")))
    known = replace(base, inventory=replace(joined, servers=(*tenant.servers, attached)))
    assert moved_with(known, snapshot, group) == ("server-2", "server-3")


BOOTABLE = replace(SPARE, bootable=True, image_metadata={"hw_disk_bus": "scsi"})


@pytest.mark.parametrize("grouping", ["consistency_group", "volume"])
@pytest.mark.parametrize("adoption", ["precreate", "manage"])
def test_a_detached_volume_that_was_handed_over_is_the_tenants_when_a_server_joins_its_wave(adoption: str, grouping: str) -> None:
    tenant = replace(INVENTORY, volumes=(*INVENTORY.volumes, BOOTABLE))
    made = world(tenant)
    made.tick()
    made.advance(flagged(desired(tenant, adoption=adoption), rest={"grouping": grouping}))
    made.tick(3600)
    made.advance(flagged(desired(tenant, adoption=adoption), rest={"grouping": grouping, "cutover": True}))
    storage = made.target.block_storage
    double = next(known for known in storage.volumes("") if known.marker == SPARE.id)
    there = made.arrays["ibox-b"]
    disk = there.by_name(double.backend_name).id
    storage.put(double.id, image_metadata={"hw_disk_bus": "virtio"})
    there.contents[disk] = 7777
    comes(made, ROOT, LATE)
    made.crash()
    joined = replace(tenant, servers=(*tenant.servers, LATE), volumes=(*tenant.volumes, ROOT))
    on = flagged(desired(joined, adoption=adoption), rest={"grouping": grouping, "cutover": True})
    sent, roles = len(made.sent), [replica.role for replica in there.replicas() if disk in {pair.local_id for pair in replica.pairs}]
    assert codes(made.advance(on, at("source_server/web-3#record"))) == []
    assert codes(made.advance(on)) == []
    assert str(made.plan(on).waves[-1].stage) == "handed_over"
    assert not [id for id in made.sent[sent:] if "spare" in id or "rest-ssd" in id]
    after = storage.shown(double.id)
    assert (after.status, after.image_metadata, there.contents[disk]) == ("available", {"hw_disk_bus": "virtio"}, 7777)
    assert [replica.role for replica in there.replicas() if disk in {pair.local_id for pair in replica.pairs}] == roles


def renamed(base: Desired) -> Desired:
    return replace(base, waves=(replace(base.waves[0], name="renamed"), *base.waves[1:]))


@pytest.mark.parametrize("grouping", ["consistency_group", "volume"])
def test_a_wave_that_is_renamed_after_its_record_stops_nothing(grouping: str) -> None:
    base = desired()
    base = replace(base, waves=tuple(replace(wave, grouping=grouping) for wave in base.waves))
    made = world()
    made.tick()
    made.advance(base)
    made.tick(3600)
    on = flags(pilot=True, base=base)
    made.advance(on, at("source_server/web-1#stop"))
    made.crash()
    sent = len(made.sent)
    plan = made.advance(renamed(on))
    assert made.sent[sent:] == []
    found = next(finding for finding in plan.blockers if finding.code == "cut_of_another_wave")
    assert (found.wave, str(found.address)) == ("renamed", "acme/server/web-1")
    assert "back into a wave of the name pilot" in found.fix
    assert codes(made.advance(on)) == []
    assert "acme/source_server/web-1#verify" in made.sent


@pytest.mark.parametrize("how", ["stopped", "deleted"])
def test_another_wave_that_is_asked_for_leaves_a_handover_alone(how: str) -> None:
    """web-1 was handed over, and web-2 joined its wave since: no gate of that wave opens for `--wave other`."""
    made = prepared()
    made.advance(PILOT)
    compute = made.target.compute
    copy = next(iter(compute.rows))
    if how == "stopped":
        compute.put(copy, status="SHUTOFF")
    else:
        compute.delete_server(copy)
    made.crash()
    base = flagged(joined(made), pilot={"window": None})
    both = replace(base, waves=(*base.waves, DesiredWave("other", (), (), cutover=False)))
    sent = len(made.sent)
    plan = made.advance(both, wave="other")
    assert made.sent[sent:] == []
    assert [step.reason for step in plan.waiting if step.kind == "gate"] == ["only wave other is asked for"]
    assert made.source.compute.rows["server-2"].status == "ACTIVE"
    made.advance(both, wave="pilot")
    assert made.source.compute.shown("server-2").record.verified  # type: ignore[union-attr]


def test_a_volume_that_joins_a_wave_of_volumes_under_way_is_cut_the_next_time() -> None:
    empty = replace(INVENTORY, servers=(), ports=(), volumes=(SPARE,), floating_ips=(), key_pairs=())
    base = replace(desired(empty), waves=(DesiredWave("rest", (), ("vol-spare",), cutover=False),))
    made = world(empty)
    made.tick()
    made.advance(base)
    made.tick(3600)
    made.advance(flagged(base, rest={"cutover": True}), at("replication_group/spare#promote"))
    made.crash()
    late = volume("vol-late", "late", 5)
    comes(made, late)
    more = replace(empty, volumes=(SPARE, late))
    on = replace(desired(more), waves=(DesiredWave("rest", (), ("vol-spare", "vol-late"), cutover=True, window=closed(made)),))
    assert codes(made.plan(on)) == ["joins_next_cut"]
    assert codes(made.advance(on)) == ["window_closed"]
    assert "acme/source_volume/spare#verify" in made.sent
    assert "acme/replication_group/late#pair" in made.sent
    assert "acme/source_volume/late#record" not in made.sent
    made.advance(flagged(on, rest={"window": None}))
    assert "acme/source_volume/late#verify" in made.sent


def unlisted(*, cutover: bool) -> Desired:
    """The wave `pilot` is taken out of the manifest: its server falls into the last wave."""
    inventory = desired().inventory
    servers, volumes = tuple(one.id for one in inventory.servers), tuple(one.id for one in inventory.volumes)
    return replace(desired(), waves=(DesiredWave("rest", servers, volumes, cutover=cutover),))


@pytest.mark.parametrize(
    ("step", "cutover", "expected"),
    [
        ("source_server/web-1#stop", True, "cut_of_another_wave"),
        ("replication_group/pilot-ssd#promote", True, "cut_of_another_wave"),
        ("replication_group/pilot-ssd#promote", False, "regroup"),
        ("server/web-1#create", False, "rollback_undecided"),
        ("source_server/web-1#verify", False, "rollback_undecided"),
    ],
)
def test_a_wave_that_is_taken_out_in_the_middle_of_its_cut_is_held_and_goes_on_once_it_is_back(
    step: str, cutover: bool, expected: str
) -> None:
    made = prepared()
    made.advance(PILOT, at(step))
    made.crash()
    sent = len(made.sent)
    plan = made.advance(unlisted(cutover=cutover))
    assert expected in {finding.code for finding in plan.blockers}
    assert not {id.partition("#")[2] for id in made.sent[sent:]} & {
        "lock",
        "stop",
        "suspend",
        "fence",
        "promote",
        "create",
        "verify",
        "delete",
    }
    made.advance(PILOT)
    assert made.source.compute.shown("server-1").record.verified  # type: ignore[union-attr]
