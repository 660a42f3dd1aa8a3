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


def is_stuck(here: Server) -> bool:
    """Whether its cut cannot stop it as it is. What changes its state just now is waited for."""
    return here.idle and here.status != "SHUTOFF" and here.status not in STOPPED_FROM


def held(here: Server) -> str:
    return f"the server is {here.status}: held by its blocker"


def cannot_be_stopped(desired: Desired, goals: Goals, server: Server, here: Server, *, copy_runs: bool) -> Finding:
    """`copy_runs`: it must not be brought up beside its copy on the target."""
    fix = _leave(here, "the next apply stops it then, or the wave goes back by its flag")
    return Finding(
        "server_state",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the server is {here.status} on the source in the midst of its cut",
        "Nova stops only a server that is ACTIVE or in ERROR, and no disk changes hands before each of its servers is proven stopped",
        "end its guest at its hypervisor: its copy runs on the target, and both must not run at once" if copy_runs else fix,
        wave=goals.wave(server.id),
    )


def cannot_be_started(desired: Desired, goals: Goals, server: Server, here: Server) -> Finding:
    return Finding(
        "server_state",
        Severity.BLOCKER,
        desired.address("server", server.id),
        f"the server is {here.status} on the source, and ran before its cut",
        "Nova starts only a server that is SHUTOFF; it stays locked by the migration until it runs",
        _leave(here, "the next apply unlocks it then"),
        wave=goals.wave(server.id),
    )


def _leave(here: Server, then: str) -> str:
    """The lock is an administrator's: the tenant cannot do it."""
    verb = LEFT_BY.get(here.status)
    if verb is None:
        return f"bring it to ACTIVE or SHUTOFF as an administrator; {then}"
    return to_do(f"bring it out of that as an administrator; {then}", f"openstack server {verb} {here.id}")
