"""Metadata and tags of servers."""

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.store import Row
from millpond.sandbox.core.web import Caller
from millpond.sandbox.nova import refusals
from millpond.sandbox.nova.quotas import Quotas
from millpond.sandbox.nova.servers import USABLE, Servers

MAX_TAGS = 50


class ServerMetadata:
    def __init__(self, servers: Servers, quotas: Quotas) -> None:
        self.servers = servers
        self.quotas = quotas

    def replace(self, caller: Caller, server: Row, metadata: dict[str, str]) -> dict[str, str]:
        """Locked: 409 for a tenant. ApiError 403 above the `metadata_items` quota, 409 in a state such as ERROR."""
        self._check(caller, server, "update_metadata")
        self.check_count(server["project_id"], metadata)
        self.servers.change(server, metadata=dict(metadata))
        return dict(metadata)

    def merge(self, caller: Caller, server: Row, metadata: dict[str, str]) -> dict[str, str]:
        return self.replace(caller, server, {**server["metadata"], **metadata})

    def item(self, server: Row, key: str) -> str:
        if key not in server["metadata"]:
            raise ApiError(404, "Metadata item was not found")
        return str(server["metadata"][key])

    def remove(self, caller: Caller, server: Row, key: str) -> None:
        self.item(server, key)
        self._check(caller, server, "delete_metadata")
        kept = {name: value for name, value in server["metadata"].items() if name != key}
        self.servers.change(server, metadata=kept)

    def check_count(self, project_id: str, metadata: dict[str, str]) -> None:
        limit = self.quotas.limits(project_id)["metadata_items"]
        if 0 <= limit < len(metadata):
            raise refusals.forbidden(f"Maximum number of metadata items exceeds {limit}")

    def set_tags(self, server: Row, tags: list[str], action: str) -> list[str]:
        """Each tag once, in order. ApiError 409 in a state such as ERROR, 400 above 50. Locks do not hold tags."""
        if server["vm_state"] not in USABLE:
            raise refusals.wrong_state(server, action, "vm_state")
        unique = list(dict.fromkeys(tags))
        if len(unique) > MAX_TAGS:
            raise refusals.bad_request(f"The number of tags exceeded the per-server limit {MAX_TAGS}")
        self.servers.change(server, tags=unique)
        return unique

    def check_tag(self, server: Row, tag: str) -> None:
        if tag not in server["tags"]:
            raise ApiError(404, f"Server {server['id']} has no tag '{tag}'")

    def _check(self, caller: Caller, server: Row, action: str) -> None:
        self.servers.check_lock(caller, server)
        self.servers.check_state(server, action, USABLE, idle=False)
