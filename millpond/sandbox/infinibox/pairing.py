"""From the body of POST replicas to checked pairs: which volume goes onto which, and what both have in common already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from millpond.sandbox.core.store import Row
from millpond.sandbox.infinibox.refusal import bad_request, conflict

if TYPE_CHECKING:
    from millpond.sandbox.infinibox.array import InfiniBox


@dataclass(frozen=True)
class Pairing:
    """One pair before it is made. `remote` None: the target is to be created as `remote_name`."""

    local: Row
    remote: Row | None
    remote_name: str
    action: str
    diverged: bool = False
    """The two sides were declared equal although they are not."""

    @property
    def initialised(self) -> bool:
        return self.action in ("BASE", "TAKE_SNAP")


@dataclass(frozen=True)
class Plan:
    """A replication before it is made."""

    pairings: Sequence[Pairing]
    local_cg: Row | None = None
    remote_cg: Row | None = None
    remote_pool: Row | None = None
    options: Mapping[str, Any] = field(default_factory=dict)


class Checks:
    """Everything POST replicas refuses, before anything is changed on either side. Invented: the codes."""

    def __init__(self, box: InfiniBox, peer: InfiniBox) -> None:
        self.box, self.peer = box, peer

    def plan(self, body: Mapping[str, Any]) -> Plan:
        body = self._expanded(body)
        pairs = body.get("entity_pairs") or []
        kind = body.get("entity_type")
        if kind not in ("VOLUME", "CONSISTENCY_GROUP"):
            raise bad_request("BAD_REQUEST", f"Entity type {kind} cannot be replicated")
        if body.get("replication_type", "ASYNC") != "ASYNC":
            raise conflict("SYNC_REPLICATION_NOT_AVAILABLE", "The link allows asynchronous replication only")
        local_cg, remote_cg = self._groups(body, pairs) if kind == "CONSISTENCY_GROUP" else (None, None)
        if kind == "VOLUME" and len(pairs) != 1:
            raise bad_request("BAD_REQUEST", "A volume is replicated as exactly one pair")
        pool_id = body.get("remote_pool_id")
        pool = self.peer.pools.get(pool_id) if pool_id else None
        pairings = [self.pairing(pair, pool, local_cg) for pair in pairs]
        return Plan(pairings, local_cg, remote_cg, pool, body)

    def _expanded(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """The short form of feature replica_auto_create as entity pairs."""
        if "base_action" not in body:
            return body
        if body.get("entity_type", "VOLUME") != "VOLUME" or body["base_action"] != "NEW":
            raise bad_request("BAD_REQUEST", f"base_action {body['base_action']} is not supported here")
        pair = {
            "remote_base_action": "CREATE",
            "local_entity_id": body.get("local_entity_id"),
            "remote_entity_name": body.get("remote_entity_name"),
        }
        return {**body, "entity_type": "VOLUME", "entity_pairs": [pair]}

    def _groups(self, body: Mapping[str, Any], pairs: Sequence[Mapping[str, Any]]) -> tuple[Row, Row | None]:
        group = self.box.groups.get(body.get("local_cg_id") or 0)
        self.box.groups.refuse_replicated(group, "replicated again")
        members = {int(member["id"]) for member in self.box.groups.members(group)}
        if not members or members != {pair.get("local_entity_id") for pair in pairs} or len(pairs) != len(members):
            raise conflict("CG_MEMBERS_MISMATCH", "The pairs must name every member of the consistency group once")
        actions = {pair.get("remote_base_action") for pair in pairs}
        if actions == {"CREATE"}:
            return group, None
        remote_group = self.peer.groups.get(body.get("remote_cg_id") or 0)
        self.peer.groups.refuse_replicated(remote_group, "replicated again")
        remote_members = {int(member["id"]) for member in self.peer.groups.members(remote_group)}
        if "CREATE" in actions or remote_members != {pair.get("remote_entity_id") for pair in pairs}:
            raise conflict("CG_MEMBERS_MISMATCH", "The pairs must name every member of the remote consistency group once")
        return group, remote_group

    def pairing(self, pair: Mapping[str, Any], pool: Row | None, group: Row | None) -> Pairing:
        local = self.box.volumes.get(pair.get("local_entity_id") or 0)
        self._replicable(local)
        if (group["id"] if group else "") != local["group"]:
            raise conflict("VOLUME_IN_CONSISTENCY_GROUP", f"Volume {local['name']} is replicated with its consistency group")
        action = pair.get("remote_base_action")
        if action == "CREATE":
            return self._created(pair, local, pool)
        remote = self.peer.volumes.get(pair.get("remote_entity_id") or 0)
        self._replicable(remote)
        if remote["size"] != local["size"]:
            raise conflict("ENTITY_SIZE_MISMATCH", f"Volumes {local['name']} and {remote['name']} differ in size")
        if action == "NO_BASE_DATA":
            return self._onto_empty(local, remote)
        if action == "BASE":
            return self._on_base(pair, local, remote)
        if action == "TAKE_SNAP":
            return Pairing(local, remote, remote["name"], action, diverged=local["content"] != remote["content"])
        raise bad_request("BAD_REQUEST", f"Unknown remote_base_action {action}")

    def _replicable(self, volume: Row) -> None:
        if volume["type"] != "MASTER":
            raise conflict("VOLUME_IS_SNAPSHOT", "Only master volumes are replicated")
        if volume["replica_ids"]:
            raise conflict("ENTITY_IS_REPLICATED", f"Volume {volume['name']} is replicated already")

    def _created(self, pair: Mapping[str, Any], local: Row, pool: Row | None) -> Pairing:
        if pool is None:
            raise bad_request("BAD_REQUEST", "A target volume can only be created in a given remote_pool_id")
        name = pair.get("remote_entity_name") or f"{local['name']}-target"
        self.peer.volumes.claim_name(name)
        if local["size"] > self.peer.pools.free_virtual(pool):
            raise conflict("POOL_VIRTUAL_CAPACITY_EXCEEDED", f"Pool {pool['name']} has no virtual space for {name}")
        return Pairing(local, None, name, "CREATE")

    def _onto_empty(self, local: Row, remote: Row) -> Pairing:
        if remote["used"] or remote["content"]["writes"]:
            raise conflict("REMOTE_ENTITY_NOT_EMPTY", f"Volume {remote['name']} holds data")
        return Pairing(local, remote, remote["name"], "NO_BASE_DATA")

    def _on_base(self, pair: Mapping[str, Any], local: Row, remote: Row) -> Pairing:
        here = self.box.volumes.get(pair.get("local_base_entity_id") or 0)
        there = self.peer.volumes.get(pair.get("remote_base_entity_id") or 0)
        if here["parent"] != local["id"] or there["parent"] != remote["id"] or here["content"] != there["content"]:
            raise conflict("BASE_MISMATCH", "The base snapshots do not hold the same data of the two volumes")
        return Pairing(local, remote, remote["name"], "BASE")
