"""When two security group rules are the same, and what to create one with."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

from millpond.model.change import UNKNOWN
from millpond.model.network import SecurityGroupRule

RuleKey = tuple[str, str, str, int | None, int | None, str, str]
"""direction, ethertype, protocol number, lowest and highest port (ICMP: type and code), prefix, id of the remote group."""

NUMBERS = {
    "ah": "51",
    "dccp": "33",
    "egp": "8",
    "esp": "50",
    "gre": "47",
    "icmp": "1",
    "icmpv6": "58",
    "igmp": "2",
    "ipip": "4",
    "ipv6-encap": "41",
    "ipv6-frag": "44",
    "ipv6-icmp": "58",
    "ipv6-nonxt": "59",
    "ipv6-opts": "60",
    "ipv6-route": "43",
    "ospf": "89",
    "pgm": "113",
    "rsvp": "46",
    "sctp": "132",
    "tcp": "6",
    "udp": "17",
    "udplite": "136",
    "vrrp": "112",
}
"""Names that Neutron takes for a protocol (neutron_lib.constants.IP_PROTOCOL_MAP)."""
NAMES = {number: name for name, number in NUMBERS.items() if name != "icmpv6"}
ANY = ("", "any", "-1")


def protocol_number(protocol: str, ethertype: str) -> str:
    """Empty for any. With IPv6, `icmp` is taken as ipv6-icmp, as Neutron does."""
    lowered = protocol.lower()
    if lowered in ANY:
        return ""
    number = NUMBERS.get(lowered, lowered)
    return "58" if number == "1" and ethertype == "IPv6" else number


def prefix(text: str) -> str:
    """Canonical; empty for the whole Internet."""
    if not text:
        return ""
    network = ip_network(text, strict=False)
    return "" if network.prefixlen == 0 else str(network)


def automatic(group_id: str, *, is_default: bool) -> list[SecurityGroupRule]:
    """What Neutron gives to a new group (neutron/db/securitygroups_db.py): everything out; to `default` also its members in."""
    out = [SecurityGroupRule(UNKNOWN, group_id, "egress", ethertype) for ethertype in ("IPv4", "IPv6")]
    inside = [SecurityGroupRule(UNKNOWN, group_id, "ingress", ethertype, remote_group_id=group_id) for ethertype in ("IPv4", "IPv6")]
    return [*out, *inside] if is_default else out


def key_of(rule: SecurityGroupRule, remote_group: str) -> RuleKey:
    """`remote_group` is the id by which both sides know the rule's remote group."""
    return (
        rule.direction,
        rule.ethertype,
        protocol_number(rule.protocol, rule.ethertype),
        rule.port_range_min,
        rule.port_range_max,
        prefix(rule.remote_ip_prefix),
        remote_group,
    )


def text(key: RuleKey, names: Mapping[str, str]) -> str:
    """The rule in a few words, unique within its group: `ingress-ipv4-tcp-443-from-10.0.0.0/8`."""
    direction, ethertype, number, low, high, remote, group = key
    ports = "" if low is None and high is None else f"-{low}" if low == high else f"-{low}:{high}"
    protocol = NAMES.get(number, number) or "any"
    peer = f"group:{names.get(group, group)}" if group else remote or "any"
    way = "from" if direction == "ingress" else "to"
    return f"{direction}-{ethertype.lower()}-{protocol}{ports}-{way}-{peer}"


def body(rule: SecurityGroupRule, group_id: str, remote_group_id: str, project_id: str) -> dict[str, Any]:
    """Without what is not set. The protocol goes by its name where it has one: older and newer releases know it alike."""
    number = protocol_number(rule.protocol, rule.ethertype)
    values: dict[str, Any] = {
        "security_group_id": group_id,
        "project_id": project_id,
        "direction": rule.direction,
        "ethertype": rule.ethertype,
        "protocol": NAMES.get(number, number),
        "port_range_min": rule.port_range_min,
        "port_range_max": rule.port_range_max,
        "remote_ip_prefix": prefix(rule.remote_ip_prefix),
        "remote_group_id": remote_group_id,
        "description": rule.description,
    }
    return {name: value for name, value in values.items() if value is not None and value != ""}
