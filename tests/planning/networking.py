"""Neutron in memory, by its bodies. Addresses, interfaces and the life of ports; no agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

from millpond.model import network as nouns
from millpond.model.identity import Quota
from millpond.model.marker import PARKED, marker_of
from millpond.model.network import AddressPair, Agent, AllocationPool, ExtraDhcpOption, FixedIP, Port, Route, SecurityGroupRule
from tests.planning.arrays import refused

if TYPE_CHECKING:
    from tests.planning.clouds import Cloud

NOUNS: Mapping[str, type] = {
    "network": nouns.Network,
    "subnet": nouns.Subnet,
    "port": nouns.Port,
    "router": nouns.Router,
    "floatingip": nouns.FloatingIP,
    "security_group": nouns.SecurityGroup,
}
WORDS = {
    "provider:network_type": "network_type",
    "provider:physical_network": "physical_network",
    "provider:segmentation_id": "segmentation_id",
    "binding:vnic_type": "vnic_type",
}
LEG = "network:router_interface"


def _values(body: Mapping[str, Any]) -> dict[str, Any]:
    """Neutron's words and rows as fields of the nouns."""
    values = {WORDS.get(key, key): value for key, value in body.items()}
    for key, make in (
        ("fixed_ips", lambda row: FixedIP(row["subnet_id"], row.get("ip_address", ""))),
        ("allocation_pools", lambda row: AllocationPool(row["start"], row["end"])),
        ("allowed_address_pairs", lambda row: AddressPair(row["ip_address"], row.get("mac_address", ""))),
        ("extra_dhcp_opts", lambda row: ExtraDhcpOption(row["opt_name"], row["opt_value"], row["ip_version"])),
        ("routes", lambda row: Route(row["destination"], row["nexthop"])),
        ("host_routes", lambda row: Route(row["destination"], row["nexthop"])),
    ):
        if key in values:
            values[key] = tuple(make(row) for row in values[key])
    for key in ("security_groups", "dns_nameservers"):
        if key in values:
            values[key] = tuple(values[key])
    if "external_gateway_info" in values:
        info = values.pop("external_gateway_info")
        values["gateway_network_id"] = info.get("network_id", "")
        values["enable_snat"] = info.get("enable_snat", True)
        values["external_fixed_ips"] = tuple(FixedIP(a.get("subnet_id", ""), a["ip_address"]) for a in info.get("external_fixed_ips", ()))
    return {key: "" if value is None else value for key, value in values.items()}


