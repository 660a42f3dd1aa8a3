"""Writes documents into a site's directory, and reads the problems as a person sees them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent, indent

import pytest

from millpond.errors import InvalidDocument, Problem
from millpond.model.block_storage import Attachment, Volume
from millpond.model.compute import AttachedVolume, Flavor, Server
from millpond.model.desired import Desired
from millpond.model.identity import Project, Quota
from millpond.model.inventory import Inventory
from millpond.model.network import FixedIP, FloatingIP, Network, Port
from millpond.schemas import dump_inventory, load_all

SITE = "apiVersion: millpond.dev/v1\nkind: Site\nmetadata: {name: north}\nspec: {}\n"
HEAD = """\
apiVersion: millpond.dev/v1
kind: Tenant
metadata: {name: acme}
spec:
  source: {cloud: old, domain: Default, project: acme}
  target: {cloud: new, domain: customers, project: acme}
"""
HEAD_LINES = HEAD.count("\n")
FLAVOR = Flavor("m1.small", 1, 2048, 0)


def server(id: str, name: str, *volumes: str, **values: object) -> Server:
    return Server(id, name, FLAVOR, volumes=tuple(AttachedVolume(each) for each in volumes), **values)  # type: ignore[arg-type]


def volume(id: str, name: str = "", *servers: str, **values: object) -> Volume:
    attachments = tuple(Attachment(each) for each in servers)
    return Volume(id, name, 10, "gold", attachments=attachments, **values)  # type: ignore[arg-type]


INVENTORY = Inventory(
    "acme",
    "2026-11-01T08:00:00Z",
    Project("p1", "acme", "default", "Default"),
    quotas=(Quota("compute", {"cores": 20, "special": 1}, {}),),
    networks=(Network("n1", "lan"), Network("n2", "spare")),
    ports=(Port("port1", "", "n1", "fa:16:3e:00:00:01", (FixedIP("s1", "10.0.0.5"),), device_id="srv-bastion"),),
    floating_ips=(FloatingIP("fip1", "192.0.2.10", "ext"),),
    volumes=(
        volume("vol-bastion", "", "srv-bastion"),
        volume("vol-web-1", "", "srv-web-1"),
        volume("vol-web-2", "", "srv-web-2"),
        volume("vol-shared", "shared", "srv-web-1", "srv-web-2", multiattach=True),
        volume("vol-spare", "spare"),
        volume("vol-archive", "archive"),
    ),
    servers=(
        server("srv-bastion", "bastion", "vol-bastion"),
        server("srv-web-1", "web-1", "vol-web-1", "vol-shared"),
        server("srv-web-2", "web-2", "vol-web-2", "vol-shared"),
        server("srv-twin-a", "twin"),
        server("srv-twin-b", "twin"),
    ),
)


@dataclass(frozen=True)
class SiteDirectory:
    """A site's directory with the tenant acme."""

    path: Path

    def write(self, file: str, text: str | bytes) -> Path:
        path = self.path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def manifest(self, spec: str = "") -> Path:
        """The manifest of acme with further lines in its spec: they begin on line 7, in column 3."""
        return self.write("tenants/acme.yaml", HEAD + indent(dedent(spec).strip("\n"), "  ") + "\n")

    def inventory(self, inventory: Inventory = INVENTORY) -> Path:
        return self.write(f"tenants/{inventory.tenant}.inventory.yaml", dump_inventory(inventory))

    def acme(self, spec: str = "", inventory: Inventory = INVENTORY) -> Desired:
        self.write("millpond.yaml", SITE)
        self.manifest(spec)
        self.inventory(inventory)
        return load_all(self.path, ["acme"])[1][0]

    def problems(self, act: Callable[[], object]) -> list[Problem]:
        """What `act` is refused for, with places relative to the directory."""
        with pytest.raises(InvalidDocument) as refusal:
            act()
        return [self._relative(problem) for problem in refusal.value.problems]

    def _relative(self, problem: Problem) -> Problem:
        parts = {name: getattr(problem, name).replace(f"{self.path}/", "") for name in ("where", "what", "why", "fix")}
        return Problem(**parts)


def lines(problems: list[Problem]) -> list[str]:
    """`where: what (why) -> fix`, as far as given."""
    return [_line(problem) for problem in problems]


def _line(problem: Problem) -> str:
    why = f" ({problem.why})" if problem.why else ""
    fix = f" -> {problem.fix}" if problem.fix else ""
    return f"{problem.where}: {problem.what}{why}{fix}"


def members(desired: Desired) -> Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    return {wave.name: (wave.servers, wave.volumes) for wave in desired.waves}
