"""Raw requests to a cloud, whose refusals are answers like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openstack.connection import Connection

VERSIONS = {"compute": "2.60", "block_storage": "3.50"}
"""The least that Millpond needs: whatever holds with it must hold on both clouds."""
NONE = "none"
"""As `version`: no header at all, or the caller's own."""


@dataclass(frozen=True)
class Answer:
    status: int
    body: Any
    headers: Mapping[str, str]

    def __getitem__(self, key: str) -> Any:
        assert isinstance(self.body, dict), self
        assert key in self.body, self.body
        return self.body[key]

    @property
    def error(self) -> dict[str, Any]:
        """What stands under the one key that every service wraps its refusals in."""
        assert self.status >= 400, (self.status, self.body)
        [document] = self.body.values()
        return dict(document)

    @property
    def message(self) -> str:
        return str(self.error["message"])

    @property
    def type(self) -> str:
        """Neutron's name of the refusal."""
        assert set(self.body) == {"NeutronError"}, self.body
        return str(self.error["type"])


class Api:
    """One user's requests with a token of one project."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.user_id = str(connection.session.get_user_id())
        self.project_id = str(connection.session.get_project_id())

    def call(
        self, method: str, service: str, path: str, body: Any = None, *, version: str = "", headers: Any = None, **query: Any
    ) -> Answer:
        """`service`: compute, block_storage, identity, network, image. `query`: a list is repeated, `__` stands for a colon."""
        adapter = getattr(self._connection, service)
        asked = {name.replace("__", ":"): value for name, value in query.items()}
        keywords: dict[str, Any] = {"json": body} if body is not None else {}
        if service in VERSIONS and version != NONE:
            keywords["microversion"] = version or VERSIONS[service]
        where = f"/v2.0{path}" if service == "network" and "/v2.0" not in str(adapter.get_endpoint()) else path
        response = adapter.request(where, method, params=asked, headers=headers or {}, raise_exc=False, **keywords)
        try:
            document = response.json() if response.content else None
        except ValueError:
            document = response.text
        return Answer(response.status_code, document, response.headers)

    def token(self) -> str:
        return str(self._connection.session.get_token())

    def anonymous(self, url: str, headers: Any = None) -> Any:
        """A GET without a token."""
        return self._connection.session.request(url, "GET", headers=headers or {}, authenticated=False, raise_exc=False)

    def get(self, service: str, path: str, *, version: str = "", **query: Any) -> Answer:
        return self.call("GET", service, path, version=version, **query)

    def done(self, method: str, service: str, path: str, body: Any = None, *, version: str = "", **query: Any) -> Answer:
        """A request that must succeed."""
        answer = self.call(method, service, path, body, version=version, **query)
        assert answer.status < 400, f"{method} {path}: {answer.status} {answer.body}"
        return answer
