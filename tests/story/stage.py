"""A site on a sandbox, driven as a person would: edit the manifest, apply, look at the world."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from millpond.execution.journal import Journal
from millpond.execution.lease import holders, unlock
from millpond.model.desired import Desired
from millpond.model.manifest import ProjectRef
from millpond.model.outcome import ApplyResult
from millpond.model.plan import Plan, TenantPlan
from millpond.model.site import Site
from millpond.reporting.planfile import read_planfile
from millpond.runs.apply import apply_plan
from millpond.runs.discover import discover
from millpond.runs.plan import make_plan
from millpond.runs.progress import Progress
from millpond.schemas import dump_inventory, load_all
from tests.sandbox.running import Sandbox
from tests.story.command import millpond
from tests.story.silent import Silent

PASSWORD = "123456"
TENANT = "acme"
SOURCE = {"cloud": "source-admin", "domain": "Default", "project": "acme"}
TARGET = {"cloud": "target-admin", "domain": "customers", "project": "acme"}


@dataclass
class Stage:
    """`manifest` is the spec of tenants/acme.yaml; every change of it is written when something is run."""

    sandbox: Sandbox
    directory: Path
    manifest: dict[str, Any] = field(default_factory=lambda: {"source": SOURCE, "target": TARGET, "cutover": False})
    site_spec: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.directory / "tenants").mkdir(parents=True, exist_ok=True)
        (self.directory / "password").write_text(PASSWORD)
        os.environ["OS_CLIENT_CONFIG_FILE"] = str(self.sandbox.clouds_yaml)
        self.write()

    def _array(self, name: str) -> dict[str, Any]:
        address = {"address": self.sandbox.host(name), "port": self.sandbox.port}
        return {"name": name, **address, "tls": False, "username": "admin", "password_file": "password"}

    def write(self) -> None:
        spec: dict[str, Any] = {
            "arrays": [self._array("ibox-a"), self._array("ibox-b")],
            "pool_pairs": [
                {"name": f"p{n}", "source": {"array": "ibox-a", "pool": f"pool-a{n}"}, "target": {"array": "ibox-b", "pool": f"pool-b{n}"}}
                for n in (1, 2)
            ],
            "fabric": {"driver": "provider-vlan"},
            "maps": {"roles": {"_member_": "member"}},
            "image_metadata": {"hw_machine_type": "pc"},
            "limits": {"request_timeout": "1s", "mac_move": "0s", "poll": "50ms"},
            **self.site_spec,
        }
        _document(self.directory / "millpond.yaml", "Site", "story", spec)
        _document(self.directory / "tenants/acme.yaml", "Tenant", TENANT, self.manifest)

    def discover(self) -> None:
        """Reads the source and writes the inventory, as the verb does."""
        _document(self.directory / "tenants/acme.yaml", "Tenant", TENANT, self.manifest)
        site = Site("story", directory=str(self.directory))
        (self.directory / "tenants/acme.inventory.yaml").write_text(dump_inventory(discover(site, TENANT, ProjectRef(**SOURCE))))

    def load(self) -> tuple[Site, tuple[Desired, ...]]:
        self.write()
        return load_all(self.directory)

    def plan(self) -> TenantPlan:
        site, tenants = self.load()
        return make_plan(site, tenants).tenants[0]

    def saved(self) -> Plan:
        """As a pipeline gets it: written by `plan -o`, and read again."""
        self.write()
        answer = millpond(self.directory, "plan", "-o", "plan.json")
        assert answer.code == 0, answer.text
        return read_planfile(self.directory / "plan.json").plan

    def apply(self, progress: Progress | None = None, saved: Plan | None = None) -> ApplyResult:
        site, tenants = self.load()
        return apply_plan(site, tenants, progress=progress or Silent(), envelope=saved)

    def settle(self, patience: float = 30, saved: Plan | None = None) -> ApplyResult:
        """Applies, the `saved` plan if there is one, until nothing is left that an apply could advance."""
        deadline = time.monotonic() + patience
        result = self.apply(saved=saved)
        while result.plan.tenants[0].steps and not result.held and not result.errors and time.monotonic() < deadline:
            time.sleep(0.1)
            result = self.apply(saved=saved)
        return result

    def unlocked(self) -> None:
        """Takes the lease from a run that was killed."""
        journal = Journal.open("", self.directory)
        for tenant, holder in holders(journal.engine).items():
            unlock(journal.engine, tenant, holder.run)

    def forget(self) -> None:
        """Loses every local file that Millpond keeps beside its documents."""
        for path in (self.directory / ".millpond").glob("*"):
            path.unlink()

    def cut(self) -> str:
        return self.plan().waves[0].cut

    def world(self) -> dict[str, Any]:
        return self.sandbox.control.digest()

    def rows(self, table: str) -> list[dict[str, Any]]:
        return self.sandbox.control.dump()[table]

    @contextmanager
    def counted(self) -> Iterator[list[dict[str, Any]]]:
        """Collects the mutating requests that are made meanwhile."""
        self.sandbox.control.clear_requests()
        seen: list[dict[str, Any]] = []
        yield seen
        seen += self.sandbox.control.mutating()


def _document(path: Path, kind: str, name: str, spec: Mapping[str, Any]) -> None:
    document = {"apiVersion": "millpond.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}
    path.write_text(yaml.safe_dump(json.loads(json.dumps(document, default=str)), sort_keys=False))
