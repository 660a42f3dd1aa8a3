"""Every method of the ports, told apart by whether it may write."""

import inspect
from collections.abc import Callable, Iterator
from typing import Any

from millpond.providers import ports

READING = {
    ports.Identity: {"projects", "tagged_projects", "domains", "roles", "role_assignments", "groups", "users"},
    ports.Compute: {"servers", "server", "flavors", "flavor_access", "server_groups", "key_pairs", "quota", "user_data"},
    ports.BlockStorage: {"volumes", "initiators", "attachments", "snapshots", "backups", "volume_types", "storage_pools", "quota"},
    ports.Networking: {
        "networks",
        "subnets",
        "ports",
        "port",
        "router",
        "floating_ip",
        "routers",
        "floating_ips",
        "parked_floating_ips",
        "security_groups",
        "agents",
        "extensions",
        "quota",
    },
    ports.StorageArray: {"name", "facts", "pools", "volumes", "replicas", "groups", "clock"},
}
VALUES = {
    "str": "port",
    "bool": False,
    "int": 1,
    "Mapping[str, Any]": {},
    "Mapping[str, str]": {},
    "Mapping[str, int]": {},
    "Sequence[str]": [],
}


def methods(port: type) -> list[str]:
    return [
        name
        for name, value in vars(port).items()
        if not name.startswith("_") and (inspect.isfunction(value) or isinstance(value, property))
    ]


def writing(port: type) -> list[str]:
    return [name for name in methods(port) if name not in READING[port]]


def arguments(port: type, name: str, **known: Any) -> Iterator[Any]:
    """Something of the right type for every parameter without a default."""
    parameters = list(inspect.signature(getattr(port, name)).parameters.values())[1:]
    for parameter in parameters:
        if parameter.default is inspect.Parameter.empty:
            yield known[parameter.name] if parameter.name in known else VALUES.get(str(parameter.annotation))


def call(service: object, port: type, name: str, **known: Any) -> None:
    function: Callable[..., Any] = getattr(service, name)
    function(*arguments(port, name, **known))
