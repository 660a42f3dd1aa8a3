"""Hosts, their ports, and the logical units by which they see volumes."""

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.collection import Collection, Id
from millpond.sandbox.infinibox.refusal import Refusal, bad_request, conflict


class Hosts(Collection):
    kind = "hosts"
    singular = "HOST"

    def create(self, name: str) -> Row:
        self.claim_name(name)
        return self.add(name=name, ports=[], san_client_type="HOST", host_cluster_id=0, host_type="DEFAULT")

    def add_port(self, id: Id, type: str, address: str) -> Row:
        row = self.get(id)
        for host in self.table:
            if any(port["address"].lower() == address.lower() for port in host["ports"]):
                raise conflict("PORT_ALREADY_BELONGS_TO_HOST", f"Port {address} belongs to host {host['name']}")
        if type.upper() not in ("FC", "ISCSI"):
            raise bad_request("BAD_REQUEST", f"Unknown port type {type}")
        port = {"type": type.upper(), "address": address, "host_id": int(row["id"])}
        self.change(id, ports=[*row["ports"], port])
        return port

    def remove_port(self, id: Id, address: str) -> Row:
        row = self.get(id)
        kept = [port for port in row["ports"] if port["address"] != address]
        if len(kept) == len(row["ports"]):
            raise Refusal(404, "PORT_NOT_FOUND", f"Host {row['name']} has no port {address}")
        return self.change(id, ports=kept)

    def with_port(self, address: str) -> Row | None:
        for row in self.table:
            if any(port["address"].lower() == address.lower() for port in row["ports"]):
                return row
        return None

    def delete(self, id: Id) -> Row:
        """Invented: a host that still sees volumes is refused."""
        row = self.get(id)
        if self.luns_of_host(row["id"]):
            raise conflict("HOST_HAS_LUNS", f"Host {row['name']} still sees volumes")
        self.box.metadata.clear(row["id"])
        self.remove(id)
        return row

    def map(self, id: Id, volume_id: Id, lun: int | None = None) -> Row:
        host, volume = self.get(id), self.box.volumes.get(volume_id)
        existing = self.luns_of_host(host["id"])
        if any(one["volume"] == volume["id"] for one in existing):
            raise conflict("MAPPING_ALREADY_EXISTS", f"Volume {volume['name']} is already mapped to {host['name']}")
        taken = {one["lun"] for one in existing}
        number = next(number for number in range(1, 16384) if number not in taken) if lun is None else lun
        if number in taken:
            raise conflict("LUN_ALREADY_EXISTS", f"LUN {number} is in use on host {host['name']}")
        return self._luns.add(lun=number, volume=volume["id"], host=host["id"])

    def unmap(self, id: Id, lun: int) -> Row:
        row = self.lun(id, lun)
        self._luns.remove(row["id"])
        return row

    def lun(self, id: Id, lun: int) -> Row:
        for row in self.luns_of_host(self.get(id)["id"]):
            if row["lun"] == lun:
                return row
        raise Refusal(404, "LUN_NOT_FOUND", f"Host {id} has no LUN {lun}")

    def luns_of_host(self, id: Id) -> list[Row]:
        return self._luns.table.where(host=str(id))

    def luns_of_volume(self, id: Id) -> list[Row]:
        return self._luns.table.where(volume=str(id))

    @property
    def _luns(self) -> "Luns":
        return self.box.luns

    def wire(self, row: Row) -> Row:
        luns = [self._luns.wire(lun) for lun in self.luns_of_host(row["id"])]
        return {
            **super().wire(row),
            "luns": luns,
            "luns_count": len(luns),
            "ports_count": len(row["ports"]),
            "security_method": "NONE",
        }


class Luns(Collection):
    kind = "luns"
    singular = "LUN"
    hidden = frozenset({"volume", "host", "created_at", "updated_at"})

    def wire(self, row: Row) -> Row:
        return {
            **super().wire(row),
            "volume_id": int(row["volume"]),
            "host_id": int(row["host"]),
            "host_cluster_id": 0,
            "clustered": False,
            "udid": None,
        }
