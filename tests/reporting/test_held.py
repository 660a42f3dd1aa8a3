"""What a person has to decide is told once, by its blocker; what is excluded and what each wave costs are seen."""

from dataclasses import replace

import pytest
from click import unstyle

from millpond.model.address import Side
from millpond.model.change import Change, Effect, Waiting
from millpond.model.finding import EXCLUDED, STRANDED, Finding, Severity
from millpond.model.outcome import Outcome, Result
from millpond.model.plan import DECOMMISSIONED, OutageEstimate, Stage, TenantPlan, WaveStatus
from millpond.reporting.danger_markdown import DETAILS, danger_blocks
from millpond.reporting.outcome_text import outcome_text
from millpond.reporting.plan_text import plan_text
from millpond.reporting.status_text import status_text

from . import examples

WINDOW = Finding("window_closed", Severity.BLOCKER, examples.address("gate", "core"), "the window opens later", wave="core")
SHUT = Waiting(examples.address("gate", "core"), "admission", "the window opens later", "core", long=True)
UNAPPROVED = Finding(
    "decommission_unapproved", Severity.BLOCKER, examples.address("gate", "decommission"), "it is not approved", wave="decommission"
)
APPROVAL = Waiting(examples.address("gate", "decommission"), "approval", "held by blockers", long=True)
SOAK = Waiting(examples.address("gate", "decommission"), "admission", "the soak ends in 90 s", "decommission", long=True, seconds=90)
DELETE = Change(examples.address("source_server", "web-1"), "delete", "decommission: true", "core", effect=Effect.DELETE, danger=True)
HELD = TenantPlan("acme", examples.DIGEST, steps=(SHUT,), findings=(WINDOW,), waves=(examples.CORE,))
ENDING = replace(examples.CORE, stage=Stage.DECOMMISSION, phase="decommissioning")


def shown(tenant: TenantPlan) -> str:
    return unstyle(plan_text(examples.plan(tenant)))


def test_a_gate_that_a_blocker_keeps_shut_is_told_by_the_blocker_alone() -> None:
    assert shown(HELD).count("the window opens later") == 1
    assert "Waiting" not in shown(HELD)
    assert unstyle(status_text(examples.plan(HELD), {})).count("the window opens later") == 1


def test_a_gate_that_opens_by_itself_is_waited_for() -> None:
    after = replace(SHUT, reason="wave pilot has to be handed over first")
    assert "wave pilot has to be handed over first" in shown(replace(HELD, steps=(after,), findings=()))


def test_an_approval_is_a_persons_and_a_soak_is_not() -> None:
    text = shown(TenantPlan("acme", examples.DIGEST, steps=(APPROVAL, SOAK), findings=(UNAPPROVED,), waves=(ENDING,)))
    assert "Blocker: acme/gate/decommission holds the decommissioning" in text
    assert "held by blockers" not in text
    assert "the soak ends in 90 s" in text


def test_an_apply_that_is_held_names_what_is_held() -> None:
    text = unstyle(outcome_text(examples.result(HELD, remaining=True, held=True)))
    assert "Apply: 0 done, 0 failed, 0 unknown; held: acme, wave core." in text
    assert "0 held" not in text


DOWN = replace(examples.CUT_SHORT, stage=Stage.HELD, phase="held")
BLOCKED = replace(examples.UNDECIDED, address=examples.address("wave", "core"), wave="core")
STUCK = TenantPlan("acme", examples.DIGEST, findings=(BLOCKED,), waves=(DOWN,))


def outage(tenant: TenantPlan, **at_work: str) -> str:
    return unstyle(status_text(examples.plan(tenant), at_work)).partition("\n\nTenant ")[0]


def test_an_outage_that_is_held_says_that_a_person_has_to_decide() -> None:
    for text in (outage(STUCK), unstyle(outcome_text(examples.result(STUCK, remaining=True, held=True)))):
        block = text[text.index("OUTAGE IN PROGRESS") :]
        assert "    Held by acme/wave/core [rollback_undecided]\n" in block
        assert "apply cannot continue: a person has to do what the blocker says first. After that:" in " ".join(block.split())
        assert "To continue:" not in block
        assert block.split()[-3:] == ["millpond", "apply", "acme"]


