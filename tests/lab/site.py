"""A site directory for a tenant of the lab, driven by the command line as a person does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.lab.access import Lab
from tests.lab.configuration import ARRAY_PASSWORD
from tests.lab.planes import PLANES
from tests.story.command import Answer

SOURCE_DOMAIN, TARGET_DOMAIN = "Default", "customers"
CUT_TIMES_OUT = 900


@dataclass
class LabSite:
    """`manifest`: the spec of the tenant's document, written before every command. What the commands print is kept in `log`."""

    lab: Lab
    tenant: str
    directory: Path
    manifest: dict[str, Any] = field(default_factory=lambda: {"cutover": False})

    def __post_init__(self) -> None:
        (self.directory / "tenants").mkdir(parents=True)
        (self.directory / "password").write_text(ARRAY_PASSWORD)
        ends = {
            "source": {"cloud": self.lab.source_cloud, "domain": SOURCE_DOMAIN, "project": self.tenant},
            "target": {"cloud": self.lab.target_cloud, "domain": TARGET_DOMAIN, "project": self.tenant},
        }
        self.manifest = {**ends, **self.manifest}
        source, target = PLANES
        pair = {"source": {"array": source.array, "pool": source.pool}, "target": {"array": target.array, "pool": target.pool}}
        spec = {
            "arrays": [self._array(name, url) for name, url in self.lab.arrays.items()],
            "pool_pairs": [{"name": "gold", **pair}],
            "fabric": {"driver": "provider-vlan"},
            "maps": {"flavors": {"m1.volume": "v2.medium"}},
            "limits": {"mac_move": "0s", "request_timeout": "45s"},  # nothing here learns addresses
        }
        self._document("millpond.yaml", "Site", "lab", spec)

    def _array(self, name: str, url: str) -> dict[str, Any]:
        address, _, port = url.removeprefix("http://").partition(":")
        return {"name": name, "address": address, "port": int(port), "tls": False, "username": "admin", "password_file": "password"}

    def _document(self, path: str, kind: str, name: str, spec: dict[str, Any]) -> None:
        document = {"apiVersion": "millpond.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        (self.directory / path).write_text(yaml.safe_dump(document, sort_keys=False))

    @property
    def log(self) -> Path:
        return self.directory / "log"

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Starts a command in a process of its own, which writes to `log`."""
        self._document(f"tenants/{self.tenant}.yaml", "Tenant", self.tenant, self.manifest)
        environment = {**os.environ, "OS_CLIENT_CONFIG_FILE": str(self.lab.directory / "clouds.yaml"), "PYTHONWARNINGS": "ignore"}
        with self.log.open("a") as log:
            log.write(f"$ millpond {' '.join(words)}\n")
            log.flush()
            command = [sys.executable, "-u", "-m", "millpond.cli.main", *words]
            return subprocess.Popen(command, cwd=self.directory, env=environment, stdout=log, stderr=log, text=True)

    def run(self, *words: str) -> Answer:
        before = self.log.stat().st_size if self.log.exists() else 0
        code = self.begin(*words).wait(CUT_TIMES_OUT)
        return Answer(code, self.log.read_text()[before:], "")

    def apply(self, patience: float = 600) -> Answer:
        """Until nothing is left to do, or an apply fails or is held."""
        deadline = time.monotonic() + patience
        while True:
            answer = self.run("apply", self.tenant, "--detailed-exitcode")
            if answer.code != 2 or time.monotonic() > deadline:
                return answer
            time.sleep(2)

    def apply_killed_after(self, kind: str, action: str) -> None:
        """`kill -9` as soon as the apply tells that an action is done."""
        before = self.log.stat().st_size
        told = re.compile(rf"^\S+ done +{re.escape(self.tenant)}/{kind}/.* {action}\b", re.MULTILINE)
        self.apply_killed_when(lambda: told.search(self.log.read_text()[before:]) is not None, f"{kind} {action}")

    def apply_killed_when(self, reached: Callable[[], bool], what: str) -> None:
        """`kill -9` as soon as that is so. AssertionError if the apply ends before by itself."""
        before = self.log.stat().st_size
        process = self.begin("apply", self.tenant)
        deadline = time.monotonic() + CUT_TIMES_OUT
        while not reached():
            assert process.poll() is None, f"ended before {what}:\n{self.log.read_text()[before:]}"
            assert time.monotonic() < deadline, f"{what} was not reached: {self.log}"
            time.sleep(0.02)
        process.kill()
        process.wait()

    def lose_local_files(self) -> None:
        """All that a runner keeps beside the documents: the journal with its lease."""
        shutil.rmtree(self.directory / ".millpond")

    def unlock(self) -> Answer:
        """Takes the lease from a run that was killed, as a refused apply says how."""
        refused = self.run("apply", self.tenant)
        found = re.search(r"unlock \S+ --run (\S+)|--run (\S+)", refused.text)
        assert refused.code == 5, refused.text
        assert found, refused.text
        return self.run("unlock", self.tenant, "--run", found[1] or found[2])

    def approve(self) -> None:
        """Puts the approval that a plan prints into the manifest."""
        printed = self.run("plan", self.tenant).text
        found = re.search(r"^ +approvals:\n(?: +\S.*\n)+", printed, re.MULTILINE)
        assert found, printed
        self.manifest |= yaml.safe_load(textwrap.dedent(found[0]))

    def cut(self) -> str:
        """The id of the tenant's one cut, as a plan prints it that a rollback waits for."""
        printed = self.run("plan", self.tenant).text
        found = re.search(r"cut: (\S+)", printed)
        assert found, printed
        return found[1]
