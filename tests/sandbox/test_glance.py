"""Glance as the real openstacksdk sees it."""

import hashlib
import uuid
from typing import Any

import pytest
from openstack.connection import Connection
from openstack.exceptions import ConflictException, ForbiddenException, HttpException, NotFoundException

from tests.sandbox.running import Sandbox
from tests.sandbox.tenant import new_member

FORMATS = {"disk_format": "raw", "container_format": "bare"}


@pytest.fixture(scope="module")
def member(sandbox: Sandbox, target: Connection) -> Connection:
    return new_member(sandbox, target)


def upload(cloud: Connection, **attributes: Any) -> Any:
    return cloud.image.create_image(data=b"disk", wait=True, **{"name": uuid.uuid4().hex, **FORMATS, **attributes})


def test_an_image_keeps_its_id_properties_and_data(target: Connection) -> None:
    id = str(uuid.uuid4())
    made = target.image.post("/images", json={"id": id, "name": "debian", "hw_disk_bus": "scsi", **FORMATS}).json()
    assert (made["id"], made["status"], made["visibility"], made["hw_disk_bus"]) == (id, "queued", "shared", "scsi")
    assert target.image.post("/images", json={"id": id}).status_code == 409
    target.image.put(f"/images/{id}/file", data=b"disk", headers={"Content-Type": "application/octet-stream"}).raise_for_status()
    image = target.image.get_image(id)
    assert (image.status, image.size, image.checksum) == ("active", 4, hashlib.md5(b"disk").hexdigest())
    assert target.image.download_image(image).content == b"disk"
    again = target.image.put(f"/images/{id}/file", data=b"disk", headers={"Content-Type": "application/octet-stream"})
    assert again.status_code == 409


def test_properties_are_patched(target: Connection) -> None:
    image = upload(target, hw_machine_type="pc", os_distro="debian")
    changed = target.image.update_image(image, name="renamed", hw_machine_type="q35", min_ram=512)
    assert (changed.name, changed.hw_machine_type, changed.min_ram) == ("renamed", "q35", 512)
    kind = {"Content-Type": "application/openstack-images-v2.1-json-patch"}
    path = f"/images/{image.id}"
    assert target.image.patch(path, json=[{"op": "remove", "path": "/os_distro"}], headers=kind).status_code == 200
    assert "os_distro" not in target.image.get(path).json()
    for operation in ({"op": "replace", "path": "/os_distro", "value": "x"}, {"op": "remove", "path": "/os_distro"}):
        assert target.image.patch(path, json=[operation], headers=kind).status_code == 409
    for name in ("status", "checksum", "id"):
        assert target.image.patch(path, json=[{"op": "replace", "path": f"/{name}", "value": "x"}], headers=kind).status_code == 403
    assert target.image.patch(path, json=[]).status_code == 415


def test_who_sees_an_image(target: Connection, member: Connection) -> None:
    private = upload(target, visibility="private")
    public = upload(target, visibility="public", name="public")
    community = upload(target, visibility="community")
    shared = upload(target)
    listed = {image.id for image in member.image.images()}
    assert public.id in listed
    assert not {private.id, community.id, shared.id} & listed
    assert member.image.get_image(community.id).id == community.id
    with pytest.raises(NotFoundException):
        member.image.get_image(private.id)
    target.image.add_member(shared, member=member.current_project_id)
    assert member.image.get_image(shared.id).id == shared.id
    assert shared.id not in {image.id for image in member.image.images()}
    member.image.update_member(member.current_project_id, shared, status="accepted")
    assert shared.id in {image.id for image in member.image.images()}
    with pytest.raises(ConflictException):
        target.image.add_member(shared, member=member.current_project_id)


def test_what_a_tenant_may_not(target: Connection, member: Connection) -> None:
    public = upload(target, visibility="public")
    with pytest.raises(ForbiddenException):
        member.image.update_image(public, name="mine")
    with pytest.raises(ForbiddenException):
        member.image.delete_image(public)
    with pytest.raises(HttpException) as error:
        upload(member, visibility="public")
    assert error.value.status_code == 403


def test_a_protected_image_stays(target: Connection) -> None:
    image = upload(target, is_protected=True)
    with pytest.raises(ForbiddenException):
        target.image.delete_image(image)
    target.image.update_image(image, is_protected=False)
    target.image.delete_image(image)
    with pytest.raises(NotFoundException):
        target.image.get_image(image.id)


def test_lists_come_in_pages_of_25(target: Connection) -> None:
    for number in range(27):
        target.image.post("/images", json={"name": f"page-{number:02}"}).raise_for_status()
    first = target.image.get("/images").json()
    assert len(first["images"]) == 25
    assert first["next"].startswith("/v2/images?marker=")
    assert len({image.id for image in target.image.images()} & {image["id"] for image in first["images"]}) == 25
    names = [image.name for image in target.image.images(sort="name:asc") if image.name.startswith("page-")]
    assert names == [f"page-{number:02}" for number in range(27)]
    assert [image.name for image in target.image.images(name="page-03")] == ["page-03"]


def test_tags_and_schemas(target: Connection) -> None:
    image = upload(target)
    target.image.add_tag(image, "millpond")
    assert [found.id for found in target.image.images(tag="millpond")] == [image.id]
    target.image.remove_tag(image, "millpond")
    assert target.image.get_image(image.id).tags == []
    assert "properties" in target.image.get("/schemas/image").json()
    assert target.image.get("/schemas/dragon").status_code == 404
