from dataclasses import replace

import pytest

from millpond.model.change import UNKNOWN
from millpond.model.desired import Desired
from millpond.model.manifest import Reference, VolumeValues
from millpond.reconcilers.storage import volume
from tests.planning.arrays import GIB
from tests.planning.situations import PILOT, back, before, done, one_wave
from tests.planning.tenant import INVENTORY, SITE, desired, prepared, world
from tests.planning.world import World, at, flagged
from tests.reconcilers.kinds import body, change, codes, ids, planned

MANAGE = replace(SITE, replication=replace(SITE.replication, adoption="manage"))


def own(found: list[str], name: str = "web-1-root") -> list[str]:
    return [id for id in found if name in id]


def twin(made: World, name: str = "web-1-root") -> str:
    return next(id for id, known in made.target.block_storage.rows.items() if known.name == name)


def test_it_is_made_empty_dressed_and_reserved() -> None:
    found = planned(volume, desired(), world())
    assert own(ids(found)) == [f"web-1-root#{action}" for action in ("create", "bootable", "image_metadata", "reserve")]
    assert own(ids(found), "web-1-data") == ["web-1-data#create", "web-1-data#reserve"]
    assert body(found, "web-1-root#create") == {
        "name": "web-1-root",
        "description": "",
        "size": 10,
        "volume_type": "ssd",
        "metadata": {"millpond:source": "root-1"},
    }
    assert change(found, "web-1-root#image_metadata").parameters["metadata"] == {"hw_disk_bus": "virtio"}
    assert change(found, "web-1-root#create").parameters["project_id"] == UNKNOWN


@pytest.mark.parametrize(
    ("status", "documents", "steps"),
    [
        ("maintenance", desired(), []),
        ("available", desired(), ["reserve"]),
        ("creating", desired(), ["… create", "reserve"]),
        ("error", desired(), ["delete_failed", "create", "bootable", "image_metadata", "reserve"]),
        ("in-use", desired(), ["… release_by_server", "reserve"]),
        ("maintenance", PILOT, ["release"]),
        ("available", PILOT, ["reserve", "release"]),
        ("in-use", PILOT, []),
    ],
)
def test_each_status_has_its_rungs(status: str, documents: Desired, steps: list[str]) -> None:
    made = prepared()
    made.target.block_storage.put(twin(made), status=status)
    found = own(ids(planned(volume, documents, made)))
    assert [id.replace("web-1-root#", "") for id in found] == steps


def test_one_in_error_may_hold_what_the_target_wrote_and_is_left_to_people() -> None:
    made = before("server/web-1#create")
    made.target.block_storage.put(twin(made), status="error")
    found = planned(volume, PILOT, made)
    assert (own(ids(found)), codes(found)) == (["… web-1-root#blocked"], [("volume_error", "pilot")])


def test_with_the_flag_on_from_the_start_nothing_is_paired_that_is_not_reserved() -> None:
    made = world()
    made.tick()
    made.advance(PILOT, at("replication_group/pilot-ssd#pair"))
    twins = [disk for disk in made.target.block_storage.volumes("") if disk.marker in ("root-1", "data-1")]
    assert [disk.status for disk in twins] == ["maintenance", "maintenance"]


def test_what_lost_its_dress_inside_a_cut_is_dressed_before_it_is_released() -> None:
    made = before("server/web-1#create")
    made.target.block_storage.put(twin(made), image_metadata={})
    found = own(ids(planned(volume, PILOT, made)))
    assert found == ["web-1-root#image_metadata", "web-1-root#reserve", "web-1-root#release"]


def test_image_metadata_leaves_out_what_points_into_the_source_cloud() -> None:
    root = replace(INVENTORY.volumes[0], image_metadata={"hw_disk_bus": "scsi", "base_image_ref": "x", "kernel_id": "y"})
    documents = desired(
        replace(INVENTORY, volumes=(root, *INVENTORY.volumes[1:])), replace(SITE, image_metadata={"hw_vif_model": "virtio"})
    )
    assert volume.image_metadata(documents, root) == {"hw_vif_model": "virtio", "hw_disk_bus": "scsi"}
    assert volume.image_metadata(documents, replace(root, bootable=False)) == {}


def test_types_go_by_the_manifest_and_the_map_and_must_exist() -> None:
    stated = replace(desired(), volume_values={"data-1": VolumeValues(Reference("web-1-data"), volume_type="gold")})
    found = planned(volume, stated, world())
    assert (own(ids(found), "web-1-data"), codes(found)) == ([], [("missing_volume_type", "pilot")])
    placed = replace(stated, places={"data-1": "tenants/acme.yaml:12:7"})
    (missing,) = planned(volume, placed, world()).findings
    assert missing.fix == "create the type on the target, or name another one at tenants/acme.yaml:12:7"
    mapped = replace(desired(), site=replace(SITE, maps=replace(SITE.maps, volume_types={"ssd": "gold"})))
    assert {code for code, _ in codes(planned(volume, mapped, world()))} == {"missing_volume_type"}


def test_doubles_hold_the_boot() -> None:
    made = prepared()
    storage = made.target.block_storage
    id = twin(made)
    storage.rows["00000099-double"], storage.raw["00000099-double"] = replace(storage.rows[id], id="00000099-double"), dict(storage.raw[id])
    found = planned(volume, PILOT, made)
    assert own(ids(found)) == ["… web-1-root#blocked"]
    assert codes(found) == [("ambiguous_volume", "pilot")]