@pytest.mark.parametrize("step", [examples.boot("web-1"), replace(SHUT, long=False)], ids=["a change", "a short wait"])
def test_an_outage_in_which_something_can_be_done_is_continued(step: Change | Waiting) -> None:
    going_on = replace(STUCK, steps=(step,))
    assert "To continue:" in outage(going_on)
    assert "Held by" not in outage(going_on)
    behind = replace(step, after=(SOAK.id,))
    assert "Held by acme/wave/core" in outage(replace(STUCK, steps=(SOAK, behind)))


def test_an_outage_that_a_run_is_at_work_on_names_what_frees_its_lease() -> None:
    text = outage(replace(STUCK, steps=(examples.boot("web-1"),)), acme="run r-1 of ada@runner-1 works on it")
    assert text.splitlines()[-2:] == ["    millpond unlock acme --run ID", "    millpond apply acme"]
    assert "unlock" not in outage(STUCK)


def test_what_is_to_do_by_apply_is_not_said_of_what_it_cannot_do() -> None:
    behind = replace(examples.boot("web-1"), after=(SHUT.id,))
    assert "To do by apply, once the blockers are gone: 1 to add" in unstyle(
        status_text(examples.plan(replace(HELD, steps=(SHUT, behind))), {})
    )
    waiting = replace(HELD, steps=(SHUT, behind), findings=())
    assert "To do by apply, once the wait is over: 1 to add" in unstyle(status_text(examples.plan(waiting), {}))
    one = replace(HELD, steps=(SHUT, behind, examples.boot("web-2")))
    assert "To do by apply: 2 to add" in unstyle(status_text(examples.plan(one), {}))


def test_an_apply_that_time_holds_says_that_nothing_is_wrong() -> None:
    text = unstyle(outcome_text(examples.result(replace(HELD, steps=(replace(SHUT, seconds=60),), findings=()), remaining=True, held=True)))
    assert "Apply: 0 done, 0 failed, 0 unknown; held: acme, wave core." in text
    assert "Waiting: acme/gate/core admission; about 1 min (the window opens later)." in text
    assert "Held until a gate opens by itself, see above: nothing is wrong. To continue then:" in text
    soaking = TenantPlan("acme", examples.DIGEST, steps=(SOAK,), waves=(ENDING,))
    assert "held: acme, the decommissioning." in unstyle(outcome_text(examples.result(soaking, remaining=True, held=True)))


def test_what_is_excluded_is_listed_with_its_reason() -> None:
    left = Finding(EXCLUDED, Severity.INFO, examples.address("server", "old-box"), "stays on the source: rebuilt by its owner")
    tenant = replace(examples.QUIET, findings=(left,))
    for text in (shown(tenant), unstyle(status_text(examples.plan(tenant), {}))):
        assert "  acme/server/old-box  stays on the source: rebuilt by its owner" in text.splitlines()
        assert "Note:" not in text


def test_who_loses_the_gateway_stands_with_what_is_dangerous() -> None:
    what = "excluded servers stay on a segment whose gateway moves: old-box"
    left = Finding(STRANDED, Severity.WARNING, examples.address("segment", "edge"), what)
    stop = Change(examples.address("source_server", "bastion"), "stop", "cutover: true", "pilot", side=Side.SOURCE, danger=True)
    switch = Change(examples.address("segment", "edge"), "finish:r-1", "the gateway is on the target")
    tenant = TenantPlan("acme", examples.DIGEST, steps=(stop, switch), findings=(left,), waves=(examples.PILOT,))
    text = shown(tenant)
    assert f"  beside it: {what}" in text[: text.index("Tenant acme")].splitlines()
    assert f"- `acme`: {what}" in danger_blocks(examples.plan(tenant), DETAILS[0])
    quiet = replace(tenant, steps=())
    assert "beside it" not in shown(quiet)
    assert danger_blocks(examples.plan(quiet), DETAILS[0]) == []


