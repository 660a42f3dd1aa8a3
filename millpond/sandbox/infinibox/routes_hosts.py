"""Hosts, their ports and logical units."""

from aiohttp import web

from millpond.sandbox.infinibox.refusal import Refusal
from millpond.sandbox.infinibox.wire import BASE, answer, box_of, dangerous, document, listing, number, only_known, routes, single


@routes.post(f"{BASE}/hosts")
async def create_host(request: web.Request) -> web.Response:
    body, hosts = await document(request), box_of(request).hosts
    only_known(body, "name")
    return answer(hosts.wire(hosts.create(str(body.get("name") or ""))), 201)


@routes.put(f"{BASE}/hosts/{{id}}")
async def update_host(request: web.Request) -> web.Response:
    body, hosts = await document(request), box_of(request).hosts
    only_known(body, "name")
    return answer(hosts.wire(hosts.rename(request.match_info["id"], str(body["name"]))))


@routes.delete(f"{BASE}/hosts/{{id}}")
@dangerous
async def delete_host(request: web.Request) -> web.Response:
    hosts, id = box_of(request).hosts, request.match_info["id"]
    shown = hosts.wire(hosts.get(id))
    hosts.delete(id)
    return answer(shown)


@routes.get(f"{BASE}/hosts/host_id_by_initiator_address/{{address}}")
async def host_by_port(request: web.Request) -> web.Response:
    address = request.match_info["address"]
    row = box_of(request).hosts.with_port(address)
    if row is None:
        raise Refusal(404, "HOST_NOT_FOUND", f"No host has the port {address}")
    return answer(int(row["id"]))


@routes.post(f"{BASE}/hosts/{{id}}/ports")
async def add_port(request: web.Request) -> web.Response:
    body, hosts = await document(request), box_of(request).hosts
    return answer(hosts.add_port(request.match_info["id"], str(body.get("type")), str(body.get("address"))), 201)


@routes.delete(f"{BASE}/hosts/{{id}}/ports/{{type}}/{{address}}")
async def remove_port(request: web.Request) -> web.Response:
    hosts = box_of(request).hosts
    return answer(hosts.wire(hosts.remove_port(request.match_info["id"], request.match_info["address"])))


@routes.get(f"{BASE}/hosts/{{id}}/luns")
async def list_host_luns(request: web.Request) -> web.Response:
    box = box_of(request)
    id = box.hosts.get(request.match_info["id"])["id"]
    return listing(request, [box.luns.wire(row) for row in box.hosts.luns_of_host(id)])


@routes.post(f"{BASE}/hosts/{{id}}/luns")
async def map_volume(request: web.Request) -> web.Response:
    body, box = await document(request), box_of(request)
    only_known(body, "volume_id", "lun", "udid")
    return answer(box.luns.wire(box.hosts.map(request.match_info["id"], number(body, "volume_id"), body.get("lun"))), 201)


@routes.get(f"{BASE}/hosts/{{id}}/luns/lun/{{lun:[0-9]+}}")
async def get_lun(request: web.Request) -> web.Response:
    box = box_of(request)
    return single(request, box.luns.wire(box.hosts.lun(request.match_info["id"], int(request.match_info["lun"]))))


@routes.delete(f"{BASE}/hosts/{{id}}/luns/lun/{{lun:[0-9]+}}")
async def unmap_volume(request: web.Request) -> web.Response:
    box = box_of(request)
    row = box.hosts.lun(request.match_info["id"], int(request.match_info["lun"]))
    shown = box.luns.wire(row)
    box.hosts.unmap(row["host"], row["lun"])
    return answer(shown)
