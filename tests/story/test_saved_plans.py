"""A saved plan: it applies, as often as one likes and after a crash, and is stale once documents or world lead elsewhere."""

from __future__ import annotations

import json
import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from millpond.reporting.amounts import moment
from tests.pipelines.repository import git
from tests.sandbox.conftest import connect
from tests.story.command import Answer, millpond, started
from tests.story.stage import Stage
from tests.story.worlds import INVENTORY

AGAIN = "  To do: Make the plan again and have it reviewed:\n\n    millpond plan -o plan.json\n"


@pytest.fixture
def saved(stage: Stage) -> Stage:
    """A tenant whose cutover is planned, the plan saved as plan.json."""
    stage.manifest["cutover"] = True
    stage.write()
    answer = millpond(stage.directory, "plan", "-o", "plan.json", "--detailed-exitcode")
    assert (answer.code, answer.err) == (2, "")
    assert answer.out.endswith("run the following command to apply:\n\n    millpond apply plan.json\n")
    return stage


def apply(stage: Stage) -> Answer:
    return millpond(stage.directory, "apply", "plan.json", "--detailed-exitcode")


def stale(stage: Stage, why: str) -> None:
    with stage.counted() as mutating:
        answer = apply(stage)
    assert (answer.code, answer.out.strip(), mutating) == (4, "", [])
    assert answer.err.startswith(f"Error: The saved plan is stale\n  Why:   {why}"), answer.err
    assert answer.err.endswith(AGAIN)


def statuses(stage: Stage) -> set[str]:
    return {row["vm_state"] for row in stage.rows("target/nova/servers")}


def test_it_cuts_over_and_may_be_run_again(saved: Stage) -> None:
    answer = apply(saved)
    assert (answer.code, answer.err) == (0, "")
    assert statuses(saved) == {"active"}
    with saved.counted() as mutating:
        again = apply(saved)
    assert (again.code, mutating) == (0, [])
    assert "Nothing is left to do." in again.out


def test_it_may_be_made_before_the_window_opens(stage: Stage) -> None:
    opens = datetime.now(UTC) + timedelta(seconds=8)
    stage.manifest |= {"cutover": True, "window": {"opens": opens.isoformat(), "closes": (opens + timedelta(hours=2)).isoformat()}}
    stage.write()
    planned = millpond(stage.directory, "plan", "-o", "plan.json", "--detailed-exitcode")
    assert (planned.code, planned.err) == (2, "")
    assert f"its maintenance window opens at {moment(opens)}" in " ".join(planned.out.split())
    time.sleep(max(0.0, (opens - datetime.now(UTC)).total_seconds()))
    answer = apply(stage)
    assert (answer.code, answer.err) == (0, "")
    assert statuses(stage) == {"active"}


def test_it_prepares_too(untouched: Stage) -> None:
    untouched.write()
    assert millpond(untouched.directory, "plan", "-o", "plan.json").code == 0
    answer = apply(untouched)
    while answer.code == 2:
        untouched.sandbox.control.advance(60)
        answer = apply(untouched)
    assert (answer.code, answer.err) == (0, "")
    assert millpond(untouched.directory, "plan", "--detailed-exitcode").code == 0


@pytest.mark.parametrize("skip", [14, 22], ids=["when the roles change", "when the target boots"])
def test_it_finishes_what_a_crash_left(saved: Stage, skip: int) -> None:
    process = started(saved.directory, "apply", "plan.json")
    saved.sandbox.control.fault(action={"kill": process.pid, "when": "after_lost"}, mutating=True, skip=skip)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGKILL
    saved.sandbox.control.clear_faults()
    saved.unlocked()
    answer = apply(saved)
    assert (answer.code, answer.err) == (0, ""), answer.text
    assert statuses(saved) == {"active"}
    assert saved.sandbox.control.violations() == []


def test_an_edited_manifest_makes_it_stale(saved: Stage) -> None:
    saved.manifest["quotas"] = {"cores": 40}
    saved.write()
    stale(saved, "the documents of acme changed since the plan was made")
    del saved.manifest["quotas"]
    saved.write()
    assert apply(saved).code == 0


def test_approvals_and_windows_do_not(saved: Stage) -> None:
    saved.manifest["window"] = {"opens": "2020-01-01T00:00:00Z", "closes": "2099-01-01T00:00:00Z"}
    saved.write()
    assert apply(saved).code == 0


def delete_rule(stage: Stage) -> None:
    rule = next(row for row in stage.rows("target/neutron/security_group_rules") if row.get("port_range_min") == 443)
    connect(stage.sandbox, "target-admin").network.delete_security_group_rule(rule["id"])


def test_a_world_that_needs_another_change_makes_it_stale(saved: Stage) -> None:
    """Somebody deletes a rule of the tenant's on the target: to make it again was not reviewed."""
    delete_rule(saved)
    stale(
        saved,
        "what is needed now is not what was reviewed:\n"
        "           acme/security_group/web/ingress-ipv4-tcp-443-from-any#create_rule: this change was not\n"
        "         reviewed",
    )
    assert statuses(saved) == set()


