"""Who must approve is told by what a plan really stops, promotes or deletes."""

from __future__ import annotations

from dataclasses import replace

from millpond.model.site import Approvers, Site
from millpond.planning.approvers import approvers
from millpond.planning.digest import tenant_digest
from tests.planning.situations import BACK, PILOT, approved, back, before, done, flags, leaving
from tests.planning.tenant import SITE, prepared

NAMED = replace(SITE, approvers=Approvers(("@org/cut",), ("@org/back",), ("@org/end", "end@example.org")))


def test_a_cutover_a_rollback_and_a_decommissioning_have_their_own() -> None:
    cut = prepared().plan(PILOT)
    assert approvers(NAMED, [cut]) == {"cutover": ("@org/cut",)}
    arrived = done()
    returned = arrived.plan(back(arrived, "discard"))
    assert approvers(NAMED, [returned]) == {"rollback": ("@org/back",)}
    assert approvers(NAMED, [cut, returned]) == {"cutover": ("@org/cut",), "rollback": ("@org/back",)}


def test_a_decommissioning_has_its_own_before_it_is_approved_and_after() -> None:
    gone = done(flags(True, True))
    for desired in (leaving(), approved(gone, leaving())):
        assert approvers(NAMED, [gone.plan(desired)]) == {"decommission": ("@org/end", "end@example.org")}


def test_nobody_must_approve_what_stops_promotes_and_deletes_nothing() -> None:
    assert approvers(NAMED, [prepared().plan(BACK)]) == {}


def test_who_approves_is_no_part_of_the_destination() -> None:
    assert tenant_digest(replace(PILOT, site=NAMED)) == tenant_digest(PILOT)


def test_nobody_is_named_where_the_site_names_nobody() -> None:
    assert approvers(Site("north"), [prepared().plan(PILOT), before("source_server/web-1#stop").plan(PILOT)]) == {}
