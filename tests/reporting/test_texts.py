from dataclasses import replace

import pytest
from click import style, unstyle

from millpond.errors import InvalidDocument, LeaseHeld, Problem, StalePlan
from millpond.model.change import Change, Effect, FieldChange
from millpond.model.outcome import Outcome, Result
from millpond.model.plan import NOT_KNOWN, Plan, Stage, TenantPlan
from millpond.reporting.drift_report import DriftReport
from millpond.reporting.drift_text import drift_text
from millpond.reporting.errors_text import error_text, unexpected_text, usage_text
from millpond.reporting.outcome_text import outcome_lines, outcome_text
from millpond.reporting.plan_text import plan_text
from millpond.reporting.status_text import status_text

from . import examples
from .golden import check

GOING_ON = replace(examples.QUIET, waves=(examples.PILOT, examples.CUT_SHORT), steps=(examples.boot("web-1"),))


def test_plan_with_everything() -> None:
    check("plan_full.txt", plan_text(examples.FULL))


def test_plan_without_changes() -> None:
    text = plan_text(examples.plan(examples.QUIET))
    check("plan_quiet.txt", text)
    assert "No changes. Your infrastructure matches the configuration." in unstyle(text).splitlines()


def test_plan_that_waits() -> None:
    text = unstyle(plan_text(examples.plan(examples.GLOBEX)))
    check("plan_waits.txt", text)
    assert "Plan: 0 to add, 0 to change, 0 to destroy." in text.splitlines()
    assert "No changes" not in text


def test_an_outage_is_the_first_that_a_plan_says() -> None:
    made = examples.plan(replace(examples.ACME, waves=(examples.CUT_SHORT,)))
    text = unstyle(plan_text(made))
    assert text.startswith("OUTAGE IN PROGRESS\n  acme, wave core: since ")
    assert text.index("    acme/server/db-1\n") < text.index("    millpond apply acme\n") < text.index("What stops, promotes or deletes")
    assert "    millpond apply acme --wave core\n" in unstyle(plan_text(made, "core"))


def test_plan_that_is_blocked_does_not_say_that_all_is_well() -> None:
    text = unstyle(plan_text(examples.plan(replace(examples.QUIET, findings=(examples.UNDECIDED,)))))
    assert "No changes" not in text
    assert "Blocked: 1 blocker, see above." in text.splitlines()


def test_plan_of_a_tenant_that_failed_does_not_say_that_all_is_well() -> None:
    text = unstyle(plan_text(examples.plan(examples.QUIET, errors=(("umbrella", "unreachable"),))))
    assert "No changes" not in text
    assert "umbrella was not planned: unreachable" in text


def test_every_change_is_shown() -> None:
    text = unstyle(plan_text(examples.FULL))
    for change in examples.ACME.changes:
        assert f"# {change.address} " in text
        assert change.reason in " ".join(text.split())


def test_the_same_done_to_several_parts_is_one_rung() -> None:
    members = tuple(
        Change(examples.address("replication_group", "core-p1"), f"add_member:{n}", "cutover", fields=(FieldChange("member", None, n),))
        for n in (4711, 4712)
    )
    text = unstyle(plan_text(examples.plan(replace(examples.QUIET, steps=members))))
    assert text.count("add_member") == 1
    assert "  ~ add_member (2)" in text
    assert "+ member = 4711" in text
    assert "+ member = 4712" in text


def test_secrets_and_what_is_not_known_are_said_in_words() -> None:
    text = unstyle(plan_text(examples.FULL))
    assert "+ user_data     = (sensitive value)" in text
    assert "+ ports         = [(known after apply)]" in text


def test_status_of_everything() -> None:
    at_work = {"acme": "run 20261201T115500Z-3f2a9c of ada@runner-1 works on it since 2026-12-01 11:55:00 UTC in https://ci.example/runs/7"}
    check("status.txt", status_text(examples.FULL, at_work))


