"""Microversion negotiation of Nova, Cinder and Placement (api-wg guideline "Microversion Specification")."""

import re
from typing import NamedTuple

from aiohttp import web

from millpond.sandbox.core.errors import ApiError
from millpond.sandbox.core.releases import Release


class Microversion(NamedTuple):
    """Compares with plain tuples: `microversion(request) >= (2, 60)`."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


# service -> service type in the header, minimum, legacy header
HEADERS = {
    "nova": ("compute", Microversion(2, 1), "X-OpenStack-Nova-API-Version"),
    "cinder": ("volume", Microversion(3, 0), None),
    "placement": ("placement", Microversion(1, 0), None),
}


def parse(text: str) -> Microversion:
    match = re.fullmatch(r"([1-9]\d*)\.(0|[1-9]\d*)", text)
    if not match:
        raise ApiError(400, f"API Version String {text} is of invalid format. Must be of format MajorNum.MinorNum.")
    return Microversion(int(match[1]), int(match[2]))


def maximum(release: Release, service: str) -> Microversion:
    return parse({"nova": release.nova_max, "cinder": release.cinder_max, "placement": release.placement_max}[service])


def asked(request: web.Request, service: str) -> str | None:
    """What the caller asked for, None when nothing."""
    kind, _, legacy = HEADERS[service]
    for part in request.headers.get("OpenStack-API-Version", "").split(","):
        words = part.split()
        if len(words) == 2 and words[0] == kind:
            return words[1]
    return request.headers.get(legacy) if legacy else None


def negotiate(request: web.Request, service: str, release: Release) -> Microversion:
    """The version this request is served with; the minimum when none is asked for. ApiError 400 or 406."""
    low, high, text = HEADERS[service][1], maximum(release, service), asked(request, service)
    if text is None:
        return low
    version = high if text == "latest" else parse(text)
    if not low <= version <= high:
        raise ApiError(406, f"Version {version} is not supported by the API. Minimum is {low} and maximum is {high}.")
    return version


def announce(response: web.StreamResponse, service: str, version: Microversion) -> None:
    kind, _, legacy = HEADERS[service]
    response.headers["OpenStack-API-Version"] = f"{kind} {version}"
    response.headers["Vary"] = "OpenStack-API-Version"
    if legacy:
        response.headers[legacy] = str(version)
        response.headers["Vary"] = f"OpenStack-API-Version, {legacy}"


def microversion(request: web.Request) -> Microversion:
    """The negotiated version, of Nova, Cinder and Placement only."""
    found: Microversion = request["microversion"]
    return found
