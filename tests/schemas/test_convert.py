from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from millpond.model.address import Address, Side
from millpond.model.change import Change, Effect, FieldChange, Waiting
from millpond.model.compute import Flavor, Server
from millpond.model.desired import Desired, DesiredWave
from millpond.model.finding import Finding, Severity
from millpond.model.manifest import Manifest, ProjectRef, Window
from millpond.model.plan import Plan, TenantPlan
from millpond.model.secret import Secret
from millpond.model.site import Site
from millpond.schemas import from_plain, to_plain
from tests.schemas.writing import INVENTORY

ADDRESS = Address("acme", "server", "web-1")
CHANGE = Change(
    ADDRESS,
    "stop",
    "cutover: true for wave pilot",
    after=("acme/server/web-1#lock",),
    side=Side.SOURCE,
    effect=Effect.UPDATE,
    fields=(FieldChange("status", "ACTIVE", "SHUTOFF"), FieldChange("tags", None, ["a"])),
    parameters={"id": "s1", "body": {"os-stop": None}, "ids": [1, 2]},
)
PLAN = Plan(
    datetime(2026, 12, 1, 22, tzinfo=UTC),
    "0.1.0",
    (TenantPlan("acme", "d", (CHANGE, Waiting(ADDRESS, "seed", long=True, seconds=2.5)), (Finding("x", Severity.BLOCKER, ADDRESS, "w"),)),),
    "d",
    (("beta", "no"),),
)


def test_a_plan_survives_json() -> None:
    assert from_plain(Plan, json.loads(json.dumps(to_plain(PLAN)))) == PLAN


def test_steps_keep_their_kind() -> None:
    (tenant,) = from_plain(Plan, to_plain(PLAN)).tenants
    assert [type(step) for step in tenant.steps] == [Change, Waiting]


def test_what_is_made_plain_is_what_json_can_say() -> None:
    window = Window(datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 2, tzinfo=UTC))
    manifest = Manifest("acme", ProjectRef("a", "b", "c"), ProjectRef("d", "e", "f"), window=window)
    desired = Desired(
        Site("north"), manifest, INVENTORY, (DesiredWave("rest", ("s",), (), False, window),), {}, excluded=frozenset({"z", "a"})
    )
    plain = to_plain(desired)
    assert json.loads(json.dumps(plain)) == plain
    assert plain["excluded"] == ["a", "z"]
    assert plain["waves"][0]["window"]["opens"] == "2026-12-01T00:00:00+00:00"


def test_a_secret_is_never_made_plain() -> None:
    server = Server("s", "web", Flavor("f", 1, 1, 1), user_data=Secret("canary"))
    with pytest.raises(TypeError, match="secret"):
        to_plain(server)
    with pytest.raises(TypeError, match="secret"):
        to_plain(Change(ADDRESS, "create", parameters={"user_data": Secret("canary")}))