def test_what_is_handed_over_soaks_before_its_source_is_deleted() -> None:
    text = unstyle(status_text(examples.plan(examples.QUIET), {}))
    row = next(line for line in text.splitlines() if line.split()[:1] == ["pilot"])
    assert row.split()[-1] == "soak"
    assert "After the soak, with the word of the tenant's owner and an approval, `decommission: true`" in " ".join(text.split())
    assert "soak" not in unstyle(status_text(examples.FULL, {}))


def test_status_invites_no_cutover_while_the_tenant_lacks_something() -> None:
    wave = replace(examples.PILOT, stage=Stage.REPLICATE, phase="preparing")
    group = Change(examples.address("security_group", "web"), "create", "the tenant has it on the source", effect=Effect.CREATE)
    lacking = replace(examples.QUIET, waves=(wave,), steps=(group,))
    assert "cutover: true" not in unstyle(status_text(examples.plan(lacking), {}))
    assert "cutover: true" in unstyle(status_text(examples.plan(replace(lacking, steps=())), {}))


def test_status_in_an_outage() -> None:
    check("status_outage.txt", status_text(examples.plan(GOING_ON), {}))


def test_an_outage_that_a_run_works_on_is_left_to_that_run() -> None:
    away = replace(GOING_ON, tenant="globex")
    text = unstyle(status_text(examples.plan(GOING_ON, away), {"acme": "run 20261201T115500Z-3f2a9c of ada@runner-1 works on it"}))
    outage = text.partition("\n\nTenant ")[0]
    ours, continued = outage.split("To continue:")
    assert "A run is at work on acme, see below: it goes on by itself." in ours
    assert continued.split() == ["millpond", "apply", "globex"]


def test_an_outage_of_which_nobody_knows_the_beginning_says_so() -> None:
    waves = (replace(examples.CUT_SHORT, outage_since=NOT_KNOWN),)
    text = unstyle(status_text(examples.plan(replace(GOING_ON, waves=waves)), {}))
    assert "wave core: since the rollback stopped its servers, time not known\n" in text


def test_drift() -> None:
    check("drift.txt", drift_text(DriftReport(examples.FULL, rpo=600)))


def test_no_drift() -> None:
    assert unstyle(drift_text(DriftReport(examples.plan(examples.QUIET)))) == "No drift."


def test_outcome_with_failures() -> None:
    left = replace(GOING_ON, waves=(replace(examples.CUT_SHORT, outage_since="", down=()),))
    check("outcome_failed.txt", outcome_text(examples.result(left, outcomes=examples.OUTCOMES, advanced=True, remaining=True)))


def test_outcome_of_a_cutover() -> None:
    outages = (("acme/server/db-1", 47.2), ("acme/server/web-1", 95.0))
    estimated = (("acme/server/db-1", 52.0),)
    done = examples.result(examples.QUIET, outcomes=examples.OUTCOMES[:5], outages=outages, estimated=estimated, advanced=True)
    check("outcome_done.txt", outcome_text(done))


def test_outcome_interrupted_in_an_outage() -> None:
    cut = examples.result(GOING_ON, outcomes=examples.OUTCOMES[:2], advanced=True, remaining=True, interrupted=True)
    check("outcome_interrupted.txt", outcome_text(cut, wave="core"))


@pytest.mark.parametrize(
    ("tenant", "flags", "said"),
    [
        (examples.QUIET, {}, "Nothing is left to do."),
        (examples.GLOBEX, {"remaining": True}, "Not finished, and nothing is wrong."),
        (examples.QUIET, {"interrupted": True}, "Interrupted: nothing new was begun, and no server is down."),
        (replace(examples.QUIET, findings=(examples.UNDECIDED,)), {"held": True}, "Held by 1 blocker, see above."),
    ],
)
def test_outcome_says_what_comes_next(tenant: TenantPlan, flags: dict[str, bool], said: str) -> None:
    text = unstyle(outcome_text(examples.result(tenant, **flags)))
    assert said in text
    assert ("    millpond apply" in text) == bool(flags)


