"""What resolving a manifest needs at every step, and the problems found so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from millpond.errors import Problem
from millpond.model.inventory import Inventory
from millpond.model.manifest import Manifest, Reference
from millpond.schemas.attachments import Attachments, attachments
from millpond.schemas.document import Document
from millpond.schemas.references import Objects, objects


@dataclass(frozen=True)
class Draft:
    """`document` tells where in the manifest's file things stand."""

    document: Document
    manifest: Manifest
    inventory: Inventory
    servers: Objects
    volumes: Objects
    networks: Objects
    disks: Attachments
    problems: list[Problem] = field(default_factory=list)

    def where(self, *path: str | int) -> str:
        return self.document.where("spec", *path)

    def problem(self, where: str, what: str, why: str = "", fix: str = "") -> None:
        self.problems.append(Problem(where, what, why, fix))

    def found(self, result: str | Problem) -> str:
        """The id, or an empty string after the problem was noted."""
        if isinstance(result, Problem):
            self.problems.append(result)
            return ""
        return result

    def server(self, reference: Reference, *path: str | int) -> str:
        return self.found(self.servers.find(reference, self.where(*path)))

    def volume(self, reference: Reference, *path: str | int) -> str:
        return self.found(self.volumes.find(reference, self.where(*path)))


def draft(document: Document, manifest: Manifest, inventory: Inventory) -> Draft:
    tenant = manifest.name
    return Draft(
        document,
        manifest,
        inventory,
        objects("server", tenant, inventory.servers),
        objects("volume", tenant, inventory.volumes),
        objects("network", tenant, inventory.networks),
        attachments(inventory),
    )
