"""The documents of a site in a repository, whose passwords come from variables as in a pipeline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.sandbox.running import Sandbox
from tests.story.stage import PASSWORD, SOURCE, TARGET, TENANT

MANIFEST = f"tenants/{TENANT}.yaml"


def write_site(directory: Path, sandbox: Sandbox) -> None:
    arrays = [
        {
            "name": name, "address": sandbox.host(name), "port": sandbox.port, "tls": False, "username": "admin",
            "username_env": "IBOX_USER", "password_env": f"{name.replace('-', '_').upper()}_PASSWORD",
        }
        for name in ("ibox-a", "ibox-b")
    ]  # fmt: skip
    spec = {
        "arrays": arrays,
        "pool_pairs": [
            {"name": f"p{n}", "source": {"array": "ibox-a", "pool": f"pool-a{n}"}, "target": {"array": "ibox-b", "pool": f"pool-b{n}"}}
            for n in (1, 2)
        ],
        "fabric": {"driver": "provider-vlan"},
        "maps": {"roles": {"_member_": "member"}},
        "limits": {"request_timeout": "1s", "mac_move": "0s", "poll": "50ms"},
    }
    _write(directory / "millpond.yaml", "Site", "story", spec)
    (directory / ".gitignore").write_text(".millpond/\n*.json\n*.md\n")


def write_manifest(directory: Path, **spec: Any) -> None:
    (directory / "tenants").mkdir(exist_ok=True)
    _write(directory / MANIFEST, "Tenant", TENANT, {"source": SOURCE, "target": TARGET, "cutover": False, **spec})


def merge_into_manifest(directory: Path, patch: Any) -> None:
    """A block that a plan printed, as somebody would paste it: waves are found by their name."""
    document = yaml.safe_load((directory / MANIFEST).read_text())
    spec = patch.get("spec", patch)
    for wave in spec.pop("waves", []):
        next(own for own in document["spec"]["waves"] if own["name"] == wave["name"]).update(wave)
    document["spec"].update(spec)
    (directory / MANIFEST).write_text(yaml.safe_dump(document, sort_keys=False))


def block(comment: str) -> dict[str, Any]:
    """The YAML that a comment holds."""
    (found,) = re.findall(r"^  ```yaml\n((?:  .*\n|\n)*?)  ```$", comment, re.MULTILINE)
    return dict(yaml.safe_load(found))


def decommissioned(directory: Path) -> None:
    """What somebody writes who wants the tenant gone from the source. The plan then asks for an approval."""
    merge_into_manifest(directory, {"decommission": True, "soak": "0s"})


def reading(sandbox: Sandbox) -> dict[str, str]:
    """Accounts that the simulated arrays and clouds let read, and nothing else."""
    return {
        "CLOUDS_YAML": reading_clouds(sandbox).read_text(),
        "CLOUDS": str(reading_clouds(sandbox)),
        "IBOX_USER": "reader",
        "IBOX_A_PASSWORD": "reader-secret",
        "IBOX_B_PASSWORD": "reader-secret",
    }


def reading_clouds(sandbox: Sandbox) -> Path:
    return sandbox.directory / "clouds-read.yaml"


def secrets(sandbox: Sandbox) -> dict[str, str]:
    """Administrators of the simulated arrays and clouds."""
    return {
        "CLOUDS": str(sandbox.clouds_yaml),
        "CLOUDS_YAML": sandbox.clouds_yaml.read_text(),
        "IBOX_USER": "admin",
        "IBOX_A_PASSWORD": PASSWORD,
        "IBOX_B_PASSWORD": PASSWORD,
        "PGPASSWORD": "",
    }


def _write(path: Path, kind: str, name: str, spec: dict[str, Any]) -> None:
    path.write_text(
        yaml.safe_dump({"apiVersion": "millpond.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}, sort_keys=False)
    )
