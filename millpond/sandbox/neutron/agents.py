"""Agents: which hosts can bind ports, serve DHCP and route."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.collection import Collection, Filters
from millpond.sandbox.neutron.networks import VLAN_NETWORKS

if TYPE_CHECKING:
    from millpond.sandbox.neutron.service import NeutronService

BINARIES = {
    "Open vSwitch agent": "neutron-openvswitch-agent",
    "DHCP agent": "neutron-dhcp-agent",
    "L3 agent": "neutron-l3-agent",
    "Metadata agent": "neutron-metadata-agent",
    "OVN Controller agent": "ovn-controller",
    "OVN Controller Gateway agent": "ovn-controller",
    "OVN Metadata agent": "neutron-ovn-metadata-agent",
}
BINDING = ("Open vSwitch agent", "OVN Controller agent", "OVN Controller Gateway agent")
COMPUTES, NETWORK_NODES = 3, 2


class Agents(Collection):
    """Seeded with the cloud: one agent per host that Nova has (`<cloud>-compute-<n>`), and two network nodes."""

    singular, plural, not_found = "agent", "agents", "HTTPNotFound"
    attributes = tables.AGENT
    tagged = False

    def __init__(self, service: NeutronService) -> None:
        super().__init__(service)
        if not len(self.table):
            self._seed()

    def visible(self, caller: Caller, row: Row) -> bool:
        return caller.is_admin

    def complete(self, row: Row) -> Row:
        return {**row, "heartbeat_timestamp": self._time(), "resources_synced": None}

    def rows(self, caller: Caller, filters: Filters) -> list[Row]:
        return [row for row in self.table if caller.is_admin]

    def binds(self, host: str) -> bool:
        return any(row["agent_type"] in BINDING for row in self.table.where(host=host))

    def dhcp_hosts(self) -> list[str]:
        return [row["host"] for row in self.table.where(agent_type="DHCP agent") if row["admin_state_up"]]

    def router_host(self) -> str:
        """Where routers live on ML2/OVS; nowhere on ML2/OVN, whose router ports are not bound."""
        return next((str(row["host"]) for row in self.table.where(agent_type="L3 agent")), "")

    def _seed(self) -> None:
        name = self.service.cloud.name
        computes = [f"{name}-compute-{number}" for number in range(COMPUTES)]
        network_nodes = [f"{name}-network-{number}" for number in range(NETWORK_NODES)]
        if self.service.is_ovn:
            self._add(computes, "OVN Controller agent", "OVN Metadata agent")
            self._add(network_nodes, "OVN Controller Gateway agent")
        else:
            self._add(computes, "Open vSwitch agent")
            self._add(network_nodes, "Open vSwitch agent", "DHCP agent", "L3 agent", "Metadata agent")

    def _add(self, hosts: list[str], *types: str) -> None:
        for host in hosts:
            for agent_type in types:
                self.table.insert(self._row(host, agent_type))

    def _row(self, host: str, agent_type: str) -> dict[str, Any]:
        now = self._time()
        return {
            "id": str(uuid.uuid4()),
            "agent_type": agent_type,
            "binary": BINARIES[agent_type],
            "host": host,
            "topic": "N/A" if agent_type in BINDING else agent_type.lower().replace(" ", "_"),
            "availability_zone": "nova" if agent_type in ("DHCP agent", "L3 agent") else None,
            "alive": True,
            "admin_state_up": True,
            "description": None,
            "configurations": {"bridge_mappings": dict.fromkeys(VLAN_NETWORKS, "br-ex")} if agent_type in BINDING else {},
            "created_at": now,
            "started_at": now,
            "resource_versions": {},
            "revision_number": 0,
        }

    def _time(self) -> str:
        return self.service.cloud.world.clock.iso().replace("T", " ").rstrip("Z")