def managed(*, until: str = "") -> tuple[Desired, World]:
    documents, made = desired(site=MANAGE), world(site=MANAGE)
    made.tick()
    made.advance(documents)
    on = replace(documents, waves=(replace(documents.waves[0], cutover=True), documents.waves[1]))
    if until:
        made.advance(on, lambda plan: any(step.id.endswith(until) and not step.after for step in plan.steps))
    return on, made


def test_adoption_waits_for_the_promotion_and_names_the_remote_end() -> None:
    on, made = managed()
    assert ids(planned(volume, desired(site=MANAGE), made)) == []
    found = planned(volume, on, made)
    assert own(ids(found)) == ["web-1-root#manage", "web-1-root#image_metadata_inside"]
    ref = body(found, "web-1-root#manage")
    remote = made.arrays["ibox-b"].by_name("millpond-root-1").id
    assert (ref["ref"], ref["host"], ref["bootable"]) == ({"source-id": str(remote)}, "hostb@infinidat#infinidat-b", True)


def test_adoption_needs_one_backend() -> None:
    on, made = managed()
    made.target.block_storage.storage_pools = lambda: ()  # type: ignore[method-assign]
    found = planned(volume, on, made)
    assert own(ids(found)) == ["… web-1-root#blocked"]
    assert ("no_manage_host", "pilot") in codes(found)
    named = replace(MANAGE, pool_pairs=(replace(MANAGE.pool_pairs[0], cinder_host="h@b#p"),))
    assert body(planned(volume, replace(on, site=named), made), "web-1-root#manage")["host"] == "h@b#p"


def adopting(made: World, status: str) -> None:
    """The disk on the array does not have the volume's name yet."""
    array, disk = made.arrays["ibox-b"], made.arrays["ibox-b"].by_name(f"openstack-vol-{twin(made)}")
    array.rename(disk.id, "millpond-root-1")
    made.target.block_storage.put(twin(made), status=status)


def test_an_adoption_under_way_is_waited_for_where_a_precreated_volume_was_lost_too() -> None:
    on, adopted = managed(until="server/web-1#create")
    for documents, made in ((on, adopted), (PILOT, before("server/web-1#create"))):
        adopting(made, "creating")
        assert own(ids(planned(volume, documents, made)))[0] == "… web-1-root#manage"


def test_a_failed_adoption_is_unmanaged_never_deleted() -> None:
    on, made = managed(until="server/web-1#create")
    adopting(made, "error")
    found = planned(volume, on, made)
    assert own(ids(found))[:2] == ["web-1-root#unmanage_failed", "web-1-root#manage"]
    assert not any(step.action.startswith("delete") for step in found.steps)


@pytest.mark.parametrize(
    ("status", "code", "fix"),
    [("error", "volume_error", "repair it"), ("error_unmanaging", "unmanage_failed", "openstack volume set --state available")],
)
def test_an_adopted_volume_in_error_is_left_to_a_person(status: str, code: str, fix: str) -> None:
    on, made = managed(until="server/web-1#create")
    made.target.block_storage.put(twin(made), status=status)
    found = planned(volume, on, made)
    assert own(ids(found)) == ["… web-1-root#blocked"]
    [finding] = [finding for finding in found.findings if finding.code == code]
    assert fix in finding.fix
    assert finding.wave == "pilot"


@pytest.mark.parametrize("documents", ["there", "back"])
def test_what_is_left_of_a_failed_adoption_is_not_deleted_but_disowned_by_a_person(documents: str) -> None:
    on, made = managed(until="server/web-1#create")
    adopting(made, "error_unmanaging")
    found = planned(volume, on if documents == "there" else back(made, "discard", MANAGE), made)
    assert own(ids(found)) == (["… web-1-root#blocked"] if documents == "there" else [])
    [finding] = [finding for finding in found.findings if finding.code == "unmanage_failed"]
    assert f"openstack volume unset --property millpond:source {twin(made)}" in finding.fix
    made.target.block_storage.raw[twin(made)].clear()
    found = planned(volume, on, made)
    assert own(ids(found))[0] == "web-1-root#manage"
    assert finding.code not in {code for code, _ in codes(found)}


def test_a_size_that_is_no_whole_gib_is_always_adopted() -> None:
    made = world()
    array = made.arrays["ibox-a"]
    disk = array.by_name("openstack-vol-data-1")
    array.volumes_[disk.id] = replace(disk, size=20 * GIB - 512)
    assert own(ids(planned(volume, desired(), made)), "web-1-data") == []


def test_on_the_way_back_it_is_reserved_or_let_go() -> None:
    made = done()
    assert own(ids(planned(volume, back(made, "discard"), made))) == ["… web-1-root#release_by_server", "web-1-root#reserve"]
    _, adopted = managed(until="server/web-1#create")
    assert own(ids(planned(volume, back(adopted, "discard", MANAGE), adopted))) == ["web-1-root#unmanage"]


def test_handed_over_volumes_are_the_tenants() -> None:
    made = done()
    made.target.block_storage.put(twin(made), status="available", image_metadata={}, name="mine")
    assert own(ids(planned(volume, PILOT, made))) == []


def test_the_volumes_of_a_handed_over_server_are_the_tenants_while_another_of_its_wave_fails() -> None:
    made = world()
    made.tick()
    made.advance(one_wave())
    made.tick(3600)
    made.target.compute.failing.add("web-2")
    on = flagged(one_wave(), pilot={"cutover": True})
    made.advance(on)
    storage, data = made.target.block_storage, twin(made, "web-1-data")
    storage.put(twin(made), image_metadata={"hw_disk_bus": "scsi"})
    storage.put(data, status="available", attachments=())
    assert [id for id in ids(planned(volume, on, made)) if "web-1" in id] == []
    del storage.rows[data]
    assert [id for id in ids(planned(volume, on, made)) if "web-1" in id] == []
