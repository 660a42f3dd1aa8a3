"""A whole migration through git, by the example pipelines: every state was reached by a merge, was read as a comment before, and is told as one after.

The shell of every step runs as it stands in `examples/`; the code host and the runner around it are simulated.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from millpond.execution.journal import Journal
from millpond.execution.lease import Lease
from millpond.execution.run import new_run
from millpond.reporting.amounts import moment
from tests.pipelines.code_host import CodeHost, code_host
from tests.pipelines.github import Actions, Job
from tests.pipelines.repository import Repository, git
from tests.pipelines.shell import calls
from tests.pipelines.site import MANIFEST, block, decommissioned, merge_into_manifest, reading, secrets, write_manifest, write_site
from tests.reporting.test_markdown import live
from tests.sandbox.running import Sandbox
from tests.story.command import millpond
from tests.story.worlds import rename_a_server

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="the pipelines use jq, as their image has it")

WAVES = [{"name": "pilot", "servers": ["web-1"], "cutover": False}, {"name": "others", "servers": ["web-2", "db-1"], "cutover": False}]


class Cloud:
    """What the simulated clouds hold, and what was sent to them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.control = sandbox.control

    def running(self, cloud: str) -> set[str]:
        return {row["name"] for row in self.control.dump()[f"{cloud}/nova/servers"] if row["vm_state"] == "active"}

    def written(self) -> int:
        """The mutating requests since it was asked last."""
        found = len(self.control.mutating())
        self.control.clear_requests()
        return found


class Team:
    """People who open requests, read what the pipeline says to them, and merge."""

    def __init__(self, repository: Repository, actions: Actions, host: CodeHost, cloud: Cloud) -> None:
        self.repository, self.actions, self.host, self.cloud = repository, actions, host, cloud
        self.number = 0
        self.reviewed: dict[str, str] = {}

    def propose(self, branch: str, title: str) -> str:
        """A request with what is changed in the clone. The plan that it is given."""
        self.number += 1
        self.host.say(self.number, "ada", title)
        self.repository.commit(title, branch)
        return self.planned()

    def propose_again(self, title: str) -> str:
        self.repository.commit(title)
        return self.planned()

    def planned(self) -> str:
        """The comment. Planning sends nothing that changes anything."""
        self.cloud.written()
        sha = git(self.repository.clone, "rev-parse", "HEAD")
        jobs = self.actions.run(
            "millpond-plan",
            "pull_request",
            **{"github.event.pull_request.number": str(self.number), "github.event.pull_request.head.sha": sha},
        )
        assert {name: job.succeeded for name, job in jobs.items()} == {"plan": True, "comment": True}, _logs(jobs)
        assert self.cloud.written() == 0
        self.reviewed = self._digests("millpond-plan", "plan.json")
        text = self.host.comment(self.number).body
        assert text.startswith("<!-- millpond:story -->\n### Plan of `story`\n")
        assert f"Commit `{sha[:12]}`, made at " in text
        assert live(text) == []
        return text

    def merge(self, branch: str) -> str:
        """The result that takes the place of the plan. What is applied leads where the plan that was reviewed led."""
        self.host.merged[self.repository.merge(branch)] = self.number
        jobs = self.actions.run("millpond-apply", "push")
        assert {name: job.succeeded for name, job in jobs.items()} == {"reviewed": True, "apply": True, "comment": True}, _logs(jobs)
        assert self._digests("millpond-apply", "result.json") == self.reviewed
        assert f" --expect-digest {self.reviewed['acme']} " in self.applied()[-1]
        comment = self.host.comment(self.number)
        assert comment.edits > 0
        assert comment.body.endswith("\nMain leads where the plan on this request led.\n")
        assert live(comment.body) == []
        return comment.body

    def applied(self) -> list[str]:
        return calls(self.actions.home / "bin", "apply")

    def _digests(self, artifact: str, file: str) -> dict[str, str]:
        document = json.loads((self.actions.artifacts[artifact] / file).read_text())
        return {tenant["tenant"]: tenant["digest"] for tenant in document["tenants"]}

    def by_the_clock(self) -> str:
        """One run of the schedule: what it says in its summary."""
        self.cloud.control.advance(900)
        summary = self.actions.home / "temp/summary.md"
        summary.unlink(missing_ok=True)
        jobs = self.actions.run("millpond-apply", "schedule")
        assert all(job.succeeded for job in jobs.values()), _logs(jobs)
        outages = json.loads((self.actions.artifacts["millpond-apply"] / "result.json").read_text())["outages"]
        assert list(jobs) == ["apply", *(["comment"] if outages else [])], "no request is concerned but by an outage"
        assert "--expect-digest" not in self.applied()[-1], "nothing was reviewed a moment ago"
        return summary.read_text()

    def edit(self, **spec: Any) -> None:
        path = self.repository.clone / MANIFEST
        document = yaml.safe_load(path.read_text())
        document["spec"].update(spec)
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    def paste(self, comment: str) -> None:
        """The block that a comment holds, ready to commit."""
        merge_into_manifest(self.repository.clone, block(comment))


