"""Worlds in which a tenant is prepared and in sync: made once, copied for every test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml
from openstack.connection import Connection

from millpond.model.manifest import ProjectRef
from millpond.schemas import load_inventory
from millpond.schemas.first_manifest import initial_manifest
from tests.sandbox.conftest import connect
from tests.sandbox.running import Sandbox
from tests.story.guests import Guests
from tests.story.stage import SOURCE, TARGET, Stage

INVENTORY = "tenants/acme.inventory.yaml"


@dataclass(frozen=True)
class World:
    """`snapshot` holds the clouds, the rest the documents that led there."""

    sandbox: Sandbox
    snapshot: str
    inventory: str
    manifest: Mapping[str, Any] = field(default_factory=dict)
    site_spec: Mapping[str, Any] = field(default_factory=dict)

    def stage(self, directory: Path) -> Stage:
        """Brings the world back, and the tenant's documents into `directory`."""
        self.sandbox.control.restore(self.snapshot)
        own = Stage(self.sandbox, directory, site_spec=dict(self.site_spec))
        own.manifest |= self.manifest
        (directory / INVENTORY).write_text(self.inventory)
        return own


def prepare(sandbox: Sandbox, directory: Path, manifest: Mapping[str, Any] | None = None, **site_spec: Any) -> World:
    """Discovers the tenant as it is, takes over the exclusions that the first manifest proposes, and waits until all is in sync.

    By one saved plan, which has to hold all the way.
    """
    stage = Stage(sandbox, directory, site_spec=site_spec)
    stage.discover()
    stage.manifest |= {**proposed(directory), **(manifest or {})}
    result = stage.settle(saved=stage.saved())
    assert not result.errors
    assert not result.plan.tenants[0].steps, (result.plan.tenants[0].steps, result.outcomes)
    return World(sandbox, sandbox.control.snapshot(), (directory / INVENTORY).read_text(), dict(stage.manifest), site_spec)


@dataclass(frozen=True)
class Moved:
    """`before`: the source's tables as they were, `guests` wrote until they were stopped."""

    world: World
    before: Mapping[str, list[dict[str, Any]]]
    guests: Guests


def move(world: World, directory: Path) -> Moved:
    """Cuts the whole tenant over by one saved plan, while its guests write."""
    stage = world.stage(directory)
    before = stage.sandbox.control.dump()
    stage.manifest["cutover"] = True
    with Guests(stage) as guests:
        result = stage.settle(saved=stage.saved())
    assert not result.errors
    assert not result.remaining, (result.plan.tenants[0].steps, result.plan.tenants[0].blockers)
    moved = replace(world, snapshot=stage.sandbox.control.snapshot(), manifest=dict(stage.manifest))
    return Moved(moved, before, guests)


def proposed(directory: Path) -> dict[str, Any]:
    """What the first manifest says beyond the places to come from and to go to."""
    inventory = load_inventory(directory / INVENTORY)
    text = initial_manifest(inventory, ProjectRef(**SOURCE), ProjectRef(**TARGET))
    spec: dict[str, Any] = yaml.safe_load(text)["spec"]
    return {key: spec[key] for key in ("exclude",) if key in spec}


def rename_a_server(sandbox: Sandbox, cloud: str) -> None:
    """By other hands than Millpond's: web-1, on the cloud `source` or `target`."""
    with connect(sandbox, f"{cloud}-admin") as hands:
        (id,) = [row["id"] for row in sandbox.control.dump()[f"{cloud}/nova/servers"] if row["name"] == "web-1"]
        hands.compute.update_server(id, name="web-one")


def hire_bob(sandbox: Sandbox) -> None:
    """Bob, whose key pair `work` is another one than Alice's, boots a server of his own."""
    boot_own_server(connect(sandbox, "source-acme", username="bob", password="bob-secret"), "bobs", "work")


def boot_own_server(login: Connection, name: str, key_name: str, group_id: str = "") -> None:
    """On network `app`, from a new disk."""
    app = login.network.find_network("app")
    assert app is not None
    port = login.network.create_port(network_id=app.id, name=f"{name}-eth0")
    volume = login.block_storage.wait_for_status(login.block_storage.create_volume(size=1, name=f"{name}-root"), "available", interval=0.05)
    login.block_storage.set_volume_bootable_status(volume, True)
    flavor = login.compute.find_flavor("m1.volume")
    assert flavor is not None
    disk = {"uuid": volume.id, "source_type": "volume", "destination_type": "volume", "boot_index": 0}
    hints = {"scheduler_hints": {"group": group_id}} if group_id else {}
    server = login.compute.create_server(
        name=name, flavor_id=flavor.id, networks=[{"port": port.id}], block_device_mapping=[disk], key_name=key_name, **hints
    )
    login.compute.wait_for_server(server, interval=0.05)
