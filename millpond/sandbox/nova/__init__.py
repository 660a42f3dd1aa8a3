"""Nova: servers, their volumes and ports, flavors, key pairs, server groups and quotas."""

from aiohttp import web

from millpond.sandbox.core.web import service_app
from millpond.sandbox.nova.routes import all_routes
from millpond.sandbox.nova.service import NovaService as Service

__all__ = ["Service", "application"]


def application(service: Service) -> web.Application:
    return service_app(service.cloud, "nova", all_routes(service))
