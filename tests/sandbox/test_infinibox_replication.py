"""What two arrays do with each other's data, in a world whose time moves only when told to."""

from collections.abc import Callable
from typing import Any

import pytest

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.world import World
from millpond.sandbox.infinibox import InfiniBox
from millpond.sandbox.infinibox.refusal import Refusal
from millpond.sandbox.infinibox.roles import Deletion
from millpond.sandbox.settings import Settings

GIB = 2**30
HOUR = 3600.0


class Pair:
    """Two arrays with a link, a pool on each, and what tests do most."""

    def __init__(self) -> None:
        settings = Settings(speed=0)
        settings.rates.seed = settings.rates.sync = float(GIB)
        self.world = World(settings=settings)
        arrays: dict[str, InfiniBox] = {}
        self.a, self.b = (arrays.setdefault(name, InfiniBox(self.world, name, arrays)) for name in ("ibox-a", "ibox-b"))
        self.pools = {box.name: box.create_pool("pool", 1000 * GIB) for box in (self.a, self.b)}
        self.link = self.a.connect(self.b)

    def volume(self, box: InfiniBox, name: str, used: int = 10, size: int = 20) -> Row:
        """Sizes in GiB. Mapped, so that it can be written."""
        row = box.create_volume(name, self.pools[box.name]["id"], size * GIB, used * GIB)
        box.map_volume("host", row["id"])
        return row

    def replicate(self, *volumes: Row, action: str = "CREATE", remotes: tuple[Row, ...] = (), **options: Any) -> Row:
        group = self.a.groups.create(f"cg-{volumes[0]['id']}", self.pools["ibox-a"]["id"])
        for volume in volumes:
            self.a.groups.add_member(group["id"], volume["id"])
        pairs: list[Row] = [{"remote_base_action": action, "local_entity_id": int(volume["id"])} for volume in volumes]
        for pair, remote in zip(pairs, remotes, strict=False):
            pair["remote_entity_id"] = int(remote["id"])
        body = {"link_id": int(self.link["id"]), "entity_type": "CONSISTENCY_GROUP", "local_cg_id": int(group["id"]), "entity_pairs": pairs}
        return self.a.replicas.create({**body, "remote_pool_id": int(self.pools["ibox-b"]["id"]), "sync_interval": 300_000, **options})

    def later(self, seconds: float) -> None:
        self.world.clock.advance(seconds)
        self.world.events.run_due()
        self.a.jobs.observe_link()

    def target(self, replica: Row, at: int = 0) -> Row:
        return self.b.volumes.get(replica["entity_pairs"][at]["remote_entity_id"])

    def twin(self, replica: Row) -> Row:
        found = self.a.replicas.twin(replica)
        assert found is not None
        return found

    def shown(self, replica: Row) -> Row:
        return self.a.replicas.wire(replica)

    def equal(self, source: Row, target: Row) -> bool:
        return self.a.content(source["id"]) == self.b.content(target["id"])

    def cut(self, replica: Row) -> None:
        """suspend, then the source becomes a target, then the target a source."""
        self.a.roles.suspend(replica["id"])
        self.a.roles.change_role(replica["id"])
        self.b.roles.change_role(self.twin(replica)["id"])

    def violations(self) -> list[str]:
        return [row["kind"] for row in self.world.store.table("violations")]


@pytest.fixture
def pair() -> Pair:
    return Pair()


def refused(code: str, call: Callable[[], object]) -> None:
    with pytest.raises(Refusal) as caught:
        call()
    assert caught.value.code == code


