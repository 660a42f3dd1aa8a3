"""The files by which clients reach the clouds."""

from pathlib import Path
from typing import Any

import yaml

from tests.lab.directory import lab_directory
from tests.lab.planes import ADMIN_PASSWORD, PLANES, REGION


def write() -> Path:
    """clouds.yaml is complete in itself; secure.yaml repeats the secrets, for whoever keeps them apart."""
    clouds = {plane.cloud: entry(plane.auth_url, "admin", "admin", ADMIN_PASSWORD) for plane in PLANES}
    secrets = {name: {"auth": {"password": cloud["auth"]["password"]}} for name, cloud in clouds.items()}
    for name, content in (("clouds.yaml", clouds), ("secure.yaml", secrets)):
        path = lab_directory() / name
        path.write_text(yaml.safe_dump({"clouds": content}, sort_keys=False))
        path.chmod(0o600)
    return lab_directory() / "clouds.yaml"


def entry(auth_url: str, project: str, user: str, password: str) -> dict[str, Any]:
    names = {"username": user, "password": password, "project_name": project}
    domains = {"user_domain_name": "Default", "project_domain_name": "Default"}
    return {"auth": {"auth_url": auth_url, **names, **domains}, "region_name": REGION, "identity_api_version": "3"}
