"""What need not be said again: dates and prefixes that a heading has said, columns in which nothing stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from operator import attrgetter

from millpond.reporting.amounts import counted
from millpond.reporting.html.phases import Named


def day(when: datetime) -> str:
    return f"{when.astimezone(UTC):%Y-%m-%d}"


def clock(when: datetime, said: datetime) -> str:
    """`14:15:55` in UTC, with its date where that is not the day of `said`."""
    time = f"{when.astimezone(UTC):%H:%M:%S}"
    return time if day(when) == day(said) else f"{day(when)} {time}"


def of_tenant(address: str) -> str:
    """`server web-1`, under the heading of its tenant."""
    named = Named.of(address)
    return f"{named.kind.replace('_', ' ')} {named.name}"


def of_kind(addresses: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """How many of what they are, and their names: (`2 servers`, (`web-1`, `web-2`)). Those of several kinds keep their kinds."""
    kinds = dict.fromkeys(Named.of(address).kind for address in addresses)
    if len(kinds) != 1:
        return counted(len(addresses), "object"), tuple(map(of_tenant, addresses))
    (kind,) = kinds
    return counted(len(addresses), kind.replace("_", " ")), tuple(Named.of(address).name for address in addresses)


def filled(rows: Iterable[object], *attributes: str) -> tuple[str, ...]:
    """The attributes that hold something in one row at least: the others get no column."""
    kept = list(rows)
    return tuple(attribute for attribute in attributes if any(map(attrgetter(attribute), kept)))
