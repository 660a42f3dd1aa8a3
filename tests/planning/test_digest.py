"""The digest is of the destination."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from millpond.model.compute import Flavor
from millpond.model.desired import Desired
from millpond.model.manifest import Approval, Reference, Rollback, ServerValues, Window
from millpond.planning.digest import digest_of, plan_digest, tenant_digest
from millpond.schemas.convert import stated
from tests.planning.situations import PILOT
from tests.planning.tenant import INVENTORY, SITE, desired
from tests.planning.world import flagged

NOW = datetime(2026, 12, 1, tzinfo=UTC)
BASE = desired()


def on_site(**values: Any) -> Desired:
    return replace(BASE, site=replace(SITE, **values))


@pytest.mark.parametrize(
    "other",
    [
        flagged(BASE, pilot={"window": Window(NOW, NOW)}),
        flagged(BASE, pilot={"rollback": Rollback("20261201T220000Z", "discard")}),
        flagged(BASE, approvals=(Approval("decommission", "sha256:x", NOW),)),
        flagged(BASE, soak=86400),
        flagged(BASE, keep_pairs_until=NOW),
        flagged(BASE, file="elsewhere/acme.yaml"),
        on_site(limits=replace(SITE.limits, builds=2, poll=30.0)),
        on_site(brakes=replace(SITE.brakes, servers_stopped=3)),
        on_site(journal="postgresql://somewhere"),
        on_site(directory="/elsewhere"),
        replace(BASE, inventory=replace(INVENTORY, discovered_at="2026-11-30T00:00:00Z")),
    ],
)
def test_what_does_not_change_the_destination_does_not_change_the_digest(other: Desired) -> None:
    assert tenant_digest(other) == tenant_digest(BASE)


@pytest.mark.parametrize(
    "other",
    [
        PILOT,
        flagged(BASE, decommission=True),
        flagged(BASE, quotas={"cores": 60}),
        flagged(BASE, pilot={"grouping": "volume"}),
        flagged(BASE, adoption="manage"),
        replace(BASE, server_values={"server-1": ServerValues(Reference("web-1"), power="shutoff")}),
        replace(BASE, excluded=frozenset({"server-2"})),
        replace(BASE, inventory=replace(INVENTORY, servers=(replace(INVENTORY.servers[0], flavor=Flavor("xl", 8, 1, 1)),))),
        replace(BASE, inventory=replace(INVENTORY, volumes=INVENTORY.volumes[1:])),
        on_site(maps=replace(SITE.maps, flavors={"m1.small": "m2.small"})),
        on_site(pool_pairs=(replace(SITE.pool_pairs[0], cinder_host="h@b#p"),)),
        on_site(image_metadata={"hw_vif_model": "virtio"}),
    ],
)
def test_what_changes_the_destination_changes_the_digest(other: Desired) -> None:
    assert tenant_digest(other) != tenant_digest(BASE)


def test_it_is_the_same_for_equal_documents_in_any_order() -> None:
    assert tenant_digest(desired()) == tenant_digest(BASE)
    assert tenant_digest(BASE).startswith("sha256:")
    assert plan_digest(["b", "a"]) == plan_digest(["a", "b"]) != plan_digest(["a"])


def test_fields_that_have_their_default_count_as_not_stated() -> None:
    """Else every field that a version adds would void every approval given before."""

    @dataclass(frozen=True)
    class Before:
        name: str
        size: int = 1

    @dataclass(frozen=True)
    class After(Before):
        added: str = ""

    assert digest_of(stated(After("a", 2))) == digest_of(stated(Before("a", 2)))
    assert digest_of(stated(After("a", 2, "b"))) != digest_of(stated(Before("a", 2)))