def test_an_apply_of_one_wave_says_what_it_left_alone() -> None:
    core = replace(examples.CORE, stage=Stage.REPLICATE)
    text = unstyle(outcome_text(examples.result(replace(examples.QUIET, waves=(examples.PILOT, core))), wave="pilot"))
    assert "Nothing is left to do for wave pilot. --wave left the others as they are: core (in sync)." in text
    assert text.endswith("\n    millpond plan acme")
    assert unstyle(outcome_text(examples.result(examples.QUIET), wave="pilot")).endswith("\n\nNothing is left to do.")


def test_digests_say_whose_they_are() -> None:
    text = unstyle(plan_text(examples.FULL))
    assert f"Digest of acme: {examples.ACME.digest}" in text
    assert f"Digest of all 2 tenants: {examples.FULL.digest}" in text
    assert "Digest of all" not in unstyle(plan_text(examples.plan(examples.QUIET)))


def test_what_is_waited_for_is_that_of_the_first_alone() -> None:
    other = replace(examples.SEED, address=examples.address("replication_group", "core-p1", "globex"), seconds=2.0)
    text = " ".join(unstyle(plan_text(examples.plan(replace(examples.GLOBEX, steps=(examples.SEED, other))))).split())
    assert "(the first copy is under way); and 1 more." in text


def test_errors_are_told_in_parts() -> None:
    held = LeaseHeld(
        "run 20261201T115500Z-3f2a9c of ada@runner-1 works on acme since 2026-12-01 11:55:00 UTC; its lease ends at 12:01:00 UTC",
        where="acme",
        fix="Wait for it to end. If that run is dead, its lease ends by itself; to take it away at once:",
        command="millpond unlock acme --run 20261201T115500Z-3f2a9c",
    )
    check("error.txt", error_text(held))


def test_all_problems_of_documents_are_told() -> None:
    problems = (
        Problem("tenants/acme.yaml:12:7", "unknown field `cutovr`", "every field must be known", "did you mean `cutover`?"),
        Problem("tenants/acme.yaml:19:5", "there is no server `web-9`", fix="servers: bastion, db-1, web-1"),
    )
    check("error_documents.txt", error_text(InvalidDocument(problems)))


def test_an_error_without_more_is_short() -> None:
    assert unstyle(error_text(StalePlan("the documents changed"))) == "Error: The saved plan is stale\n  Why:   the documents changed"


def test_a_defect_names_the_file_of_its_trace() -> None:
    check("error_unexpected.txt", unexpected_text("KeyError", ".millpond/trace-20261201T120000Z.txt"))


def test_a_misuse_shows_the_usage() -> None:
    check(
        "error_usage.txt",
        usage_text("No such option '--wav'. Did you mean '--wave'?", "Usage: millpond plan [OPTIONS]", "millpond plan --help"),
    )


def test_colours_are_there_for_a_terminal_and_take_no_room() -> None:
    text = plan_text(examples.FULL)
    assert style("+", fg="green") in text
    assert style("-/+", fg="red") in text


def test_a_plan_of_no_tenant_matches_no_configuration() -> None:
    empty = Plan(examples.NOON, "0.1.0", (), examples.DIGEST)
    assert unstyle(plan_text(empty)) == "Plan: 0 to add, 0 to change, 0 to destroy."
    still = unstyle(plan_text(examples.plan(examples.QUIET))).splitlines()
    assert "No changes. Your infrastructure matches the configuration." in still


def test_what_was_done_to_a_long_address_stands_in_the_column_of_the_others() -> None:
    long = "acme/port/web-1-2001:db8:4711:1:f816:3eff:fe2a:fffe"
    outcomes = tuple(Outcome(step, Result.DONE) for step in (f"{long}#reserve", "acme/server/web-1#create"))
    lines = unstyle("\n".join(outcome_lines(examples.result(examples.QUIET, outcomes=outcomes)))).splitlines()
    column = lines[-1].index("create")
    assert lines[1:3] == [f"  done     {long}", f"{' ' * column}reserve"]
