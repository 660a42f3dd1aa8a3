"""Writes what clients need to reach the sandbox: clouds.yaml, secure.yaml, the same with accounts that only read, and endpoints.json."""

import json
import os
from pathlib import Path
from typing import Any

import yaml

from millpond.sandbox.clouds import SimulatedCloud
from millpond.sandbox.keystone.application_credentials import READING, READING_SECRET
from millpond.sandbox.keystone.bootstrap import ADMIN_PASSWORD, AUDITOR, AUDITOR_PASSWORD, REGION
from millpond.sandbox.simulation import Simulation

TENANT = "acme"
TENANT_USER = "alice"
TENANT_PASSWORD = "alice-secret"


def write_files(world: Simulation, urls: dict[str, str], directory: Path) -> None:
    """clouds.yaml is complete in itself, so that OS_CLIENT_CONFIG_FILE alone is enough; secure.yaml repeats the secrets.
    clouds-read.yaml has the same names, so that the documents of a site need not say by whom they are read."""
    clouds = {f"{name}-admin": _entry(cloud.base_url, "admin", "admin", ADMIN_PASSWORD) for name, cloud in world.clouds.items()}
    clouds[f"source-{TENANT}"] = _entry(world.clouds["source"].base_url, TENANT, TENANT_USER, TENANT_PASSWORD)
    secrets = {name: {"auth": {"password": entry["auth"]["password"]}} for name, entry in clouds.items()}
    reading = {f"{name}-admin": _reading(cloud) for name, cloud in world.clouds.items()}
    _write(directory / "clouds-read.yaml", yaml.safe_dump({"clouds": reading}, sort_keys=False))
    _write(directory / "clouds.yaml", yaml.safe_dump({"clouds": clouds}, sort_keys=False))
    _write(directory / "secure.yaml", yaml.safe_dump({"clouds": secrets}, sort_keys=False))
    _write(directory / "endpoints.json", json.dumps({"pid": os.getpid(), **urls}, indent=2) + "\n")


def _reading(cloud: SimulatedCloud) -> dict[str, Any]:
    """What this release offers: an application credential with access rules, or else a user whom the cloud's policies let read."""
    if not cloud.keystone.application_credentials.are_known:
        return _entry(cloud.base_url, "admin", AUDITOR, AUDITOR_PASSWORD)
    auth = {"application_credential_name": READING, "application_credential_secret": READING_SECRET}
    user = {"username": "admin", "user_domain_name": "Default"}
    place = {"auth_url": f"{cloud.base_url}/identity/v3"}
    return {"auth_type": "v3applicationcredential", "auth": {**place, **user, **auth}, "region_name": REGION, "identity_api_version": "3"}


def _entry(base_url: str, project: str, user: str, password: str) -> dict[str, Any]:
    auth = {
        "auth_url": f"{base_url}/identity/v3",
        "username": user,
        "password": password,
        "project_name": project,
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    return {"auth": auth, "region_name": REGION, "identity_api_version": "3"}


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
