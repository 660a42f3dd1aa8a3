"""Glance v2: images with free properties, their data, tags and members."""

from aiohttp import web

from millpond.sandbox.core.web import service_app
from millpond.sandbox.core.world import Cloud
from millpond.sandbox.glance.document_routes import Documents
from millpond.sandbox.glance.image_routes import Images
from millpond.sandbox.glance.member_routes import Members
from millpond.sandbox.glance.service import GlanceService as Service

__all__ = ["Service", "application"]


def application(cloud: Cloud) -> web.Application:
    routes = web.RouteTableDef()
    Documents(cloud).add(routes)
    Images(cloud.glance).add(routes)
    Members(cloud.glance).add(routes)
    return service_app(cloud, "glance", routes)
