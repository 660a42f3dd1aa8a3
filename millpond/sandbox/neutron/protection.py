"""Security groups, port security and address pairs of a port: what goes together (neutron/plugins/ml2/extensions/port_security.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron.refusals import refused

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

MAX_PAIRS = 10


def protect(service: NeutronService, caller: Caller, network: Row, values: Row) -> None:
    """Completes the values of a new port: port security as its network says, the default group unless groups are named."""
    trusted = values["device_owner"].startswith("network:")
    named = values.get("security_groups")
    secured = not trusted and values.get("port_security_enabled", network["port_security_enabled"])
    values["port_security_enabled"] = secured
    if named is not None:
        for id in named:
            service.security_groups.find(caller, id)
    elif secured and values["fixed_ips"] and not trusted:
        values["security_groups"] = [service.security_groups.ensure_default(values["project_id"])["id"]]
    else:
        values["security_groups"] = []
    if named and (not secured or not values["fixed_ips"]):
        raise refused("PortSecurityAndIPRequiredForSecurityGroups")
    _check_pairs(values)


def check_protection(port: Row) -> None:
    """Refuses a changed port whose parts do not go together."""
    if port["security_groups"] and not port["port_security_enabled"]:
        raise refused("PortSecurityPortHasSecurityGroup")
    _check_pairs(port)


def _check_pairs(port: Row) -> None:
    pairs = port["allowed_address_pairs"]
    if pairs and not port["port_security_enabled"]:
        raise refused("AddressPairAndPortSecurityRequired")
    if len(pairs) > MAX_PAIRS:
        raise refused("AllowedAddressPairExhausted", limit=MAX_PAIRS)
    seen = set()
    for pair in pairs:
        pair.setdefault("mac_address", port["mac_address"])
        key = (pair["mac_address"], pair["ip_address"])
        if key in seen:
            raise refused("DuplicateAddressPairInRequest", mac=key[0], ip=key[1])
        seen.add(key)
