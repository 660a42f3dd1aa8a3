"""What stays behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millpond.model.manifest import Exclusion
from millpond.schemas.draft import Draft
from millpond.schemas.references import Objects


def excluded(draft: Draft) -> frozenset[str]:
    """Source ids of what the manifest excludes, and of the volumes attached to excluded servers."""
    entries = _entries(draft)
    servers = entries.keys() & draft.servers.ids.keys()
    volumes = {volume for server in servers for volume in draft.disks.volumes_of(server)}
    _shared_volumes(draft, entries)
    _root_disks(draft, entries)
    _ports(draft, entries)
    return frozenset(entries) | volumes


def _entries(draft: Draft) -> dict[str, str]:
    """source id → where the manifest excludes it"""
    found: dict[str, str] = {}
    for index, exclusion in enumerate(draft.manifest.exclude):
        for kind, text, known in _given(draft, exclusion):
            where = draft.where("exclude", index, kind)
            id = draft.found(known.find_name_or_id(text, where))
            if id in found:
                draft.problem(where, f"{kind} `{text}` is excluded twice", f"the first is at {found[id]}", "delete one of the entries")
            elif id:
                found[id] = where
    return found


def _given(draft: Draft, exclusion: Exclusion) -> Iterator[tuple[str, str, Objects]]:
    for kind, text, known in (
        ("server", exclusion.server, draft.servers),
        ("volume", exclusion.volume, draft.volumes),
        ("network", exclusion.network, draft.networks),
    ):
        if text:
            yield kind, text, known


def _shared_volumes(draft: Draft, entries: Mapping[str, str]) -> None:
    for server in sorted(entries.keys() & draft.servers.ids.keys(), key=list(entries).index):
        moving = draft.disks.sharing(server) - entries.keys()
        if moving:
            what = f"server {draft.servers.label(server)} stays behind, but shares a volume with {draft.servers.labels(moving)}"
            draft.problem(entries[server], what, "a volume cannot be on both sides", "exclude all of them, or none")


def _root_disks(draft: Draft, entries: Mapping[str, str]) -> None:
    for server in draft.inventory.servers:
        root = server.volumes[0].volume_id if server.volumes and not server.image_id else ""
        if root in entries and server.id not in entries:
            what = f"volume {draft.volumes.label(root)} stays behind, but server {draft.servers.label(server.id)} boots from it"
            draft.problem(entries[root], what, fix="exclude the server instead")


def _ports(draft: Draft, entries: Mapping[str, str]) -> None:
    users: dict[str, set[str]] = {}
    for port in draft.inventory.ports:
        if port.network_id in entries and port.device_id in draft.servers.ids and port.device_id not in entries:
            users.setdefault(port.network_id, set()).add(port.device_id)
    for network, servers in users.items():
        what = f"network {draft.networks.label(network)} stays behind, but is used by {draft.servers.labels(servers)}"
        fix = "exclude the servers too; a network that the target has already belongs in `maps.networks` of the site"
        draft.problem(entries[network], what, fix=fix)
