"""The port `Compute` on Nova."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import quote

from millpond.errors import NotFound, Refused
from millpond.model.compute import Flavor, Server, ServerGroup
from millpond.model.identity import KeyPair, Quota
from millpond.model.secret import Secret
from millpond.providers.openstack.parse_compute import (
    parse_detailed_quota,
    parse_flavor,
    parse_key_pair,
    parse_server,
    parse_server_group,
)
from millpond.providers.openstack.service import PAGE, Microversion, Parameters, Row, Service, Versions, dotted
from millpond.providers.openstack.sight import shown
from millpond.providers.together import together

VERSIONS = Versions(needed=(2, 60), known=(2, 96))  # 2.60: multi-attach; it holds all else that is read of a source
INLINE_EXTRA_SPECS = (2, 61)
CHANGES_DELETE_ON_TERMINATION = (2, 85)


class NovaCompute:
    """What is created is created with a token of the tenant's project; all else as the login's own admin, from outside the tenant."""

    def __init__(self, service: Service) -> None:
        self._nova = service

    def servers(self, project_id: str) -> tuple[Server, ...]:
        parameters = {"all_tenants": "1", "project_id": project_id}
        rows = self._nova.rows("/servers/detail", "servers", parameters)
        return tuple(parse_server(row) for row in shown(rows, self._nova.scopes.name, "servers", "OS-EXT-SRV-ATTR:host"))

    def server(self, server_id: str) -> Server | None:
        try:
            return parse_server(self._nova.get(f"/servers/{server_id}", "server"))
        except NotFound:
            return None

    def flavors(self) -> tuple[Flavor, ...]:
        """Before 2.61 the list has no extra specs: one more request per flavor."""
        rows = self._nova.rows("/flavors/detail", "flavors", {"is_public": "None"})
        return tuple(parse_flavor(row, self._extra_specs(row["id"])) for row in rows)

    def _extra_specs(self, flavor_id: str) -> Mapping[str, str] | None:
        if self._nova.microversion >= INLINE_EXTRA_SPECS:
            return None
        specs: Mapping[str, str] = self._nova.get(f"/flavors/{quote(flavor_id, safe='')}/os-extra_specs", "extra_specs")
        return specs

    def flavor_access(self, flavor_id: str) -> tuple[str, ...]:
        rows = self._nova.page(f"/flavors/{quote(flavor_id, safe='')}/os-flavor-access", "flavor_access")
        return tuple(row["tenant_id"] for row in rows)

    def server_groups(self, project_id: str) -> tuple[ServerGroup, ...]:
        return tuple(parse_server_group(row) for row in self._all_server_groups() if row.get("project_id") == project_id)

    def _all_server_groups(self) -> Iterator[Row]:
        """Nova pages this list by offset and says nothing of a next page: the end is a page without anything new."""
        seen: set[str] = set()
        while True:
            asked: Parameters = {"all_projects": "True", "limit": PAGE, "offset": len(seen)}
            page = [row for row in self._nova.page("/os-server-groups", "server_groups", asked) if row["id"] not in seen]
            if not page:
                return
            seen |= {row["id"] for row in page}
            yield from page

    def key_pairs(self, users: Mapping[str, str]) -> tuple[KeyPair, ...]:
        """Nova never asks Keystone for the user: those who were deleted there keep theirs (nova/api/openstack/compute/keypairs.py)."""

        def of(user_id: str, name: str) -> tuple[KeyPair, ...]:
            rows = self._nova.rows("/os-keypairs", "keypairs", {"user_id": user_id}, marker=lambda row: str(row["keypair"]["name"]))
            return tuple(parse_key_pair(row, user_id, name) for row in rows)

        return tuple(chain.from_iterable(together([partial(of, *user) for user in users.items()])))

    def quota(self, project_id: str) -> Quota:
        return parse_detailed_quota("compute", self._nova.get(f"/os-quota-sets/{project_id}/detail", "quota_set"))

    def user_data(self, server_id: str) -> Secret | None:
        """Base64, as Nova keeps it and takes it."""
        return parse_server(self._nova.get(f"/servers/{server_id}", "server")).user_data

    def create_server(self, project_id: str, body: Mapping[str, Any], hints: Mapping[str, str], user_data: Secret | None) -> str:
        server = dict(body) if user_data is None else {**body, "user_data": user_data}
        request = {"server": server, **({"os:scheduler_hints": dict(hints)} if hints else {})}
        return self._nova.create("/servers", "server", request, project_id=project_id)

    def rename_server(self, server_id: str, name: str) -> None:
        self._nova.send("PUT", f"/servers/{server_id}", {"server": {"name": name}})

    def delete_server(self, server_id: str) -> None:
        """No error when it has gone meanwhile: an earlier request may still have been at work."""
        with suppress(NotFound):
            self._nova.send("DELETE", f"/servers/{server_id}")

    def server_action(self, server_id: str, action: str, argument: Any = None, project_id: str = "") -> None:
        """`project_id` scopes the token: a lock that is taken with the server's own project is its owner's, any other an administrator's
        (nova/compute/api.py, lock)."""
        self._nova.send("POST", f"/servers/{server_id}/action", {action: argument}, project_id=project_id)

    def set_server_metadata(self, server_id: str, metadata: Mapping[str, str]) -> None:
        """Merged into what is there."""
        self._nova.send("POST", f"/servers/{server_id}/metadata", {"metadata": dict(metadata)})

    def delete_server_metadata(self, server_id: str, key: str) -> None:
        self._nova.send("DELETE", f"/servers/{server_id}/metadata/{quote(key, safe='')}")

    def set_delete_on_termination(self, server_id: str, volume_id: str, value: bool) -> None:
        """`volumeId` equal to the one in the path makes this an update; another one would swap the volume."""
        self._need(CHANGES_DELETE_ON_TERMINATION, "to change delete_on_termination")
        body = {"volumeAttachment": {"volumeId": volume_id, "delete_on_termination": value}}
        self._nova.send("PUT", f"/servers/{server_id}/os-volume_attachments/{volume_id}", body)

    def _need(self, version: Microversion, purpose: str) -> None:
        if self._nova.microversion < version:
            why = f"Nova of cloud {self._nova.scopes.name} is too old {purpose}: microversion {dotted(version)} is needed"
            raise Refused(why, status=406, where=self._nova.scopes.name)

    def create_flavor(self, body: Mapping[str, Any]) -> str:
        return self._nova.create("/flavors", "flavor", {"flavor": body})

    def set_flavor_extra_specs(self, flavor_id: str, specs: Mapping[str, str]) -> None:
        self._nova.send("POST", f"/flavors/{quote(flavor_id, safe='')}/os-extra_specs", {"extra_specs": dict(specs)})

    def add_flavor_access(self, flavor_id: str, project_id: str) -> None:
        self._nova.send("POST", f"/flavors/{quote(flavor_id, safe='')}/action", {"addTenantAccess": {"tenant": project_id}})

    def create_server_group(self, project_id: str, body: Mapping[str, Any]) -> str:
        return self._nova.create("/os-server-groups", "server_group", {"server_group": body}, project_id=project_id)

    def delete_server_group(self, group_id: str) -> None:
        with suppress(NotFound):
            self._nova.send("DELETE", f"/os-server-groups/{group_id}")

    def create_key_pair(self, body: Mapping[str, Any]) -> None:
        self._nova.send("POST", "/os-keypairs", {"keypair": body})

    def delete_key_pair(self, name: str, user_id: str) -> None:
        self._nova.send("DELETE", f"/os-keypairs/{quote(name, safe='')}?user_id={user_id}")

    def update_quota(self, project_id: str, limits: Mapping[str, int]) -> None:
        self._nova.send("PUT", f"/os-quota-sets/{project_id}", {"quota_set": dict(limits)})
