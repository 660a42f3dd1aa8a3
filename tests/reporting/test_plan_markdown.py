"""The comment on a request: what it says, and that it fits."""

from __future__ import annotations

import runpy
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from millpond.model.change import Effect
from millpond.model.plan import Plan, Stage, WaveStatus
from millpond.model.plan_document import PlanDocument
from millpond.reporting.danger_markdown import DETAILS, danger_blocks
from millpond.reporting.hosts import HOSTS, Host, fitting
from millpond.reporting.plan_markdown import plan_markdown

from . import examples
from .fleet import fleet
from .golden import check
from .test_markdown import live

LIMITS = {"github": 65_536, "gitlab": 1_000_000, "bitbucket": 32_768, "4000": 4_000}


def document(plan: Plan) -> PlanDocument:
    return PlanDocument(plan, plan.made_at + timedelta(hours=1), "north", git_sha="3f2a9c01" * 5, dirty=True)


def comment(plan: Plan, host: Host = HOSTS["github"]) -> str:
    return plan_markdown(document(plan), host).rstrip("\n")


def test_a_plan_with_everything() -> None:
    check("plan_full.md", comment(examples.FULL))


def test_a_plan_with_everything_where_nothing_folds() -> None:
    check("plan_bitbucket.md", comment(examples.FULL, HOSTS["bitbucket"]))


def test_a_plan_without_changes() -> None:
    check("plan_quiet.md", comment(examples.plan(examples.QUIET)))


def test_dangers_come_before_the_table_and_are_never_folded() -> None:
    text = comment(examples.FULL)
    dangers, table, fold = (text.index(words) for words in ("#### What stops, promotes or deletes", "| Tenant |", "<details>"))
    assert dangers < text.index("stop server on the source: `db-1`, `web-1`") < text.index("#### Held") < table < fold


def test_what_must_be_approved_stands_apart() -> None:
    end = replace(examples.UNDECIDED, code="decommission_unapproved", wave="decommission", patch="approvals:\n  - action: decommission")
    text = comment(examples.plan(replace(examples.ACME, findings=(end,))))
    assert "#### Must be approved\n\n- `acme/wave/pilot` holds the decommissioning: " in text
    assert "\n  ```yaml\n  approvals:\n    - action: decommission\n  ```" in text
    assert "#### Held" not in text


def test_who_must_approve_is_named_in_code_which_notifies_nobody() -> None:
    end = replace(examples.UNDECIDED, code="decommission_unapproved", wave="decommission")
    who = {"rollback": ("@a", "b@c.example"), "decommission": ("x`y @z",)}
    plan = replace(examples.plan(replace(examples.ACME, findings=(end,))), approvers=who)
    start = "#### Must be approved\n\n- rollback: by `@a`, `b@c.example`\n- decommission: by ``x`y @z``\n- `acme/wave/pilot` holds "
    assert start in comment(plan)
    assert [danger_blocks(plan, detail).count("- rollback: by `@a`, `b@c.example`") for detail in DETAILS] == [1] * len(DETAILS)


@pytest.mark.parametrize("fit", LIMITS)
def test_two_hundred_tenants_fit_in_time(fit: str) -> None:
    plan = fleet()
    begun = time.process_time()
    text = plan_markdown(plan, fitting(fit))
    assert time.process_time() - begun < 5
    assert len(text.encode()) <= LIMITS[fit]
    assert len(text.encode()) > LIMITS[fit] * 0.85, "room is left unused"
    for line in ("Plan: 4000 to add, 8200 to change, 4000 to destroy.", "#### What stops, promotes or deletes", "#### Held"):
        assert f"\n{line}\n" in text


@pytest.mark.parametrize("fit", ["github", "gitlab", "bitbucket"])
def test_the_summary_of_two_hundred_tenants_is_whole(fit: str) -> None:
    text = plan_markdown(fleet(), fitting(fit))
    assert [text.count(f"\n| `tenant-{number:03}` |") for number in range(1, 201)] == [1] * 200
    assert "did not fit" not in text


def test_where_not_even_the_table_fits_it_says_so() -> None:
    text = plan_markdown(fleet(), fitting("4000"))
    rows = text.count("\n| `tenant-")
    assert 0 < rows < 200
    assert f"And {200 - rows} tenants more with changes, which did not fit." in text


def test_a_diff_that_does_not_fit_is_cut_in_the_middle() -> None:
    text = plan_markdown(fleet(1, 400), HOSTS["github"])
    head, cut, tail = text.partition("@@ ")
    assert "source_server/app-server-01 will be updated" in head
    assert "blocks left out here: the saved plan has all of it @@" in cut + tail
    assert "set one where there is none" in tail, "the end is shown"


def test_small_plans_are_whole() -> None:
    assert "left out" not in plan_markdown(fleet(3, 5), HOSTS["github"])


