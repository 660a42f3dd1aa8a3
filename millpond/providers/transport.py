"""The HTTP seam: everything sent to a cloud or an array passes here, logins and the SDKs' own requests included."""

from __future__ import annotations

import time
from collections.abc import Mapping
from threading import BoundedSemaphore
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from keystoneauth1.session import TCPKeepAliveAdapter
from urllib3.connectionpool import HTTPConnectionPool

from millpond.errors import WriteRefused
from millpond.model.site import Limits
from millpond.providers.access import Access
from millpond.providers.failures import classify, strange

READS = ("GET", "HEAD")
LOGINS = ("/auth/tokens", "/users/login")
BUSY = (429, 502, 503, 504)
PAUSES = (0.2, 0.6, 1.8)
LONGEST_PAUSE = 10.0
ADDRESSES = 32
"""Of one cloud: each of its services may have one of its own, whose connections are kept."""

Timeout = float | tuple[float, float] | tuple[float, None] | None
Certificate = bytes | str | tuple[bytes | str, bytes | str] | None


class Transport(TCPKeepAliveAdapter):
    """Sends requests for one cloud or array, from many threads; it may be mounted on several sessions.

    With `Access.READ` anything but reads and logins raises WriteRefused before it is sent. At most `limits.requests` are in flight, each
    for at most `limits.request_timeout` seconds between bytes, whatever the SDKs ask for. Reads and logins are repeated on 429, 502, 503,
    504 and lost connections, mutating requests never. Raises the RemoteFailure family for what has no HTTP status. `verify`, when given,
    overrules the session: a path of CA certificates, True, or False.
    """

    def __init__(self, name: str, access: Access, limits: Limits, verify: bool | str | None = None) -> None:
        super().__init__(pool_connections=ADDRESSES, pool_maxsize=limits.requests)
        self._name = name
        self._access = access
        self._timeout = limits.request_timeout
        self._slots = BoundedSemaphore(limits.requests)
        self._verify = verify
        self._surroundings: dict[str, dict[str, Any]] = {}
        self._pools: dict[tuple[Any, ...], HTTPConnectionPool] = {}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Timeout = None,
        verify: bool | str = True,
        cert: Certificate = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        method, path = request.method or "GET", urlsplit(request.url or "").path
        if self._access is Access.READ and not allowed_when_reading(method, str(path)):
            raise WriteRefused(f"{method} {path} was not sent", where=self._name)
        mutating = not allowed_when_reading(method, str(path))
        pauses = iter(() if mutating else PAUSES)
        while True:
            pause = next(pauses, None)
            try:
                response = self._once(request, stream, verify, cert, proxies)
            except requests.exceptions.RequestException as error:
                if pause is None or isinstance(error, requests.exceptions.SSLError):
                    raise classify(error, f"{self._name}: {method} {path}", mutating=mutating) from None
                time.sleep(pause)
            else:
                if response.ok and response.content.lstrip()[:1] == b"<":
                    raise strange(f"{self._name}: {method} {path}", mutating=mutating)
                if pause is None or response.status_code not in BUSY:
                    return response
                time.sleep(max(pause, asked_pause(response)))

    def _once(
        self,
        request: requests.PreparedRequest,
        stream: bool,
        verify: bool | str,
        cert: Certificate,
        proxies: Mapping[str, str] | None,
    ) -> requests.Response:
        """One try. The body is read here, so that a reply lost half-way is told apart as well."""
        around = self._around(request.url or "")
        through = {**around["proxies"], **(proxies or {})}
        asked = around["verify"] if verify is True else verify
        trusted = asked if self._verify is None else self._verify
        if (request.url or "").startswith("http://") and not through:
            trusted = True  # nothing shows a certificate; requests would look on the disk for the CA's each time
        with self._slots:
            response = super().send(request, stream, self._timeout, trusted, cert, through)
            _ = response.content
            return response

    def get_connection_with_tls_context(
        self,
        request: requests.PreparedRequest,
        verify: bool | str | None,
        proxies: Mapping[str, str] | None = None,
        cert: str | tuple[str, str] | None = None,
    ) -> HTTPConnectionPool:
        """The one that was chosen before for the same address and certificates: to choose it takes a tenth of a request's time."""
        parts = urlsplit(request.url or "")
        key = (parts.scheme, parts.netloc, verify, cert, tuple(sorted((proxies or {}).items())))
        known = self._pools.get(key)
        if known is None:
            known = self._pools[key] = cast(HTTPConnectionPool, super().get_connection_with_tls_context(request, verify, proxies, cert))
        return known

    def close(self) -> None:
        """The SDKs' sessions call it when they are thrown away, while others send through this one: it stays open. See `end`."""

    def end(self) -> None:
        """Ends its connections, those in use once they come back. A later request opens new ones."""
        pools = list(self._pools.values())
        self._pools.clear()
        super().close()
        for pool in pools:
            pool.close()

    def _around(self, url: str) -> dict[str, Any]:
        """The proxies and the CA certificates that the environment names for an address, asked once."""
        address = urlsplit(url)._replace(path="", query="", fragment="").geturl()
        if address not in self._surroundings:
            with requests.Session() as asked:
                self._surroundings[address] = dict(asked.merge_environment_settings(address, {}, None, None, None))
        return self._surroundings[address]

    def seal(self, session: requests.Session) -> None:
        """Makes this the only way out of the session. A session that is sealed is left alone: other threads may be sending through it.

        The session itself reads the environment no more: it would for every request, which is a fourth of the work that one makes,
        and would send what a netrc holds for the address.
        """
        session.trust_env = False
        if list(session.adapters.values()) != [self, self]:
            session.adapters.clear()
            session.mount("https://", self)
            session.mount("http://", self)


def allowed_when_reading(method: str, path: str) -> bool:
    return method.upper() in READS or (method.upper() == "POST" and path.endswith(LOGINS))


def asked_pause(response: requests.Response) -> float:
    """`Retry-After` in seconds, not above LONGEST_PAUSE; 0 where there is none."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), LONGEST_PAUSE) if text.isdigit() else 0.0
