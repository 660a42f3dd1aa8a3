"""os-volume_attachments and os-interface."""

from aiohttp import web

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import caller
from millpond.sandbox.nova import schemas
from millpond.sandbox.nova.routes.parse import SERVER, checked, empty, minor, server
from millpond.sandbox.nova.service import NovaService

VOLUMES = SERVER + "/os-volume_attachments"
VOLUME = VOLUMES + "/{volume_id}"
PORTS = SERVER + "/os-interface"
PORT = PORTS + "/{port_id}"


def add(routes: web.RouteTableDef, nova: NovaService) -> None:
    _add_volume_reads(routes, nova)
    _add_volume_changes(routes, nova)
    _add_ports(routes, nova)


def attachment(row: Row, device: Row, minor: int) -> Row:
    shown = {"volumeId": device["volume_id"], "serverId": row["id"], "device": device["device"]}
    if minor < 89:
        shown["id"] = device["volume_id"]
    else:
        shown |= {"attachment_id": device["attachment_id"], "bdm_uuid": device["bdm_uuid"]}
    if minor >= 70:
        shown["tag"] = device["tag"]
    if minor >= 79:
        shown["delete_on_termination"] = device["delete_on_termination"]
    return shown


def interface(port: Row, nic: Row, minor: int) -> Row:
    shown = {
        "port_id": port["id"],
        "net_id": port["network_id"],
        "mac_addr": port["mac_address"],
        "port_state": port["status"],
        "fixed_ips": port["fixed_ips"],
    }
    return {**shown, "tag": nic["tag"]} if minor >= 70 else shown


def _add_volume_reads(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.get(VOLUMES)
    async def index(request: web.Request) -> web.Response:
        row = server(request, nova)
        shown = [attachment(row, device, minor(request)) for device in row["volumes"] if device["volume_id"]]
        return web.json_response({"volumeAttachments": shown})

    @routes.get(VOLUME)
    async def show(request: web.Request) -> web.Response:
        row = server(request, nova)
        device = nova.attachments.require(row, request.match_info["volume_id"])
        return web.json_response({"volumeAttachment": attachment(row, device, minor(request))})


def _add_volume_changes(routes: web.RouteTableDef, nova: NovaService) -> None:
    @routes.post(VOLUMES)
    async def attach(request: web.Request) -> web.Response:
        given = (await checked(request, schemas.attach_volume))["volumeAttachment"]
        row = server(request, nova)
        device = nova.attachments.attach(caller(request), row, given, minor(request))
        # 2.89 took the id out of the answers to reads alone.
        return web.json_response({"volumeAttachment": attachment(row, device, min(minor(request), 88))})

    @routes.put(VOLUME)
    async def update(request: web.Request) -> web.Response:
        given = (await checked(request, schemas.update_attachment))["volumeAttachment"]
        nova.attachments.update(server(request, nova), request.match_info["volume_id"], given, minor(request))
        return empty(202)

    @routes.delete(VOLUME)
    async def detach(request: web.Request) -> web.Response:
        nova.attachments.detach(caller(request), server(request, nova), request.match_info["volume_id"])
        return empty(202)


def _add_ports(routes: web.RouteTableDef, nova: NovaService) -> None:
    def shown(request: web.Request, row: Row, port: Row) -> Row:
        nic = next(nic for nic in row["nics"] if nic["port_id"] == port["id"])
        return interface(port, nic, minor(request))

    @routes.get(PORTS)
    async def index(request: web.Request) -> web.Response:
        row = server(request, nova)
        ports = nova.interfaces.listed(row)
        return web.json_response({"interfaceAttachments": [shown(request, row, port) for port in ports]})

    @routes.get(PORT)
    async def show(request: web.Request) -> web.Response:
        row = server(request, nova)
        port = nova.interfaces.show(row, request.match_info["port_id"])
        return web.json_response({"interfaceAttachment": shown(request, row, port)})

    @routes.post(PORTS)
    async def attach(request: web.Request) -> web.Response:
        given = (await checked(request, schemas.attach_interface))["interfaceAttachment"]
        row = server(request, nova)
        port = nova.interfaces.attach(caller(request), row, given)
        return web.json_response({"interfaceAttachment": shown(request, row, port)})

    @routes.delete(PORT)
    async def detach(request: web.Request) -> web.Response:
        nova.interfaces.detach(caller(request), server(request, nova), request.match_info["port_id"])
        return empty(202)
