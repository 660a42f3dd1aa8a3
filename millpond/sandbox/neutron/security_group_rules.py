"""Security group rules: normalised, checked, and never twice (neutron/db/securitygroups_db.py)."""

import ipaddress
from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.collection import Collection
from millpond.sandbox.neutron.refusals import refused

PROTOCOLS = {
    "ah": 51,
    "dccp": 33,
    "egp": 8,
    "esp": 50,
    "gre": 47,
    "icmp": 1,
    "icmpv6": 58,
    "igmp": 2,
    "ipip": 4,
    "ipv6-encap": 41,
    "ipv6-frag": 44,
    "ipv6-icmp": 58,
    "ipv6-nonxt": 59,
    "ipv6-opts": 60,
    "ipv6-route": 43,
    "ospf": 89,
    "pgm": 113,
    "rsvp": 46,
    "sctp": 132,
    "tcp": 6,
    "udp": 17,
    "udplite": 136,
    "vrrp": 112,
}
WITH_PORTS = (6, 17, 33, 132, 136)
ICMP = (1, 58)
EVERYWHERE = ("0.0.0.0/0", "::/0")
BLANK: Row = {
    "description": "",
    "protocol": None,
    "port_range_min": None,
    "port_range_max": None,
    "remote_ip_prefix": None,
    "remote_group_id": None,
    "remote_address_group_id": None,
}


class SecurityGroupRules(Collection):
    singular, plural, not_found = "security_group_rule", "security_group_rules", "SecurityGroupRuleNotFound"
    attributes = tables.SECURITY_GROUP_RULE
    tagged = False

    def complete(self, row: Row) -> Row:
        prefix = row["remote_ip_prefix"]
        return {**row, "normalized_cidr": str(ipaddress.ip_network(prefix, strict=False)) if prefix else None}

    def make(self, group: Row, **values: Any) -> Row:
        """A rule of the group without any check: those that come with a new group."""
        return self.add(**{**BLANK, "project_id": group["project_id"], "security_group_id": group["id"], **values})

    def create(self, caller: Caller, body: Row) -> Row:
        values = self.schema.for_create(caller, body)
        group = self.service.security_groups.find(caller, values["security_group_id"])
        if values["remote_group_id"] is not None:
            self.service.security_groups.find(caller, values["remote_group_id"])
        values["protocol"] = _protocol(values["protocol"])
        values["remote_ip_prefix"] = _prefix(values["remote_ip_prefix"])
        _check_remote(values)
        _check_ports(values)
        for other in self.table.where(security_group_id=group["id"]):
            if _meaning(other) == _meaning(values):
                raise refused("SecurityGroupRuleExists", id=other["id"])
        self.service.quotas.claim(values["project_id"], "security_group_rule")
        self.service.security_groups.change(group)
        return self.add(**{**BLANK, **values})

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        raise refused("HTTPNotFound")

    def delete(self, caller: Caller, id: str) -> None:
        row = self.writable(caller, "delete", id)
        self.remove(row)
        self.service.security_groups.change(self.service.security_groups.require(row["security_group_id"]))


def _protocol(value: Any) -> str | None:
    """As Neutron stores it: a known name in lower case, or a number as a string."""
    if value is None:
        return None
    word = str(value).lower()
    if word in PROTOCOLS or (word.isdigit() and int(word) <= 255):
        return word
    known = [None, *PROTOCOLS]
    reason = (
        f"Security group rule protocol {value} not supported. Only protocol values {known} and integer representations "
        "[0 to 255] are supported"
    )
    raise refused("HTTPBadRequest", reason=reason)


def _prefix(value: Any) -> str | None:
    """Host bits are kept; a bare address gets its full prefix length."""
    if not value:
        return None
    try:
        return str(ipaddress.ip_interface(value))
    except ValueError:
        raise refused("HTTPBadRequest", reason=f"Invalid CIDR {value} given as IP prefix.") from None


def _check_remote(rule: Row) -> None:
    if rule["remote_ip_prefix"] is not None:
        if rule["remote_group_id"] is not None:
            raise refused("SecurityGroupRemoteGroupAndRemoteIpPrefix")
        if ipaddress.ip_interface(rule["remote_ip_prefix"]).version != int(rule["ethertype"][-1]):
            raise refused("SecurityGroupRuleParameterConflict", ethertype=rule["ethertype"], cidr=rule["remote_ip_prefix"])


def _check_ports(rule: Row) -> None:
    low, high, protocol = rule["port_range_min"], rule["port_range_max"], _number(rule)
    if low is None and high is None:
        return
    if protocol is None:
        raise refused("SecurityGroupProtocolRequiredWithPorts")
    if protocol in ICMP:
        if low is None:
            raise refused("SecurityGroupMissingIcmpType", value=high)
    elif protocol in WITH_PORTS and (low is None or high is None or low > high):
        raise refused("SecurityGroupInvalidPortRange")
    for value in (low, high):
        if value is not None and not 0 <= value <= (255 if protocol in ICMP else 65535):
            raise refused("HTTPBadRequest", reason=f"Invalid value for port {value}")


def _number(rule: Row) -> int | None:
    protocol = rule["protocol"]
    if protocol is None:
        return None
    number = PROTOCOLS[protocol] if protocol in PROTOCOLS else int(protocol)
    return 58 if number == 1 and rule["ethertype"] == "IPv6" else number


def _meaning(rule: Row) -> tuple[Any, ...]:
    """Rules that mean the same are duplicates, however they were written."""
    prefix = rule["remote_ip_prefix"]
    network = str(ipaddress.ip_network(prefix, strict=False)) if prefix else None
    return (
        rule["direction"],
        rule["ethertype"],
        _number(rule),
        rule["port_range_min"],
        rule["port_range_max"],
        rule["remote_group_id"],
        rule.get("remote_address_group_id", None),
        None if network in EVERYWHERE else network,
    )
