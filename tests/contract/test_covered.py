"""The contract drives every method of the ports, Neutron's generic writes once for each kind that Millpond writes."""

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest

import tests.contract
from millpond.providers import ports
from tests.contract.coverage import NEUTRON_WRITES, PROMISED

PORTS: dict[str, Any] = {
    "identity": ports.Identity,
    "compute": ports.Compute,
    "block_storage": ports.BlockStorage,
    "network": ports.Networking,
    "image": ports.Images,
    "array": ports.StorageArray,
}
TAGGED = ("network", "subnet", "port", "router", "floatingip", "security_group")
KINDS = {
    "create": (*TAGGED, "security_group_rule"),
    "update": TAGGED,
    "delete": (*TAGGED, "security_group_rule"),
    "set_tags": TAGGED,
}


def methods(port: str) -> set[str]:
    names = {name for name, _ in inspect.getmembers(PORTS[port], inspect.isfunction) if not name.startswith("_")}
    if port != "network":
        return {f"{port}.{name}" for name in names}
    plain = {f"network.{name}" for name in names - set(NEUTRON_WRITES)}
    return plain | {f"network.{name} {kind}" for name in NEUTRON_WRITES for kind in KINDS[name]}


@pytest.mark.parametrize("port", sorted(PORTS))
def test_every_method_is_driven(port: str) -> None:
    for module in pkgutil.iter_modules(tests.contract.__path__):
        import_module(f"tests.contract.{module.name}")
    assert methods(port) - PROMISED == set()
    assert {name for name in PROMISED if name.startswith(f"{port}.")} - methods(port) == set()
