"""Neutron v2.0: networks, subnets, ports, routers, floating IPs, security groups, quotas, tags, agents."""

from aiohttp import web

from millpond.sandbox.core.web import service_app
from millpond.sandbox.core.world import Cloud
from millpond.sandbox.neutron import resource_routes
from millpond.sandbox.neutron.routes import Routes
from millpond.sandbox.neutron.service import NeutronService as Service

__all__ = ["Service", "application"]


def application(cloud: Cloud) -> web.Application:
    routes = web.RouteTableDef()
    Routes(cloud.neutron).add(routes)
    resource_routes.add(routes, cloud.neutron)
    return service_app(cloud, "neutron", routes)
