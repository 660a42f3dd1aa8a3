"""The port `Networking` on Neutron v2.0. An admin may name any project, so that everything goes with the login's own token."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from threading import Lock
from typing import Any, TypeVar

from millpond.errors import NotFound
from millpond.model.identity import Quota
from millpond.model.network import Agent, FloatingIP, Network, Port, Router, SecurityGroup, Subnet
from millpond.providers.openstack.parse_compute import parse_detailed_quota
from millpond.providers.openstack.parse_network import (
    parse_agent,
    parse_floating_ip,
    parse_network,
    parse_port,
    parse_router,
    parse_security_group,
    parse_subnet,
)
from millpond.providers.openstack.service import Parameters, Row, Service
from millpond.providers.openstack.sight import shown
from millpond.providers.together import together

CHUNK = 80
"""Network ids in one query string: the line stays below 4 KiB, which every proxy lets through."""

PARKED = "millpond: parked"
PROVIDER = ("provider:network_type", "segments")
"""A network has the one, or the other where it has several segments (neutron/plugins/ml2/managers.py)."""
Noun = TypeVar("Noun")


class NeutronNetworking:
    def __init__(self, service: Service) -> None:
        self._neutron = service
        self._asking = Lock()
        self._extensions: frozenset[str] | None = None

    def _list(self, kind: str, parameters: Parameters | None = None) -> Iterator[Row]:
        return self._neutron.rows(path(kind), f"{kind}s", parameters)

    def _rows(self, kind: str, parameters: Parameters) -> list[Row]:
        return list(self._list(kind, parameters))

    def _of(self, kind: str, project_id: str, parse: Callable[[Row], Noun]) -> tuple[Noun, ...]:
        return tuple(parse(row) for row in self._list(kind, {"project_id": project_id}))

    def networks(self, project_id: str) -> tuple[Network, ...]:
        rows = self._visible_networks(project_id)
        return tuple(parse_network(row) for row in shown(rows, self._neutron.scopes.name, "networks", *PROVIDER))

    def _visible_networks(self, project_id: str, fields: Parameters | None = None) -> list[Row]:
        questions: tuple[Parameters, ...] = ({"project_id": project_id}, {"shared": "True"}, {"router:external": "True"})
        found = together([partial(self._rows, "network", {**asked, **(fields or {})}) for asked in questions])
        return once(row for rows in found for row in rows)

    def subnets(self, project_id: str, networks: Sequence[str] | None = None) -> tuple[Subnet, ...]:
        if networks is None:
            networks = [row["id"] for row in self._visible_networks(project_id, {"fields": "id"})]
        return tuple(parse_subnet(row) for row in self._on_networks("subnet", networks))

    def _on_networks(self, kind: str, network_ids: Sequence[str]) -> list[Row]:
        return [row for some in chunks(network_ids) for row in self._list(kind, {"network_id": some})]

    def ports(self, project_id: str, networks: Sequence[str] | None = None) -> tuple[Port, ...]:
        if networks is None:
            networks = [row["id"] for row in self._list("network", {"project_id": project_id, "fields": "id"})]
        own, others = together([lambda: self._rows("port", {"project_id": project_id}), lambda: self._on_networks("port", networks)])
        return tuple(parse_port(row) for row in once([*own, *others]))

    def port(self, port_id: str) -> Port | None:
        return self._one("port", port_id, parse_port)

    def router(self, router_id: str) -> Router | None:
        return self._one("router", router_id, parse_router)

    def floating_ip(self, floating_ip_id: str) -> FloatingIP | None:
        return self._one("floatingip", floating_ip_id, parse_floating_ip)

    def _one(self, kind: str, id: str, parse: Callable[[Row], Noun]) -> Noun | None:
        try:
            return parse(self._neutron.get(f"/{kind}s/{id}", kind))
        except NotFound:
            return None

    def routers(self, project_id: str) -> tuple[Router, ...]:
        return self._of("router", project_id, parse_router)

    def floating_ips(self, project_id: str) -> tuple[FloatingIP, ...]:
        return self._of("floatingip", project_id, parse_floating_ip)

    def parked_floating_ips(self) -> tuple[FloatingIP, ...]:
        return tuple(one for one in self.floating_ips(self._neutron.scopes.project_id) if one.description == PARKED)

    def security_groups(self, project_id: str) -> tuple[SecurityGroup, ...]:
        return self._of("security_group", project_id, parse_security_group)

    def agents(self) -> tuple[Agent, ...]:
        return tuple(parse_agent(row) for row in self._list("agent"))

    def extensions(self) -> frozenset[str]:
        """Asked for once: they are Neutron's configuration."""
        with self._asking:
            if self._extensions is None:
                self._extensions = frozenset(row["alias"] for row in self._neutron.page("/extensions", "extensions"))
            return self._extensions

    def quota(self, project_id: str) -> Quota:
        """`used` is empty where Neutron has no extension quota_details."""
        if "quota_details" in self.extensions():
            return parse_detailed_quota("network", self._neutron.get(f"/quotas/{project_id}/details", "quota"), used="used")
        limits = self._neutron.get(f"/quotas/{project_id}", "quota")
        return Quota(service="network", limits={key: int(value) for key, value in limits.items()}, used={})

    def create(self, kind: str, body: Mapping[str, Any]) -> str:
        return self._neutron.create(path(kind), kind, {kind: body})

    def update(self, kind: str, id: str, body: Mapping[str, Any]) -> None:
        self._neutron.send("PUT", f"{path(kind)}/{id}", {kind: body})

    def delete(self, kind: str, id: str) -> None:
        self._neutron.send("DELETE", f"{path(kind)}/{id}")

    def set_tags(self, kind: str, id: str, tags: Sequence[str]) -> None:
        self._neutron.send("PUT", f"{path(kind)}/{id}/tags", {"tags": list(tags)})

    def add_router_interface(self, router_id: str, port_id: str) -> None:
        self._neutron.send("PUT", f"/routers/{router_id}/add_router_interface", {"port_id": port_id})

    def remove_router_interface(self, router_id: str, port_id: str) -> None:
        self._neutron.send("PUT", f"/routers/{router_id}/remove_router_interface", {"port_id": port_id})

    def update_quota(self, project_id: str, limits: Mapping[str, int]) -> None:
        self._neutron.send("PUT", f"/quotas/{project_id}", {"quota": dict(limits)})


def path(kind: str) -> str:
    """`/security-group-rules` for `security_group_rule`."""
    return f"/{kind.replace('_', '-')}s"


def once(rows: Iterable[Row]) -> list[Row]:
    """Each id once, in order of first appearance."""
    return list({row["id"]: row for row in rows}.values())


def chunks(ids: Sequence[str]) -> Iterator[list[str]]:
    return (list(ids[start : start + CHUNK]) for start in range(0, len(ids), CHUNK))
