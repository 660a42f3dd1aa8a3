"""What of an inventory is written: the values to carry, in a stable order, without what changes by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from typing import Any, TypeVar

from millpond.model.block_storage import Attachment, Volume
from millpond.model.compute import Flavor, ServerGroup
from millpond.model.identity import Quota, User
from millpond.model.inventory import Inventory
from millpond.model.marker import own_tags
from millpond.model.network import Port, Router, SecurityGroup, Subnet

T = TypeVar("T")

VOLATILE = {
    "task_state",
    "power_state",
    "vm_state",
    "launched_at",
    "updated_at",
    "fault",
    "record",
    "marker",
    "user_data",
    "host_id",
    "nic_macs",
}
VOLATILE_OF: Mapping[type, set[str]] = {Attachment: {"host"}, Port: {"status"}, User: {"source_id"}, Quota: {"used"}}

# Fields whose order means nothing and may change from one listing to the next.
UNORDERED: Mapping[type, set[str]] = {
    Inventory: {each.name for each in fields(Inventory)},
    Flavor: {"access"},
    Port: {"security_groups", "allowed_address_pairs", "extra_dhcp_opts"},
    Router: {"routes"},
    SecurityGroup: {"rules"},
    ServerGroup: {"members"},
    Subnet: {"host_routes", "allocation_pools"},
    Volume: {"attachments"},
}
SORT_KEY = ("name", "service", "floating_ip_address", "user_domain", "user", "role", "id")


def carried(inventory: Inventory) -> Inventory:
    """The inventory as `dump_inventory` writes and `load_inventory` reads it. Two are equal when nothing that is carried differs."""
    return _tidy(inventory)


def _tidy(value: T) -> T:
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{each.name: _field(value, each) for each in fields(value)})
    if isinstance(value, tuple):
        return tuple(_tidy(each) for each in value)  # type: ignore[return-value]
    if isinstance(value, Mapping):
        return dict(sorted(value.items()))  # type: ignore[return-value]
    return value


def _field(holder: Any, each: Field[Any]) -> Any:
    value = getattr(holder, each.name)
    if each.name in VOLATILE or each.name in VOLATILE_OF.get(type(holder), ()):
        return {} if each.default is MISSING else each.default
    if each.name == "tags":
        return own_tags(value)
    if isinstance(value, tuple) and each.name in UNORDERED.get(type(holder), ()):
        return tuple(sorted((_tidy(item) for item in value), key=_place))
    return _tidy(value)


def _place(item: object) -> tuple[str, ...]:
    return (*(str(getattr(item, key, "")) for key in SORT_KEY), repr(item))
