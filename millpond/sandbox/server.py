"""Assembles the world and serves it: one address per cloud and per array, one for control."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from millpond.sandbox import cinder, glance, infinibox, keystone, neutron, nova, placement
from millpond.sandbox.core.releases import ANTELOPE, QUEENS, Release
from millpond.sandbox.core.releases import RELEASES as KNOWN
from millpond.sandbox.core.watch import check_running_twice
from millpond.sandbox.core.world import Cloud, World
from millpond.sandbox.infinibox import InfiniBox
from millpond.sandbox.settings import Settings

HOSTS = {
    "control": "127.0.0.10",
    "source": "127.0.0.11",
    "target": "127.0.0.12",
    "ibox-a": "127.0.0.21",
    "ibox-b": "127.0.0.22",
}
RELEASES: dict[str, Release] = {"source": QUEENS, "target": ANTELOPE}
ARRAYS = ("ibox-a", "ibox-b")

# service -> (module, path it is mounted at); the order in which the service objects are made
SERVICES: dict[str, tuple[Any, str]] = {
    "keystone": (keystone, "/identity"),
    "placement": (placement, "/placement"),
    "glance": (glance, "/image"),
    "neutron": (neutron, "/network"),
    "cinder": (cinder, "/volume"),
    "nova": (nova, "/compute"),
}


def assemble(
    path: Path | None = None,
    settings: Settings | None = None,
    releases: Mapping[str, Release] = RELEASES,
    port: int = 8180,
) -> World:
    """The world with both clouds and both arrays, as the state file `path` has it; empty when that is new or None."""
    world = World(path, settings)
    releases = _remembered(world, releases)
    for name in ARRAYS:
        world.arrays[name] = InfiniBox(world, name)
    for name, release in releases.items():
        cloud = world.clouds[name] = Cloud(name, release, f"http://{HOSTS[name]}:{port}", world)
        for service, (module, _) in SERVICES.items():
            setattr(cloud, service, module.Service(cloud))
    world.watches.append(partial(check_running_twice, world))
    return world


def _remembered(world: World, releases: Mapping[str, Release]) -> dict[str, Release]:
    """A state file keeps the releases it was begun with."""
    table = world.store.table("world/releases")
    for cloud, release in releases.items():
        if cloud not in table:
            table.insert({"id": cloud, "name": release.name, "ml2": release.ml2})
    return {row["id"]: KNOWN[row["name"]].with_ml2(row["ml2"]) for row in table}


def applications(world: World) -> dict[str, web.Application]:
    """By the name in HOSTS."""
    apps = {name: _cloud_application(cloud) for name, cloud in world.clouds.items()}
    for name, array in world.arrays.items():
        apps[name] = infinibox.application(array)
    return apps


def _cloud_application(cloud: Cloud) -> web.Application:
    root = web.Application()
    for module, mount in SERVICES.values():
        root.add_subapp(mount, module.application(cloud))
    return root