class Network:
    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        self.rows: dict[str, dict[str, Any]] = {kind: {} for kind in NOUNS}
        self.agents_: tuple[Agent, ...] = (Agent("Open vSwitch agent", "compute-1"),)
        self.limits: dict[str, int] = {}

    def put(self, kind: str, items: Iterable[Any]) -> None:
        self.rows[kind].update((item.id, item) for item in items)

    def _all(self, kind: str) -> tuple[Any, ...]:
        return tuple(replace(row, marker=marker_of(row.tags)) if row.tags else row for row in self.rows[kind].values())

    def owned(self, project: str) -> list[str]:
        rows = [row for kind in NOUNS for row in self.rows[kind].values()]
        return [row.id for row in rows if row.project_id == project and getattr(row, "name", "") != "default"]

    def networks(self, project_id: str) -> tuple[nouns.Network, ...]:
        return self._all("network")

    def subnets(self, project_id: str, networks: Sequence[str] | None = None) -> tuple[nouns.Subnet, ...]:
        return self._all("subnet")

    def ports(self, project_id: str, networks: Sequence[str] | None = None) -> tuple[Port, ...]:
        return self._all("port")

    def port(self, port_id: str) -> Port | None:
        return next((port for port in self.ports("") if port.id == port_id), None)

    def router(self, router_id: str) -> nouns.Router | None:
        return next((router for router in self.routers("") if router.id == router_id), None)

    def floating_ip(self, floating_ip_id: str) -> nouns.FloatingIP | None:
        return next((one for one in self.floating_ips("") if one.id == floating_ip_id), None)

    def routers(self, project_id: str) -> tuple[nouns.Router, ...]:
        return self._all("router")

    def floating_ips(self, project_id: str) -> tuple[nouns.FloatingIP, ...]:
        return tuple(f for f in self._all("floatingip") if f.description != PARKED)

    def parked_floating_ips(self) -> tuple[nouns.FloatingIP, ...]:
        return tuple(f for f in self._all("floatingip") if f.description == PARKED)

    def security_groups(self, project_id: str) -> tuple[nouns.SecurityGroup, ...]:
        return self._all("security_group")

    def agents(self) -> tuple[Agent, ...]:
        return self.agents_

    def extensions(self) -> frozenset[str]:
        return frozenset({"stateful-security-group", "dns-integration"})

    def quota(self, project_id: str) -> Quota:
        return Quota("network", dict(self.limits), {})

    def update_quota(self, project_id: str, limits: Mapping[str, int]) -> None:
        self.limits.update(limits)

    # Writing.

    def create(self, kind: str, body: Mapping[str, Any]) -> str:
        id = self.cloud.world.new_id(kind)
        if kind == "security_group_rule":
            return self._add_rule(id, body)
        noun = NOUNS[kind]
        known = {f.name for f in fields(noun)}
        values = {key: value for key, value in _values(body).items() if key in known}
        values = {"project_id": self.cloud.project_id, "name": "", **values} if "name" in known else values
        if kind == "floatingip":
            values.setdefault("project_id", self.cloud.project_id)
            if any(f.floating_ip_address == values["floating_ip_address"] for f in self.rows[kind].values()):
                raise refused("the address is taken")
        if kind == "port":
            values.setdefault("mac_address", f"fa:16:3e:99:00:{self.cloud.world.numbers['port']:02x}")
            self._free(values["fixed_ips"])
        self.rows[kind][id] = noun(id=id, **values)
        if kind == "security_group":
            self.rows[kind][id] = replace(self.rows[kind][id], rules=self._automatic(id, default=False))
        return id

    def _free(self, addresses: Sequence[FixedIP]) -> None:
        taken = {address for port in self.rows["port"].values() for address in port.fixed_ips}
        if taken & set(addresses):
            raise refused("the address is in use")

    def _automatic(self, group: str, *, default: bool) -> tuple[SecurityGroupRule, ...]:
        new = self.cloud.world.new_id
        out = [SecurityGroupRule(new("rule"), group, "egress", kind) for kind in ("IPv4", "IPv6")]
        inside = [SecurityGroupRule(new("rule"), group, "ingress", kind, remote_group_id=group) for kind in ("IPv4", "IPv6")]
        return (*out, *inside) if default else tuple(out)

    def first_touch(self, project: str) -> None:
        id = self.cloud.world.new_id("security_group")
        group = nouns.SecurityGroup(id, "default", "Default security group", rules=self._automatic(id, default=True), project_id=project)
        self.put("security_group", [group])

    def _add_rule(self, id: str, body: Mapping[str, Any]) -> str:
        known = {f.name for f in fields(SecurityGroupRule)}
        rule = SecurityGroupRule(id=id, **{key: value for key, value in body.items() if key in known})
        group = self.rows["security_group"][rule.security_group_id]
        self.rows["security_group"][group.id] = replace(group, rules=(*group.rules, rule))
        return id

    def update(self, kind: str, id: str, body: Mapping[str, Any]) -> None:
        row, values = self.rows[kind][id], _values(body)
        if kind == "router" and values.get("gateway_network_id") == "" and self._served(id):
            raise refused("the gateway is required by floating IPs")
        if kind == "floatingip" and values.get("port_id"):
            values["router_id"] = self._router_of(values["port_id"])
        if kind == "floatingip" and not values.get("port_id", True):
            values |= {"fixed_ip_address": "", "router_id": ""}
        self.rows[kind][id] = replace(row, **values)

    def _served(self, router: str) -> bool:
        return any(f.router_id == router and f.port_id for f in self.rows["floatingip"].values())

    def _router_of(self, port: str) -> str:
        network = self.rows["port"][port].network_id
        legs = [p for p in self.rows["port"].values() if p.device_owner == LEG and p.network_id == network]
        if not legs or not self.rows["router"][legs[0].device_id].gateway_network_id:
            raise refused("external network is not reachable from the subnet", 404)
        return str(legs[0].device_id)

    def delete(self, kind: str, id: str) -> None:
        if kind == "security_group_rule":
            for group in list(self.rows["security_group"].values()):
                self.rows["security_group"][group.id] = replace(group, rules=tuple(r for r in group.rules if r.id != id))
            return
        if id not in self.rows[kind]:
            raise refused(f"no {kind} {id}", 404)
        self._unused(kind, id)
        del self.rows[kind][id]

    def _unused(self, kind: str, id: str) -> None:
        ports = self.rows["port"].values()
        users = {
            "port": [p for p in ports if p.id == id and p.device_owner == LEG],
            "network": [p for p in ports if p.network_id == id],
            "subnet": [p for p in ports if any(a.subnet_id == id for a in p.fixed_ips)],
            "router": [p for p in ports if p.device_id == id],
            "security_group": [p for p in ports if id in p.security_groups],
        }
        if users.get(kind):
            raise refused(f"{kind} {id} is in use by {[p.id for p in users[kind]]}")

    def set_tags(self, kind: str, id: str, tags: Sequence[str]) -> None:
        self.rows[kind][id] = replace(self.rows[kind][id], tags=tuple(tags))

    def add_router_interface(self, router_id: str, port_id: str) -> None:
        port = self.rows["port"][port_id]
        if port.device_id:
            raise refused("the port is in use")
        self.rows["port"][port_id] = replace(port, device_id=router_id, device_owner=LEG, status="ACTIVE")

    def remove_router_interface(self, router_id: str, port_id: str) -> None:
        router, port = self.rows["router"][router_id], self.rows["port"][port_id]
        if router.routes:
            raise refused("the interface is required by a route")
        if any(f.router_id == router_id and f.port_id and self.rows["port"][f.port_id].network_id == port.network_id
               for f in self.rows["floatingip"].values()):  # fmt: skip
            raise refused("the interface is required by a floating IP")
        del self.rows["port"][port_id]

    # Of Nova.

    def bind(self, port: str, server: str) -> None:
        self.rows["port"][port] = replace(self.rows["port"][port], device_id=server, device_owner="compute:nova", status="DOWN")

    def up(self, server: str) -> None:
        for port in [p for p in self.rows["port"].values() if p.device_id == server]:
            self.rows["port"][port.id] = replace(port, status="ACTIVE" if port.admin_state_up else "DOWN")

    def unbind(self, server: str) -> None:
        """A port that Nova did not make stays, unbound."""
        for port in [p for p in self.rows["port"].values() if p.device_id == server]:
            self.rows["port"][port.id] = replace(port, device_id="", device_owner="", host_id="", status="DOWN")
