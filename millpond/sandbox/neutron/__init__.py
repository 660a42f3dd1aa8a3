"""Neutron v2.0: networks, subnets, ports, routers, floating IPs, security groups, quotas, tags, agents."""

from aiohttp import web

from millpond.sandbox.core.web import service_app
from millpond.sandbox.neutron import resource_routes
from millpond.sandbox.neutron.routes import Routes
from millpond.sandbox.neutron.service import NeutronService as Service

__all__ = ["Service", "application"]


def application(service: Service) -> web.Application:
    routes = web.RouteTableDef()
    Routes(service).add(routes)
    resource_routes.add(routes, service)
    return service_app(service.cloud, "neutron", routes)
