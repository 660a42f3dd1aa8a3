"""Networks and the segments they occupy."""

from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.neutron import tables
from millpond.sandbox.neutron.collection import Collection
from millpond.sandbox.neutron.refusals import refused

MTU = {"vlan": 1500, "flat": 1500, "local": 1500, "vxlan": 1450, "gre": 1458, "geneve": 1442}
TUNNELS = ("vxlan", "gre", "geneve")
SELF_DELETING = ("network:dhcp", "network:distributed")
"""Ports that go with their network or subnet (neutron/db/_utils.py, AUTO_DELETE_PORT_OWNERS)."""
VLAN_NETWORKS = ("physnet1", "datacentre")
"""The physical networks that carry VLANs (network_vlan_ranges); any may be flat (flat_networks is `*`)."""
PROVIDER = ("provider:network_type", "provider:physical_network", "provider:segmentation_id")


class Networks(Collection):
    singular, plural, not_found = "network", "networks", "NetworkNotFound"
    attributes = tables.NETWORK

    def visible(self, caller: Caller, row: Row) -> bool:
        return self.owns(caller, row) or bool(row["shared"] or row["router:external"])

    def complete(self, row: Row) -> Row:
        return {
            **row,
            "subnets": [subnet["id"] for subnet in self.service.subnets.table.where(network_id=row["id"])],
            "availability_zones": ["nova"] if self.service.ports.table.where(network_id=row["id"], device_owner="network:dhcp") else [],
            "ipv4_address_scope": None,
            "ipv6_address_scope": None,
        }

    def create(self, caller: Caller, body: Row) -> Row:
        values = self.schema.for_create(caller, body)
        self.service.quotas.claim(values["project_id"], "network")
        segment = self._segment({name: values.pop(name, None) for name in PROVIDER})
        self.service.security_groups.ensure_default(values["project_id"])
        mtu = values["mtu"] or MTU[segment["provider:network_type"]]
        row = self.add(status="ACTIVE", **{**values, **segment, "mtu": mtu})
        self.service.consumers.network_created(row)
        return row

    def update(self, caller: Caller, id: str, body: Row) -> Row:
        row = self.writable(caller, "update", id)
        changes = self.schema.for_update(caller, body)
        if set(changes) & set(PROVIDER):
            raise refused("InvalidInput", reason="Plugin does not support updating provider attributes")
        if changes.get("shared") is False and row["shared"]:
            self._refuse_foreign_ports(row)
        if changes.get("router:external") is False and row["router:external"] and self._has_gateways(id):
            raise refused("ExternalNetworkInUse", id=id)
        return self.change(row, **changes)

    def delete(self, caller: Caller, id: str) -> None:
        row = self.writable(caller, "delete", id)
        ports = self.service.ports.table.where(network_id=id)
        if any(port["device_owner"] not in SELF_DELETING for port in ports):
            raise refused("NetworkInUse", id=id)
        for port in ports:
            self.service.ports.remove(port)
        for subnet in self.service.subnets.table.where(network_id=id):
            self.service.subnets.remove(subnet)
        self.remove(row)

    def _has_gateways(self, id: str) -> bool:
        return bool(self.service.ports.table.where(network_id=id, device_owner="network:router_gateway"))

    def _refuse_foreign_ports(self, row: Row) -> None:
        owners = {port["project_id"] for port in self.service.ports.table.where(network_id=row["id"])}
        if owners - {row["project_id"], ""}:
            raise refused("InvalidSharedSetting", id=row["id"])

    def _segment(self, wanted: dict[str, Any]) -> dict[str, Any]:
        """The segment asked for, if it is free; the next tunnel when none was."""
        kind, physical, number = (wanted[name] for name in PROVIDER)
        if kind is None:
            if physical is not None or number is not None:
                raise refused("InvalidInput", reason="network_type required for other provider attributes")
            kind = "geneve" if self.service.is_ovn else "vxlan"
        _check_segment(kind, physical, number)
        if kind == "vlan" and number is None:
            physical = physical or VLAN_NETWORKS[0]
            number = self._free(kind, physical, range(1000, 4095))
        if kind in TUNNELS and number is None:
            number = self._free(kind, None, range(1, 2**16))
        self._claim(kind, physical, number)
        return dict(zip(PROVIDER, (kind, physical, number), strict=True))

    def _occupied(self, kind: str, physical: str | None) -> set[Any]:
        rows = self.table.where(**{"provider:network_type": kind, "provider:physical_network": physical})
        return {row["provider:segmentation_id"] for row in rows}

    def _free(self, kind: str, physical: str | None, numbers: range) -> int:
        occupied = self._occupied(kind, physical)
        return next(number for number in numbers if number not in occupied)

    def _claim(self, kind: str, physical: str | None, number: int | None) -> None:
        if kind == "local" or number not in self._occupied(kind, physical):
            return
        if kind == "flat":
            raise refused("FlatNetworkInUse", physical_network=physical)
        if kind == "vlan":
            raise refused("VlanIdInUse", vlan=number, physical_network=physical)
        raise refused("TunnelIdInUse", tunnel=number)


def _check_segment(kind: str, physical: str | None, number: int | None) -> None:
    """Refuses what the ML2 type driver of that kind refuses."""
    reason = None
    if kind not in MTU:
        reason = f"network_type value '{kind}' not supported"
    elif kind == "flat" and physical is None:
        reason = "physical_network required for flat provider network"
    elif kind == "vlan" and physical is None and number is not None:
        reason = "segmentation_id requires physical_network for VLAN provider network"
    elif kind == "vlan" and physical not in (None, *VLAN_NETWORKS):
        reason = f"physical_network '{physical}' unknown for VLAN provider network"
    elif kind in TUNNELS and physical is not None:
        reason = f"provider:physical_network specified for {kind} network"
    elif kind == "vlan" and number is not None and not 1 <= number <= 4094:
        reason = "segmentation_id out of range (1 through 4094)"
    elif kind in ("flat", "local") and number is not None:
        reason = f"segmentation_id prohibited for {kind} provider network"
    if reason:
        raise refused("InvalidInput", reason=reason)
