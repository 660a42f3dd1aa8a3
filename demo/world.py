"""The two clouds and two arrays of the demo: a sandbox process, and a site directory that points at it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

SPEED = 4
"""Simulated seconds per second. Replication, boots and shutdowns take about as long as people can watch."""
SEED_RATE = 3e8
"""Bytes per simulated second of a first copy: slow enough to be seen."""
PORT = 8180
PASSWORD = "123456"
SITE = """\
# The site: two arrays, which pool goes where, and what is called differently on the target.
apiVersion: millpond.dev/v1
kind: Site
metadata: {{name: demo}}
spec:
  arrays:
    - {{name: ibox-a, address: {a}, port: {port}, tls: false, username: admin, password_file: array-password}}
    - {{name: ibox-b, address: {b}, port: {port}, tls: false, username: admin, password_file: array-password}}
  pool_pairs:
    - {{name: gold, source: {{array: ibox-a, pool: pool-a1}}, target: {{array: ibox-b, pool: pool-b1}}}}
    - {{name: silver, source: {{array: ibox-a, pool: pool-a2}}, target: {{array: ibox-b, pool: pool-b2}}}}
  fabric: {{driver: provider-vlan}}
  maps:
    flavors: {{m1.volume: v2.medium}}
    roles: {{_member_: member}}
  limits: {{mac_move: 0s}}   # simulated switches mind no MAC address that moves often
"""


class World:
    """Everything stands below `home` and is left there. `pid` is recorded beside the state: only that process is ever ended."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.site = home / "site"
        self.state = home / "sandbox"
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """A new world with a new site; what an earlier demo left is ended and removed."""
        self.end_recorded()
        shutil.rmtree(self.home, ignore_errors=True)
        self.state.mkdir(parents=True)
        if not self._start(PORT):
            self._start(0)
        self.control("PATCH", "/settings", {"rates": {"seed": SEED_RATE}})
        self._write_site(self.site, self.port)

    def _start(self, port: int) -> bool:
        """False if the port is taken."""
        program = Path(sys.executable).with_name("millpond")
        command = [str(program), "sandbox", "--dir", str(self.state), "--port", str(port), "--speed", str(SPEED)]
        with (self.home / "sandbox.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        (self.home / "sandbox.pid").write_text(str(self._process.pid))
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self._process.poll() is None:
            if (self.state / "endpoints.json").exists() and self._answers():
                return True
            time.sleep(0.05)
        if self._process.poll() is None or not port:
            raise RuntimeError(f"the sandbox did not start: see {self.home / 'sandbox.log'}")
        return False

    def _answers(self) -> bool:
        try:
            return bool(self.control("GET", "/health")["status"] == "ok")
        except (OSError, ValueError):
            return False

    @property
    def urls(self) -> dict[str, Any]:
        return dict(json.loads((self.state / "endpoints.json").read_text()))

    @property
    def port(self) -> int:
        return int(self.urls["control"].rpartition(":")[2])

    def control(self, method: str, path: str, body: Any = None) -> Any:
        """The sandbox's own control API: guests' writes, and what it has watched."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self.urls["control"] + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)

    def write(self, cloud: str, server: str, data: str) -> None:
        """A guest writes to its disks. Refused by the sandbox unless the server runs and its disks are writable."""
        self.control("POST", "/write", {"cloud": cloud, "server_id": self._server(cloud, server)["id"], "data": data})

    def last_write(self, cloud: str, server: str) -> str:
        """What was written last to the root disk of a server, as its array has it."""
        root = self._server(cloud, server)["volumes"][0]["volume_id"]
        array = {"source": "ibox-a", "target": "ibox-b"}[cloud]
        disk = next(row for row in self.control("GET", "/world")[f"{array}/volumes"] if row["name"].endswith(root))
        return str(disk["content"]["last"])

    def _server(self, cloud: str, name: str) -> Any:
        return next(row for row in self.control("GET", "/world")[f"{cloud}/nova/servers"] if row["name"] == name)

    def prepare_shop(self) -> int:
        """A site for a sandbox that is not started yet; the port that it has to be given."""
        port = self.port + 1
        site = self.home / "shop" / "site"
        self._write_site(site, port)
        # Plans name the commit of the repository that they are made in: without one of its own, that of Millpond itself.
        own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        for command in (["init", "-q"], ["config", "user.name", "you"], ["config", "user.email", "you@demo.invalid"]):
            subprocess.run(["git", "-C", str(site), *command], env=own, check=True)
        return port

    def _write_site(self, site: Path, port: int) -> None:
        site.mkdir(parents=True)
        hosts = {name: self.urls[name].removeprefix("http://").partition(":")[0] for name in ("ibox-a", "ibox-b")}
        (site / "millpond.yaml").write_text(SITE.format(a=hosts["ibox-a"], b=hosts["ibox-b"], port=port))
        (site / "clouds.yaml").symlink_to("../sandbox/clouds.yaml")
        (site / "array-password").write_text(PASSWORD)
        (site / ".gitignore").write_text(".millpond/\nclouds.yaml\narray-password\n*.json\n")

    def end(self) -> None:
        """SIGTERM: the state is written, and may be served again."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            (self.home / "sandbox.pid").unlink(missing_ok=True)

    def end_recorded(self) -> None:
        """Ends the sandbox of an earlier demo by its recorded pid, if that still is a sandbox of this directory."""
        record = self.home / "sandbox.pid"
        pid = int(record.read_text()) if record.exists() else 0
        if pid and str(self.state).encode() in _arguments(pid):
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + 20
            while _arguments(pid) and time.monotonic() < deadline:
                time.sleep(0.05)
        record.unlink(missing_ok=True)


def _arguments(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
