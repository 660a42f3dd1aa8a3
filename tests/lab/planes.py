"""The two control planes: which release, where they listen, what they run."""

from dataclasses import dataclass
from pathlib import Path

from tests.lab.directory import lab_directory

REGION = "RegionOne"
ADMIN_PASSWORD = "lab-admin"
SERVICE_PASSWORD = "lab-service"
"""Loopback alone is listened on: these open nothing to anybody who is not on the machine already."""

PORTS = {"keystone": 5000, "placement": 8778, "glance": 9292, "nova": 8774, "neutron": 9696, "cinder": 8776}
DATABASES = ("keystone", "placement", "glance", "nova_api", "nova", "nova_cell0", "neutron", "cinder")
COMPUTES = ("compute-1", "compute-2")


@dataclass(frozen=True)
class ControlPlane:
    """`array`: the name of the InfiniBox that its Cinder drives."""

    name: str
    release: str
    address: str
    array: str
    array_address: str
    pool: str
    floating: tuple[str, str]
    vlans: str
    """What its tenants' own networks are given; a VLAN outside of it an administrator may still use."""

    @property
    def directory(self) -> Path:
        return lab_directory() / self.name

    @property
    def configuration(self) -> Path:
        return self.directory / "etc"

    @property
    def state(self) -> Path:
        return self.directory / "state"

    @property
    def venv(self) -> Path:
        return lab_directory() / "releases" / self.release

    @property
    def python(self) -> Path:
        return self.venv / "bin" / "python"

    @property
    def packages(self) -> Path:
        return next((self.venv / "lib").glob("python3.*")) / "site-packages"

    def program(self, name: str) -> str:
        return str(self.venv / "bin" / name)

    def url(self, service: str) -> str:
        return f"http://{self.address}:{PORTS[service]}"

    @property
    def auth_url(self) -> str:
        return self.url("keystone") + "/v3"

    @property
    def cloud(self) -> str:
        """Its administrator's name in clouds.yaml."""
        return f"{self.name}-admin"


SOURCE = ControlPlane(
    "source", "antelope", "127.0.0.31", "ibox-a", "127.0.0.21", "pool-a1", floating=("203.0.113.50", "203.0.113.149"), vlans="100:999"
)
TARGET = ControlPlane(
    "target", "gazpacho", "127.0.0.32", "ibox-b", "127.0.0.22", "pool-b1", floating=("203.0.113.200", "203.0.113.239"), vlans="2000:2999"
)
PLANES = (SOURCE, TARGET)
