"""What the contract is tried on: the sandbox, or the lab's real services. Both are two clouds and two arrays behind one clouds.yaml."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import openstack
import pytest
import yaml
from openstack.connection import Connection

from millpond.model.site import Limits
from millpond.providers.access import Access
from millpond.providers.openstack import connect
from millpond.providers.openstack.login import OpenStackCloud

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """`clouds`: side → name in clouds.yaml; `arrays`: name → address and port, in the order source, target. `patience` and `pause` in seconds: how long an effect may take, and between two looks."""

    name: str
    directory: Path
    clouds: dict[str, str]
    arrays: dict[str, tuple[str, int]]
    patience: float
    pause: float

    def configure(self, patch: pytest.MonkeyPatch) -> None:
        """Makes Millpond and openstacksdk find the subject's clouds."""
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(self.directory / "clouds.yaml"))
        patch.setenv("OS_CLIENT_SECURE_FILE", str(self.directory / "secure.yaml"))

    def provider(self, side: str) -> OpenStackCloud:
        """The product's own way to the cloud."""
        return connect(self.clouds[side], Access.WRITE, Limits(request_timeout=60))

    def login(self, side: str, **auth: str) -> Connection:
        """The administrator's connection, or with changes of `auth` somebody else's; an empty change leaves that part out."""
        entry = self._read("clouds.yaml")[self.clouds[side]]
        secret = self._read("secure.yaml").get(self.clouds[side], {}).get("auth", {})
        merged = {name: value for name, value in {**entry["auth"], **secret, **auth}.items() if value}
        return openstack.connect(load_envvars=False, load_yaml_config=False, **{**entry, "auth": merged})

    def _read(self, name: str) -> dict[str, Any]:
        path = self.directory / name
        return dict(yaml.safe_load(path.read_text())["clouds"]) if path.exists() else {}

    def eventually(self, question: Callable[[], T | None], what: str = "") -> T:
        """Asks until the answer is true, and returns it."""
        deadline = time.monotonic() + self.patience
        while not (answer := question()):
            assert time.monotonic() < deadline, f"not within {self.patience:.0f} s: {what or question}"
            time.sleep(self.pause)
        return answer
