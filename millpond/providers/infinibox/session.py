"""One array's session: login, TLS, requests, and failures without the cookie that infinisdk's own exceptions print."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from threading import RLock
from typing import Any

import logbook
import urllib3.exceptions
from infinisdk import InfiniBox
from infinisdk.core.exceptions import APICommandFailed, InfiniSDKException, RelatedSystemNotFound

from millpond.errors import BadCredentials, ReadingAccount, RemoteFailure, Retryable, Unreachable
from millpond.model.secret import Secret
from millpond.model.site import ArraySystem, Limits
from millpond.providers.access import Access
from millpond.providers.answers import Answer, Call
from millpond.providers.failures import SERVICE_FIX, of_status
from millpond.providers.first_use import FirstUse
from millpond.providers.together import together
from millpond.providers.transport import Transport

PAGE = 1000
LONGEST_FILTER = 4000
"""Characters of one `in:(...)` filter: the request line stays below the 8 KiB that web servers take."""

MISREAD = (KeyError, TypeError, AttributeError)
"""What infinisdk raises of JSON that is not an InfiniBox's."""


class NoPassword(BadCredentials):
    """No login was tried."""

    summary = "The password of an array is missing"


class PeerLoginNeeded(Retryable):
    """The array did nothing: it asks for a login to the array at the other end of the link."""


