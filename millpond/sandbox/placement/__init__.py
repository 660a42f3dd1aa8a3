"""Placement: the compute hosts as resource providers, read-only for an operator."""

from aiohttp import web

from millpond.sandbox.core.web import service_app
from millpond.sandbox.placement.routes import Routes
from millpond.sandbox.placement.service import PlacementService as Service

__all__ = ["Service", "application"]


def application(service: Service) -> web.Application:
    routes = web.RouteTableDef()
    Routes(service).add(routes)
    return service_app(service.cloud, "placement", routes)
