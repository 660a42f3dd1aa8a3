"""What a boot that is refused between two of its volumes leaves in Cinder, and how it is taken back."""

from millpond.model.block_storage import VolumeAttachment
from tests.contract.coverage import covers
from tests.contract.ground import Ground


def of(ground: Ground, volume: str) -> list[VolumeAttachment]:
    return [one for one in ground.cloud.block_storage.attachments(ground.project_id) if one.volume_id == volume]


@covers("block_storage.attachments", "block_storage.delete_attachment", "compute.server")
def test_what_a_refused_boot_had_reserved(ground: Ground) -> None:
    storage, root, busy = ground.cloud.block_storage, ground.volume(bootable=True), ground.volume()
    ground.act_on_volume(busy, "os-reserve")
    assert ground.post_server([root, busy]).status == 400
    assert ground.volume_is(root, "reserved")["attachments"] == []
    [left] = of(ground, root)
    assert (left.status, ground.cloud.compute.server(left.server_id)) == ("reserved", None)
    assert of(ground, busy) == []  # os-reserve is the older way, without an attachment
    assert ground.post_server([root]).status == 400
    assert of(ground, root) == [left]
    ground.act_on_volume(root, "os-unreserve")
    assert ground.show_volume(root)["status"] == "reserved"
    storage.delete_attachment(ground.project_id, left.id)
    ground.volume_is(root, "available")
    storage.delete_attachment(ground.project_id, left.id)
    ground.act_on_volume(busy, "os-unreserve")
    ground.volume_is(busy, "available")
    server = ground.boot([root, busy])
    assert {one.status for id in (root, busy) for one in of(ground, id) if one.server_id == server} == {"attached"}
