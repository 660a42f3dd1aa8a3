"""Links to other systems."""

from aiohttp import web

from millpond.sandbox.infinibox.wire import (
    BASE,
    answer,
    box_of,
    dangerous,
    document,
    flag,
    number,
    only_known,
    require_remote_login,
    routes,
)


@routes.post(f"{BASE}/links")
async def create_link(request: web.Request) -> web.Response:
    body, box = await document(request), box_of(request)
    only_known(body, "name", "local_replication_network_space_id", "remote_host", "witness_address")
    for peer in box.peers():
        if body.get("remote_host") in peer.replication_addresses():
            require_remote_login(request, peer)
    row = box.links.create(str(body.get("name") or ""), number(body, "local_replication_network_space_id"), str(body.get("remote_host")))
    return answer(box.links.wire(row), 201)


@routes.put(f"{BASE}/links/{{id}}")
async def update_link(request: web.Request) -> web.Response:
    body, box = await document(request), box_of(request)
    only_known(body, "name")
    return answer(box.links.wire(box.links.rename(request.match_info["id"], str(body["name"]))))


@routes.post(f"{BASE}/links/{{id}}/refresh")
async def refresh_link(request: web.Request) -> web.Response:
    box = box_of(request)
    return answer(box.links.wire(box.links.get(request.match_info["id"])))


@routes.delete(f"{BASE}/links/{{id}}")
@dangerous
async def delete_link(request: web.Request) -> web.Response:
    box = box_of(request)
    row = box.links.get(request.match_info["id"])
    if not flag(request, "force_if_no_remote_credentials"):
        require_remote_login(request, box.arrays[row["peer"]])
    shown = box.links.wire(row)
    box.links.delete(row["id"])
    return answer(shown)
