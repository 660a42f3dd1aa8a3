"""Writes the services' configuration files from the templates in etc/."""

from pathlib import Path
from string import Template

from tests.lab import infrastructure
from tests.lab.planes import COMPUTES, DATABASES, PORTS, REGION, SERVICE_PASSWORD, ControlPlane

TEMPLATES = Path(__file__).parent / "etc"
ARRAY_PASSWORD = "123456"
NOVA = ("nova.conf", "nova-databases.conf")
FILES = ("keystone.conf", "placement.conf", "glance-api.conf", *NOVA, "neutron.conf", "ml2.conf", "cinder.conf")
STATES = (
    *(f"{service}/lock" for service in PORTS),
    *(f"keystone/{keys}" for keys in ("fernet", "credential")),
    *(f"glance/{store}" for store in ("images", "staging", "tasks")),
    "nova/instances",
    "cinder/conversion",
)


def write(plane: ControlPlane) -> None:
    """Written anew on every `up`: a changed template holds from the next start on."""
    plane.configuration.mkdir(parents=True, exist_ok=True)
    for name in STATES:
        (plane.state / name).mkdir(parents=True, exist_ok=True)
    for keys in ("fernet", "credential"):
        (plane.state / "keystone" / keys).chmod(0o700)
    values = substitutions(plane)
    for name in FILES:
        (plane.configuration / name).write_text(Template((TEMPLATES / name).read_text()).substitute(values))
    for host in COMPUTES:
        state = plane.state / "nova" / host
        state.mkdir(exist_ok=True)
        (plane.configuration / f"{host}.conf").write_text(f"[DEFAULT]\nhost = {plane.name}-{host}\nstate_path = {state}\n")


def substitutions(plane: ControlPlane) -> dict[str, str]:
    return {
        "address": plane.address,
        "cloud": plane.name,
        "region": REGION,
        "venv": str(plane.venv),
        "state": str(plane.state),
        "vlans": plane.vlans,
        "pool": plane.pool,
        "array_address": plane.array_address,
        "array_password": ARRAY_PASSWORD,
        "queue": infrastructure.queue_url(plane),
        **{f"database_{name}": infrastructure.database_url(plane, name) for name in DATABASES},
        **{f"url_{service}": plane.url(service) for service in PORTS},
        **{f"login_{service}": login(plane, service) for service in PORTS},
    }


def login(plane: ControlPlane, user: str) -> str:
    """How a service's own user logs in, for keystoneauth."""
    return f"""\
auth_url = {plane.auth_url}
auth_type = password
username = {user}
password = {SERVICE_PASSWORD}
project_name = service
user_domain_id = default
project_domain_id = default
region_name = {REGION}"""


def config_arguments(plane: ControlPlane, *names: str) -> list[str]:
    return [word for name in names for word in ("--config-file", str(plane.configuration / name))]
