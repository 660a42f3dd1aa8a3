"""The processes of a control plane, as its release starts them."""

import os
from collections.abc import Iterator
from pathlib import Path

from tests.lab.configuration import NOVA, config_arguments
from tests.lab.planes import COMPUTES, PORTS, ControlPlane
from tests.lab.processes import Processes

AGENTS = Path(__file__).parent / "in_clouds" / "agents.py"

Service = tuple[str, list[str], dict[str, str]]
"""Name, command, environment."""


def processes(plane: ControlPlane) -> Processes:
    return Processes(plane.directory)


def environment(plane: ControlPlane) -> dict[str, str]:
    """privsep-helper is looked for in PATH."""
    return {**os.environ, "PATH": f"{plane.venv / 'bin'}{os.pathsep}{os.environ['PATH']}", "PYTHONWARNINGS": "ignore"}


def start(plane: ControlPlane, services: Iterator[Service]) -> None:
    for name, command, variables in services:
        processes(plane).start(name, command, {**environment(plane), **variables})


def keystone(plane: ControlPlane) -> Iterator[Service]:
    own = {"OS_KEYSTONE_CONFIG_DIR": str(plane.configuration)}
    if plane.release == "antelope":
        yield uwsgi(plane, "keystone", ["--wsgi-file", plane.program("keystone-wsgi-public")], own)
    else:
        yield uwsgi(plane, "keystone", ["--module", "keystone.wsgi.api:application"], own)


def others(plane: ControlPlane) -> Iterator[Service]:
    """All but Keystone. From about 2025 on releases serve their APIs by WSGI alone, and Neutron's RPC in processes of its own."""
    yield from _antelope_apis(plane) if plane.release == "antelope" else _gazpacho_apis(plane)
    yield daemon(plane, "nova-conductor", *NOVA)
    yield daemon(plane, "nova-scheduler", *NOVA)
    yield daemon(plane, "cinder-scheduler", "cinder.conf")
    yield daemon(plane, "cinder-volume", "cinder.conf")
    hosts = [f"{plane.name}-{host}" for host in COMPUTES]
    yield "neutron-agents", [str(plane.python), str(AGENTS), *_neutron_files(plane), *hosts], {}
    for host in COMPUTES:
        yield f"nova-{host}", [plane.program("nova-compute"), *config_arguments(plane, "nova.conf", f"{host}.conf")], {}


def _neutron_files(plane: ControlPlane) -> list[str]:
    return [str(plane.configuration / name) for name in ("neutron.conf", "ml2.conf")]


def _antelope_apis(plane: ControlPlane) -> Iterator[Service]:
    own = {"OS_PLACEMENT_CONFIG_DIR": str(plane.configuration)}
    yield uwsgi(plane, "placement", ["--wsgi-file", plane.program("placement-api")], own)
    yield daemon(plane, "glance-api", "glance-api.conf")
    yield daemon(plane, "nova-api-os-compute", *NOVA)
    yield daemon(plane, "neutron-server", "neutron.conf", "ml2.conf")
    yield daemon(plane, "cinder-api", "cinder.conf")


def _gazpacho_apis(plane: ControlPlane) -> Iterator[Service]:
    directory = str(plane.configuration)
    yield uwsgi(plane, "placement", ["--module", "placement.wsgi.api:application"], {"OS_PLACEMENT_CONFIG_DIR": directory})
    yield uwsgi(plane, "glance", ["--module", "glance.wsgi.api:application"], {"OS_GLANCE_CONFIG_DIR": directory})
    files = [f"{plane.venv}/etc/nova/api-paste.ini", *NOVA]  # nova.wsgi wants the paste file first
    nova = {"OS_NOVA_CONFIG_DIR": directory, "OS_NOVA_CONFIG_FILES": ";".join(files)}
    yield uwsgi(plane, "nova", ["--module", "nova.wsgi.osapi_compute:application"], nova)
    neutron = {"OS_NEUTRON_CONFIG_DIR": directory, "OS_NEUTRON_CONFIG_FILES": "neutron.conf;ml2.conf"}
    yield uwsgi(plane, "neutron", ["--module", "neutron.wsgi.api:application"], neutron)
    yield daemon(plane, "neutron-rpc-server", "neutron.conf", "ml2.conf")
    yield daemon(plane, "neutron-periodic-workers", "neutron.conf", "ml2.conf")
    arguments = ["--pyargv", " ".join(config_arguments(plane, "cinder.conf"))]
    yield uwsgi(plane, "cinder", ["--module", "cinder.wsgi.api:application", *arguments], {})


def daemon(plane: ControlPlane, program: str, *files: str) -> Service:
    return program, [plane.program(program), *config_arguments(plane, *files)], {}


def uwsgi(plane: ControlPlane, service: str, application: list[str], variables: dict[str, str]) -> Service:
    """uWSGI answers one request per connection here and has to say so, else clients reuse a connection that it has closed."""
    serving = ["--http-socket", f"{plane.address}:{PORTS[service]}", "--add-header", "Connection: close"]
    bodies = ["--http-chunked-input", "--post-buffering", "65536", "--buffer-size", "65535"]
    running = ["--enable-threads", "--threads", "4", "--lazy-apps", "--die-on-term", "--need-app", "--disable-logging"]
    return service, [plane.program("uwsgi"), *serving, *bodies, *running, *application], variables
