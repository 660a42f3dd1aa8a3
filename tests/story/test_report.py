"""The page that tells of a move, made from what a real one leaves behind."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from pathlib import Path

from millpond.execution.cutovers import cutovers_of
from millpond.execution.journal import Journal
from millpond.reporting.amounts import duration
from tests.story.command import millpond
from tests.story.stage import Stage


def told(file: Path) -> str:
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", file.read_text())).split())


def test_the_page_tells_of_a_cutover_and_of_the_way_back(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    over = stage.settle()
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "carry_back"}}
    stage.settle()
    stage.write()
    answer = millpond(stage.directory, "report", "-o", "report.html")
    assert (answer.code, answer.out, answer.err) == (0, "Wrote report.html.\n", "")
    text = told(stage.directory / "report.html")
    assert "Wave rest went over" in text
    assert "Wave rest came back" in text
    for server, seconds in over.estimated:
        assert f"{server.rpartition('/')[2]}" in text
        assert seconds > 0
    assert "flavor of 3 servers: db-1 , web-1 , web-2 " in text


def test_every_outage_is_explained_from_its_first_to_its_last_second(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    result = stage.settle()
    journal = Journal.open("", stage.directory)
    ((said_at, said),) = journal.expectations("acme")
    (cutover,) = cutovers_of(journal.entries("acme"), [(said_at, said)], said_at)
    measured = {server.address: server for server in cutover.servers}
    assert set(measured) == dict(result.outages).keys() == dict(said.servers).keys()
    for address, seconds in result.outages:
        server = measured[address]
        assert server.seconds is not None
        assert abs(server.seconds - seconds) < 0.5
        assert server.estimated == dict(result.estimated)[address]
        assert server.waits[0].step.endswith(f"{address.rpartition('/')[2]}#stop")
        assert (server.waits[0].began, server.waits[-1].ended) == (server.began, server.ended)
    assert {step.partition("/")[2].partition("/")[0] for step in cutover.critical} >= {"source_server", "replication_group", "server"}


def test_apply_and_both_reports_say_the_same_of_a_cutover_and_of_the_way_back(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    over = dict(stage.settle().outages)
    stage.manifest |= {"cutover": False, "rollback": {"cut": stage.cut(), "target_writes": "carry_back"}}
    planned = {change.id for change in stage.plan().changes}
    returned = stage.settle()
    assert {outcome.step for outcome in returned.outcomes} == planned, "a plan of a way back lists all of it"
    back = dict(returned.outages)
    stage.write()
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in millpond(stage.directory, "report").out.splitlines()]
    told = {(row[0], row[1]): row[4] for row in rows if len(row) == 5 and row[1] in ("cutover", "rollback")}
    ways = {"cutover": over, "rollback": back}
    assert told == {(server, by): duration(seconds) for by, outages in ways.items() for server, seconds in outages.items()}
    journal = Journal.open("", stage.directory)
    drawn = cutovers_of(journal.entries("acme"), journal.expectations("acme"), datetime.now(UTC), journal.measured("acme"))
    assert [(way.back, {each.address: round(each.seconds or 0, 3) for each in way.servers}) for way in drawn] == [
        (False, {server: round(seconds, 3) for server, seconds in over.items()}),
        (True, {server: round(seconds, 3) for server, seconds in back.items()}),
    ]


def test_without_a_journal_there_is_a_page_without_pictures(stage: Stage) -> None:
    stage.write()
    for file in (stage.directory / ".millpond").glob("*"):
        file.unlink()
    answer = millpond(stage.directory, "report", "--format", "html")
    assert answer.code == 0
    assert "<h1>Migration of acme</h1>" in answer.out
    assert "<h3>Cutovers</h3>" not in answer.out
    assert not (stage.directory / ".millpond/journal.db").exists()


def test_in_the_middle_of_a_cut_the_page_says_who_is_down_and_since_when(stage: Stage) -> None:
    stage.manifest["cutover"] = True
    stage.write()
    stage.sandbox.control.fault(action={"status": 403}, cloud="target", service="nova", method="POST", path="/servers$", count=0)
    assert millpond(stage.directory, "apply").code == 1
    answer = millpond(stage.directory, "report", "-o", "report.html")
    assert answer.code == 0
    text = told(stage.directory / "report.html")
    assert "Outage in progress. 3 of 3 servers of wave rest are down since" in " ".join(text.split())
    assert "Wave rest is going over" in text
    assert "still down" in text
    assert "down for" in text


def test_a_tenant_that_cannot_be_read_leaves_the_others_on_the_page(stage: Stage) -> None:
    stage.write()
    (stage.directory / "tenants/broken.yaml").write_text("kind: Tenant\n")
    answer = millpond(stage.directory, "report", "-o", "report.html")
    assert (answer.code, answer.out) == (1, "Wrote report.html.\n")
    text = told(stage.directory / "report.html")
    assert "broken could not be read. The documents are not valid: tenants/broken.yaml" in text
    assert "Tenant acme From source-admin" in text
