"""One service of one cloud: raw requests, an explicit microversion, complete lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from millpond.errors import NotFound, Refused
from millpond.model.secret import Secret
from millpond.providers.answers import Answer, Call
from millpond.providers.failures import of_status, service_message
from millpond.providers.openstack.scopes import Scopes, told

PAGE = 1000
NO_LIST_FIX = "This endpoint of {type} in Keystone's catalogue is probably wrong, or a proxy answers there: {url}."
SECRET_KEYS = frozenset({"password", "adminPass", "user_data"})

Row = Mapping[str, Any]
Parameters = Mapping[str, str | int | list[str]]
Microversion = tuple[int, int]
Marker = Callable[[Row], str]
BY_ID: Marker = itemgetter("id")


@dataclass(frozen=True)
class Versions:
    """`needed`: without it Millpond cannot work. `known`: what the parsers were written for; never more is asked for."""

    needed: Microversion
    known: Microversion


class Service:
    """`type` is openstacksdk's: identity, compute, block-storage, network, image. All raise the RemoteFailure family."""

    def __init__(self, scopes: Scopes, type: str, versions: Versions | None = None) -> None:
        self.scopes = scopes
        self.type = type
        self._versions = versions

    @property
    def microversion(self) -> Microversion:
        """The newest that both sides speak; (0, 0) where the service has none. Raises Refused(406) when it is too old."""
        if self._versions is None:
            return (0, 0)
        newest = self.scopes.endpoint(self.type).newest or (0, 0)
        if newest < self._versions.needed:
            known = f"{self.type} of cloud {self.scopes.name} speaks microversions up to {dotted(newest)}"
            why = f"{known}; {dotted(self._versions.needed)} is needed"
            raise Refused(why, status=406, where=self.scopes.name)
        return min((newest[0], newest[1]), self._versions.known)

    @property
    def _url(self) -> str:
        return self.scopes.endpoint(self.type).url

    def get(self, path: str, key: str, parameters: Parameters | None = None) -> Answer:
        """The one object under `key`."""
        return self._get(path, parameters).one(key)

    def _get(self, path: str, parameters: Parameters | None) -> Answer:
        answer = self._request("GET", path, parameters=parameters)
        return answer if answer is not None else self._call("GET", path).read(None)

    def rows(
        self, path: str, key: str, parameters: Parameters | None = None, *, limit: int = PAGE, marker: Marker = BY_ID, linked: bool = True
    ) -> Iterator[Row]:
        """The whole list under `key`, page by page as long as there is more. `limit` 0: the service's own page size.

        `linked`: the service says whether there is another page. Else only a page without rows is the end.
        """
        asked: dict[str, str | int | list[str]] = {**(parameters or {}), **({"limit": limit} if limit else {})}
        while True:
            answer = self._listed(path, asked)
            rows = answer.rows(key)
            yield from rows
            if not rows or (linked and not has_next(answer, key)):
                return
            asked["marker"] = marker(rows[-1])

    def page(self, path: str, key: str, parameters: Parameters | None = None) -> list[Answer]:
        """One page of a list, or a list that has no pages."""
        return self._listed(path, parameters).rows(key)

    def _listed(self, path: str, parameters: Parameters | None) -> Answer:
        """A list that is not found is not empty: the path itself is unknown where the catalogue leads."""
        try:
            return self._get(path, parameters)
        except NotFound as error:
            raise NotFound(error.why, where=error.where, fix=NO_LIST_FIX.format(type=self.type, url=self._url)) from None

    def create(self, path: str, key: str, request: Row, *, project_id: str = "") -> str:
        """The id of what came into being."""
        answer = self.send("POST", path, request, project_id=project_id)
        return str((answer if answer is not None else self._call("POST", path).read(None)).one(key)["id"])

    def send(self, method: str, path: str, body: Any = None, *, project_id: str = "") -> Answer | None:
        """One mutating request, with a token of `project_id` or the login's own. None for an empty answer.

        Secrets in the body are revealed here, and cut out of what the service answers.
        """
        hidden: list[str] = []
        return self._request(method, path, body=revealed(body, hidden), project_id=project_id, hidden=hidden)

    def _request(
        self,
        method: str,
        path: str,
        *,
        parameters: Parameters | None = None,
        body: Any = None,
        project_id: str = "",
        hidden: list[str] | None = None,
    ) -> Answer | None:
        version = {"microversion": dotted(self.microversion)} if self._versions else {}
        with told(self.scopes.name, f"{method} {self.type} {path}", project_id):
            adapter = self.scopes.adapter(self.type, project_id)
            asked = {"params": dict(parameters)} if parameters else {}
            sent = {"json": body} if body is not None else {}
            # log=False: keystoneauth's debug log would hold user data
            response = adapter.request(
                path, method, raise_exc=False, connect_retries=0, status_code_retries=0, log=False, **version, **asked, **sent
            )
        if response.status_code >= 400:
            where = f"{self.scopes.name}: {method} {self.type} {path}"
            raise of_status(response.status_code, without(reason(response), hidden or []), where, mutating=method != "GET")
        return self._call(method, path).read(parsed(response)) if response.content else None

    def _call(self, method: str, path: str) -> Call:
        return Call(f"{self.scopes.name}: {method} {self.type} {path}", self._url, mutating=method != "GET")


def parsed(response: Any) -> Any:
    """None for what is no JSON."""
    try:
        return response.json()
    except ValueError:
        return None


def reason(response: Any) -> str:
    """The service's own sentence, else the status line's."""
    try:
        return service_message(response.json()) or str(response.reason)
    except ValueError:
        return str(response.reason)


def has_next(answer: Row, key: str) -> bool:
    """Whether there is another page: `<collection>_links` with `rel: next` (Cinder's types: `volume_type_links`), Keystone's `links.next`,
    Glance's `next`.

    Keystones that cannot page cut lists at their list_limit and say `truncated`: that raises Refused.
    """
    links = answer.get("links")
    if answer.get("next") or (isinstance(links, Mapping) and links.get("next")):
        return True
    if answer.get("truncated"):
        fix = "Raise [identity] list_limit in keystone.conf."
        raise Refused(f"Keystone shows a part of its {key} only: its list_limit is reached", status=200, fix=fix)
    pages = answer.get(f"{key}_links") or answer.get(f"{key.removesuffix('s')}_links") or ()
    return any(link.get("rel") == "next" for link in pages)


def revealed(body: Any, hidden: list[str]) -> Any:
    """The body with every Secret replaced by its value; those values, and what stands under a secret's name, are added to `hidden`."""
    if isinstance(body, Secret):
        hidden.append(body.reveal())
        return body.reveal()
    if isinstance(body, Mapping):
        hidden += [value for key, value in body.items() if key in SECRET_KEYS and isinstance(value, str) and value]
        return {key: revealed(value, hidden) for key, value in body.items()}
    if isinstance(body, list | tuple):
        return [revealed(value, hidden) for value in body]
    return body


def without(text: str, hidden: list[str]) -> str:
    """Services quote refused values in their messages."""
    for value in sorted(hidden, key=len, reverse=True):
        text = text.replace(value, "(sensitive value)")
    return text


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
