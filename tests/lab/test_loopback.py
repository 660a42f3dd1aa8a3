"""Nothing of the lab can be reached from another machine."""

import ipaddress
import re
import subprocess
from pathlib import Path

import pytest

from tests.lab import infrastructure, services
from tests.lab.access import Lab
from tests.lab.planes import PLANES

pytestmark = pytest.mark.lab


def test_everything_listens_on_loopback_only(lab: Lab) -> None:
    own = [infrastructure.processes(), *(services.processes(plane) for plane in PLANES)]
    groups = {str(pid) for processes in own for name in processes.names() if (pid := processes.pid(name))}
    listed = subprocess.run(
        ["ss", "--listening", "--tcp", "--udp", "--numeric", "--processes", "--no-header"], capture_output=True, text=True
    )
    addresses = {address for address, pids in map(parsed, listed.stdout.splitlines()) if {group(pid) for pid in pids} & groups}
    assert len(addresses) >= 2, listed.stdout
    assert [address for address in addresses if address not in ipaddress.ip_network("127.0.0.0/8")] == []


def parsed(line: str) -> tuple[ipaddress.IPv4Address | ipaddress.IPv6Address, list[str]]:
    """The local address of a line of `ss`, and who listens there."""
    host = line.split()[4].rpartition(":")[0].strip("[]").partition("%")[0]
    return ipaddress.ip_address("0.0.0.0" if host == "*" else host), re.findall(r"pid=(\d+)", line)


def group(pid: str) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[2]
    except OSError:
        return ""
