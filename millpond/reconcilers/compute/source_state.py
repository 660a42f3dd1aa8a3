"""A server on the source, in the midst of its cut or of its way back, in a state that Nova neither stops nor starts it from."""

from __future__ import annotations

from millpond.model.compute import Server
from millpond.model.desired import Desired
from millpond.model.finding import Finding, Severity
from millpond.model.to_do import to_do
from millpond.reconcilers.base import Goals

STOPPED_FROM = ("ACTIVE", "ERROR")
"""nova/compute/api.py, `stop`. What ended in ERROR may run still: nothing but its stop tells that it does not."""
LEFT_BY = {
    "PAUSED": "unpause",
    "SUSPENDED": "resume",
    "RESCUE": "unrescue",
    "VERIFY_RESIZE": "resize revert",
    "SHELVED": "unshelve",
    "SHELVED_OFFLOADED": "unshelve",
    "ERROR": "reboot --hard",
}
"""Status → the command of the client that leads out of it."""
ASLEEP = ("PAUSED", "SUSPENDED")
"""Left by what is in LEFT_BY they go on with the memory that they had; a hard reboot drops it (nova/virt/libvirt/driver.py)."""


def is_stuck(here: Server) -> bool:
    """Whether its cut cannot stop it as it is. What changes its state just now is waited for."""
    return here.idle and here.status != "SHUTOFF" and here.status not in STOPPED_FROM


def held(here: Server) -> str:
    return f"the server is {here.status}: held by its blocker"


def cannot_be_stopped(desired: Desired, goals: Goals, server: Server, here: Server, *, copy_runs: bool) -> Finding:
    """`copy_runs`: it must not be brought up beside its copy on the target."""
    fix = _leave(desired, here, "the next apply stops it then, or the wave goes back by its flag", LEFT_BY.get(here.status, ""))
    return Finding(
        "server_state",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the server is {here.status} on the source in the midst of its cut",
        "Nova stops only a server that is ACTIVE or in ERROR, and no disk changes hands before each of its servers is proven stopped",
        "end its guest at its hypervisor: its copy runs on the target, and both must not run at once" if copy_runs else fix,
        wave=goals.wave(server.id),
    )


def cannot_be_started(desired: Desired, goals: Goals, server: Server, here: Server, *, carried: bool) -> Finding:
    """`carried`: its disks hold what was written on the target, and a memory that is kept of it does not know of that."""
    older = carried and here.status in ASLEEP
    return Finding(
        "server_state",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the server is {here.status} on the source, and ran before its cut",
        "its memory is older than its disks, which hold what was written on the target: it must not go on from there"
        if older
        else "Nova starts only a server that is SHUTOFF; it stays locked by the migration until it runs",
        _leave(desired, here, "the next apply unlocks it then", "reboot --hard" if older else LEFT_BY.get(here.status, "")),
        wave=goals.wave(server.id),
    )


def _leave(desired: Desired, here: Server, then: str, verb: str) -> str:
    """The lock is an administrator's: the tenant cannot do it."""
    if not verb:
        return f"bring it to ACTIVE or SHUTOFF as an administrator; {then}"
    return to_do(
        f"bring it out of that as an administrator; {then}", f"openstack --os-cloud {desired.manifest.source.cloud} server {verb} {here.id}"
    )
