"""The documents of one generated tenant on a running sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from millpond.model.inventory import Inventory
from millpond.schemas import load_all
from tests.sandbox.running import Sandbox

TENANT = "acme"
ARRAY_PASSWORD = "123456"
SOURCE = {"cloud": "source-admin", "domain": "Default", "project": "acme"}
TARGET = {"cloud": "target-admin", "domain": "customers", "project": "acme"}
PAIRS = {"gold": 1, "silver": 2}
"""The number of the pools where volumes of a type lie."""


@dataclass(frozen=True)
class SiteDirectory:
    """All limits are Millpond's own defaults, except that servers which were just made may move their addresses at once."""

    sandbox: Sandbox
    path: Path

    def write(self, **tenant: Any) -> None:
        """`tenant` is laid over the manifest."""
        (self.path / "tenants").mkdir(parents=True, exist_ok=True)
        (self.path / "password").write_text(ARRAY_PASSWORD)
        self._document("millpond.yaml", "Site", "benchmark", self._site())
        self._document(f"tenants/{TENANT}.yaml", "Tenant", TENANT, {"source": SOURCE, "target": TARGET, **tenant})

    @cached_property
    def inventory(self) -> Inventory:
        """As the first `discover` wrote it."""
        _, (desired,) = load_all(self.path)
        return desired.inventory

    def servers(self) -> list[str]:
        return sorted(server.name for server in self.inventory.servers)

    def _site(self) -> dict[str, Any]:
        return {
            "arrays": [self._array("ibox-a"), self._array("ibox-b")],
            "pool_pairs": [
                {"name": name, "source": {"array": "ibox-a", "pool": f"pool-a{n}"}, "target": {"array": "ibox-b", "pool": f"pool-b{n}"}}
                for name, n in PAIRS.items()
            ],
            "fabric": {"driver": "provider-vlan"},
            "maps": {"roles": {"_member_": "member"}},
            "limits": {"mac_move": "0s"},
        }

    def _array(self, name: str) -> dict[str, Any]:
        address = {"address": self.sandbox.host(name), "port": self.sandbox.port}
        return {"name": name, **address, "tls": False, "username": "admin", "password_file": "password"}

    def _document(self, path: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        document = {"apiVersion": "millpond.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        (self.path / path).write_text(yaml.safe_dump(document, sort_keys=False))