@pytest.mark.parametrize("switch", [(), (Change(examples.address("segment", "edge"), "finish_back", "the gateway is on the source"),)])
def test_who_keeps_the_gateway_in_this_plan_is_warned_of_among_the_findings(switch: tuple[Change, ...]) -> None:
    """A pilot's cut has no step on the segment, a way back takes the gateway to where the excluded servers are."""
    what = "excluded servers stay on a segment whose gateway moves: old-box"
    left = Finding(STRANDED, Severity.WARNING, examples.address("segment", "edge"), what)
    stop = Change(examples.address("source_server", "bastion"), "stop", "cutover: true", "pilot", side=Side.SOURCE, danger=True)
    tenant = TenantPlan("acme", examples.DIGEST, steps=(stop, *switch), findings=(left,), waves=(examples.PILOT,))
    text = shown(tenant)
    assert "beside it" not in text
    assert text.count(what) == 1
    assert not any(what in line for line in danger_blocks(examples.plan(tenant), DETAILS[0]))


def test_each_wave_has_an_outage_of_its_own() -> None:
    pilot = WaveStatus("pilot", Stage.CUT, "in sync", ("acme/server/bastion",))
    stops = [
        Change(examples.address("source_server", name), "stop", "cutover: true", wave, side=Side.SOURCE, danger=True)
        for name, wave in (("bastion", "pilot"), ("db-1", "core"))
    ]
    outage = OutageEstimate((("acme/server/bastion", 31.0), ("acme/server/db-1", 52.0), ("acme/server/web-1", 48.0)))
    text = shown(TenantPlan("acme", examples.DIGEST, steps=tuple(stops), waves=(pilot, examples.CORE), outage=outage))
    assert "  acme, wave pilot: 1 server, 1 step on 1 resource, outage about 31 s, critical path bastion" in text.splitlines()
    assert "  acme, wave core: 2 servers, 1 step on 1 resource, outage about 52 s, critical path db-1" in text.splitlines()


def test_a_rollback_that_discards_says_what_is_lost() -> None:
    wave = replace(examples.PILOT, stage=Stage.DISCARD, phase="going back")
    delete = Change(examples.address("server", "bastion"), "delete", "wave pilot goes back", "pilot", effect=Effect.DELETE, danger=True)
    tenant = TenantPlan("acme", examples.DIGEST, steps=(delete,), waves=(wave,))
    lost = "    lost: all that was written on the target since 2026-11-30 22:00:00 UTC by bastion"
    assert lost in shown(tenant).splitlines()
    assert "lost:" not in shown(replace(tenant, waves=(replace(wave, stage=Stage.CARRY_BACK),)))


def test_a_decommissioned_wave_asks_for_nothing() -> None:
    waves = tuple(replace(wave, stage=Stage.HANDED_OVER, phase=DECOMMISSIONED) for wave in (examples.PILOT, examples.CORE))
    text = unstyle(status_text(examples.plan(replace(examples.QUIET, waves=waves)), {}))
    assert "decommission: true" not in text
    assert text.count("nothing") == 2


def test_what_was_sent_and_not_seen_done_is_not_called_done() -> None:
    stop = examples.stop("web-1")
    waiting = Waiting(stop.address, "stop", "the server is changing its power state")
    outcomes = (Outcome(examples.lock("web-1").id, Result.DONE), Outcome(stop.id, Result.DONE))
    text = unstyle(outcome_text(examples.result(replace(examples.QUIET, steps=(waiting,)), outcomes=outcomes, remaining=True)))
    assert "  done     acme/source_server/web-1  lock" in text.splitlines()
    assert "  sent     acme/source_server/web-1  stop  (under way when this run ended)" in text.splitlines()


def test_a_long_address_does_not_push_the_others_aside() -> None:
    long = f"acme/security_group/{'a' * 60}"
    steps = (f"{long}#create", *(f"acme/port/eth0#{action}" for action in ("create", "mark", "secure")))
    text = unstyle(outcome_text(examples.result(examples.QUIET, outcomes=tuple(Outcome(step, Result.DONE) for step in steps))))
    assert f"  done     {'acme/port/eth0':<44}  create, mark, secure" in text.splitlines()
    assert all(len(line) <= 100 for line in text.splitlines())
