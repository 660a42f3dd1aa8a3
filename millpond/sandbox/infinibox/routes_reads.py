"""Lists and single objects of every kind, here and over a link."""

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.infinibox.array import InfiniBox
from millpond.sandbox.infinibox.collection import Collection
from millpond.sandbox.infinibox.refusal import Refusal, remote
from millpond.sandbox.infinibox.system import system
from millpond.sandbox.infinibox.wire import BASE, box_of, listing, routes, single

KINDS = ("pools", "volumes", "cgs", "hosts", "links", "replicas", "events", "network/spaces", "qos/policies")


def collection(box: InfiniBox, path: str) -> Collection | None:
    """The collection behind a path of KINDS; QoS policies are none."""
    known: dict[str, Collection] = {
        "pools": box.pools,
        "volumes": box.volumes,
        "cgs": box.groups,
        "hosts": box.hosts,
        "links": box.links,
        "replicas": box.replicas,
        "events": box.log,
        "network/spaces": box.network_spaces,
    }
    return known.get(path)


def read(request: web.Request, box: InfiniBox, path: str) -> web.Response:
    """The answer of `box` to GET `path` with the query of `request`."""
    box.identity()
    if path == "system":
        return single(request, system(box))
    if path in KINDS:
        found = collection(box, path)
        return listing(request, [found.wire(row) for row in found.rows()] if found else [])
    kind, _, id = path.rpartition("/")
    found = collection(box, kind)
    if found is None or not id.isdigit():
        raise Refusal(404, "UNKNOWN_PATH", f"GET {path}: unknown path")
    return single(request, found.wire(found.get(id)))


async def read_here(request: web.Request) -> web.Response:
    return read(request, box_of(request), request.path.removeprefix(f"{BASE}/"))


for kind in KINDS:
    routes.get(f"{BASE}/{kind}")(read_here)
    routes.get(f"{BASE}/{kind}/{{id:[0-9]+}}")(read_here)


@routes.get(f"{BASE}/remote/{{link}}/api/rest/{{path:.+}}")
async def read_there(request: web.Request) -> web.Response:
    """A read that the remote system answers. Invented: reads need no account there, and nothing but reads is passed on."""
    box = box_of(request)
    link = box.links.get(request.match_info["link"])
    box.links.require_up()
    try:
        return read(request, box.arrays[link["peer"]], request.match_info["path"])
    except ApiError as error:
        raise remote(error) from None
