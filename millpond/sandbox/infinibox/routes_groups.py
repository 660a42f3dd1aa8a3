"""Consistency groups."""

from aiohttp import web

from millpond.sandbox.infinibox.array import InfiniBox
from millpond.sandbox.infinibox.wire import (
    BASE,
    answer,
    box_of,
    dangerous,
    document,
    flag,
    listing,
    number,
    only_known,
    require_remote_login,
    routes,
)

SNAPSHOT_FIELDS = ("name", "parent_id", "snap_prefix", "snap_suffix", "lock_expires_at")
PAIR_FIELDS = ("dataset_id", "replication_pair_info", "remote_entity_name")


@routes.post(f"{BASE}/cgs")
async def create_group(request: web.Request) -> web.Response:
    """With `parent_id` a snapshot group of that consistency group."""
    body, groups = await document(request), box_of(request).groups
    name = str(body.get("name") or "")
    if "parent_id" in body:
        only_known(body, *SNAPSHOT_FIELDS)
        row = groups.snapshot(name, body["parent_id"], body.get("snap_prefix") or "", body.get("snap_suffix") or "")
        return answer(groups.wire(row), 201)
    only_known(body, "name", "pool_id")
    return answer(groups.wire(groups.create(name, number(body, "pool_id"))), 201)


@routes.put(f"{BASE}/cgs/{{id}}")
async def update_group(request: web.Request) -> web.Response:
    body, groups = await document(request), box_of(request).groups
    only_known(body, "name")
    return answer(groups.wire(groups.rename(request.match_info["id"], str(body["name"]))))


@routes.delete(f"{BASE}/cgs/{{id}}")
@dangerous
async def delete_group(request: web.Request) -> web.Response:
    groups, id = box_of(request).groups, request.match_info["id"]
    shown = groups.wire(groups.get(id))
    groups.delete(id, flag(request, "delete_members"))
    return answer(shown)


@routes.get(f"{BASE}/cgs/{{id}}/members")
async def list_members(request: web.Request) -> web.Response:
    box = box_of(request)
    group = box.groups.get(request.match_info["id"])
    return listing(request, [box.volumes.wire(row) for row in box.groups.members(group)])


@routes.post(f"{BASE}/cgs/{{id}}/members")
async def add_member(request: web.Request) -> web.Response:
    body, box = await document(request), box_of(request)
    only_known(body, *PAIR_FIELDS)
    id = request.match_info["id"]
    require_remote_login_if_replicated(request, box, id)
    return answer(box.volumes.wire(box.groups.add_member(id, number(body, "dataset_id"), body.get("replication_pair_info"))), 201)


@routes.delete(f"{BASE}/cgs/{{id}}/members/{{volume}}")
@dangerous
async def remove_member(request: web.Request) -> web.Response:
    box, id = box_of(request), request.match_info["id"]
    require_remote_login_if_replicated(request, box, id)
    retain, keep = flag(request, "retain_staging_area"), flag(request, "create_replica")
    return answer(box.volumes.wire(box.groups.remove_member(id, request.match_info["volume"], retain, keep)))


def require_remote_login_if_replicated(request: web.Request, box: InfiniBox, id: str) -> None:
    group = box.groups.get(id)
    if group["replica_ids"]:
        require_remote_login(request, box.peer_of(box.replicas.of_group(group)))


@routes.post(f"{BASE}/cgs/{{id}}/move")
async def move_group(request: web.Request) -> web.Response:
    body, groups = await document(request), box_of(request).groups
    only_known(body, "pool_id", "with_capacity")
    return answer(groups.wire(groups.move(request.match_info["id"], number(body, "pool_id"))))


@routes.post(f"{BASE}/cgs/{{id}}/restore")
@dangerous
async def restore_group(request: web.Request) -> web.Response:
    body, groups = await document(request), box_of(request).groups
    only_known(body, "source_id")
    return answer(groups.wire(groups.restore(request.match_info["id"], number(body, "source_id"))))
