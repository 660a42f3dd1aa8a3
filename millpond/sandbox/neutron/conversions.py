"""Checks of attribute values: each returns the value as Neutron stores it or raises ValueError with Neutron's reason."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any

Convert = Callable[[Any], Any]
MAC = re.compile(r"([0-9a-f]{2}:){5}[0-9a-f]{2}")
TRUE, FALSE = {"true", "1"}, {"false", "0"}
SERVICE_TYPES = ("network:", "compute:", "baremetal:", "")


def anything(value: Any) -> Any:
    return value


def string(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"'{value}' is not a valid string")
    if len(value) > 255:
        raise ValueError(f"'{value}' exceeds maximum length of 255")
    return value


def boolean(value: Any) -> bool:
    word = str(value).lower()
    if isinstance(value, bool | int | str) and word in TRUE | FALSE:
        return word in TRUE
    raise ValueError(f"'{value}' cannot be converted to boolean")


def integer(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        raise ValueError(f"'{value}' is not an integer") from None


def mac(value: Any) -> str:
    """As it was sent: Neutron keeps its case."""
    if not isinstance(value, str) or not MAC.fullmatch(value.lower().replace("-", ":")):
        raise ValueError(f"'{value}' is not a valid MAC address")
    return value.replace("-", ":")


def address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"'{value}' is not a valid IP address") from None


def cidr(value: Any) -> str:
    """A network, whose host bits are dropped; a prefix length is needed."""
    try:
        if "/" not in value:
            raise ValueError(f"'{value}' isn't a recognized IP subnet cidr, '{value}/32' is recommended")
        return str(ipaddress.ip_network(value, strict=False))
    except (TypeError, ValueError) as error:
        raise ValueError(str(error)) from None


def optional(convert: Convert) -> Convert:
    return lambda value: None if value is None else convert(value)


def one_of(*values: Any) -> Convert:
    def check(value: Any) -> Any:
        if value not in values:
            raise ValueError(f"'{value}' is not in {list(values)}")
        return value

    return check


def list_of(convert: Convert) -> Convert:
    def check(value: Any) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list):
            raise ValueError(f"'{value}' is not a list")
        return [convert(item) for item in value]

    return check


def unique(convert: Convert) -> Convert:
    """A list without duplicates, in the given order."""

    def check(value: Any) -> list[Any]:
        items: list[Any] = list_of(convert)(value)
        if len(set(items)) < len(items):
            raise ValueError(f"Duplicate items in the list: '{value}'")
        return items

    return check


def document(required: dict[str, Convert], extra: dict[str, Convert] | None = None) -> Convert:
    """An object with these keys and no others."""
    known = {**required, **(extra or {})}

    def check(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(f"'{value}' is not a dictionary")
        if not set(value) <= set(known) or not set(required) <= set(value):
            raise ValueError(f"Validation of dictionary's keys failed. Expected keys: {set(known)} Provided keys: {set(value)}")
        return {key: known[key](item) for key, item in value.items()}

    return check


def dhcp_option(value: Any) -> dict[str, Any]:
    """`opt_value` None takes the option away."""
    keys = {"opt_name": string, "opt_value": optional(string)}
    found: dict[str, Any] = document(keys, {"ip_version": one_of(4, 6)})(value)
    return {"ip_version": 4, **found}


def ethertype(value: Any) -> str:
    for known in ("IPv4", "IPv6"):
        if str(value).lower() == known.lower():
            return known
    raise ValueError(f"Security group rule for ethertype '{value}' not supported. Allowed values are ['IPv4', 'IPv6']")


def service_type(value: Any) -> str:
    if not isinstance(value, str) or not value.startswith(SERVICE_TYPES):
        raise ValueError(f"Subnet service type {value} does not correspond to a valid device owner")
    return value