def test_one_that_turns_stale_when_servers_are_down_tells_the_outage(saved: Stage) -> None:
    saved.sandbox.control.fault(action={"status": 400}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    assert apply(saved).code == 1
    saved.sandbox.control.clear_faults()
    delete_rule(saved)
    answer = apply(saved)
    assert answer.code == 4
    assert "OUTAGE IN PROGRESS\n  acme, wave rest: since " in answer.out
    assert answer.out.endswith("  To continue:\n\n    millpond apply acme\n")
    assert "Error: The saved plan is stale" in answer.err
    assert millpond(saved.directory, "apply", "acme").code == 0
    assert statuses(saved) == {"active"}


def test_an_inventory_that_was_discovered_anew_makes_it_stale(saved: Stage) -> None:
    alice = connect(saved.sandbox, "source-acme")
    group = alice.network.find_security_group("web")
    assert group is not None
    alice.network.update_security_group(group, description="Shop")
    assert millpond(saved.directory, "discover", "acme").code == 0
    assert "description: Shop" in (saved.directory / INVENTORY).read_text()
    stale(saved, "the documents of acme changed since the plan was made")


def valid(stage: Stage) -> timedelta:
    document = json.loads((stage.directory / "plan.json").read_text())
    return datetime.fromisoformat(document["expires"]) - datetime.fromisoformat(document["timestamp"])


def test_one_that_cuts_over_is_valid_for_an_hour_and_another_for_a_day(saved: Stage) -> None:
    """Unless the site file says otherwise."""
    assert valid(saved) == timedelta(hours=1)
    saved.manifest |= {"cutover": False, "quotas": {"cores": 60}}
    saved.write()
    assert millpond(saved.directory, "plan", "-o", "plan.json").code == 0
    assert valid(saved) == timedelta(hours=24)


def test_the_site_file_says_how_long_they_are_valid(stage: Stage) -> None:
    stage.site_spec = {"plan": {"expires": "3d", "cutover_expires": "30m"}}
    for cutover, wanted in ((False, timedelta(days=3)), (True, timedelta(minutes=30))):
        stage.manifest["cutover"] = cutover
        stage.write()
        assert millpond(stage.directory, "plan", "-o", "plan.json").code == 0
        assert valid(stage) == wanted


def committed(stage: Stage) -> str:
    stage.write()
    git(stage.directory, "add", "millpond.yaml", "tenants")
    git(stage.directory, "commit", "-q", "-m", "Documents")
    return git(stage.directory, "rev-parse", "HEAD")


def origin(stage: Stage) -> dict[str, Any]:
    assert millpond(stage.directory, "plan", "-o", "plan.json").code == 0
    source: dict[str, Any] = json.loads((stage.directory / "plan.json").read_text())["source"]
    return source


def test_it_tells_whether_its_documents_are_committed(stage: Stage) -> None:
    git(stage.directory, "init", "-q", "-b", "main")
    first = committed(stage)
    assert origin(stage) == {"git_sha": first, "dirty": False}
    (stage.directory / "notes.txt").write_text("no document")
    assert origin(stage) == {"git_sha": first, "dirty": False}
    stage.manifest["quotas"] = {"cores": 60}
    stage.write()
    assert origin(stage) == {"git_sha": first, "dirty": True}
    second = committed(stage)
    assert origin(stage) == {"git_sha": second, "dirty": False}


def expire(stage: Stage) -> None:
    path = stage.directory / "plan.json"
    document: dict[str, Any] = json.loads(path.read_text())
    path.write_text(json.dumps({**document, "expires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 1))}))


def test_one_that_expired_cuts_nothing_over(saved: Stage) -> None:
    expire(saved)
    with saved.counted() as mutating:
        answer = apply(saved)
    assert (answer.code, mutating) == (4, [])
    assert "Why:   it expired at " in answer.err
    assert answer.err.endswith("\n\n    millpond plan -o plan.json\n")


def test_one_that_expired_finishes_the_cut_that_it_began(saved: Stage) -> None:
    saved.sandbox.control.fault(action={"status": 400}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    assert apply(saved).code == 1
    saved.sandbox.control.clear_faults()
    expire(saved)
    answer = apply(saved)
    assert (answer.code, answer.err) == (0, ""), answer.text
    assert statuses(saved) == {"active"}
    again = apply(saved)
    assert (again.code, again.err) == (0, "")


@pytest.mark.parametrize(
    ("text", "told"),
    [("{", "plan.json:1:2"), ('{"format_version": "9.0"}', "plan.json"), ("[]", "plan.json")],
    ids=["no JSON", "another format", "no plan"],
)
def test_what_is_no_plan_is_told(stage: Stage, text: str, told: str) -> None:
    stage.write()
    (stage.directory / "plan.json").write_text(text)
    for words in (("apply", "plan.json"), ("show", "plan.json")):
        answer = millpond(stage.directory, *words)
        assert (answer.code, answer.out) == (1, "")
        assert answer.err.startswith("Error: This is no saved plan that can be read: ")
        assert told in answer.err
