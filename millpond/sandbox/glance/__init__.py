"""Glance v2: images with free properties, their data, tags and members."""

from aiohttp import web

from millpond.sandbox.core.web import service_app
from millpond.sandbox.glance.document_routes import Documents
from millpond.sandbox.glance.image_routes import Images
from millpond.sandbox.glance.member_routes import Members
from millpond.sandbox.glance.service import GlanceService as Service

__all__ = ["Service", "application"]


def application(service: Service) -> web.Application:
    routes = web.RouteTableDef()
    Documents(service.cloud).add(routes)
    Images(service).add(routes)
    Members(service).add(routes)
    return service_app(service.cloud, "glance", routes)
