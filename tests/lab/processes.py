"""Processes that outlive the command which started them, known by pid and the time they were started at."""

import os
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

PATIENCE = 15.0
"""Seconds from SIGTERM to SIGKILL."""


class Processes:
    """The processes of one directory: `pid/NAME` records each, `log/NAME.log` has its output."""

    def __init__(self, directory: Path) -> None:
        self.records = directory / "pid"
        self.logs = directory / "log"

    def names(self) -> list[str]:
        return sorted(path.name for path in self.records.glob("*"))

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> bool:
        """False when the recorded process runs already. It leads a process group of its own."""
        if self.alive(name):
            return False
        self.records.mkdir(parents=True, exist_ok=True)
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log(name).open("ab") as log:
            process = subprocess.Popen(
                command, env=dict(environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        (self.records / name).write_text(f"{process.pid} {started_at(process.pid)}\n")
        return True

    def log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def pid(self, name: str) -> int | None:
        """None unless the process that was recorded is the one that has this pid now."""
        try:
            pid, started = (self.records / name).read_text().split()
        except (OSError, ValueError):
            return None
        return int(pid) if started_at(int(pid)) == started else None

    def alive(self, name: str) -> bool:
        return self.pid(name) is not None

    def dead(self) -> list[str]:
        """Names of recorded processes that run no longer."""
        return [name for name in self.names() if not self.alive(name)]

    def age(self, name: str) -> float:
        """Seconds since it was recorded."""
        return time.time() - (self.records / name).stat().st_mtime

    def stop(self, names: Iterable[str] | None = None) -> None:
        """Asks all at once, waits, and kills the groups of those that stay. Their records are removed."""
        chosen = self.names() if names is None else list(names)
        running = {name: pid for name in chosen if (pid := self.pid(name)) is not None}
        for pid in running.values():
            _signal(pid, signal.SIGTERM)
        deadline = time.monotonic() + PATIENCE
        while any(self.alive(name) for name in running) and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in running.values():
            _signal(pid, signal.SIGKILL)
        for name in chosen:
            (self.records / name).unlink(missing_ok=True)


def started_at(pid: int) -> str | None:
    """In clock ticks since boot, field 22 of proc(5) stat: with the pid it names a process once and for all. None: it has ended."""
    try:
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if state == "Z" else rest[18]


def _signal(pid: int, number: signal.Signals) -> None:
    """To the group: children that a dead leader left behind are reached too."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
