"""The one classification of what goes wrong between Millpond and a service. No message holds a header, a cookie, a body or a query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import requests
import urllib3.exceptions

from millpond.errors import NotFound, Refused, RemoteFailure, Retryable, UnknownOutcome

LONGEST = 600
NOT_SENT = (
    requests.exceptions.ConnectTimeout,
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
)
FIXES = {
    401: "The login has expired or was revoked: check the credentials of this cloud or array.",
    403: "Give Millpond's user the admin role in the project it logs in to (and in the tenant's project for what is created there).",
    413: "The service limits the rate or the size of requests: raise the limit or try later.",
}
QUOTA = (403, 409, 413)
"""What Nova, Neutron and Cinder answer when a quota is exhausted; all of them say so in words."""
QUOTA_FIX = "Raise this quota of the project, or state a larger one under `quotas` in the manifest."
SERVICE_FIX = "The service itself fails: see its log, and run this again when it works."
STRANGE_FIX = "A proxy or a maintenance page answers in its place: see what stands at this address, and run this again."
SILENCE_FIX = "See whether it is up and can be reached from here, and run this again."


def of_status(status: int, message: str, where: str, *, mutating: bool) -> RemoteFailure:
    """The failure that an HTTP status of 400 or more stands for.

    429 and 503 are answers of what stands before the service or of a service that takes nothing in: nothing happened. 500, 502 and 504 on a
    mutating call leave open whether it was carried out.
    """
    why = f"{message[:LONGEST].strip() or 'no reason given'} (HTTP {status})"
    if status == 404:
        return NotFound(why, where=where)
    if status in (429, 503):
        return Retryable(why, where=where, fix=SERVICE_FIX)
    if status >= 500 and status != 501:
        return UnknownOutcome(why, where=where) if mutating else Retryable(why, where=where, fix=SERVICE_FIX)
    fix = QUOTA_FIX if status in QUOTA and "quota" in message.lower() else FIXES.get(status, "")
    return Refused(why, status=status, where=where, fix=fix)


def strange(where: str, *, mutating: bool) -> RemoteFailure:
    """A success that is a page for people instead of JSON."""
    kind = UnknownOutcome if mutating else Retryable
    return kind("a page came back where the API should answer", where=where, fix=STRANGE_FIX)


def misshapen(why: str, where: str, place: str, *, mutating: bool) -> RemoteFailure:
    """A success whose JSON is not what the API answers. `place`: where the service is."""
    kind = UnknownOutcome if mutating else Retryable
    return kind(why, where=where, fix=f"Something else answers in its place: see what stands at {place}, and run this again.")


def classify(error: BaseException, where: str, *, mutating: bool) -> RemoteFailure:
    """The failure that an exception of the HTTP layer stands for: retryable if the request cannot have arrived, else of unknown outcome."""
    if isinstance(error, RemoteFailure):
        return error
    if mutating and not never_sent(error):
        return UnknownOutcome(reason(error), where=where)
    return Retryable(reason(error), where=where, fix=SILENCE_FIX)


def never_sent(error: BaseException) -> bool:
    """No connection was made, or the certificate was refused before anything was said."""
    return any(isinstance(one, NOT_SENT) or "CERTIFICATE_VERIFY_FAILED" in str(one) for one in chain(error))


def reason(error: BaseException) -> str:
    """In fixed words, since the libraries' own texts hold addresses of objects and whole URLs."""
    texts = " ".join(str(one) for one in chain(error))
    for sign, words in (
        ("CERTIFICATE_VERIFY_FAILED", "its TLS certificate cannot be verified"),
        ("Connection refused", "connection refused"),
        ("No route to host", "no route to host"),
        ("Network is unreachable", "network is unreachable"),
        ("resolve", "its name cannot be resolved"),
    ):
        if sign in texts:
            return words
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return "no connection in time"
    if any(isinstance(one, requests.exceptions.Timeout | urllib3.exceptions.TimeoutError) for one in chain(error)):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "TLS failed"
    return "the connection was lost"


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those it was made from: arguments and reasons of urllib3, causes of Python."""
    waiting: list[object] = [error]
    seen: set[int] = set()
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, BaseException) and id(one) not in seen:
            seen.add(id(one))
            yield one
            waiting += [*one.args, getattr(one, "reason", None), one.__cause__, one.__context__]


def service_message(payload: Any) -> str:
    """The sentence a service answers an error with, from any shape that OpenStack's services use.

    `{"badRequest": {"message": ...}}`, `{"NeutronError": {...}}`, `{"error": {...}}`, `{"errors": [{"detail": ...}]}`, `{"message": ...}`.
    """
    if isinstance(payload, str):
        return payload
    if isinstance(payload, list):
        return "; ".join(filter(None, map(service_message, payload)))
    if not isinstance(payload, Mapping):
        return ""
    for key in ("message", "detail"):
        if isinstance(payload.get(key), str) and payload[key]:
            return str(payload[key])
    return next(filter(None, (service_message(value) for value in payload.values() if isinstance(value, Mapping | list | str))), "")
