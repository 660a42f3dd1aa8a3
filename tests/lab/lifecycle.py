"""Brings the lab up and down, and says how it is."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from keystoneauth1.exceptions import ClientException
from openstack.exceptions import SDKException

from tests.lab import access, clouds_yaml, configuration, databases, foundation, health, infrastructure, services
from tests.lab.directory import lab_directory
from tests.lab.install import missing_packages
from tests.lab.planes import PLANES, SOURCE, TARGET, ControlPlane
from tests.lab.processes import Processes


def up() -> None:
    """Starts what does not run. What runs already is left alone, so a second `up` reuses a lab and mends one that is half dead."""
    begun = time.monotonic()
    require_installation()
    infrastructure.start()
    foundation.lay_arrays()
    clouds = clouds_yaml.write()
    with ThreadPoolExecutor() as pool:
        for rising in [pool.submit(raise_plane, plane) for plane in PLANES]:
            rising.result()
    arrays = {plane.array: f"http://{plane.array_address}:{infrastructure.ARRAYS_PORT}" for plane in PLANES}
    access.write_state(access.Lab(lab_directory(), SOURCE.cloud, TARGET.cloud, arrays))
    print(f"the lab is up after {time.monotonic() - begun:.0f} s: export OS_CLIENT_CONFIG_FILE={clouds}")


def raise_plane(plane: ControlPlane) -> None:
    configuration.write(plane)
    databases.synchronise(plane)
    services.start(plane, services.keystone(plane))
    infrastructure.wait_for(f"{plane.name}'s Keystone", lambda: infrastructure.listens(plane.address, 5000))
    foundation.lay_catalogue(plane)
    services.start(plane, services.others(plane))
    health.wait_for_hosts(plane)
    databases.map_hosts(plane)
    health.wait(plane)
    foundation.lay_resources(plane)


def require_installation() -> None:
    missing = missing_packages() + [plane.release for plane in PLANES if not (plane.venv / "installed.lock").exists()]
    if missing:
        raise SystemExit(f"not installed yet: {' '.join(missing)}. As root:\n  python -m tests.lab install")


def down() -> None:
    """Ends every recorded process. Databases, queues, volumes and images stay for the next `up`."""
    begun = time.monotonic()
    access.remove_state()
    with ThreadPoolExecutor() as pool:
        for ending in [pool.submit(services.processes(plane).stop) for plane in PLANES]:
            ending.result()
    infrastructure.stop()
    print(f"the lab is down after {time.monotonic() - begun:.0f} s")


def wipe() -> None:
    """Brings it down and removes all state. What was installed stays."""
    down()
    for directory in [infrastructure.directory(), *(plane.directory for plane in PLANES)]:
        shutil.rmtree(directory, ignore_errors=True)


def status() -> None:
    """SystemExit 1 unless everything runs and serves."""
    sound = True
    for name, own in {"infrastructure": infrastructure.processes(), **{plane.name: services.processes(plane) for plane in PLANES}}.items():
        running = [one for one in own.names() if own.alive(one)]
        dead = own.dead()
        sound = sound and bool(running) and not dead
        print(f"{name}: {len(running)} processes, {memory(own):.0f} MiB{'; dead: ' + ', '.join(dead) if dead else ''}")
    if not sound:
        raise SystemExit("the lab is not up: python -m tests.lab up")
    for plane in PLANES:
        try:
            health.check(plane)
            print(f"{plane.name}: {plane.release} serves at {plane.auth_url}")
        except (health.Unhealthy, SDKException, ClientException) as missing:
            raise SystemExit(f"{plane.name}: {missing}") from None


def memory(processes: Processes) -> float:
    """MiB in use by the recorded processes and their children, each page that several share counted once in all (PSS)."""
    groups = {str(pid) for name in processes.names() if (pid := processes.pid(name))}
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
            if fields[2] in groups:
                rollup = (stat.parent / "smaps_rollup").read_text()
                total += int(next(line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")))
        except (OSError, StopIteration):
            continue
    return total / 1024