@pytest.fixture
def team(small: Sandbox, seeded: str, tmp_path: Path) -> Iterator[Team]:
    small.control.restore(seeded)
    repository = Repository.begin(tmp_path)
    write_site(repository.clone, small)
    repository.commit("Begin")
    with code_host() as host:
        yield _team(repository, host, small, tmp_path)


def _team(repository: Repository, host: CodeHost, small: Sandbox, home: Path) -> Team:
    every = {"millpond-read": reading(small), **{name: secrets(small) for name in ("millpond-apply", "millpond-decommission")}}
    return Team(repository, Actions(repository, host, home / "runner", every), host, Cloud(small))


@pytest.mark.patient
def test_a_tenant_moves_goes_back_and_moves_for_good(team: Team, small: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", str(small.clouds_yaml))
    take_in(team)
    cut = cut_over_the_pilot(team)
    roll_back_by_a_revert(team, cut)
    move_all(team)
    decommission(team, small)
    assert small.control.violations() == []


def take_in(team: Team) -> None:
    clone = team.repository.clone
    write_manifest(clone, waves=WAVES)
    assert millpond(clone, "discover", "acme").code == 0
    plan = team.propose("take-acme-in", "Take acme in")
    assert "What stops, promotes or deletes" not in plan
    assert re.search(r"^Plan: \d+ to add, \d+ to change, 0 to destroy\.$", plan, re.MULTILINE)
    assert "| `acme` | `pilot` preparing → in sync; `others` preparing → in sync |" in plan
    result = team.merge("take-acme-in")
    assert "### Apply of `story` at commit `" in result
    for _ in range(20):
        if ": done\n" in team.by_the_clock():
            break
    else:
        raise AssertionError("never in sync")
    team.cloud.written()
    assert ": done\n" in team.by_the_clock()
    assert team.cloud.written() == 0, "another run does nothing"


def cut_over_the_pilot(team: Team) -> str:
    team.edit(waves=[{**WAVES[0], "cutover": True}, WAVES[1]])
    plan = team.propose("cut-over-the-pilot", "Cut over the pilot")
    assert re.search(r"^- `acme`, wave `pilot`: 1 server; .*outage about ", plan, re.MULTILINE)
    assert "  - stop server on the source: `web-1`\n" in plan
    assert "Migration: 1 cutover (1 server), 0 rollbacks, 0 decommissions; outage about " in plan
    result = team.merge("cut-over-the-pilot")
    assert re.search(r"^\| `acme/server/web-1` \| \d.* \| \d.* \|$", result, re.MULTILINE), "measured beside estimated"
    assert (team.cloud.running("target"), team.cloud.running("source")) == ({"web-1"}, {"web-2", "db-1"})
    return max(team.host.merged, key=lambda sha: team.host.merged[sha])


def roll_back_by_a_revert(team: Team, merge: str) -> None:
    """The revert alone is held: what the target wrote must not be lost by accident. The comment has the block that decides it."""
    team.number += 1
    team.host.say(team.number, "ada", "It was too early")
    team.repository.revert(merge, "not-yet")
    plan = team.planned()
    assert "#### Held\n" in plan
    assert "target_writes" in plan
    team.paste(plan)
    plan = team.propose_again("Carry back what the pilot wrote")
    assert "#### Held\n" not in plan
    assert "Migration: 0 cutovers, 1 rollback (1 server), 0 decommissions; outage about " in plan
    assert team.host.comment(team.number).edits == 1, "one comment, edited"
    team.merge("not-yet")
    assert (team.cloud.running("target"), team.cloud.running("source")) == (set(), {"web-1", "web-2", "db-1"})


def move_all(team: Team) -> None:
    team.edit(waves=[{**wave, "cutover": True} for wave in WAVES])
    plan = team.propose("move-acme", "Move acme")
    assert "Migration: 2 cutovers (3 servers), 0 rollbacks, 0 decommissions" in plan
    result = team.merge("move-acme")
    for _ in range(5):
        if ": done\n" in result:
            break
        result = team.by_the_clock()
    assert (team.cloud.running("target"), team.cloud.running("source")) == ({"web-1", "web-2", "db-1"}, set())


def decommission(team: Team, small: Sandbox) -> None:
    decommissioned(team.repository.clone)
    plan = team.propose("end-acme", "Decommission acme")
    assert "#### Must be approved\n" in plan
    team.paste(plan)
    digest = block(plan)["spec"]["approvals"][0]["digest"]
    plan = team.propose_again("Approve the end of acme on the source")
    assert "#### Must be approved\n" not in plan
    assert "cannot be undone: `" in plan
    team.host.merged[team.repository.merge("end-acme")] = team.number
    team.cloud.written()
    applied = team.applied()
    team.actions.run("millpond-apply", "push")
    assert team.applied() == applied
    assert team.cloud.written() == 0, "only the protected environment deletes"
    wrong = team.actions.run(
        "millpond-decommission", "workflow_dispatch", **{"inputs.tenant": "acme", "inputs.digest": f"sha256:{'0' * 64}"}
    )
    assert not wrong["decommission"].succeeded
    assert "The documents have another digest than was expected" in wrong["decommission"].log
    assert team.cloud.written() == 0
    done = team.actions.run("millpond-decommission", "workflow_dispatch", **{"inputs.tenant": "acme", "inputs.digest": digest})
    assert done["decommission"].succeeded, _logs(done)
    assert team.cloud.control.dump()["source/nova/servers"] == []
    assert team.cloud.running("target") == {"web-1", "web-2", "db-1"}
    drift = team.actions.run("millpond-drift", "schedule")
    assert drift["drift"].succeeded, _logs(drift)
    rename_a_server(small, "target")
    drift = team.actions.run("millpond-drift", "schedule")
    assert not drift["drift"].succeeded, "whoever watches it is told"
    assert "acme/server/web-1" in (team.actions.home / "temp/summary.md").read_text()
    kept = {path.name: path.read_text() for path in team.actions.artifacts["millpond-drift"].iterdir()}
    assert sorted(name for name, text in kept.items() if "acme/server/web-1" in text) == ["drift.html", "drift.md", "drift.xml"]


def test_a_cut_that_waited_for_its_window_is_told_on_its_request(
    repository: Repository, host: CodeHost, small: Sandbox, tmp_path: Path
) -> None:
    team = _team(repository, host, small, tmp_path)
    begun = datetime.now(UTC)
    cut_in_a_window(team, begun + timedelta(days=1))
    team.propose("move-at-night", "Move acme at night")
    opens = cut_in_a_window(team, datetime.now(UTC) + timedelta(seconds=5) + 5 * (datetime.now(UTC) - begun))
    team.propose_again("Do not wait so long")
    held = team.merge("move-at-night")
    assert datetime.now(UTC) < opens, "this machine was too slow to look at what is held"
    assert "### Apply of `story` at commit " in held
    assert f" | window opens at {moment(opens)} |" in held
    assert "#### Outage" not in held
    host.say(2, "bob", "Say who pays")
    document = repository.clone / "millpond.yaml"
    document.write_text(f"# paid by the network team\n{document.read_text()}")
    host.merged[repository.commit("Say who pays")] = 2
    time.sleep(max(0.0, (opens - datetime.now(UTC)).total_seconds() + 1))
    team.by_the_clock()
    told = host.comment(1)
    assert told.edits == 3, "the second plan, held, and what became of it"
    assert len(re.findall(r"^\| `acme/server/\S+` \| \d.* \| \d.* \|$", told.body, re.MULTILINE)) == 3, "measured beside estimated"
    assert "leads" not in told.body
    assert [comment.author for comment in host.requests[2]] == ["bob"], "its commit was the newest, and is of another request"
    team.by_the_clock()
    assert told.edits == 3


def test_nothing_of_an_earlier_request_is_told_on_a_later_one(
    repository: Repository, host: CodeHost, small: Sandbox, tmp_path: Path
) -> None:
    team = _team(repository, host, small, tmp_path)
    team.edit(quotas={"cores": 60})
    team.propose("more-cores", "Give acme more cores")
    assert team.merge("more-cores").endswith("\nMain leads where the plan on this request led.\n")
    team.edit(quotas={"cores": 70})
    host.merged[repository.commit("Give acme yet more cores")] = 2
    jobs = team.actions.run("millpond-apply", "push")
    assert jobs["comment"].succeeded, _logs(jobs)
    assert "### Apply of `story` at commit `" in host.comment(2).body
    assert " leads " not in host.comment(2).body, "nothing was reviewed"


def test_what_another_run_works_on_is_left_to_it(repository: Repository, host: CodeHost, small: Sandbox, tmp_path: Path) -> None:
    team = _team(repository, host, small, tmp_path)
    journal = f"sqlite:///{tmp_path / 'shared.db'}"
    document = yaml.safe_load((repository.clone / "millpond.yaml").read_text())
    document["spec"]["journal"] = journal
    (repository.clone / "millpond.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
    team.edit(cutover=True)
    repository.commit("Move acme")
    team.cloud.written()
    with Lease(Journal.open(journal, tmp_path).engine, "acme", new_run({}, tmp_path, "1")):
        late = team.actions.run("millpond-apply", "schedule")
        merged = team.actions.run("millpond-apply", "push")
    assert late["apply"].succeeded, "that run does it, or the next tick"
    assert not merged["apply"].succeeded, "what was merged is not applied yet"
    for jobs in (late, merged):
        assert "Another run is working on this tenant" in jobs["apply"].log
        assert "::warning::millpond apply: leased\n" in jobs["apply"].log
    assert team.cloud.written() == 0


def cut_in_a_window(team: Team, begins: datetime) -> datetime:
    opens = begins.replace(microsecond=0)
    window = {"opens": opens.isoformat(), "closes": (opens + timedelta(hours=2)).isoformat()}
    team.edit(waves=[{"name": "rest", "cutover": True, "window": window}])
    return opens


def _logs(jobs: dict[str, Job]) -> str:
    return "\n".join(f"== {name}\n{job.log}" for name, job in jobs.items())
