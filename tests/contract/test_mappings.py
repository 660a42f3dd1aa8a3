"""What a server's life does on the array: the mappings that Nova and Cinder make there."""

from tests.contract.boxes import Boxes
from tests.contract.coverage import covers
from tests.contract.ground import Ground


@covers("compute.server_action", "block_storage.initiators")
def test_a_stop_keeps_the_mapping_and_a_delete_takes_it_away(ground: Ground, paired: Boxes) -> None:
    id = ground.volume(bootable=True)
    array = paired.plain[paired.names[0 if ground.side == "source" else 1]]
    name = f"openstack-vol-{id}"
    [made] = array.volumes([name])
    assert (made.size, made.mapped_to) == (2**30, ())
    server = ground.boot([id])
    [mapped] = array.volumes([name])
    assert len(mapped.mapped_to) == 1
    assert mapped.mapped_to[0].startswith("openstack-host-")
    assert dict(ground.cloud.block_storage.initiators(ground.project_id)) == {}  # iSCSI: the host is named by its IQN
    ground.cloud.compute.server_action(server, "os-stop")
    ground.server_is(server, "SHUTOFF")
    assert array.volumes([name]) == (mapped,)
    ground.admin.done("DELETE", "compute", f"/servers/{server}")
    ground.gone("compute", f"/servers/{server}")
    ground.volume_is(id, "available")
    assert array.volumes([name])[0].mapped_to == ()
    ground.admin.done("DELETE", "block_storage", f"/volumes/{id}")
    ground.gone("block_storage", f"/volumes/{id}")
    assert array.volumes([name]) == ()