class Session:
    """Requests to one array, from many threads. Nothing is sent before the first one, which logs in.

    The certificate is verified unless the site says otherwise: infinisdk itself never does. Raises the RemoteFailure family; the first
    request BadCredentials or Unreachable.
    """

    def __init__(self, system: ArraySystem, access: Access, limits: Limits, directory: Path) -> None:
        silence()
        if not system.verify:
            warnings.filterwarnings("ignore", category=urllib3.exceptions.InsecureRequestWarning)
        self.name = system.name
        self._configured = system
        self._access = access
        self._directory = directory
        self._transport = Transport(system.name, access, limits, self._verification())
        self._lock = RLock()
        self._login: FirstUse[Any] = FirstUse(self._logged_in)

    def _verification(self) -> bool | str:
        if not self._configured.verify:
            return False
        return str(self._directory / self._configured.ca_file) if self._configured.ca_file else True

    @property
    def box(self) -> Any:
        """The logged-in InfiniBox object."""
        box = self._login.get()
        with self._lock:
            self._transport.seal(box.api._session)  # infinisdk may have replaced it
        return box

    def close(self) -> None:
        self._transport.end()

    def log_in(self) -> None:
        self._login.get()

    def _logged_in(self) -> Any:
        site = self._configured
        address = (site.address, site.port or (443 if site.tls else 80))
        try:
            box = InfiniBox(address, auth=(username(site), password(site, self._directory).reveal()), use_ssl=site.tls)
            self._transport.seal(box.api._session)
            self._expect_writer(box.login().get_result())
        except APICommandFailed as error:
            if error.status_code in (401, 403):
                fix = f"Check {_user_place(site)}, and the password in {_password_place(site, self._directory)}."
                raise BadCredentials(f"array {self.name} refused the login of {username(site)}", where=self.name, fix=fix) from None
            why = f"array {self.name}: {said(error)} (HTTP {error.status_code})"
            raise Unreachable(why, where=self.name, fix=SERVICE_FIX) from None
        except RemoteFailure as error:
            fix = f"Check address, port, tls and ca_file of array {self.name} in millpond.yaml."
            raise Unreachable(f"array {self.name}: {error.why}", where=error.where, fix=fix) from None
        except InfiniSDKException as error:
            raise Unreachable(f"array {self.name} cannot be used: {type(error).__name__}", where=self.name) from None
        except MISREAD:
            fix = f"Check address, port and tls of array {self.name} in millpond.yaml: something else answers at {site.address}."
            raise Unreachable(f"array {self.name} does not answer as an InfiniBox", where=self.name, fix=fix) from None
        return box

    def _expect_writer(self, logged_in: Mapping[str, Any]) -> None:
        """ReadingAccount where the verb changes things and the user's only role is READ_ONLY (infinisdk: `users.get_roles`)."""
        if self._access is Access.WRITE and set(logged_in.get("roles") or ()) == {"READ_ONLY"}:
            why = f"user {username(self._configured)} of array {self.name} has the role READ_ONLY; nothing was sent"
            fix = "Apply with a user that has the role ADMIN; this one is good for plan, drift, status and report."
            raise ReadingAccount(why, where=self.name, fix=fix)

    def get(self, path: str, **parameters: str | int) -> Answer:
        """The one object that the array answers with."""
        return self._request("get", path, params=parameters).one("result")

    def count(self, path: str) -> int:
        return objects(self._request("get", path, params={"fields": "id", "page": 1, "page_size": 1}))

    def rows(self, path: str, fields: Sequence[str], **filters: str) -> Iterator[Answer]:
        """The whole list."""
        parameters = {**filters, "fields": ",".join(fields), "page_size": PAGE}
        page, pages = 1, 1
        while page <= pages:
            answer = self._request("get", path, params={**parameters, "page": page})
            pages = -(-objects(answer) // PAGE)
            yield from answer.rows("result")
            page += 1

    def rows_in(self, path: str, fields: Sequence[str], field: str, values: Sequence[str | int]) -> list[Answer]:
        """The rows whose `field` is one of `values`, in as few requests as their length allows, at once."""
        calls = [partial(self._listed, path, fields, {field: f"in:({some})"}) for some in joined(values)]
        return [row for rows in together(calls) for row in rows]

    def _listed(self, path: str, fields: Sequence[str], filters: Mapping[str, str]) -> list[Answer]:
        return list(self.rows(path, fields, **filters))

    def send(self, method: str, path: str, body: Any = None, **parameters: str) -> Any:
        """One mutating request; infinisdk approves it."""
        keywords = {"data": body} if body is not None else {}
        return self._request(method, path, params=parameters, **keywords)["result"]

    def create(self, path: str, body: Any, **parameters: str) -> int:
        """The id of what came into being."""
        return self._request("post", path, params=parameters, data=body).one("result").whole("id")

    def _request(self, method: str, path: str, **keywords: Any) -> Answer:
        box = self.box
        call = Call(f"{self.name}: {method.upper()} {path}", self._configured.address, mutating=method != "get")
        try:
            return call.read(box.api.request(method, path, **keywords).get_json())
        except InfiniSDKException as error:
            failure = failed(error, call.where, mutating=call.mutating)
        except MISREAD:
            failure = call.wrong("the answer is no JSON object")
        raise failure

    def know(self, peer: Session) -> None:
        """Makes the login of the array at the other end of a link available to replication calls, which need both.

        infinisdk holds related systems by weak references: `peer` keeps its own alive.
        """
        self.box.register_related_system(peer.box)


def objects(answer: Answer) -> int:
    """How many there are on all pages."""
    return answer.one("metadata").whole("number_of_objects")


def joined(values: Sequence[str | int]) -> Iterator[str]:
    """All values between commas, in texts that become no longer than LONGEST_FILTER when a comma is sent as `%2C`."""
    some: list[str] = []
    length = 0
    for value in map(str, values):
        if some and length + len(value) + 3 > LONGEST_FILTER:
            yield ",".join(some)
            some, length = [], 0
        some.append(value)
        length += len(value) + 3
    if some:
        yield ",".join(some)


@cache
def silence() -> None:
    """infinisdk logs every request to stderr by default."""
    logbook.NullHandler().push_application()


def username(system: ArraySystem) -> str:
    return (os.environ.get(system.username_env) if system.username_env else "") or system.username


def password(system: ArraySystem, directory: Path) -> Secret:
    """NoPassword where it is not where the site says."""
    if system.password_env:
        if value := os.environ.get(system.password_env):
            return Secret(value)
        why, fix = f"the environment variable {system.password_env} is not set", "Set it."
    elif system.password_file:
        path = directory / system.password_file
        try:
            return Secret(path.read_text(encoding="utf-8").rstrip("\r\n"))
        except (OSError, ValueError) as error:
            why = f"{path} cannot be read: {error.strerror if isinstance(error, OSError) else 'it is not UTF-8'}"
            fix = f"Write the password of {username(system)} into it, or correct password_file in millpond.yaml."
    else:
        why, fix = "millpond.yaml does not say where it is", "Set password_env or password_file of this array."
    raise NoPassword(f"there is no password for array {system.name}: {why}", where=system.name, fix=fix)


def _user_place(system: ArraySystem) -> str:
    """Who logs in, and where that is written."""
    if system.username_env and os.environ.get(system.username_env):
        return f"the username in the environment variable {system.username_env}"
    return f"the username of array {system.name} in millpond.yaml"


def _password_place(system: ArraySystem, directory: Path) -> str:
    return f"the environment variable {system.password_env}" if system.password_env else f"the file {directory / system.password_file}"


def failed(error: InfiniSDKException, where: str, *, mutating: bool) -> RemoteFailure:
    if isinstance(error, RelatedSystemNotFound) or (
        isinstance(error, APICommandFailed) and error.error_code == "REMOTE_PERMISSION_REQUIRED"
    ):
        return PeerLoginNeeded("the array asks for a login to the other array, which is not available", where=where)
    if isinstance(error, APICommandFailed):
        return of_status(error.status_code, said(error), where, mutating=mutating)
    return Retryable(f"infinisdk: {type(error).__name__}", where=where)


def said(error: APICommandFailed) -> str:
    """The array's own words. Never `str(error)`: it prints the session cookie."""
    answer = error.response.get_error() or {}
    sentences = [
        answer.get("message") or str(error.response.response.reason),
        *(one.get("message", "") for one in answer.get("reasons") or ()),
    ]
    text = "; ".join(dict.fromkeys(filter(None, sentences)))
    return f"{answer['code']}: {text}" if answer.get("code") else text
