"""Runs a sandbox in a process of its own, and speaks to its control API."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

START_SECONDS = 30


class Control:
    """The control API; every method raises requests.HTTPError when the sandbox refuses."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = requests.Session()

    def call(self, method: str, path: str, document: Any = None) -> Any:
        response = self._session.request(method, self.url + path, json=document, timeout=60)
        if not response.ok:
            raise requests.HTTPError(f"{response.status_code} {response.text}", response=response)
        return response.json() if response.content else None

    def settings(self, **changes: Any) -> Any:
        return self.call("PATCH", "/settings", changes)

    def advance(self, seconds: float) -> None:
        self.call("POST", "/clock/advance", {"seconds": seconds})

    def now(self) -> float:
        return float(self.call("GET", "/health")["now"])

    def requests(self, since: int = 0) -> list[dict[str, Any]]:
        return list(self.call("GET", f"/requests?since={since}")["requests"])

    def mutating(self, since: int = 0) -> list[dict[str, Any]]:
        return [entry for entry in self.requests(since) if entry["mutating"]]

    def clear_requests(self) -> None:
        self.call("DELETE", "/requests")

    def fault(self, **document: Any) -> str:
        return str(self.call("POST", "/faults", document)["id"])

    def clear_faults(self) -> None:
        self.call("DELETE", "/faults")

    def snapshot(self) -> str:
        return str(self.call("POST", "/world/snapshot")["id"])

    def restore(self, id: str) -> None:
        """The world as it was, and none of the faults that were ordered since: they are no part of a world."""
        self.clear_faults()
        self.call("POST", "/world/restore", {"id": id})

    def digest(self) -> dict[str, Any]:
        return dict(self.call("GET", "/world/digest"))

    def dump(self) -> dict[str, list[dict[str, Any]]]:
        return dict(self.call("GET", "/world"))

    def write(self, **order: Any) -> Any:
        return self.call("POST", "/write", order)

    def firmware(self, array: str, **facts: Any) -> Any:
        """`version`, `both_targets_allowed`."""
        return self.call("PATCH", f"/arrays/{array}", facts)

    def violations(self) -> list[dict[str, Any]]:
        return list(self.call("GET", "/violations")["violations"])


@dataclass
class Sandbox:
    directory: Path
    process: subprocess.Popen[bytes]
    urls: dict[str, str]
    options: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.control = Control(self.urls["control"])

    @property
    def clouds_yaml(self) -> Path:
        return self.directory / "clouds.yaml"

    @property
    def port(self) -> int:
        return int(self.urls["control"].rsplit(":", 1)[1])

    def host(self, name: str) -> str:
        """The bare address of a cloud or array."""
        return self.urls[name].removeprefix("http://").partition(":")[0]

    def environment(self) -> dict[str, str]:
        """For subprocesses that use these clouds."""
        return {**os.environ, "OS_CLIENT_CONFIG_FILE": str(self.clouds_yaml), "PYTHONWARNINGS": "ignore"}

    def stop(self) -> int:
        """SIGTERM, and the exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)

    def restarted(self) -> "Sandbox":
        """Stops it and starts it again on the same state and the same addresses."""
        self.stop()
        return start_sandbox(self.directory, **{**self.options, "port": self.port})


def start_sandbox(directory: Path, **options: Any) -> Sandbox:
    """Starts `python -m millpond.sandbox` with `options` as its command-line options and waits until it is ready."""
    options = {"port": 0, "speed": 50, **options}
    words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    directory.mkdir(parents=True, exist_ok=True)
    endpoints = directory / "endpoints.json"
    endpoints.unlink(missing_ok=True)
    log = directory / "sandbox.log"
    with log.open("ab") as output:
        command = [sys.executable, "-m", "millpond.sandbox", "--dir", str(directory), *words]
        process = subprocess.Popen(command, stdout=output, stderr=output)
    deadline = time.monotonic() + START_SECONDS
    while not endpoints.exists() or not endpoints.read_text().endswith("}\n"):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            raise RuntimeError(f"the sandbox did not start:\n{log.read_text()}")
        time.sleep(0.02)
    urls = {name: url for name, url in json.loads(endpoints.read_text()).items() if name != "pid"}
    return Sandbox(directory, process, urls, options)
