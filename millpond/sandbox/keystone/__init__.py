"""Keystone v3: domains, projects, users, groups, roles, tokens and the catalogue."""

from aiohttp import web

from millpond.sandbox.core.web import service_app
from millpond.sandbox.keystone import auth_routes, resource_routes, role_routes, tag_routes, user_routes
from millpond.sandbox.keystone.service import KeystoneService as Service

__all__ = ["Service", "application"]


def application(service: Service) -> web.Application:
    routes = web.RouteTableDef()
    for module in (auth_routes, tag_routes, user_routes, role_routes, resource_routes):
        module.add(routes, service)
    return service_app(service.cloud, "keystone", routes)