def test_the_first_copy_takes_the_used_bytes_over_the_rate(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", used=10)
    replica = pair.replicate(source)
    started = pair.world.clock.ms()
    pair.later(5)
    assert pair.shown(replica)["job_state"] == "INITIALIZING"
    assert pair.shown(replica)["progress"] == 50
    assert pair.shown(replica)["restore_point"] is None
    assert not pair.equal(source, pair.target(replica))
    pair.later(5)
    assert pair.shown(replica)["job_state"] == "IDLE"
    assert pair.shown(replica)["restore_point"] == started
    assert not pair.shown(replica)["is_initial"]
    assert pair.equal(source, pair.target(replica))
    assert pair.target(replica)["used"] == 10 * GIB


def test_a_job_copies_what_was_there_when_it_started(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", used=10)
    replica = pair.replicate(source)
    pair.later(10)
    at_start = pair.a.content(source["id"])
    pair.a.roles.sync(replica["id"])
    pair.a.write(source["id"], "too late for this job")
    pair.later(3)
    assert pair.b.content(pair.target(replica)["id"]) == at_start
    pair.a.roles.sync(replica["id"])
    pair.later(3)
    assert pair.equal(source, pair.target(replica))


def test_an_increment_takes_the_bytes_written_since(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", used=10)
    replica = pair.replicate(source)
    pair.later(10)
    pair.a.write(source["id"], "much", 6 * GIB)
    pair.a.roles.sync(replica["id"])
    pair.later(5.9)
    assert pair.shown(replica)["job_state"] == "REPLICATING"
    pair.later(0.2)
    assert pair.shown(replica)["job_state"] == "IDLE"


def test_scheduled_jobs_run_every_interval(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(10)
    pair.a.write(source["id"], "new")
    assert pair.shown(replica)["next_job_start_time"] == pair.shown(replica)["restore_point"] + 300_000
    pair.later(303)
    assert pair.equal(source, pair.target(replica))


def test_a_manual_sync_waits_for_the_running_job(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", used=10)
    replica = pair.replicate(source)
    pair.later(1)
    assert pair.a.roles.sync(replica["id"])["state"] == "PENDING"
    assert pair.shown(replica)["pending_job_count"] == 1
    pair.a.write(source["id"], "seen by the second job only")
    pair.later(9)
    assert pair.shown(replica)["job_state"] == "REPLICATING"
    pair.later(3)
    assert pair.equal(source, pair.target(replica))


def test_targets_are_protected_until_their_role_changes(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    target = pair.target(replica)
    pair.b.map_volume("host", target["id"])
    refused("VOLUME_WRITE_PROTECTED", lambda: pair.b.write(target["id"], "no"))
    refused("VOLUME_IS_REPLICATION_TARGET", lambda: pair.b.volumes.protect(target["id"], write_protected=False))
    pair.later(10)
    pair.cut(replica)
    pair.b.write(target["id"], "yes")
    refused("VOLUME_WRITE_PROTECTED", lambda: pair.a.write(source["id"], "no"))
    assert pair.violations() == []


def test_an_unmapped_volume_cannot_be_written(pair: Pair) -> None:
    row = pair.a.create_volume("loose", pair.pools["ibox-a"]["id"], GIB)
    refused("VOLUME_NOT_MAPPED", lambda: pair.a.write(row["id"], "no"))


def test_a_replicated_volume_is_neither_deleted_nor_resized_nor_restored(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    snapshot = pair.a.volumes.snapshot("snap", source["id"])
    replica = pair.replicate(source)
    refused("ENTITY_IS_REPLICATED", lambda: pair.a.delete_volume(source["id"]))
    refused("ENTITY_IS_REPLICATED", lambda: pair.b.delete_volume(pair.target(replica)["id"]))
    refused("ENTITY_IS_REPLICATED", lambda: pair.a.resize_volume(source["id"], 30 * GIB))
    refused("ENTITY_IS_REPLICATED", lambda: pair.a.volumes.restore(source["id"], snapshot["id"]))


def test_roles_change_only_while_suspended_and_on_one_side_each(pair: Pair) -> None:
    replica = pair.replicate(pair.volume(pair.a, "disk"))
    twin = pair.twin(replica)
    refused("REPLICA_NOT_SUSPENDED", lambda: pair.a.roles.change_role(replica["id"]))
    pair.later(10)
    refused("REPLICA_NOT_SUSPENDED", lambda: pair.b.roles.change_role(twin["id"]))
    pair.a.roles.suspend(replica["id"])
    pair.a.roles.change_role(replica["id"])
    assert (replica["role"], twin["role"]) == ("TARGET", "TARGET")
    assert pair.shown(replica)["state"] is None
    refused("REPLICA_IS_TARGET", lambda: pair.a.roles.resume(replica["id"]))
    pair.a.roles.change_role(replica["id"])
    assert (replica["role"], replica["state"]) == ("SOURCE", "SUSPENDED")
    assert pair.violations() == []


def test_a_target_without_consistent_data_is_not_promoted(pair: Pair) -> None:
    replica = pair.replicate(pair.volume(pair.a, "disk"))
    pair.later(1)
    pair.a.roles.suspend(replica["id"])
    refused("REPLICA_NOT_CONSISTENT", lambda: pair.b.roles.change_role(pair.twin(replica)["id"]))


def test_both_sides_writable_and_lost_writes_are_violations(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(10)
    pair.a.write(source["id"], "never sent")
    pair.a.roles.suspend(replica["id"])
    pair.b.roles.change_role(pair.twin(replica)["id"])
    assert pair.violations() == ["write_lost", "both_sides_writable"]


def test_firmware_that_refuses_two_targets_leaves_only_the_other_order(pair: Pair) -> None:
    pair.a.set_firmware(both_targets_allowed=False)
    pair.b.set_firmware(both_targets_allowed=False)
    replica = pair.replicate(pair.volume(pair.a, "disk"))
    pair.later(10)
    pair.a.roles.suspend(replica["id"])
    refused("REPLICA_ROLE_CONFLICT", lambda: pair.a.roles.change_role(replica["id"]))
    pair.b.roles.change_role(pair.twin(replica)["id"])
    pair.later(1)
    pair.a.roles.change_role(replica["id"])
    pair.later(HOUR)
    assert pair.violations() == []


@pytest.mark.parametrize("written", [True, False])
def test_two_sources_that_last_or_are_written_are_a_violation_there_too(pair: Pair, written: bool) -> None:
    pair.b.set_firmware(both_targets_allowed=False)
    pair.a.set_firmware(both_targets_allowed=False)
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(10)
    pair.a.roles.suspend(replica["id"])
    pair.b.roles.change_role(pair.twin(replica)["id"])
    assert pair.violations() == []
    if written:
        pair.a.write(source["id"], "split")
    else:
        pair.later(61)
    assert pair.violations() == ["both_sides_writable"]


def test_reversing_carries_the_targets_writes_back(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(10)
    pair.cut(replica)
    target, twin = pair.target(replica), pair.twin(replica)
    pair.b.map_volume("host", target["id"])
    pair.b.write(target["id"], "made on the target")
    pair.b.roles.resume(twin["id"])
    pair.later(3)
    assert pair.equal(source, target)
    pair.b.roles.suspend(twin["id"])
    pair.b.roles.change_role(twin["id"])
    pair.a.roles.change_role(replica["id"])
    pair.a.write(source["id"], "back home")
    pair.a.roles.resume(replica["id"])
    pair.later(3)
    assert pair.equal(source, target)
    assert pair.violations() == []


def test_discarding_restores_the_sources_view_on_both_sides(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(10)
    before = pair.a.content(source["id"])
    pair.cut(replica)
    target, twin = pair.target(replica), pair.twin(replica)
    pair.b.map_volume("host", target["id"])
    pair.b.write(target["id"], "to be forgotten")
    pair.b.roles.change_role(twin["id"])
    pair.a.roles.change_role(replica["id"])
    pair.a.roles.resume(replica["id"])
    pair.later(3)
    assert pair.a.content(source["id"]) == pair.b.content(target["id"]) == before
    assert pair.violations() == []


def test_resume_is_refused_while_both_are_sources(pair: Pair) -> None:
    replica = pair.replicate(pair.volume(pair.a, "disk"))
    pair.later(10)
    pair.a.roles.suspend(replica["id"])
    pair.b.roles.change_role(pair.twin(replica)["id"])
    refused("REPLICA_ROLE_CONFLICT", lambda: pair.a.roles.resume(replica["id"]))


def test_suspending_stops_the_job_and_keeps_its_bytes_to_be_sent(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(10)
    pair.a.write(source["id"], "not yet", 4 * GIB)
    pair.a.roles.sync(replica["id"])
    pair.later(2)
    pair.a.roles.suspend(replica["id"])
    pair.later(HOUR)
    assert not pair.equal(source, pair.target(replica))
    refused("REPLICA_NOT_ACTIVE", lambda: pair.a.roles.sync(replica["id"]))
    pair.a.roles.resume(replica["id"])
    pair.later(3.9)
    assert not pair.equal(source, pair.target(replica))
    pair.later(0.2)
    assert pair.equal(source, pair.target(replica))


def test_as_many_first_copies_as_the_array_allows_the_rest_wait(pair: Pair) -> None:
    pair.world.settings.limits.initialisations = 2
    replicas = [pair.replicate(pair.volume(pair.a, f"disk-{n}", used=10)) for n in range(3)]
    assert [pair.shown(one)["job_state"] for one in replicas] == ["INITIALIZING", "INITIALIZING", "PENDING"]
    pair.later(10)
    assert [pair.shown(one)["job_state"] for one in replicas] == ["IDLE", "IDLE", "INITIALIZING"]
    pair.later(10)
    assert pair.shown(replicas[2])["job_state"] == "IDLE"


def test_the_limit_of_replicas(pair: Pair) -> None:
    pair.world.settings.limits.replicas = 1
    pair.replicate(pair.volume(pair.a, "one"))
    second = pair.volume(pair.a, "two")
    refused("REPLICAS_LIMIT_REACHED", lambda: pair.replicate(second))


def test_an_interrupted_link_stalls_the_job_and_later_goes_on(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", used=10)
    replica = pair.replicate(source)
    pair.later(4)
    pair.world.faults.add({"world": "link_down"})
    pair.later(0)
    pair.later(HOUR)
    assert pair.shown(replica)["job_state"] == "STALLED"
    assert pair.shown(replica)["progress"] == 40
    pair.world.faults.clear()
    pair.later(0)
    pair.later(5.9)
    assert pair.shown(replica)["job_state"] == "INITIALIZING"
    pair.later(0.2)
    assert pair.equal(source, pair.target(replica))


def test_a_day_without_the_link_suspends_the_replica(pair: Pair) -> None:
    replica = pair.replicate(pair.volume(pair.a, "disk"))
    pair.later(1)
    pair.world.faults.add({"world": "link_down"})
    pair.later(0)
    pair.later(24 * HOUR + 1)
    assert (replica["state"], replica["state_reason"]) == ("AUTO_SUSPENDED", "REMOTE_SYSTEM_UNREACHABLE")
    refused("REMOTE_SYSTEM_UNREACHABLE", lambda: pair.a.roles.resume(replica["id"]))
    pair.world.faults.clear()
    pair.a.roles.resume(replica["id"])
    assert pair.shown(replica)["state"] == "ACTIVE"


def test_a_full_target_pool_suspends_the_replica(pair: Pair) -> None:
    replica = pair.replicate(pair.volume(pair.a, "disk"))
    pair.world.faults.add({"world": "pool_full", "cloud": "ibox-b", "name": "pool"})
    pair.later(10)
    assert (replica["state"], replica["state_reason"]) == ("AUTO_SUSPENDED", "TARGET_POOL_FULL")


def test_targets_that_exist_must_be_empty_and_of_equal_size(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", size=20)
    small = pair.b.create_volume("small", pair.pools["ibox-b"]["id"], 10 * GIB)
    full = pair.b.create_volume("full", pair.pools["ibox-b"]["id"], 20 * GIB, used=GIB)
    fit = pair.b.create_volume("fit", pair.pools["ibox-b"]["id"], 20 * GIB)
    body = {"link_id": int(pair.link["id"]), "entity_type": "VOLUME"}

    def onto(remote: Row) -> Row:
        pairs = [{"remote_base_action": "NO_BASE_DATA", "local_entity_id": int(source["id"]), "remote_entity_id": int(remote["id"])}]
        return pair.a.replicas.create({**body, "entity_pairs": pairs})

    refused("ENTITY_SIZE_MISMATCH", lambda: onto(small))
    refused("REMOTE_ENTITY_NOT_EMPTY", lambda: onto(full))
    replica = onto(fit)
    pair.later(10)
    assert pair.equal(source, fit)
    assert fit["write_protected"]
    assert replica["entity_pairs"][0]["remote_entity_id"] == int(fit["id"])


def test_a_consistency_group_is_cut_at_one_moment(pair: Pair) -> None:
    first, second = pair.volume(pair.a, "first"), pair.volume(pair.a, "second")
    replica = pair.replicate(first, second)
    pair.later(20)
    pair.a.write(first["id"], "1")
    pair.a.write(second["id"], "2")
    pair.a.roles.sync(replica["id"])
    pair.later(3)
    assert pair.equal(first, pair.target(replica, 0))
    assert pair.equal(second, pair.target(replica, 1))


def test_members_of_a_group_share_its_pool_and_all_take_part(pair: Pair) -> None:
    other = pair.a.create_pool("other", 100 * GIB)
    group = pair.a.groups.create("cg", pair.pools["ibox-a"]["id"])
    alien = pair.a.create_volume("alien", other["id"], GIB)
    refused("CG_POOL_MISMATCH", lambda: pair.a.groups.add_member(group["id"], alien["id"]))
    one, two = pair.volume(pair.a, "one"), pair.volume(pair.a, "two")
    for volume in (one, two):
        pair.a.groups.add_member(group["id"], volume["id"])
    body = {"link_id": int(pair.link["id"]), "entity_type": "CONSISTENCY_GROUP", "local_cg_id": int(group["id"])}
    pairs = [{"remote_base_action": "CREATE", "local_entity_id": int(one["id"])}]
    refused("CG_MEMBERS_MISMATCH", lambda: pair.a.replicas.create({**body, "entity_pairs": pairs, "remote_pool_id": 1003}))


def test_a_new_member_initialises_the_replicated_group_again(pair: Pair) -> None:
    first = pair.volume(pair.a, "first")
    replica = pair.replicate(first)
    pair.later(10)
    second = pair.volume(pair.a, "second", used=5)
    refused("REPLICATION_PAIR_INFO_REQUIRED", lambda: pair.a.groups.add_member(replica["local_cg_id"], second["id"]))
    empty = pair.b.create_volume("second", pair.pools["ibox-b"]["id"], second["size"])
    pair.a.groups.add_member(
        replica["local_cg_id"], second["id"], {"remote_base_action": "NO_BASE_DATA", "remote_entity_id": int(empty["id"])}
    )
    assert pair.shown(replica)["job_state"] == "INITIALIZING"
    assert pair.shown(replica)["is_initial"]
    assert empty["write_protected"]
    assert empty["group"] == str(replica["remote_cg_id"])
    pair.later(5)
    assert pair.equal(second, empty)
    assert not pair.shown(replica)["is_initial"]


def test_a_member_that_leaves_dissolves_its_pair_alone(pair: Pair) -> None:
    first, second = pair.volume(pair.a, "first"), pair.volume(pair.a, "second")
    replica = pair.replicate(first, second)
    pair.later(20)
    left = pair.target(replica, 1)
    pair.a.groups.remove_member(replica["local_cg_id"], second["id"])
    assert not left["write_protected"]
    assert not left["replica_ids"]
    assert not second["replica_ids"]
    assert pair.target(replica, 0)["write_protected"]
    assert len(replica["entity_pairs"]) == len(pair.twin(replica)["entity_pairs"]) == 1
    refused("CG_LAST_MEMBER", lambda: pair.a.groups.remove_member(replica["local_cg_id"], first["id"]))


@pytest.mark.parametrize("retain", [True, False])
def test_deleting_returns_both_sides_to_regular_use(pair: Pair, retain: bool) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(10)
    target, twin = pair.target(replica), pair.twin(replica)
    refused("REPLICA_IS_TARGET", lambda: pair.b.roles.delete(twin["id"], Deletion()))
    pair.a.roles.delete(replica["id"], Deletion(retain_staging_area=retain))
    assert len(pair.a.replicas.table) == len(pair.b.replicas.table) == 0
    assert not target["write_protected"]
    assert not target["rmr_target"]
    assert not source["rmr_source"]
    assert pair.equal(source, target)
    leftovers = [*pair.a.volumes.children(source), *pair.b.volumes.children(target)]
    assert len(leftovers) == (2 if retain else 0)


def test_retained_snapshots_are_the_base_of_an_increment(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", used=10)
    replica = pair.replicate(source)
    pair.later(10)
    target = pair.target(replica)
    answer = pair.a.roles.delete(replica["id"], Deletion(retain_staging_area=True))
    kept = answer["entity_pairs"][0]
    pair.a.groups.remove_member(replica["local_cg_id"], source["id"])
    pair.b.groups.remove_member(replica["remote_cg_id"], target["id"])
    pair.a.write(source["id"], "a little more")
    again = {
        "local_base_action": "BASE",
        "remote_base_action": "BASE",
        "local_entity_id": int(source["id"]),
        "remote_entity_id": int(target["id"]),
        "local_base_entity_id": kept["_local_reclaimed_snapshot_id"],
        "remote_base_entity_id": kept["_remote_reclaimed_snapshot_id"],
    }
    body = {"link_id": int(pair.link["id"]), "entity_type": "VOLUME", "entity_pairs": [again]}
    second = pair.a.replicas.create(body)
    assert pair.shown(second)["job_state"] == "REPLICATING"
    pair.later(3)
    assert pair.equal(source, target)


def test_taking_different_data_as_equal_never_becomes_equal(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    other = pair.b.create_volume("other", pair.pools["ibox-b"]["id"], source["size"], used=GIB)
    pairs = [{"remote_base_action": "TAKE_SNAP", "local_entity_id": int(source["id"]), "remote_entity_id": int(other["id"])}]
    pair.a.replicas.create({"link_id": int(pair.link["id"]), "entity_type": "VOLUME", "entity_pairs": pairs})
    pair.later(HOUR)
    assert not pair.equal(source, other)


def test_breaking_off_the_first_copy_leaves_no_usable_target(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    pair.later(5)
    target = pair.target(replica)
    pair.a.roles.delete(replica["id"], Deletion(retain_staging_area=False))
    assert pair.b.content(target["id"]).endswith("torn copy")


def test_exposing_a_target_makes_a_snapshot_of_its_last_consistent_point(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk")
    replica = pair.replicate(source)
    twin = pair.twin(replica)
    refused("REPLICA_NOT_CONSISTENT", lambda: pair.b.roles.expose(twin["id"]))
    pair.later(10)
    group = pair.b.groups.get(pair.b.roles.expose(twin["id"])["_local_reclaimed_sg_id"])
    [snapshot] = pair.b.groups.members(group)
    assert snapshot["content"] == source["content"]
    assert pair.twin(replica)["role"] == "TARGET"


def test_the_world_goes_on_after_a_restore(pair: Pair) -> None:
    source = pair.volume(pair.a, "disk", used=10)
    replica = pair.replicate(source)
    pair.later(4)
    taken = pair.world.snapshot()
    pair.later(100)
    pair.world.restore(taken)
    replica = pair.a.replicas.get(replica["id"])
    assert pair.shown(replica)["progress"] == 40
    pair.later(6)
    assert pair.equal(source, pair.target(replica))
