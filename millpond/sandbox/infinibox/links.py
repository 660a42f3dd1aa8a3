"""Links between two arrays, and the network spaces they stand on."""

from typing import Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.refusal import Refusal, bad_request, conflict


class NetworkSpaces(Collection):
    kind = "network_spaces"
    singular = "NETWORK_SPACE"

    def create(self, name: str, service: str, addresses: list[str], properties: dict[str, Any]) -> Row:
        ips = [
            {
                "ip_address": ip,
                "type": "MANAGEMENT" if number == 0 else service.removesuffix("_SERVICE"),
                "enabled": True,
                "reserved": False,
            }
            for number, ip in enumerate(addresses)
        ]
        return self.add(
            name=name,
            service=service,
            ips=ips,
            properties=properties,
            mtu=1500,
            rate_limit=None,
            interfaces=[],
            network_config={},
            automatic_ip_failback=True,
            tenant_id=1,
            routes=[],
        )


class Links(Collection):
    kind = "links"
    singular = "LINK"
    hidden = frozenset({"peer"})

    def create(self, name: str, network_space_id: Id, remote_host: str) -> Row:
        """Makes both ends. Two systems share at most one link, and none links to itself. Invented: the codes."""
        self.claim_name(name)
        space = self.box.network_spaces.get(network_space_id)
        if space["service"] != "RMR_SERVICE":
            raise conflict("NETWORK_SPACE_WRONG_SERVICE", "A link needs a network space for replication")
        peer = next((one for one in self.box.peers() if remote_host in one.replication_addresses()), None)
        if peer is None:
            raise bad_request("REMOTE_HOST_UNREACHABLE", f"No system answers at {remote_host}")
        if self.to(peer.name) is not None:
            raise conflict("LINK_ALREADY_EXISTS", f"A link to {peer.name} exists already")
        remote_space = peer.network_spaces.table.where(service="RMR_SERVICE")[0]
        here = self._end(name, int(space["id"]), remote_host, peer.name)
        local_host = self.box.replication_addresses()[0]
        there = peer.links._end(f"{name}-remote", int(remote_space["id"]), local_host, self.box.name)
        peer.links.change(there["id"], remote_link_id=int(here["id"]))
        return self.change(here["id"], remote_link_id=int(there["id"]))

    def _end(self, name: str, space_id: int, remote_host: str, peer: str) -> Row:
        other = self.box.arrays[peer]
        return self.add(
            name=name,
            local_replication_network_space_id=space_id,
            remote_host=remote_host,
            remote_link_id=0,
            peer=peer,
            remote_system_name=other.name,
            remote_system_serial_number=other.serial_number,
        )

    def to(self, peer: str) -> Row | None:
        rows = self.table.where(peer=peer)
        return rows[0] if rows else None

    def is_up(self) -> bool:
        return not self.box.world.faults.link_down()

    def delete(self, id: Id) -> Row:
        row = self.get(id)
        if self.box.replicas.table.where(link=row["id"]):
            raise conflict("LINK_HAS_REPLICAS", "Replicas use this link")
        self.box.arrays[row["peer"]].links.remove(row["remote_link_id"])
        self.remove(id)
        return row

    def require_up(self) -> None:
        if not self.is_up():
            raise Refusal(503, "REMOTE_SYSTEM_UNREACHABLE", "The remote system does not answer over the link", is_remote=True)

    def wire(self, row: Row) -> Row:
        return {
            **super().wire(row),
            "link_state": "UP" if self.is_up() else "DOWN",
            "state_description": None,
            "is_local_link_ready_for_sync": True,
            "async_only": False,
            "resiliency_mode": "CONSENSUS",
            "witness_address": None,
            "local_witness_state": None,
            "link_mode": "ASYNC_ONLY",
        }
