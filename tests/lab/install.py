"""Everything the lab needs on a bare Debian 12: packages, and one virtual environment per OpenStack release. A second run does nothing."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.lab.directory import lab_directory
from tests.lab.planes import PLANES, ControlPlane

HERE = Path(__file__).parent
PACKAGES = (
    "mariadb-server",
    "rabbitmq-server",
    "open-iscsi",  # os-brick asks iscsiadm what it can before it connects an adopted volume
    "qemu-utils",
    "iproute2",
    "build-essential",  # the old release's netifaces, scrypt, yappi and others have no wheel for Python 3.11
    "libssl-dev",
    "python3-dev",
    "python3-venv",
)
PYTHON = "/usr/bin/python3.11"
POLICY = Path("/usr/sbin/policy-rc.d")
"""invoke-rc.d asks this program whether a package may start its service; 101 forbids it (Debian Policy 9.3.3.1)."""


def install() -> None:
    begun = time.monotonic()
    install_packages()
    for plane in PLANES:
        install_release(plane)
    print(f"installed in {time.monotonic() - begun:.0f} s, in {lab_directory()}")


def missing_packages() -> list[str]:
    return [name for name in PACKAGES if not _is_installed(name)]


def _is_installed(package: str) -> bool:
    query = subprocess.run(["dpkg-query", "-W", "-f=${Status}", package], capture_output=True, text=True, check=False)
    return "ok installed" in query.stdout


def install_packages() -> None:
    """Their own services are not started: the lab runs its own instances, on loopback."""
    missing = missing_packages()
    if not missing:
        return
    begun = time.monotonic()
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    forbids_starts = not POLICY.exists()
    if forbids_starts:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        subprocess.run(["apt-get", "update", "-qq"], env=environment, check=True, stdout=subprocess.DEVNULL)
        _logged("apt", ["apt-get", "install", "-y", "-q", "--no-install-recommends", *missing], environment)
    finally:
        if forbids_starts:
            POLICY.unlink()
    print(f"Debian packages in {time.monotonic() - begun:.0f} s: {' '.join(missing)}")


def install_release(plane: ControlPlane) -> None:
    """The lock is copied beside the environment when all of it is in place, so that a changed lock or an interrupted run begins anew."""
    lock = HERE / "locks" / f"{plane.release}.lock"
    stamp = plane.venv / "installed.lock"
    if not stamp.exists() or stamp.read_text() != lock.read_text():
        begun = time.monotonic()
        shutil.rmtree(plane.venv, ignore_errors=True)
        subprocess.run([PYTHON, "-m", "venv", str(plane.venv)], check=True)
        _install_locked(plane, lock)
        compileall = [str(plane.python), "-m", "compileall", "-q", "-j", "2", str(plane.packages)]
        subprocess.run(compileall, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.copy(lock, stamp)
        print(f"{plane.release} in {time.monotonic() - begun:.0f} s")
    shutil.copy(HERE / "in_clouds" / "lab_hypervisor.py", plane.packages / "nova" / "virt")


def _install_locked(plane: ControlPlane, lock: Path) -> None:
    """uv is several times faster, but does not read pip's configuration: where that is what leads to packages, pip does the work."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "UV_CACHE_DIR": cache, "UV_SYSTEM_CERTS": "1", "UV_NO_PROGRESS": "1"}
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "install", "-q", "--python", str(plane.python)]
        words = ["--require-hashes", "-r", str(lock)]
        if subprocess.run([*uv, *words], env=environment, check=False).returncode:
            _logged(f"pip-{plane.release}", [str(plane.python), "-m", "pip", "install", "-q", *words], environment)


def _logged(name: str, command: list[str], environment: dict[str, str]) -> None:
    log = lab_directory() / "log" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        if subprocess.run(command, env=environment, stdout=output, stderr=output, check=False).returncode:
            raise SystemExit(f"{' '.join(command[:4])} failed. See {log}")
