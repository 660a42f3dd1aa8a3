"""The hardware, as far as infinisdk and Cinder's Fibre Channel driver ask."""

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.array import InfiniBox
from millpond.sandbox.infinibox.refusal import Refusal
from millpond.sandbox.infinibox.wire import BASE, box_of, routes, single

NODES = 3
PORTS = 2


@routes.get(f"{BASE}/components")
async def get_components(request: web.Request) -> web.Response:
    box = box_of(request)
    rack = {"rack": 1, "nodes": [node(box, n) for n in range(1, NODES + 1)], "enclosures": [], "ups": [], "pdus": []}
    return single(request, rack)


@routes.get(f"{BASE}/components/nodes/{{node}}/fc_ports/{{port}}")
async def get_fc_port(request: web.Request) -> web.Response:
    index, port = int(request.match_info["node"]), int(request.match_info["port"])
    if not (1 <= index <= NODES and 1 <= port <= PORTS):
        raise Refusal(404, "COMPONENT_NOT_FOUND", f"Node {index} has no FC port {port}")
    return single(request, fc_port(box_of(request), index, port))


def node(box: InfiniBox, index: int) -> Row:
    ports = [fc_port(box, index, port) for port in range(1, PORTS + 1)]
    services = [{"name": name, "state": "ACTIVE", "role": "MASTER" if index == 1 else "SECONDARY"} for name in ("mgmt", "core")]
    return {
        "id": index,
        "index": index,
        "name": f"node-{index}",
        "state": "ACTIVE",
        "model": "R750",
        "fc_ports": ports,
        "ib_ports": [],
        "eth_ports": [],
        "drives": [],
        "services": services,
    }


def fc_port(box: InfiniBox, node: int, port: int) -> Row:
    wwpn = f"5742b0f0{box.serial_number:06x}{node}{port}"
    return {
        "id": port,
        "node_index": node,
        "wwpn": wwpn,
        "state": "OK",
        "link_state": "UP",
        "role": "HARD_PORT",
        "enabled": True,
        "speed_gbps": 32,
    }
