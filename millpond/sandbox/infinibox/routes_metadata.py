"""Key and value metadata of any object."""

from aiohttp import web

from millpond.sandbox.infinibox.wire import BASE, answer, box_of, document, listing, routes, single


@routes.get(f"{BASE}/metadata")
async def search_metadata(request: web.Request) -> web.Response:
    box = box_of(request)
    return listing(request, [box.metadata.wire(row) for row in box.metadata.rows()])


@routes.get(f"{BASE}/metadata/{{id}}")
async def list_metadata(request: web.Request) -> web.Response:
    box = box_of(request)
    return listing(request, [box.metadata.wire(row) for row in box.metadata.of(request.match_info["id"])])


@routes.put(f"{BASE}/metadata/{{id}}")
async def put_metadata(request: web.Request) -> web.Response:
    body, box = await document(request), box_of(request)
    return answer([box.metadata.wire(row) for row in box.metadata.put(request.match_info["id"], body)])


@routes.delete(f"{BASE}/metadata/{{id}}")
async def clear_metadata(request: web.Request) -> web.Response:
    box, id = box_of(request), request.match_info["id"]
    gone = [box.metadata.wire(row) for row in box.metadata.of(id)]
    box.metadata.clear(id)
    return answer(gone)


@routes.get(f"{BASE}/metadata/{{id}}/{{key}}")
async def get_metadata(request: web.Request) -> web.Response:
    box = box_of(request)
    return single(request, box.metadata.wire(box.metadata.item(request.match_info["id"], request.match_info["key"])))


@routes.delete(f"{BASE}/metadata/{{id}}/{{key}}")
async def delete_metadata(request: web.Request) -> web.Response:
    box = box_of(request)
    row = box.metadata.item(request.match_info["id"], request.match_info["key"])
    box.metadata.remove(row["id"])
    return answer(box.metadata.wire(row))
