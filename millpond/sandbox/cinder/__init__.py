"""Cinder v3 with the upstream Infinidat driver behind it, which works on the sandbox's arrays."""

from aiohttp import web

from millpond.sandbox.cinder import (
    routes_actions,
    routes_attachments,
    routes_backups,
    routes_manage,
    routes_others,
    routes_quotas,
    routes_types,
    routes_versions,
    routes_volumes,
)
from millpond.sandbox.cinder.service import CinderService as Service
from millpond.sandbox.cinder.wire import CINDER, routes
from millpond.sandbox.core.web import service_app

__all__ = ["Service", "application"]

ROUTES = (
    routes_actions,
    routes_attachments,
    routes_backups,
    routes_manage,
    routes_others,
    routes_quotas,
    routes_types,
    routes_versions,
    routes_volumes,
)
"""Imported so that each puts its routes into the one table."""


def application(service: Service) -> web.Application:
    app = service_app(service.cloud, "cinder", routes)
    app[CINDER] = service
    return app
