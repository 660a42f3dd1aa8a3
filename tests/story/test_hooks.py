"""Hooks around the phases: once per admission, told in the plan, run by apply alone."""

from __future__ import annotations

from pathlib import Path

from tests.story.command import millpond
from tests.story.stage import Stage
from tests.story.test_decommission import approve
from tests.story.test_small import cut_over, statuses

SAID = "$MILLPOND_MOMENT $MILLPOND_PHASE $MILLPOND_TENANT/$MILLPOND_WAVE"


def hooked(stage: Stage, **ends: int) -> None:
    """Every hook notes what it was told; `ends` gives some another exit code than 0."""
    names = ("before_cutover", "after_cutover", "after_rollback", "before_decommission", "after_decommission")
    commands = {name: ["/bin/sh", "-c", f"echo {SAID} | tee -a said; exit {ends.get(name, 0)}"] for name in names}
    stage.site_spec = {"hooks": {name: [{"command": command, "timeout": "30s"}] for name, command in commands.items()}}


def said(stage: Stage) -> list[str]:
    path = Path(stage.directory) / "said"
    return path.read_text().splitlines() if path.exists() else []


def test_they_run_once_around_a_cutover_and_after_its_rollback(stage: Stage) -> None:
    hooked(stage)
    stage.manifest["cutover"] = True
    stage.write()
    for verb in ("plan", "status", "drift"):
        told = " ".join(millpond(stage.directory, verb).out.split())
        assert ("before the cutover of wave rest, apply runs `/bin/sh -c" in told) is (verb == "plan")
    assert said(stage) == []
    assert not stage.settle().held
    stage.settle()
    assert said(stage) == ["before cutover acme/rest", "after cutover acme/rest"]
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "discard"}}
    stage.settle()
    assert said(stage)[2:] == ["after rollback acme/rest"]
    assert set(statuses(stage, "source").values()) == {"active"}


def test_one_that_fails_before_holds_the_wave_with_what_it_said(stage: Stage) -> None:
    hooked(stage, before_cutover=7)
    stage.manifest["cutover"] = True
    stage.write()
    with stage.counted() as mutating:
        answer = millpond(stage.directory, "apply")
    assert answer.code == 3
    assert [request for request in mutating if request["cloud"] != "target" or "os-keypairs" not in request["path"]] == []
    told = " ".join(answer.out.split())
    assert "[hook_before_failed]" in told
    assert "it ended with exit code 7" in told
    assert "its last lines: before cutover acme/rest" in told
    assert said(stage) == ["before cutover acme/rest"]
    hooked(stage)
    assert not stage.settle().held
    assert said(stage)[1:] == ["before cutover acme/rest", "after cutover acme/rest"]


def test_one_that_fails_afterwards_is_told_and_changes_nothing(stage: Stage) -> None:
    hooked(stage, after_cutover=7)
    stage.manifest["cutover"] = True
    stage.write()
    answer = millpond(stage.directory, "apply")
    assert answer.code == 0, answer.text
    assert "the hook after the cutover failed" in " ".join(answer.out.split())
    assert set(statuses(stage, "target").values()) == {"active"}


def test_a_cut_that_a_crash_left_is_not_admitted_again(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.sandbox.control.fault(action={"status": 400}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    stage.apply()
    stage.sandbox.control.clear_faults()
    hooked(stage, before_cutover=1)
    assert not stage.settle().held
    assert said(stage) == ["after cutover acme/rest"]


def test_a_decommissioning_is_held_by_its_own_and_begins_and_ends_with_them_once(stage: Stage) -> None:
    cut_over(stage)
    approve(stage)
    hooked(stage, before_decommission=7)
    stage.write()
    told = " ".join(millpond(stage.directory, "plan").out.split())
    assert "before the decommissioning, apply runs `/bin/sh -c" in told
    assert "after the decommissioning, apply runs `/bin/sh -c" in told
    with stage.counted() as mutating:
        answer = millpond(stage.directory, "apply")
    assert (answer.code, mutating) == (3, [])
    told = " ".join(answer.out.split())
    assert "[hook_before_failed]" in told
    assert "the hook before the decommission failed: `/bin/sh -c" in told
    assert "it ended with exit code 7" in told
    assert "its last lines: before decommission acme/" in told
    assert said(stage) == ["before decommission acme/"]
    hooked(stage)
    assert not stage.settle().held
    assert stage.rows("source/nova/servers") == []
    assert said(stage)[1:] == ["before decommission acme/", "after decommission acme/"]
    stage.apply()
    assert len(said(stage)) == 3
