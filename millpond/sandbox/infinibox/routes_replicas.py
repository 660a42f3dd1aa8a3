"""Replicas and what is done to them."""

from aiohttp import web

from millpond.sandbox.infinibox.roles import Deletion
from millpond.sandbox.infinibox.wire import BASE, answer, box_of, dangerous, document, flag, only_known, require_remote_login, routes

CREATE_FIELDS = (
    "link_id",
    "entity_type",
    "entity_pairs",
    "remote_pool_id",
    "sync_interval",
    "rpo_value",
    "replication_type",
    "description",
    "local_cg_id",
    "remote_cg_id",
    "local_entity_id",
    "remote_entity_id",
    "remote_entity_name",
    "base_action",
    "including_snapshots",
)


@routes.post(f"{BASE}/replicas")
async def create_replica(request: web.Request) -> web.Response:
    body, box = await document(request), box_of(request)
    only_known(body, *CREATE_FIELDS)
    link = box.links.get(body.get("link_id") or 0)
    require_remote_login(request, box.arrays[link["peer"]])
    return answer(box.replicas.wire(box.replicas.create(body)), 201)


@routes.put(f"{BASE}/replicas/{{id}}")
async def update_replica(request: web.Request) -> web.Response:
    body, replicas = await document(request), box_of(request).replicas
    return answer(replicas.wire(replicas.update(request.match_info["id"], body)))


@routes.delete(f"{BASE}/replicas/{{id}}")
@dangerous
async def delete_replica(request: web.Request) -> web.Response:
    """Without `retain_staging_area` the base snapshots stay on both sides."""
    box = box_of(request)
    row = box.replicas.get(request.match_info["id"])
    if not flag(request, "force_if_no_remote_credentials"):
        require_remote_login(request, box.peer_of(row))
    options = Deletion(
        flag(request, "retain_staging_area", default=True), flag(request, "force_on_target"), flag(request, "force_if_remote_error")
    )
    return answer(box.roles.delete(row["id"], options))


@routes.post(f"{BASE}/replicas/{{id}}/sync")
async def sync(request: web.Request) -> web.Response:
    return answer(box_of(request).roles.sync(request.match_info["id"]))


@routes.post(f"{BASE}/replicas/{{id}}/suspend")
async def suspend(request: web.Request) -> web.Response:
    box = box_of(request)
    return answer(box.replicas.wire(box.roles.suspend(request.match_info["id"])))


@routes.post(f"{BASE}/replicas/{{id}}/resume")
async def resume(request: web.Request) -> web.Response:
    box = box_of(request)
    return answer(box.replicas.wire(box.roles.resume(request.match_info["id"])))


@routes.post(f"{BASE}/replicas/{{id}}/change_role")
@dangerous
async def change_role(request: web.Request) -> web.Response:
    box = box_of(request)
    return answer(box.replicas.wire(box.roles.change_role(request.match_info["id"])))


@routes.post(f"{BASE}/replicas/{{id}}/switch_role")
async def switch_role(request: web.Request) -> web.Response:
    return answer(box_of(request).roles.switch_role(request.match_info["id"]))


@routes.post(f"{BASE}/replicas/{{id}}/expose_last_consistent_snapshot")
async def expose(request: web.Request) -> web.Response:
    return answer(box_of(request).roles.expose(request.match_info["id"]))
