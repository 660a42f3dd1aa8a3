"""Makes the databases of a control plane, and brings their tables to its release."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor

from tests.lab import infrastructure
from tests.lab.configuration import NOVA, config_arguments
from tests.lab.planes import ADMIN_PASSWORD, DATABASES, REGION, ControlPlane


def is_synced(plane: ControlPlane) -> bool:
    return _stamp_exists(plane, "synced")


def synchronise(plane: ControlPlane) -> None:
    """Two chains side by side. Every command may be run again, so one that was interrupted does no harm."""
    if is_synced(plane):
        return
    infrastructure.sql("".join(f"CREATE DATABASE IF NOT EXISTS {plane.name}_{name};" for name in DATABASES))
    with ThreadPoolExecutor() as pool:
        for chain in [pool.submit(_shared_services, plane), pool.submit(_nova_and_neutron, plane)]:
            chain.result()
    (plane.state / "synced").touch()


def map_hosts(plane: ControlPlane) -> None:
    """Puts the compute hosts that have registered into the cell, once."""
    if _stamp_exists(plane, "mapped"):
        return
    _run(plane, "nova-manage", NOVA, "cell_v2", "discover_hosts", "--by-service")
    (plane.state / "mapped").touch()


def forget(plane: ControlPlane) -> None:
    infrastructure.sql("".join(f"DROP DATABASE IF EXISTS {plane.name}_{name};" for name in DATABASES))


def _stamp_exists(plane: ControlPlane, name: str) -> bool:
    return (plane.state / name).exists()


def _shared_services(plane: ControlPlane) -> None:
    keystone = ("keystone-manage", ("keystone.conf",))
    keys = ("--keystone-user", "root", "--keystone-group", "root")
    _run(plane, *keystone, "db_sync")
    _run(plane, *keystone, "fernet_setup", *keys)
    _run(plane, *keystone, "credential_setup", *keys)
    urls = [word for kind in ("admin", "internal", "public") for word in (f"--bootstrap-{kind}-url", plane.auth_url)]
    password = ("--bootstrap-password", ADMIN_PASSWORD)
    _run(plane, *keystone, "bootstrap", *password, *urls, "--bootstrap-region-id", REGION, "--bootstrap-service-name", "keystone")
    _run(plane, "placement-manage", ("placement.conf",), "db", "sync")
    _run(plane, "glance-manage", ("glance-api.conf",), "db_sync")
    _run(plane, "cinder-manage", ("cinder.conf",), "db", "sync")


def _nova_and_neutron(plane: ControlPlane) -> None:
    nova = ("nova-manage", NOVA)
    _run(plane, *nova, "api_db", "sync")
    _run(plane, *nova, "cell_v2", "map_cell0", "--database_connection", infrastructure.database_url(plane, "nova_cell0"))
    if "cell1" not in _run(plane, *nova, "cell_v2", "list_cells"):
        _run(plane, *nova, "cell_v2", "create_cell", "--name", "cell1")
    _run(plane, *nova, "db", "sync")
    _run(plane, "neutron-db-manage", ("neutron.conf", "ml2.conf"), "upgrade", "heads")


def _run(plane: ControlPlane, program: str, files: tuple[str, ...], *words: str) -> str:
    command = [plane.program(program), *config_arguments(plane, *files), *words]
    finished = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=False)
    log = plane.directory / "log" / "databases.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as output:
        output.write(f"$ {' '.join(command)}\n{finished.stdout}{finished.stderr}")
    if finished.returncode:
        raise SystemExit(f"{' '.join(command)} ended with {finished.returncode}. See {log}")
    return finished.stdout
