"""The port `StorageArray` on an InfiniBox."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from millpond.errors import NotFound, Refused, UnknownOutcome
from millpond.model.array import ArrayFacts, ArrayPool, ArrayVolume, ConsistencyGroup, Replica
from millpond.model.site import ArraySystem, Limits
from millpond.providers.access import Access
from millpond.providers.answers import Answer
from millpond.providers.infinibox.parse import (
    GROUP_FIELDS,
    POOL_FIELDS,
    REPLICA_FIELDS,
    VOLUME_FIELDS,
    parse_group,
    parse_pool,
    parse_replica,
    parse_volume,
)
from millpond.providers.infinibox.session import PeerLoginNeeded, Session
from millpond.providers.ports import PairRequest
from millpond.providers.together import Reads, together

Peers = Callable[[], Mapping[str, "InfiniBoxArray"]]
GROUP = "CONSISTENCY_GROUP"


class InfiniBoxArray:
    """`peers` gives the arrays at the other ends of its links, by name. May be used from many threads."""

    def __init__(self, system: ArraySystem, access: Access, limits: Limits, directory: Path, peers: Peers = dict) -> None:
        self._session = Session(system, access, limits, directory)
        self._limits = limits
        self._peers = peers

    @property
    def name(self) -> str:
        return self._session.name

    def log_in(self) -> None:
        """BadCredentials, ReadingAccount or Unreachable where that fails; nothing is sent where it is logged in."""
        self._session.log_in()

    def close(self) -> None:
        """Ends its connections; a later request opens them anew."""
        self._session.close()

    # Reading.

    def facts(self) -> ArrayFacts:
        with Reads() as reads:
            asked = reads.begin(self._session.get, "system", fields="name,serial_number,localtime")
            links = reads.begin(self._links)
            total = reads.begin(self._session.count, "replicas")
            system = asked.result()
            return ArrayFacts(
                array=self.name,
                name=system["name"],
                serial=str(system["serial_number"]),
                now_ms=utc(system),
                links=links.result(),
                replicas_total=total.result(),
                replicas_limit=self._limits.replicas,
            )

    def _links(self) -> Mapping[str, bool]:
        rows = self._session.rows("links", ["remote_system_serial_number", "link_state"])
        return {str(row["remote_system_serial_number"]): row["link_state"] == "UP" for row in rows}

    def clock(self) -> int:
        return utc(self._session.get("system", fields="localtime"))

    def pools(self) -> tuple[ArrayPool, ...]:
        return tuple(parse_pool(self.name, row) for row in self._session.rows("pools", POOL_FIELDS))

    def volumes(self, names: Sequence[str], ids: Sequence[int] = ()) -> tuple[ArrayVolume, ...]:
        if not names and not ids:
            return ()
        with Reads() as reads:
            asked = reads.begin(self._hosts)
            wanted = (("name", list(names)), ("id", list(ids)))
            rows = together([partial(self._session.rows_in, "volumes", VOLUME_FIELDS, field, values) for field, values in wanted])
            found: dict[int, Answer] = {row["id"]: row for some in rows for row in some}
            snapshots, hosts = self._snapshots(list(found)), asked.result()
        return tuple(parse_volume(self.name, row, tuple(snapshots[id]), tuple(hosts[id])) for id, row in found.items())

    def _snapshots(self, ids: Sequence[int]) -> Mapping[int, list[str]]:
        names: defaultdict[int, list[str]] = defaultdict(list)
        for row in self._session.rows_in("volumes", ["name", "parent_id"], "parent_id", list(ids)):
            names[row["parent_id"]].append(row["name"])
        return names

    def _hosts(self) -> Mapping[int, list[str]]:
        names: defaultdict[int, list[str]] = defaultdict(list)
        for host in self._session.rows("hosts", ["name", "luns"]):
            for lun in host.get("luns") or ():
                names[lun["volume_id"]].append(host["name"])
        return names

    def replicas(self, entities: Sequence[int] | None = None) -> tuple[Replica, ...]:
        """One request whatever is asked for: an array holds some 250 replicas at most."""
        found = [parse_replica(self.name, row) for row in self._session.rows("replicas", REPLICA_FIELDS)]
        return tuple(one for one in found if entities is None or one.entity in set(entities))

    def groups(self) -> tuple[ConsistencyGroup, ...]:
        rows = [row for row in self._session.rows("cgs", GROUP_FIELDS) if row.get("type", "MASTER") == "MASTER"]
        members: defaultdict[int, list[int]] = defaultdict(list)
        for volume in self._session.rows_in("volumes", ["id", "cg_id"], "cg_id", [row["id"] for row in rows]):
            members[volume["cg_id"]].append(volume["id"])
        return tuple(parse_group(self.name, row, tuple(members[row["id"]])) for row in rows)

    # Groups, volumes.

    def create_group(self, name: str, pool: str) -> int:
        return self._session.create("cgs", {"name": name, "pool_id": self.pool_id(pool)})

    def add_member(self, group: int, volume: int) -> None:
        self._send("post", f"cgs/{group}/members", {"dataset_id": volume})

    def delete_group(self, group: int) -> None:
        self._send("delete", f"cgs/{group}")

    def snapshot(self, volume: int, name: str) -> int:
        return self._session.create("volumes", {"name": name, "parent_id": volume})

    def delete_volume(self, volume: int) -> None:
        self._session.send("delete", f"volumes/{volume}")

    def pool_id(self, name: str) -> int:
        for row in self._session.rows("pools", ["id"], name=f"eq:{name}"):
            return row.whole("id")
        raise NotFound(f"array {self.name} has no pool {name}", where=self.name)

    # Replicas. The array may ask for a login to its peer in any of these calls.

    def pair(self, request: PairRequest) -> int:
        peer = self._peers().get(request.remote_array)
        if peer is None:
            raise Refused(f"array {request.remote_array} is not configured", status=404, where=self.name)
        self._session.know(peer._session)
        body: dict[str, Any] = {
            "link_id": self._link_to(peer),
            "entity_type": GROUP if request.group else "VOLUME",
            "entity_pairs": [entity_pair(*member) for member in request.members],
            "sync_interval": request.sync_interval * 1000,
            "rpo_value": request.rpo * 1000,
        }
        if request.group:
            body["local_cg_id"] = request.group
        if request.remote_group:
            body["remote_cg_id"] = request.remote_group
        if any(not remote for _, remote, _ in request.members):
            body["remote_pool_id"] = peer.pool_id(request.remote_pool)
        made = self._sent("post", "replicas", body)
        if not isinstance(made, Answer):
            raise UnknownOutcome("`result` in the answer is no object", where=f"{self.name}: POST replicas")
        return made.whole("id")

    def _link_to(self, peer: InfiniBoxArray) -> int:
        serial = str(peer._session.get("system", fields="serial_number")["serial_number"])
        for row in self._session.rows("links", ["id", "remote_system_serial_number"]):
            if str(row["remote_system_serial_number"]) == serial:
                return row.whole("id")
        raise NotFound(f"array {self.name} has no link to array {peer.name}", where=self.name)

    def sync(self, replica: int) -> None:
        self._send("post", f"replicas/{replica}/sync")

    def suspend(self, replica: int) -> None:
        self._send("post", f"replicas/{replica}/suspend")

    def resume(self, replica: int) -> None:
        self._send("post", f"replicas/{replica}/resume")

    def change_role(self, replica: int) -> None:
        self._send("post", f"replicas/{replica}/change_role")

    def unpair(self, replica: int) -> None:
        self._send("delete", f"replicas/{replica}", retain_staging_area="false")

    def _send(self, method: str, path: str, body: Any = None, **parameters: str) -> None:
        self._sent(method, path, body, **parameters)

    def _sent(self, method: str, path: str, body: Any = None, **parameters: str) -> Any:
        """Logs in to the peers only when the array asks for it: suspending and promoting must work while the other side is away.

        infinisdk gives up when another thread has put the login into the shared session meanwhile: the second time it is there.
        """
        try:
            return self._session.send(method, path, body, **parameters)
        except PeerLoginNeeded:
            self._know_peers()
            try:
                return self._session.send(method, path, body, **parameters)
            except PeerLoginNeeded:
                return self._session.send(method, path, body, **parameters)

    def _know_peers(self) -> None:
        for peer in self._peers().values():
            if peer is not self:
                self._session.know(peer._session)


def entity_pair(local: int, remote: int, remote_name: str) -> dict[str, Any]:
    """Onto an existing empty volume, or onto one that the array creates; never without a name, else the array makes one up."""
    if remote:
        return {"remote_base_action": "NO_BASE_DATA", "local_entity_id": local, "remote_entity_id": remote}
    return {"remote_base_action": "CREATE", "local_entity_id": local, "remote_entity_id": None, "remote_entity_name": remote_name}


def utc(system: Answer) -> int:
    return system.one("localtime").whole("utc_time")
