"""What the consistency groups are called that Millpond makes: `millpond-acme_core_ssd`, and `…_manage` where their volumes are adopted.

Names of tenants and waves cannot hold the underscore that joins them, so no two tenants come to one name. Groups of before were joined
by hyphens, which names may hold; they keep their name, and are told by their members.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from millpond.model.array import ConsistencyGroup


def name(tenant: str, wave: str, pair: str, adoption: str) -> str:
    return _joined("_", tenant, wave, pair, adoption)


def former(tenant: str, wave: str, pair: str, adoption: str) -> str:
    return _joined("-", tenant, wave, pair, adoption)


def _joined(by: str, tenant: str, wave: str, pair: str, adoption: str) -> str:
    return f"millpond-{by.join((tenant, wave, pair, *(['manage'] if adoption == 'manage' else [])))}"


def is_of(tenant: str, name: str) -> bool:
    return name.startswith((f"millpond-{tenant}_", f"millpond-{tenant}-"))


def adoption_in(name: str, pair: str) -> str:
    """Empty where the name does not say it."""
    if name.endswith((f"_{pair}_manage", f"-{pair}-manage")):
        return "manage"
    return "precreate" if name.endswith((f"_{pair}", f"-{pair}")) else ""


def is_kept(found: Iterable[tuple[ConsistencyGroup | None, Collection[int]]]) -> bool:
    """Whether one of these groups of a former name, each with the ids that the wave's volumes have on its array, is the wave's.

    One that is empty was just made, or is about to be deleted.
    """
    return any(group is not None and (not group.members or not set(group.members).isdisjoint(own)) for group, own in found)
