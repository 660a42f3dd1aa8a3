"""InfiniBoxes: facts, lists, volumes, groups."""

import pytest
from capacity import GiB

from millpond.errors import NotFound, Refused
from tests.contract.boxes import GIB, Boxes
from tests.contract.coverage import covers


@covers("array.facts", "array.clock", "array.pools")
def test_facts_and_pools(boxes: Boxes) -> None:
    first, second = boxes.a.facts(), boxes.b.facts()
    assert first.serial != second.serial
    assert (first.links[second.serial], second.links[first.serial]) == (True, True)
    assert first.replicas_total >= 0
    assert boxes.a.clock() >= first.now_ms > 1_600_000_000_000
    assert all(one.free_physical > 0 and one.free_virtual > 0 and one.id for one in boxes.a.pools())


@covers("array.volumes")
def test_volumes_are_found_by_name_and_by_id(boxes: Boxes) -> None:
    id = boxes.volume(0, size=3 * GIB)
    [found] = boxes.a.volumes([], [id])
    assert boxes.a.volumes([found.name, "openstack-vol-absent"]) == (found,)
    assert (found.size, found.pool, found.cg_id, found.snapshots, found.mapped_to) == (3 * GIB, boxes.pool(0).name, 0, (), ())
    assert (found.write_protected, found.rmr_source, found.rmr_target) == (False, False, False)
    assert boxes.a.volumes([], [987654321]) == ()


@covers("array.snapshot", "array.delete_volume")
def test_snapshots_are_volumes_too(boxes: Boxes) -> None:
    id, name = boxes.volume(0), boxes.name("snapshot")
    snapshot = boxes.a.snapshot(id, name)
    assert boxes.shown(0, id).snapshots == (name,)
    boxes.a.delete_volume(snapshot)
    assert boxes.shown(0, id).snapshots == ()
    boxes.a.delete_volume(id)
    with pytest.raises(NotFound):
        boxes.a.delete_volume(id)


def test_a_name_exists_once(boxes: Boxes) -> None:
    name = boxes.shown(0, boxes.volume(0)).name
    pool = boxes.sdk(0).pools.get(id=boxes.pool(0).id)
    boxes.refused(409, "VOLUME_NAME_CONFLICT", lambda: boxes.sdk(0).volumes.create(name=name, pool=pool, size=GiB, provisioning="THIN"))


def test_what_harms_needs_approval(boxes: Boxes) -> None:
    volume = boxes.sdk(0).volumes.get(id=boxes.volume(0))
    with boxes.sdk(0).api.get_unapproved_context():
        boxes.refused(403, "APPROVAL_REQUIRED", volume.delete)
    assert boxes.shown(0, volume.id)


def test_volumes_are_renamed_resized_and_marked(boxes: Boxes) -> None:
    volume, name = boxes.sdk(0).volumes.get(id=boxes.volume(0)), boxes.name("renamed")
    volume.update_name(name)
    volume.resize(GiB)
    volume.set_metadata_from_dict({"cinder_id": "x", "system": "openstack"})
    assert (boxes.shown(0, volume.id).name, boxes.shown(0, volume.id).size) == (name, 2 * GIB)
    assert volume.get_all_metadata() == {"cinder_id": "x", "system": "openstack"}
    volume.clear_metadata()
    assert volume.get_all_metadata() == {}


def test_a_mapped_volume_is_seen_by_its_host_until_it_is_unmapped(boxes: Boxes) -> None:
    id = boxes.volume(0)
    volume, host = boxes.sdk(0).volumes.get(id=id), boxes.sdk(0).hosts.create(name=boxes.name("host"))
    host.map_volume(volume)
    assert boxes.shown(0, id).mapped_to == (host.get_name(),)
    boxes.refused(409, "MAPPING_ALREADY_EXISTS", lambda: host.map_volume(volume))
    with pytest.raises(Refused):
        boxes.plain[boxes.names[0]].delete_volume(id)
    host.unmap_volume(volume)
    assert boxes.shown(0, id).mapped_to == ()
    host.delete()


@covers("array.create_group", "array.add_member", "array.groups", "array.delete_group")
def test_a_group_has_members_of_one_pool(boxes: Boxes) -> None:
    name, first, second = boxes.name("group"), boxes.volume(0), boxes.volume(0)
    group = boxes.a.create_group(name, boxes.pool(0).name)
    for id in (first, second):
        boxes.a.add_member(group, id)
    [found] = [one for one in boxes.a.groups() if one.id == group]
    assert (found.name, found.pool, set(found.members), found.replicated) == (name, boxes.pool(0).name, {first, second}, False)
    assert boxes.shown(0, first).cg_id == group
    with pytest.raises(Refused):
        boxes.a.add_member(group, first)
    others = [one for one in boxes.plain[boxes.names[0]].pools() if one.id != boxes.pool(0).id]
    for other in others[:1]:
        with pytest.raises(Refused):
            boxes.a.add_member(group, boxes.volume(0, pool_id=other.id))
    boxes.a.delete_group(group)
    assert boxes.shown(0, first).cg_id == 0
    with pytest.raises(NotFound):
        boxes.a.delete_group(group)
    with pytest.raises(NotFound, match="no pool nowhere"):
        boxes.a.create_group(boxes.name("group"), "nowhere")


def test_lists_are_filtered_cut_and_paged(boxes: Boxes) -> None:
    ids = sorted(boxes.volume(0) for _ in range(3))
    session = boxes.plain[boxes.names[0]]._session
    asked = {"id": f"in:({','.join(map(str, ids))})", "fields": "id", "sort": "-id"}
    first = session.box.api.get("volumes", params={**asked, "page": 1, "page_size": 2})
    assert (first.get_result(), first.get_total_num_objects()) == ([{"id": id} for id in ids[:0:-1]], 3)
    second = session.box.api.get("volumes", params={**asked, "page": 2, "page_size": 2})
    assert second.get_result() == [{"id": ids[0]}]
