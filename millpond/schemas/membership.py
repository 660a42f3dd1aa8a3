"""Which wave each server and volume belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

from millpond.model.manifest import Wave
from millpond.schemas.draft import Draft


@dataclass
class Membership:
    """Source id → index of its wave. `places` says where the manifest names what it names."""

    draft: Draft
    excluded: frozenset[str]
    servers: dict[str, int] = field(default_factory=dict)
    volumes: dict[str, int] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)

    def assign(self, rest: int) -> None:
        """Gives each server and volume that moves its wave: the named one, its servers' one, or `rest`."""
        given = self.draft.manifest.waves
        for index, wave in enumerate(given):
            self._servers(index, wave)
        for server in self.draft.inventory.servers:
            if server.id not in self.excluded:
                self.servers.setdefault(server.id, rest)
        self._attached_volumes()
        attached = frozenset(self.volumes)
        for index, wave in enumerate(given):
            self._volumes(index, wave, attached)
        for volume in self.draft.inventory.volumes:
            if volume.id not in self.excluded:
                self.volumes.setdefault(volume.id, rest)

    def _servers(self, index: int, wave: Wave) -> None:
        for number, reference in enumerate(wave.servers):
            id = self.draft.server(reference, "waves", index, "servers", number)
            if id:
                where = self.draft.where("waves", index, "servers", number)
                self._join(self.servers, id, index, f"server {self.draft.servers.label(id)}", where)

    def _volumes(self, index: int, wave: Wave, attached: frozenset[str]) -> None:
        for number, reference in enumerate(wave.volumes):
            id = self.draft.volume(reference, "waves", index, "volumes", number)
            where = self.draft.where("waves", index, "volumes", number)
            label = f"volume {self.draft.volumes.label(id)}"
            if id in attached:
                self._with_its_servers(id, index, label, where)
            elif id:
                self._join(self.volumes, id, index, label, where)

    def _join(self, group: dict[str, int], id: str, index: int, label: str, where: str) -> None:
        if id in self.excluded:
            self.draft.problem(where, f"{label} is in a wave, but excluded", fix="delete it here, or delete its exclusion")
        elif id in self.places:
            other = self.draft.manifest.waves[group[id]].name
            what = f"{label} is named twice in wave `{other}`" if group[id] == index else f"{label} is in wave `{other}` already"
            self.draft.problem(where, what, f"the first is at {self.places[id]}", "delete one of them")
        else:
            group[id], self.places[id] = index, where

    def _with_its_servers(self, id: str, index: int, label: str, where: str) -> None:
        if self.volumes[id] != index:
            servers = self.draft.servers.labels(self.draft.disks.servers_of(id))
            what = f"{label} moves with {servers}, not with this wave"
            self.draft.problem(where, what, "it is attached to them", "delete it here; only detached volumes need to be named")

    def _attached_volumes(self) -> None:
        """A volume goes where its servers go; servers that share one must go together."""
        apart: set[frozenset[str]] = set()
        for volume in self.draft.inventory.volumes:
            servers = frozenset(self.draft.disks.servers_of(volume.id) & self.servers.keys())
            if not servers or volume.id in self.excluded:
                continue
            indexes = {self.servers[server] for server in servers}
            self.volumes[volume.id] = min(indexes)
            if len(indexes) > 1 and servers not in apart:
                apart.add(servers)
                where = next(place for id, place in self.places.items() if id in servers)
                what = (
                    f"{self.draft.servers.labels(servers)} share volume {self.draft.volumes.label(volume.id)}, but are in different waves"
                )
                self.draft.problem(where, what, "a volume cannot be on both sides", "put them into one wave")
