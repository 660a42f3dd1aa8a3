"""Nova's HTTP API: parse, ask the service, show."""

from aiohttp import web

from millpond.sandbox.nova.routes import (
    actions,
    attachments,
    cloud,
    flavors,
    keypairs,
    quotas,
    server_groups,
    server_metadata,
    servers,
    usage,
    versions,
)
from millpond.sandbox.nova.service import NovaService

MODULES = (versions, servers, actions, server_metadata, attachments, flavors, keypairs, server_groups, quotas, usage, cloud)


def all_routes(nova: NovaService) -> web.RouteTableDef:
    table = web.RouteTableDef()
    for module in MODULES:
        module.add(table, nova)
    return table
