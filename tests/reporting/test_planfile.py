import copy
import functools
import json
import operator
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from millpond.errors import InvalidDocument
from millpond.model.change import UNKNOWN, Waiting
from millpond.model.plan import Plan, Stage, TenantPlan
from millpond.model.plan_document import PlanDocument
from millpond.model.secret import Secret
from millpond.reporting.files import CannotWrite
from millpond.reporting.hosts import HOSTS
from millpond.reporting.plan_json import status_document, to_json
from millpond.reporting.plan_markdown import plan_markdown
from millpond.reporting.plan_text import plan_text
from millpond.reporting.planfile import plan_document_text, read_planfile, write_planfile
from millpond.schemas import check_plan

from . import examples
from .fleet import fleet

DOCUMENT = PlanDocument(
    plan=examples.FULL,
    expires=examples.NOON + timedelta(hours=1),
    site="north",
    wave="core",
    git_sha="3f2a9c1",
    dirty=True,
    clouds={"rhosp13": "rhosp13"},
    arrays={"ibox-a": "ibox-a.example"},
)


def ordered(plan: Plan) -> Plan:
    """Steps as the document has them: the changes, then what waits."""

    def sort(tenant: TenantPlan) -> TenantPlan:
        return replace(tenant, steps=(*tenant.changes, *tenant.waiting))

    return replace(plan, tenants=tuple(map(sort, plan.tenants)))


def test_the_document_is_valid_by_its_schema() -> None:
    check_plan(json.loads(plan_document_text(DOCUMENT)), "plan.json")


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    write_planfile(tmp_path / "plan.json", DOCUMENT)
    plan = replace(ordered(examples.FULL), clouds=DOCUMENT.clouds, arrays=DOCUMENT.arrays)
    assert read_planfile(tmp_path / "plan.json") == replace(DOCUMENT, plan=plan)
    assert plan_text(read_planfile(tmp_path / "plan.json").plan) == plan_text(ordered(examples.FULL))


def test_the_same_plan_gives_the_same_file() -> None:
    assert plan_document_text(DOCUMENT) == plan_document_text(DOCUMENT)


def test_actions_are_terraforms_and_whatever_loses_data_says_delete() -> None:
    changes = to_json(DOCUMENT)["resource_changes"]
    assert len(changes) == len(examples.ACME.changes)
    by_step = {f"{change['address']}#{change['migration_action']}": change for change in changes}
    create = by_step["acme/server/web-1#create"]["change"]
    assert (create["actions"], create["before"]) == (["create"], None)
    assert create["after"]["name"] == "web-1"
    delete = by_step["acme/server/old-boot#delete_failed"]["change"]
    assert (delete["actions"], delete["after"]) == (["delete"], None)
    stop = by_step["acme/source_server/web-1#stop"]["change"]
    assert (stop["actions"], stop["before"], stop["after"]) == (["update"], {"status": "ACTIVE"}, {"status": "SHUTOFF"})


def test_what_is_unknown_or_secret_is_marked() -> None:
    unknown = replace(examples.lock("web-1"), fields=(examples.FieldChange("port_id", None, UNKNOWN),))
    tenant = replace(examples.QUIET, steps=(unknown, examples.boot("db-1")))
    first, second = (change["change"] for change in to_json(replace(DOCUMENT, plan=examples.plan(tenant)))["resource_changes"])
    assert first["after_unknown"] == {"port_id": True}
    assert second["after_sensitive"] == {"user_data": True}


def test_the_verdicts() -> None:
    def verdicts(plan: Plan) -> tuple[bool, bool, bool]:
        document = to_json(replace(DOCUMENT, plan=plan))
        return document["applyable"], document["complete"], document["errored"]

    assert verdicts(examples.plan(examples.QUIET)) == (False, True, False)
    assert verdicts(examples.plan(examples.GLOBEX)) == (False, False, False)
    assert verdicts(examples.plan(replace(examples.ACME, findings=()))) == (True, True, False)
    assert verdicts(examples.plan(examples.ACME)) == (False, False, False), "a blocker holds it"
    assert verdicts(examples.FULL) == (False, False, True)


def test_a_way_back_is_applyable_as_long_as_a_blocker_leaves_something_to_do() -> None:
    """As apply judges the saved plan: nothing but the blocker's own part is held."""

    def applyable(**values: Any) -> bool:
        wave = replace(examples.PILOT, stage=Stage.DISCARD)
        tenant = replace(examples.ACME, waves=(wave, examples.CORE), findings=(examples.UNDECIDED,))
        found: bool = to_json(replace(DOCUMENT, plan=examples.plan(replace(tenant, **values))))["applyable"]
        return found

    held = Waiting(examples.address("gate", "pilot"), "wait", "held", "pilot", long=True)
    assert applyable()
    assert applyable(steps=(*examples.ACME.steps, held)), "nothing comes after what is held"
    assert not applyable(steps=(held, replace(examples.stop("web-1"), after=(held.id,))))
    assert not applyable(steps=()), "nothing is to do"
    assert not applyable(waves=(replace(examples.PILOT, stage=Stage.CUT),)), "it brings nothing back"


