"""Plays GitHub Actions: the jobs of a workflow for one event, every `run` in a real shell. What it does not know fails the test."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.pipelines.code_host import TOKEN, CodeHost
from tests.pipelines.repository import Repository, git
from tests.pipelines.shell import EXAMPLES, bash, programs

_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


@dataclass
class Job:
    """`log`: everything that its steps printed. `outcomes`: step id → success or failure."""

    succeeded: bool = True
    log: str = ""
    outcomes: dict[str, str] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)


@dataclass
class Actions:
    """`secrets`: environment → name → value."""

    repository: Repository
    host: CodeHost
    home: Path
    secrets: Mapping[str, Mapping[str, str]]
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run(self, workflow: str, event: str, **facts: str) -> dict[str, Job]:
        """`facts`: the expressions that are known beside secrets, such as `inputs.tenant`."""
        document = yaml.safe_load((EXAMPLES / f"github/{workflow}.yml").read_text())
        assert event in document[True], f"{workflow} does not run on {event}"  # YAML reads `on` as true
        known = {"github.event_name": event, "github.token": TOKEN, **facts}
        self.artifacts.clear()
        jobs: dict[str, Job] = {}
        for name, job in document["jobs"].items():
            needed = jobs.get(job.get("needs", ""), Job())  # one that was skipped did not fail
            if self._wanted(job.get("if", "success()"), known, needed.succeeded):
                jobs[name] = self._job(self.home / "work" / name, job, known)
            known |= {f"needs.{name}.outputs.{key}": self._output(jobs.get(name), value) for key, value in job.get("outputs", {}).items()}
        return jobs

    def _job(self, place: Path, job: Mapping[str, Any], known: Mapping[str, str]) -> Job:
        """`place`: the workspace, which a runner of one's own keeps from run to run; only a checkout cleans it."""
        state = Job()
        secrets = {f"secrets.{name}": value for name, value in self.secrets.get(job.get("environment", ""), {}).items()}
        for step in job["steps"]:
            facts = {**known, **secrets, **{f"steps.{id}.outcome": outcome for id, outcome in state.outcomes.items()}}
            if not self._wanted(step.get("if", "success()"), facts, state.succeeded):
                continue
            done = self._uses(step, place, facts) if "uses" in step else self._runs(step, place, facts, state)
            state.outcomes[step.get("id", "")] = "success" if done else "failure"
            state.succeeded = state.succeeded and (done or bool(step.get("continue-on-error")))
        return state

    def _output(self, job: Job | None, value: str) -> str:
        return _filled(value, {f"steps.{key}": text for key, text in job.outputs.items()}) if job else ""

    def _uses(self, step: Mapping[str, Any], place: Path, facts: Mapping[str, str]) -> bool:
        action, given = step["uses"].partition("@")[0], step.get("with", {})
        match action:
            case "actions/checkout":
                assert given["persist-credentials"] is False
                shutil.rmtree(place, ignore_errors=True)
                self.repository.check_out(_filled(given["ref"], facts), place, depth=given.get("fetch-depth", 1))
            case "actions/upload-artifact":
                self._upload(given["name"], [place / path for path in given["path"].split()])
            case "actions/download-artifact":
                shutil.copytree(self.artifacts[given["name"]], place, dirs_exist_ok=True)
            case _:
                raise AssertionError(f"{action} is not known here")
        return True

    def _upload(self, name: str, paths: list[Path]) -> None:
        kept = self.artifacts[name] = self.home / "artifacts" / name
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir(parents=True)
        for path in paths:
            if path.exists():
                shutil.copy(path, kept)

    def _runs(self, step: Mapping[str, Any], place: Path, facts: Mapping[str, str], state: Job) -> bool:
        temp = self.home / "temp"
        temp.mkdir(exist_ok=True)
        for file in ("env", "output"):
            (temp / file).write_text("")
        own = {name: _filled(value, facts) for name, value in step.get("env", {}).items()}
        assert "${{" not in step["run"], "expressions in a script are a way in"
        ran = bash(step["run"], place, {**self._variables(temp), **state.variables, **own}, temp)
        state.log += ran.text
        state.variables |= dict(line.split("=", 1) for line in (temp / "env").read_text().splitlines())
        written = dict(line.split("=", 1) for line in (temp / "output").read_text().splitlines())
        state.outputs |= {f"{step.get('id')}.outputs.{name}": value for name, value in written.items()}
        return ran.code == 0

    def _variables(self, temp: Path) -> dict[str, str]:
        return {
            "PATH": programs(self.home / "bin"),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": self.host.url,
            "GITHUB_REPOSITORY": "o/r",
            "GITHUB_SHA": git(self.repository.origin, "rev-parse", "main"),
            "GITHUB_ENV": str(temp / "env"),
            "GITHUB_OUTPUT": str(temp / "output"),
            "GITHUB_STEP_SUMMARY": str(temp / "summary.md"),
            "RUNNER_TEMP": str(temp),
        }

    def _wanted(self, condition: str, facts: Mapping[str, str], succeeded: bool) -> bool:
        """Of the conditions that the examples use."""
        pushed = facts["github.event_name"] == "push"
        words = {
            "success()": succeeded,
            "always()": True,
            "!cancelled()": True,
            "github.event_name == 'push'": succeeded and pushed,
            "!cancelled() && (github.event_name == 'push' || needs.apply.outputs.commits != '')": pushed
            or facts.get("needs.apply.outputs.commits", "") != "",
        }
        return words[_EXPRESSION.sub(r"\1", condition)]


def _filled(text: Any, facts: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: facts[found[1]], str(text))
