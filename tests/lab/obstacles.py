"""Whether this machine can have the lab at all."""

import os
import shutil
from pathlib import Path

from tests.lab import infrastructure
from tests.lab.access import running_lab
from tests.lab.install import PYTHON, missing_packages
from tests.lab.planes import PLANES, PORTS

MEMORY = 6 * 2**30
"""Bytes that have to be available: the lab takes four and a half GiB, its tests some hundred MiB."""
DISK = 4 * 2**30


def obstacles() -> list[str]:
    """Why the lab cannot be installed and brought up here; empty when it can."""
    return [
        *([] if os.geteuid() == 0 else ["not root: packages are installed, and the arrays listen on port 80"]),
        *([] if shutil.which("apt-get") or not missing_packages() else ["no apt-get: MariaDB and RabbitMQ come from Debian 12"]),
        *([] if Path(PYTHON).exists() else [f"no {PYTHON}, which both releases run on"]),
        *_room(),
        *([] if running_lab() else _taken()),
    ]


def report() -> None:
    """SystemExit 1 with the reasons when there is no way."""
    found = obstacles()
    if found:
        raise SystemExit("the lab cannot run on this machine:\n" + "\n".join(f"  - {reason}" for reason in found))


def _room() -> list[str]:
    if running_lab():
        return []
    memory, disk = available_memory(), shutil.disk_usage(_existing(infrastructure.directory())).free
    too_small = f"{memory / 2**30:.1f} GiB of memory available, {MEMORY / 2**30:.0f} GiB needed"
    too_full = f"{disk / 2**30:.1f} GiB of disk free, {DISK / 2**30:.0f} GiB needed"
    return [*([too_small] if memory < MEMORY else []), *([too_full] if disk < DISK else [])]


def available_memory() -> int:
    """In bytes, as the kernel estimates it."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _taken() -> list[str]:
    """Addresses on which something else listens; what is left of a lab of this directory does not count."""
    own = [*(plane.name for plane in PLANES if any((plane.directory / "pid").glob("*"))), *infrastructure.processes().names()]
    wanted = [(plane.address, port) for plane in PLANES for port in PORTS.values()]
    wanted += [(plane.array_address, infrastructure.ARRAYS_PORT) for plane in PLANES]
    wanted += [(infrastructure.ADDRESS, port) for port in (infrastructure.DATABASE_PORT, infrastructure.QUEUE_PORT)]
    busy = [] if own else [f"{address}:{port}" for address, port in wanted if infrastructure.listens(address, port)]
    return [f"in use by somebody else: {', '.join(busy)}"] if busy else []
