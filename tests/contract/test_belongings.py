"""What a project owns beside its servers and disks, and is asked for before it is deleted: images in Glance, backups in Cinder."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.coverage import covers
from tests.contract.ground import Ground


@pytest.fixture
def made(ground: Ground) -> Iterator[list[str]]:
    """Ids of images that go with the test."""
    ids: list[str] = []
    yield ids
    for id in ids:
        ground.admin.call("DELETE", "image", f"/images/{id}")


def image(ground: Ground, made: list[str], owner: str, **fields: Any) -> str:
    body = {"name": ground.name("image"), "owner": owner, "visibility": "private", **fields}
    made.append(str(ground.admin.done("POST", "image", "/images", body)["id"]))
    return made[-1]


@covers("image.images")
def test_all_images_of_a_project_are_listed_whoever_may_see_them(ground: Ground, made: list[str]) -> None:
    own = {image(ground, made, ground.project_id, visibility=visibility) for visibility in ("private", "shared", "community", "public")}
    image(ground, made, ground.other_project_id, visibility="public")
    found = ground.cloud.image.images(ground.project_id)
    assert {one.id for one in found} == own
    assert {one.visibility for one in found} == {"private", "shared", "community", "public"}
    assert all(one.name for one in found)


def test_community_images_of_another_project_are_listed_by_their_visibility_alone(ground: Ground, made: list[str]) -> None:
    """For an administrator too."""
    id = image(ground, made, ground.project_id, visibility="community")
    found = {
        more: [row["id"] for row in ground.admin.done("GET", "image", "/images", owner=ground.project_id, **dict(more))["images"]]
        for more in ((), (("visibility", "community"),))
    }
    assert id not in found[()]
    assert id in found[("visibility", "community"),]


def test_a_hidden_image_is_listed_where_glance_knows_such(ground: Ground, made: list[str]) -> None:
    id = image(ground, made, ground.project_id)
    hidden = ground.admin.call(
        "PATCH",
        "image",
        f"/images/{id}",
        [{"op": "replace", "path": "/os_hidden", "value": True}],
        headers={"Content-Type": "application/openstack-images-v2.1-json-patch"},
    )
    assert hidden.status in (200, 409), hidden  # 409: older than 2.7
    if hidden.status == 200:
        assert id not in [row["id"] for row in ground.admin.done("GET", "image", "/images", owner=ground.project_id)["images"]]
    assert id in [one.id for one in ground.cloud.image.images(ground.project_id)]


def test_images_come_in_pages(ground: Ground, made: list[str]) -> None:
    ids = {image(ground, made, ground.project_id) for _ in range(3)}
    first = ground.admin.done("GET", "image", "/images", owner=ground.project_id, limit=2)
    assert len(first["images"]) == 2
    assert "marker=" in first["next"]
    service = ground.provider.image._glance
    rows = service.rows("/images", "images", {"owner": ground.project_id}, limit=2)
    assert {row["id"] for row in rows} >= ids


def test_others_are_not_shown_a_projects_own_images(ground: Ground, made: list[str]) -> None:
    """And are not told so: the list is empty, and no field says that the caller is no administrator."""
    image(ground, made, ground.project_id)
    assert ground.stranger.done("GET", "image", "/images", owner=ground.project_id)["images"] == []


@covers("block_storage.backups")
def test_all_backups_of_a_project_are_listed(ground: Ground) -> None:
    assert ground.cloud.block_storage.backups(ground.project_id) == ()
    volume = ground.volume()
    body = {"backup": {"volume_id": volume, "name": "weekly"}}
    answer = ground.owner.call("POST", "block_storage", "/backups", body)
    if answer.status == 404:
        assert "cinder-backup" in answer.message  # this cloud makes no backups, and lists none
        return
    assert answer.status == 202, answer
    id = str(answer["backup"]["id"])
    ground.volume_is(volume, "available")
    [found] = ground.cloud.block_storage.backups(ground.project_id)
    assert (found.id, found.name, found.volume_id) == (id, "weekly", volume)
    assert ground.cloud.block_storage.backups(ground.other_project_id) == ()
    others = ground.stranger.done("GET", "block_storage", "/backups/detail", all_tenants="1")["backups"]
    assert others == []
    own = ground.member.done("GET", "block_storage", "/backups/detail")["backups"]
    assert [row["id"] for row in own] == [id]
    assert "os-backup-project-attr:project_id" not in own[0]
    deleted = ground.admin.call("DELETE", "block_storage", f"/backups/{id}")
    if deleted.status == 404:
        assert "cinder-backup" in deleted.message  # taken in by the scheduler, and made by no service
        return
    assert deleted.status == 202, deleted
    ground.gone("block_storage", f"/backups/{id}")


def test_what_cinder_takes_as_a_filter_of_backups_is_the_administrators(ground: Ground) -> None:
    assert ground.stranger.get("block_storage", "/backups/detail", project_id=ground.project_id).status == 400
    assert ground.admin.get("block_storage", "/backups/detail", all_tenants="perhaps").status == 400
