"""InfiniBoxes: asynchronous replication, its refusals, promotion and return."""

import pytest
from infinisdk import InfiniBox
from infinisdk.core.exceptions import RelatedSystemNotFound

from millpond.errors import NotFound, Refused
from millpond.model.array import Pair, ReplicaState, Role
from millpond.providers.ports import PairRequest
from tests.contract.boxes import PASSWORD, Boxes
from tests.contract.coverage import covers


@covers("array.pair", "array.replicas", "array.sync", "array.suspend", "array.change_role", "array.resume", "array.unpair")
def test_from_pairing_to_promotion_return_and_parting(boxes: Boxes) -> None:
    replica, local, remote = boxes.pair_of_groups()
    source = boxes.settled(boxes.a, replica)
    assert (source.role, source.state, source.grouped, source.sync_interval_ms) == (Role.SOURCE, ReplicaState.ACTIVE, True, 300_000)
    assert set(source.pairs) == set(map(Pair, local, remote))
    [twin] = [one for one in boxes.b.replicas() if one.id == source.remote_id]
    assert (twin.role, twin.state, twin.remote_id) == (Role.TARGET, ReplicaState.NONE, replica)
    assert all(boxes.shown(1, id).rmr_target and boxes.shown(1, id).write_protected for id in remote)
    assert all(boxes.shown(0, id).rmr_source and not boxes.shown(0, id).write_protected for id in local)

    before = boxes.a.clock()
    boxes.a.sync(replica)
    assert boxes.settled(boxes.a, replica).restore_point >= before
    boxes.a.suspend(replica)
    assert boxes.settled(boxes.a, replica).state is ReplicaState.SUSPENDED
    boxes.b.change_role(twin.id)
    assert not any(boxes.shown(1, id).write_protected for id in remote)
    assert boxes.settled(boxes.b, twin.id).role is Role.SOURCE
    boxes.a.change_role(replica)
    assert all(boxes.shown(0, id).write_protected for id in local)
    boxes.b.resume(twin.id)
    back = boxes.settled(boxes.b, twin.id)
    assert (back.role, back.state) == (Role.SOURCE, ReplicaState.ACTIVE)
    assert boxes.settled(boxes.a, replica).role is Role.TARGET

    boxes.b.unpair(twin.id)
    assert replica not in {one.id for one in boxes.a.replicas()}
    assert twin.id not in {one.id for one in boxes.b.replicas()}
    left = [boxes.shown(0, id) for id in local] + [boxes.shown(1, id) for id in remote]
    assert not any(one.snapshots or one.write_protected or one.rmr_source or one.rmr_target for one in left)
    for call in (boxes.b.sync, boxes.b.suspend, boxes.b.resume, boxes.b.change_role, boxes.b.unpair):
        with pytest.raises(NotFound):
            call(twin.id)


@covers("array.pair", "array.unpair")
def test_a_volume_onto_one_that_the_array_makes(boxes: Boxes) -> None:
    id, name = boxes.volume(0), boxes.name("made")
    replica = boxes.a.pair(PairRequest(((id, 0, name),), boxes.names[1], boxes.pool(1).name, 300, 600))
    found = boxes.settled(boxes.a, replica)
    assert (found.grouped, found.entity) == (False, id)
    [made] = boxes.b.volumes([name])
    assert (made.pool, made.size, made.rmr_target, made.write_protected) == (boxes.pool(1).name, boxes.shown(0, id).size, True, True)
    boxes.a.unpair(replica)
    assert boxes.shown(1, made.id).write_protected is False


@pytest.fixture(scope="module")
def pair(paired: Boxes) -> tuple[int, list[int], list[int]]:
    replica, local, remote = paired.pair_of_groups()
    paired.settled(paired.a, replica)
    return replica, local, remote


def test_what_is_replicated_stays(boxes: Boxes, pair: tuple[int, list[int], list[int]]) -> None:
    _, [first, *_], [twin, *_] = pair
    for array, id in ((boxes.plain[boxes.names[0]], first), (boxes.plain[boxes.names[1]], twin)):
        with pytest.raises(Refused) as caught:
            array.delete_volume(id)
        assert caught.value.status == 409
    [group] = [one for one in boxes.plain[boxes.names[0]].groups() if first in one.members]
    assert group.replicated
    with pytest.raises(Refused):
        boxes.plain[boxes.names[0]].delete_group(group.id)


def test_a_volume_has_one_replica(boxes: Boxes, pair: tuple[int, list[int], list[int]]) -> None:
    _, [first, *_], _ = pair
    with pytest.raises(Refused):
        boxes.a.pair(PairRequest(((first, 0, boxes.name("x")),), boxes.names[1], boxes.pool(1).name, 300, 600))


def test_both_ends_have_one_size(boxes: Boxes) -> None:
    small, large = boxes.volume(0), boxes.volume(1, size=2 * 2**30)
    with pytest.raises(Refused):
        boxes.a.pair(PairRequest(((small, large, ""),), boxes.names[1], boxes.pool(1).name, 300, 600))


def test_an_active_replica_is_not_resumed_and_its_roles_stay(boxes: Boxes, pair: tuple[int, list[int], list[int]]) -> None:
    replica, local, _ = pair
    twin = boxes.settled(boxes.a, replica).remote_id
    with pytest.raises(Refused):
        boxes.a.change_role(replica)
    with pytest.raises(Refused):
        boxes.b.sync(twin)
    assert boxes.settled(boxes.a, replica).role is Role.SOURCE
    assert not boxes.shown(0, local[0]).write_protected


def test_a_peer_needs_a_login_of_its_own(boxes: Boxes, pair: tuple[int, list[int], list[int]]) -> None:
    """The array refuses with REMOTE_PERMISSION_REQUIRED, and infinisdk looks for somebody who has that login."""
    alone = InfiniBox(boxes.subject.arrays[boxes.names[0]], auth=("admin", PASSWORD))
    alone.login()
    with pytest.raises(RelatedSystemNotFound):
        alone.api.delete(f"replicas/{pair[0]}", params={"retain_staging_area": "false"})
    alone.api.post(f"replicas/{pair[0]}/suspend")
    alone.api.post(f"replicas/{pair[0]}/resume")
    assert boxes.settled(boxes.a, pair[0]).state is ReplicaState.ACTIVE
