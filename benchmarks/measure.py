"""One run of a verb in a process of its own, and what it cost."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass

from benchmarks.site import TENANT, SiteDirectory


@dataclass(frozen=True)
class Cost:
    """`requests` as the sandbox saw them, logins and discovery documents included. `cpu` and `seconds` in seconds, `memory` in MiB."""

    requests: int
    mutating: int
    cpu: float
    seconds: float
    memory: float

    @classmethod
    def of(cls, costs: Iterable[Cost]) -> Cost:
        """Of several runs, one after the other."""
        all = tuple(costs)
        return cls(
            sum(one.requests for one in all),
            sum(one.mutating for one in all),
            sum(one.cpu for one in all),
            sum(one.seconds for one in all),
            max(one.memory for one in all),
        )


class VerbFailed(Exception):
    """It exited with an error code; the text is what it wrote."""


def run(site: SiteDirectory, verb: str, *arguments: str, allowed: tuple[int, ...] = (0,)) -> Cost:
    control = site.sandbox.control
    control.clear_requests()
    command = [sys.executable, "-m", "millpond.cli.main", "-C", str(site.path), verb, TENANT, *arguments]
    with (site.path / f"{verb}.txt").open("w+") as output:
        begun = time.monotonic()
        process = subprocess.Popen(command, env=site.sandbox.environment(), stdout=output, stderr=output)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in allowed:
            output.seek(0)
            raise VerbFailed(f"{verb} exited with {process.returncode}:\n{output.read()}")
    seen = control.requests()
    mutating = sum(entry["mutating"] for entry in seen)
    return Cost(len(seen), mutating, used.ru_utime + used.ru_stime, seconds, used.ru_maxrss / 1024)
