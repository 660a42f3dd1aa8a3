"""Whether a control plane serves: every API answers, every service and agent has reported since it was started."""

import datetime
import time
from pathlib import Path

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

from tests.lab import services
from tests.lab.foundation import Cloud, connect
from tests.lab.planes import COMPUTES, ControlPlane

STARTS_WITHIN = 480
AGENTS = len(COMPUTES) + 3
"""Open vSwitch on each host and on the network node, L3, DHCP."""


class Unhealthy(Exception):
    """What is missing still."""


def wait(plane: ControlPlane) -> None:
    """SystemExit: a process died, or it takes too long."""
    deadline = time.monotonic() + STARTS_WITHIN
    while True:
        try:
            return check(plane)
        except (Unhealthy, SDKException, ClientException) as missing:
            own = services.processes(plane)
            if dead := own.dead():
                raise SystemExit(f"{plane.name}: {', '.join(dead)} ended. See {own.log(dead[0])}") from None
            if time.monotonic() > deadline:
                raise SystemExit(f"{plane.name} is not healthy after {STARTS_WITHIN} s: {missing}") from None
        time.sleep(1)


def check(plane: ControlPlane) -> None:
    """Unhealthy, or the exception of a client whose service does not answer."""
    cloud = connect(plane)
    list(cloud.image.images(limit=1))
    _check_compute(plane, cloud)
    _check_network(plane, cloud)
    _check_volume(plane, cloud)


def wait_for_hosts(plane: ControlPlane) -> None:
    """Until every nova-compute has registered, which is before it is mapped to a cell."""
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline:
        try:
            hosts = {service.host for service in connect(plane).compute.services(binary="nova-compute")}
        except (SDKException, ClientException):
            hosts = set()
        if len(hosts) >= len(COMPUTES):
            return
        if dead := services.processes(plane).dead():
            raise SystemExit(f"{plane.name}: {', '.join(dead)} ended. See {services.processes(plane).log(dead[0])}")
        time.sleep(1)
    raise SystemExit(f"{plane.name}: no compute host has registered within {STARTS_WITHIN} s")


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise Unhealthy(what)


def _check_compute(plane: ControlPlane, cloud: Cloud) -> None:
    own = services.processes(plane)
    up = {
        (service.binary, service.host.removeprefix(f"{plane.name}-")): service
        for service in cloud.compute.services()
        if service.state == "up"
    }
    wanted = {("nova-conductor", "controller"): "nova-conductor", ("nova-scheduler", "controller"): "nova-scheduler"}
    for key, name in {**wanted, **{("nova-compute", host): f"nova-{host}" for host in COMPUTES}}.items():
        _require(key in up, f"{name} is not up")
        _require(_seconds(up[key].updated_at) >= _started(own.records / name), f"{name} has not reported since its start")
    _require(len(list(cloud.compute.hypervisors())) >= len(COMPUTES), "not all hypervisors are listed")
    _require(len(list(cloud.placement.resource_providers())) >= len(COMPUTES), "not all hosts have a resource provider")


def _check_network(plane: ControlPlane, cloud: Cloud) -> None:
    started = _started(services.processes(plane).records / "neutron-agents")
    alive = [agent for agent in cloud.network.agents() if agent.is_alive and _seconds(agent.last_heartbeat_at) >= started]
    _require(len(alive) >= AGENTS, f"{len(alive)} of {AGENTS} agents of Neutron are alive")
    down = [ip.floating_ip_address for ip in cloud.network.ips() if ip.port_id and ip.status != "ACTIVE"]
    _require(not down, f"floating IPs are not ACTIVE: {', '.join(down)}")


def _check_volume(plane: ControlPlane, cloud: Cloud) -> None:
    own = services.processes(plane)
    states = {service.binary: service for service in cloud.block_storage.services()}
    for binary in ("cinder-scheduler", "cinder-volume"):
        _require(binary in states and states[binary].state == "up", f"{binary} is not up")
        _require(_seconds(states[binary].updated_at) >= _started(own.records / binary), f"{binary} has not reported since its start")
    _require(bool(list(cloud.block_storage.backend_pools())), "Cinder's scheduler knows no pool")


def _seconds(stamp: str | None) -> float:
    """Of an API's time, which is UTC with or without saying so."""
    if not stamp:
        return 0
    return datetime.datetime.fromisoformat(stamp[:19].replace(" ", "T")).replace(tzinfo=datetime.UTC).timestamp()


def _started(record: Path) -> float:
    """APIs round to the second below."""
    return record.stat().st_mtime - 1
