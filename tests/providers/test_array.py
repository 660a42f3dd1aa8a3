"""The port of an array against a pair of InfiniBoxes."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from millpond.errors import NotFound, Refused
from millpond.model.array import Pair, Replica, ReplicaState, Role
from millpond.model.site import Site
from millpond.providers.access import Access
from millpond.providers.infinibox import InfiniBoxArray
from millpond.providers.open import SiteProviders, open_providers
from millpond.providers.ports import PairRequest, StorageArray
from tests.providers.conftest import array_system, opened
from tests.sandbox.running import Sandbox


@pytest.fixture(autouse=True)
def untouched(sandbox: Sandbox) -> Iterator[None]:
    """The world is put back after each test."""
    world = sandbox.control.snapshot()
    yield
    sandbox.control.restore(world)


def volume(array: StorageArray, pool: str, name: str) -> int:
    """As Cinder makes it."""
    assert isinstance(array, InfiniBoxArray)
    body = {"name": name, "pool_id": array.pool_id(pool), "size": 2**30, "provtype": "THIN"}
    return int(array._session.send("post", "volumes", body)["id"])


def settled(array: StorageArray, id: int) -> Replica:
    deadline = time.monotonic() + 15
    while True:
        [found] = [one for one in array.replicas() if one.id == id]
        if not (found.initial or found.job_running or found.pending):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.05)


def pair_of_groups(providers: SiteProviders) -> tuple[StorageArray, StorageArray, int, list[int], list[int]]:
    a, b = providers.array("ibox-a"), providers.array("ibox-b")
    local = [volume(a, "pool-a1", f"openstack-vol-{n}") for n in (1, 2)]
    remote = [volume(b, "pool-b1", f"openstack-vol-t{n}") for n in (1, 2)]
    here, there = a.create_group("cg", "pool-a1"), b.create_group("cg", "pool-b1")
    for at in range(2):
        a.add_member(here, local[at])
        b.add_member(there, remote[at])
    members = tuple((local[at], remote[at], f"openstack-vol-t{at + 1}") for at in range(2))
    replica = a.pair(PairRequest(members, "ibox-b", "pool-b1", 300, 600, here, there))
    return a, b, replica, local, remote


def test_reads_volumes_with_what_is_mapped(providers: SiteProviders) -> None:
    source = providers.source
    [project] = source.identity.projects("acme", "Default")
    names = [one.backend_name for one in source.block_storage.volumes(project.id)]
    a = providers.array("ibox-a")
    found = a.volumes([*names, "openstack-vol-absent"])
    assert {one.name for one in found} == set(names)
    assert all(one.mapped_to[0].startswith("openstack-host-iqn") for one in found)
    assert {one.size for one in found} == {10 * 2**30, 20 * 2**30}
    assert {one.id for one in a.volumes([], [one.id for one in found])} == {one.id for one in found}
    assert a.volumes([]) == ()


def test_many_names_take_few_requests(sandbox: Sandbox, providers: SiteProviders) -> None:
    a = providers.array("ibox-a")
    id = volume(a, "pool-a1", "openstack-vol-1")
    last = sandbox.control.requests()[-1]["n"]
    [found] = a.volumes([*(f"openstack-vol-x{at}" for at in range(250)), "openstack-vol-1"])
    assert found.id == id
    assert len(sandbox.control.requests(last)) == 4  # two filters of names, snapshots, hosts


def test_facts(providers: SiteProviders) -> None:
    a, b = providers.array("ibox-a"), providers.array("ibox-b")
    facts = a.facts()
    assert (facts.array, facts.name, facts.replicas_total) == ("ibox-a", "ibox-a", 0)
    assert facts.serial != b.facts().serial
    assert (facts.links, b.facts().links) == ({b.facts().serial: True}, {facts.serial: True})
    assert a.clock() >= facts.now_ms
    assert {one.name for one in a.pools()} == {"pool-a1", "pool-a2"}
    assert all(one.free_physical > 0 for one in a.pools())


def test_from_pair_to_promotion_and_away(providers: SiteProviders) -> None:
    a, b, replica, local, remote = pair_of_groups(providers)
    source = settled(a, replica)
    assert (source.role, source.state, source.grouped, source.sync_interval_ms) == (Role.SOURCE, ReplicaState.ACTIVE, True, 300_000)
    assert set(source.pairs) == {Pair(local[0], remote[0]), Pair(local[1], remote[1])}
    [group] = [one for one in a.groups() if one.id == source.entity]
    assert (set(group.members), group.pool, group.replicated) == (set(local), "pool-a1", True)
    [twin] = b.replicas()
    assert (twin.id, twin.role, twin.state) == (source.remote_id, Role.TARGET, ReplicaState.NONE)
    assert b.replicas([twin.entity]) == (twin,)
    assert b.replicas([987654]) == ()
    assert all(one.rmr_target and one.write_protected for one in b.volumes([], remote))

    before = a.clock()
    a.sync(replica)
    assert settled(a, replica).restore_point >= before
    a.suspend(replica)
    assert settled(a, replica).state is ReplicaState.SUSPENDED
    a.change_role(replica)
    assert all(one.write_protected for one in (*a.volumes([], local), *b.volumes([], remote)))
    b.change_role(twin.id)
    assert not any(one.write_protected for one in b.volumes([], remote))
    b.resume(twin.id)
    assert settled(b, twin.id).role is Role.SOURCE

    snapshot = b.snapshot(remote[0], "kept")
    assert b.volumes([], [remote[0]])[0].snapshots == ("kept",)
    b.unpair(twin.id)
    assert a.replicas() == b.replicas() == ()
    assert a.volumes([], local)[0].snapshots == ()
    b.delete_volume(snapshot)
    a.delete_group(source.entity)
    assert source.entity not in {one.id for one in a.groups()}


def test_a_single_volume_onto_one_that_the_array_creates(providers: SiteProviders) -> None:
    a, b = providers.array("ibox-a"), providers.array("ibox-b")
    id = volume(a, "pool-a1", "openstack-vol-1")
    replica = a.pair(PairRequest(((id, 0, "openstack-vol-t1"),), "ibox-b", "pool-b2", 300, 600))
    [found] = a.replicas([id])
    assert (found.id, found.grouped, found.entity) == (replica, False, id)
    [target] = b.volumes(["openstack-vol-t1"])
    assert (target.pool, target.rmr_target) == ("pool-b2", True)


def test_an_array_works_without_its_peer(sandbox: Sandbox, providers: SiteProviders) -> None:
    """Suspending and promoting need no login to the other side."""
    a, _, replica, _, _ = pair_of_groups(providers)
    settled(a, replica)
    site = Site("test", arrays=(array_system(sandbox, "ibox-a"), replace(array_system(sandbox, "ibox-b"), address="127.0.0.99", port=9)))
    alone = open_providers(site, "source-admin", "target-admin", Access.WRITE).array("ibox-a")
    alone.suspend(replica)
    assert settled(alone, replica).state is ReplicaState.SUSPENDED
    alone.change_role(replica)
    assert settled(alone, replica).role is Role.TARGET


def test_the_login_to_the_peer_is_given_when_the_array_asks_for_it(sandbox: Sandbox, providers: SiteProviders) -> None:
    a, _, replica, _, _ = pair_of_groups(providers)
    settled(a, replica)
    opened(sandbox, Access.WRITE).array("ibox-a").unpair(replica)
    assert a.replicas() == ()


def test_what_does_not_exist(providers: SiteProviders) -> None:
    a = providers.array("ibox-a")
    with pytest.raises(NotFound, match="no pool nowhere"):
        a.create_group("cg", "nowhere")
    with pytest.raises(NotFound):
        a.delete_volume(987654)
    with pytest.raises(Refused, match="ibox-z is not configured"):
        a.pair(PairRequest(((1, 0, "x"),), "ibox-z", "pool", 300, 600))


def test_the_array_s_reason_is_passed_on(providers: SiteProviders) -> None:
    a, _, _, local, _ = pair_of_groups(providers)
    with pytest.raises(Refused) as caught:
        a.delete_volume(local[0])
    assert caught.value.status == 409
    assert "replicated" in caught.value.why
