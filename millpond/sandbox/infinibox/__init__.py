"""A simulated InfiniBox: the wire behaviour that infinisdk and Cinder's Infinidat driver meet.

Rules marked *invented* could not be confirmed on a real array or in its published documentation; everything else follows
infinisdk's requests, Infinidat's support articles or field scripts.
"""

from aiohttp import web

from millpond.sandbox.core.web import array_app
from millpond.sandbox.infinibox import (
    routes_components,
    routes_groups,
    routes_hosts,
    routes_links,
    routes_metadata,
    routes_reads,
    routes_replicas,
    routes_system,
    routes_volumes,
)
from millpond.sandbox.infinibox.array import InfiniBox
from millpond.sandbox.infinibox.wire import BOX, MIDDLEWARES, SESSIONS, envelope, routes

__all__ = ["InfiniBox", "application"]

ROUTES = (
    routes_components,
    routes_groups,
    routes_hosts,
    routes_links,
    routes_metadata,
    routes_reads,
    routes_replicas,
    routes_system,
    routes_volumes,
)
"""Imported so that each puts its routes into the one table."""


def application(box: InfiniBox) -> web.Application:
    app = array_app(box.world, box.name, routes, envelope, MIDDLEWARES)
    app[BOX] = box
    app[SESSIONS] = {}
    return app
