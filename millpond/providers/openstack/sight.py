"""What policies hide without a word. A plan on half a view would be wrong: what an account is not shown would be taken for absent."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from millpond.errors import Refused
from millpond.providers.openstack.service import Row

FIX = "Give this account the admin role, or one that the policies of this cloud let see it (docs/credentials.md)."


def shown(rows: Iterable[Row], cloud: str, noun: str, *keys: str) -> Iterator[Row]:
    """The rows as they come. Refused after the first that has none of `keys`, which the service shows to administrators alone: one of the
    wrong shape was told by its reader before."""
    for row in rows:
        yield row
        if not any(key in row for key in keys):
            why = f"{noun} are listed without {keys[0]}: this account is not shown what an administrator sees, and not told so (HTTP 200)"
            raise Refused(why, status=403, where=cloud, fix=FIX)