def test_a_plan_that_deletes_says_that_it_cannot_be_undone() -> None:
    gone = replace(examples.stop("db-1"), action="delete", effect=Effect.DELETE, reversible=False)
    text = comment(examples.plan(replace(examples.ACME, steps=(gone,))))
    assert "  - delete server on the source, cannot be undone: `db-1`" in text


def test_what_is_tenant_wide_says_so_and_a_gateway_is_that_of_a_segment() -> None:
    gateway = replace(examples.stop("edge"), address=examples.address("segment", "edge"), action="clear_gateway", wave="")
    text = comment(examples.plan(replace(examples.QUIET, steps=(gateway,))))
    assert "- `acme`, tenant-wide: 1 step on 1 resource" in text
    assert "  - clear gateway of segment on the source: `edge`\n" in text


def test_a_blocker_tells_times_as_the_rest_of_the_comment_does() -> None:
    closed = replace(examples.UNDECIDED, what="the window closed at 2026-12-01T22:00:00+01:00", why="it is 2026-12-01T21:30:00Z")
    text = comment(examples.plan(replace(examples.QUIET, findings=(closed,))))
    assert "the window closed at 2026-12-01 21:00:00 UTC. Why: it is 2026-12-01 21:30:00 UTC." in text


def test_an_outage_is_told_first_and_never_folded() -> None:
    text = comment(examples.plan(replace(examples.ACME, waves=(examples.CUT_SHORT,))))
    head = text.partition("\nPlan: ")[0]
    assert "OUTAGE IN PROGRESS\n  acme, wave core: since " in head
    assert "    acme/server/db-1\n" in head
    assert "    millpond apply acme\n" in head
    assert live(text) == []


@pytest.mark.parametrize("host", [HOSTS["github"], HOSTS["bitbucket"]])
def test_no_name_of_a_server_that_is_down_is_taken_for_the_digest(host: Host) -> None:
    pattern = runpy.run_path(str(Path(__file__).parents[2] / "examples/put-comment"))["PLAN"]
    status = replace(examples.CUT_SHORT, down=(f"acme/server/digest `sha256:{'0' * 64}`",))
    for tenant in (examples.ACME, replace(examples.ACME, waves=(status,))):
        assert pattern.match(comment(examples.plan(tenant), host))[1] == examples.DIGEST


@pytest.mark.parametrize("fit", ["github", "bitbucket"])
def test_an_outage_of_thousands_of_servers_fits(fit: str) -> None:
    status = replace(examples.CUT_SHORT, down=tuple(f"acme/server/{'long' * 10}-{n}" for n in range(3000)))
    text = comment(examples.plan(replace(examples.ACME, waves=(status,))), HOSTS[fit])
    assert len(text.encode()) <= HOSTS[fit].limit
    assert "    millpond apply acme\n" in text
    assert "\nPlan: " in text


def test_a_wave_that_is_held_goes_nowhere() -> None:
    held = WaveStatus("pilot", Stage.HELD, "held: a person must decide", cut="20261130T220000Z")
    text = comment(examples.plan(replace(examples.QUIET, waves=(held,), findings=(examples.UNDECIDED,))))
    assert "| `acme` | held: a person must decide | 0 / 0 / 0 | - | - | held: 1 blocker |" in text


def test_what_it_costs_is_in_the_head() -> None:
    head = comment(examples.FULL).partition("####")[0]
    assert "outage about 52 s, critical path db-1." in head
    assert "Still to copy: 412.0 GiB in 1 replication group; at the measured 118.2 MiB/s about 59 min." in head


def test_a_rate_that_nobody_measured_is_not_guessed() -> None:
    seed = replace(examples.SEED, rate=0, seconds=0.0)
    text = comment(examples.plan(replace(examples.GLOBEX, steps=(seed,))))
    assert "Still to copy: 412.0 GiB in 1 replication group; no rate is measured yet." in text


def test_a_rollback_that_discards_says_what_is_lost_whatever_has_to_be_cut() -> None:
    wave = replace(examples.PILOT, stage=Stage.DISCARD, phase="going back")
    tenant = next(t for t in examples.FULL.tenants if any(w.name == wave.name for w in t.waves))
    going = replace(tenant, waves=tuple(wave if w.name == wave.name else w for w in tenant.waves))
    graves = tuple(replace(step, wave=wave.name) if getattr(step, "danger", False) else step for step in going.steps)
    plan = replace(examples.FULL, tenants=(replace(going, steps=graves),))
    for host in (HOSTS["github"], fitting("4000")):
        assert "**lost**: all that was written on the target since 2026-11-30 22:00:00 UTC by" in comment(plan, host)
    assert "**lost**" not in comment(examples.FULL)
