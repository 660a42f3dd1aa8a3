"""Pools and volumes."""

from aiohttp import web

from millpond.sandbox.infinibox.refusal import bad_request
from millpond.sandbox.infinibox.wire import (
    BASE,
    answer,
    box_of,
    dangerous,
    document,
    listing,
    number,
    only_known,
    payload,
    require_approval,
    routes,
)

VOLUME_FIELDS = ("name", "pool_id", "size", "provtype", "write_protected", "compression_enabled", "ssd_enabled")


@routes.post(f"{BASE}/pools")
async def create_pool(request: web.Request) -> web.Response:
    body, pools = await document(request), box_of(request).pools
    row = pools.create(str(body.get("name") or ""), number(body, "physical_capacity"), number(body, "virtual_capacity"))
    return answer(pools.wire(row), 201)


@routes.put(f"{BASE}/pools/{{id}}")
async def update_pool(request: web.Request) -> web.Response:
    body, pools = await document(request), box_of(request).pools
    only_known(body, "name", "physical_capacity", "virtual_capacity", "compression_enabled")
    row = pools.get(request.match_info["id"])
    if "name" in body:
        pools.rename(row["id"], str(body.pop("name")))
    return answer(pools.wire(pools.change(row["id"], **body)))


@routes.delete(f"{BASE}/pools/{{id}}")
@dangerous
async def delete_pool(request: web.Request) -> web.Response:
    pools, id = box_of(request).pools, request.match_info["id"]
    shown = pools.wire(pools.get(id))
    pools.delete(id)
    return answer(shown)


@routes.post(f"{BASE}/volumes")
async def create_volume(request: web.Request) -> web.Response:
    """With `parent_id` a snapshot of that volume."""
    body, volumes = await document(request), box_of(request).volumes
    name, protected = str(body.get("name") or ""), bool(body.get("write_protected", False))
    if "parent_id" in body:
        only_known(body, "name", "parent_id", "write_protected", "ssd_enabled")
        return answer(volumes.wire(volumes.snapshot(name, body["parent_id"], protected)), 201)
    only_known(body, *VOLUME_FIELDS)
    row = volumes.create(
        name, number(body, "pool_id"), number(body, "size"), body.get("provtype", "THICK"), protected, body.get("compression_enabled")
    )
    return answer(volumes.wire(row), 201)


@routes.put(f"{BASE}/volumes/{{id}}")
async def update_volume(request: web.Request) -> web.Response:
    body, volumes = await document(request), box_of(request).volumes
    only_known(body, "name", "size", "write_protected", "provtype", "compression_enabled", "ssd_enabled")
    id = volumes.get(request.match_info["id"])["id"]
    if "size" in body:
        volumes.resize(id, number(body, "size"))
    if "write_protected" in body:
        volumes.protect(id, bool(body["write_protected"]))
    if "name" in body:
        volumes.rename(id, str(body["name"]))
    plain = {field: body[field] for field in ("provtype", "compression_enabled") if field in body}
    return answer(volumes.wire(volumes.change(id, **plain)))


@routes.delete(f"{BASE}/volumes/{{id}}")
async def delete_volume(request: web.Request) -> web.Response:
    volumes, id = box_of(request).volumes, request.match_info["id"]
    row = volumes.get(id)
    children = volumes.children(row)
    require_approval(request, "APPROVAL_REQUIRED_VOLUME_HAS_CHILDREN" if children else "APPROVAL_REQUIRED")
    shown = volumes.wire(row)
    volumes.delete(id)
    return answer(shown)


@routes.get(f"{BASE}/volumes/{{id}}/luns")
async def list_volume_luns(request: web.Request) -> web.Response:
    box = box_of(request)
    id = box.volumes.get(request.match_info["id"])["id"]
    return listing(request, [box.luns.wire(row) for row in box.hosts.luns_of_volume(id)])


@routes.post(f"{BASE}/volumes/{{id}}/move")
async def move_volume(request: web.Request) -> web.Response:
    body, volumes = await document(request), box_of(request).volumes
    only_known(body, "pool_id", "with_capacity")
    return answer(volumes.wire(volumes.move(request.match_info["id"], number(body, "pool_id"))))


@routes.post(f"{BASE}/volumes/{{id}}/restore")
@dangerous
async def restore_volume(request: web.Request) -> web.Response:
    """The body is the snapshot's id alone."""
    snapshot, volumes = await payload(request), box_of(request).volumes
    if not isinstance(snapshot, int):
        raise bad_request("BAD_REQUEST", "The body must be the id of a snapshot")
    return answer(volumes.wire(volumes.restore(request.match_info["id"], snapshot)))