def test_everything_stands_at_the_top_too() -> None:
    document = to_json(DOCUMENT)
    assert [check["code"] for check in document["checks"]] == ["orphan", "users_without_password", "rollback_undecided"]
    assert next(step["address"] for step in document["waiting"]) == "globex/replication_group/rest-p1"
    changes = {drift["address"]: drift["change"] for drift in document["resource_drift"]}
    assert changes["acme/server/bastion"] == {"actions": ["update"], "before": {"flavor": "m1.small"}, "after": {"flavor": "m1.medium"}}
    assert (changes["acme/volume/scratch"]["actions"], changes["acme/volume/scratch"]["before"]) == (["create"], None)
    assert document["summary"] == {"add": 4, "change": 4, "destroy": 1, "quiet": False}


SMALL = replace(
    DOCUMENT,
    plan=replace(
        examples.plan(
            replace(examples.ACME, steps=(examples.stop("db-1"), examples.SEED), drift=examples.DRIFT[:1]),
            errors=examples.FULL.errors,
            findings=(examples.ORPHAN,),
        ),
        approvers=examples.FULL.approvers,
    ),
)
FREE = {"parameters", "before", "after", "after_unknown", "before_sensitive", "after_sensitive"}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where each value of a document stands, the first of each list; not what stands in objects of any shape."""
    if path:
        yield path
    if path[-1:] and path[-1] in FREE:
        return
    found = value.items() if isinstance(value, dict) else list(enumerate(value))[:1] if isinstance(value, list) else ()
    for key, item in found:
        yield from places(item, (*path, key))


@pytest.mark.parametrize("other", [None, 7, "no-op", [], [{"x": 1}], {}], ids=str)
def test_a_damaged_plan_is_refused_or_read_wherever_the_damage_is(other: Any, tmp_path: Path) -> None:
    document = json.loads(plan_document_text(SMALL))
    unread = []
    for *path, last in places(document):
        broken = copy.deepcopy(document)
        functools.reduce(operator.getitem, path, broken)[last] = other
        (tmp_path / "plan.json").write_text(json.dumps(broken))
        try:
            read = read_planfile(tmp_path / "plan.json")
        except InvalidDocument:
            continue
        try:
            plan_text(read.plan, read.wave)
            plan_markdown(read, HOSTS["github"])
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            unread.append(f"{[*path, last]}: {error!r}")
    assert unread == []


def calls(document: Any) -> int:
    """How much is done to check it, on whatever machine."""
    found = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal found
        found += event == "call"

    sys.setprofile(count)
    try:
        check_plan(document, "plan.json")
    finally:
        sys.setprofile(None)
    return found


def test_what_stands_twice_in_a_document_is_looked_at_once() -> None:
    document = json.loads(plan_document_text(fleet(3, 20)))
    bare = {**document, "resource_changes": []}
    calls(bare)  # the schema is read
    assert calls(document) < 1.1 * calls(bare)


@pytest.mark.parametrize("tops", [True, False], ids=["at the top", "of the tenant"])
def test_what_is_wrong_in_either_of_both_places_is_found(*, tops: bool) -> None:
    document = json.loads(plan_document_text(fleet(2, 2)))
    (document if tops else document["tenants"][1])["resource_changes"][-1]["address"] = 7
    with pytest.raises(InvalidDocument) as refused:
        check_plan(document, "plan.json")
    found = " ".join(problem.what for problem in refused.value.problems)
    assert ("`$.resource_changes[" if tops else "`$.tenants[1].resource_changes[") in found


def test_a_newer_minor_version_is_read_and_an_unknown_major_refused(tmp_path: Path) -> None:
    document = json.loads(plan_document_text(DOCUMENT))
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({**document, "format_version": "1.7", "something_new": 1}))
    assert read_planfile(path).format_version == "1.7"
    path.write_text(json.dumps({**document, "format_version": "2.0"}))
    with pytest.raises(InvalidDocument) as refused:
        read_planfile(path)
    assert "the plan has format 2.0" in refused.value.problems[0].what


def test_a_place_that_cannot_be_written_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("in the way")
    with pytest.raises(CannotWrite):
        write_planfile(tmp_path / "taken/plan.json", DOCUMENT)
    (tmp_path / "plan.json").mkdir()
    with pytest.raises(CannotWrite):
        write_planfile(tmp_path / "plan.json", DOCUMENT)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plan.json", "taken"]


def test_no_secret_is_written() -> None:
    canary = "c4n4ry-S3cret"
    change = replace(
        examples.boot("web-1"), parameters={"user_data": Secret(canary)}, fields=(examples.FieldChange("user_data", None, Secret(canary)),)
    )
    document = replace(DOCUMENT, plan=examples.plan(replace(examples.QUIET, steps=(change,))))
    assert canary not in plan_document_text(document)
    assert canary not in plan_text(document.plan)


def test_status_as_json() -> None:
    status = json.loads(status_document(examples.FULL, {"acme": "run 1"}))
    assert [(tenant["tenant"], tenant["at_work"]) for tenant in status["tenants"]] == [("acme", "run 1"), ("globex", None)]
    assert status["tenants"][1]["waiting"][0]["bytes_left"] == 442381631488
