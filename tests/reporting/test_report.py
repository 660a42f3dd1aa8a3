from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from millpond.model.change import Waiting
from millpond.model.compute import ServerGroup
from millpond.model.cutover import Outage
from millpond.model.finding import EXCLUDED, Finding, Severity
from millpond.model.identity import Project, User
from millpond.model.plan import NOT_KNOWN, Stage
from millpond.model.snapshot import CloudState, Snapshot
from millpond.reporting.discovery_text import discovery_text
from millpond.reporting.report_text import Moved, moved, report_text
from millpond.schemas import load_all

from . import examples
from .golden import check

NORTH = Path(__file__).parents[2] / "examples/north"


def test_objects_are_named_with_both_ids() -> None:
    _, (desired,) = load_all(NORTH)
    server = desired.inventory.servers[0]
    twin = type(server)(**{**vars(server), "id": "target-id", "marker": server.id})
    snapshot = Snapshot(target=CloudState(projects=(Project("target-project", "acme", "customers"),), servers=(twin,)))
    found = {(item.kind, item.source): item for item in moved(desired, snapshot)}
    assert found["server", server.id].target == "target-id"
    assert found["project", desired.inventory.project.id].target == "target-project"
    others = [item for item in found.values() if item.kind == "volume"]
    assert others
    assert {item.target for item in others} == {""}


def test_groups_and_users_without_a_marker_are_found_by_what_identifies_them() -> None:
    """Nova keeps nothing on a group; a user whom the target had before is not marked, nor is there a source to ask any more."""
    _, (north,) = load_all(NORTH)
    person, group = north.inventory.users[0], ServerGroup("g-web", "web", "anti-affinity")
    desired = replace(north, inventory=replace(north.inventory, server_groups=(group,)))
    domain = desired.site.maps.domains.get(person.domain_name, person.domain_name)
    there = CloudState(
        users=(User("t-user", person.name, domain),),
        server_groups=(replace(group, id="t-web"), replace(group, id="t-x", policy="affinity")),
    )
    found = {(item.kind, item.source): item.target for item in moved(desired, Snapshot(target=there))}
    assert found["user", person.id] == "t-user"
    assert found["server_group", "g-web"] == "t-web"
    elsewhere = replace(there, users=(User("t-user", person.name, "elsewhere"),), server_groups=())
    found = {(item.kind, item.source): item.target for item in moved(desired, Snapshot(target=elsewhere))}
    assert (found["user", person.id], found["server_group", "g-web"]) == ("", "")


def test_what_belongs_to_others_is_left_out() -> None:
    _, (desired,) = load_all(NORTH)
    assert any(network.external for network in desired.inventory.networks)
    own = {network.id for network in desired.inventory.networks if network.project_id == desired.inventory.project.id}
    assert {item.source for item in moved(desired, Snapshot()) if item.kind == "network"} == own


def test_the_report_reads_as_markdown() -> None:
    began = examples.NOON
    hour = timedelta(hours=1)
    outages = [
        Outage("acme/server/db-1", began - hour, began - hour + timedelta(seconds=47)),
        Outage("acme/server/db-1", began, began + timedelta(seconds=5.96), back=True),
    ]
    objects = (Moved("server", "db-1", "old-1", "new-1"), Moved("port", "a|b", "old-2", ""))
    check("report.md", report_text(examples.ACME, objects, outages, examples.NOON))


def test_a_report_says_what_an_apply_would_do_and_how_much_of_it_is_held() -> None:
    gate = Waiting(examples.address("gate", "core"), "wait", "the window opens", "core", long=True, seconds=60.0)
    steps = (*(replace(step, after=(gate.id,)) if step.wave == "core" else step for step in examples.ACME.steps), gate)
    text = report_text(replace(examples.ACME, steps=steps), (), (), examples.NOON)
    section = text.partition("## What an apply would do\n\n")[2].partition("\n\n## ")[0]
    assert section.startswith("4 to add, 4 to change, 1 to destroy: ")
    assert "4 steps stop, promote or delete. 1 step cannot be undone." in section
    assert "| server | 3 | 0 | 1 | 2 |" in section, "those of the wave come after its gate"
    assert "| key pair | 1 | 0 | 0 | 0 |" in section
    quiet = report_text(examples.QUIET, (), (), examples.NOON)
    assert "## What an apply would do\n\nNothing: no change is left.\n\n## " in quiet


def test_a_report_lists_what_stays_behind() -> None:
    left = Finding(EXCLUDED, Severity.INFO, examples.address("server", "old-box"), "stays on the source: rebuilt by its owner")
    text = report_text(replace(examples.QUIET, findings=(left,)), (), (), examples.NOON)
    assert "| acme/server/old-box | stays on the source: rebuilt by its owner |" in text.splitlines()
    assert "## Excluded" not in report_text(examples.QUIET, (), (), examples.NOON)


def test_a_report_without_outages_says_so() -> None:
    assert "None is in the journal." in report_text(examples.QUIET, (), (), examples.NOON)


def test_a_report_tells_the_outage_that_goes_on() -> None:
    since = examples.NOON - timedelta(minutes=4)
    wave = replace(examples.PILOT, stage=Stage.CUT, outage_since=since.isoformat(), down=("acme/server/db-1",))
    text = report_text(replace(examples.QUIET, waves=(wave,)), (), (), examples.NOON)
    assert "OUTAGE IN PROGRESS" in text
    assert "    millpond apply acme" in text.splitlines()
    assert "| acme/server/db-1 | cutover | 2026-12-01 11:56:00 UTC | still down | 4 min so far |" in text.splitlines()
    unknown = report_text(
        replace(examples.QUIET, waves=(replace(wave, stage=Stage.DISCARD, outage_since=NOT_KNOWN),)), (), (), examples.NOON
    )
    assert "| acme/server/db-1 | rollback | not known | still down | - |" in unknown.splitlines()
    busy = report_text(replace(examples.QUIET, waves=(wave,)), (), (), examples.NOON, "ada is at work on it")
    assert "A run is at work on acme" in busy


def test_discovery_counts() -> None:
    _, (desired,) = load_all(NORTH)
    text = discovery_text(desired.inventory, "tenants/acme.inventory.yaml", written=True)
    assert "3 servers" in text
    assert text.endswith("Wrote tenants/acme.inventory.yaml.")
    assert discovery_text(desired.inventory, "x.yaml", written=False).endswith("x.yaml is up to date.")
