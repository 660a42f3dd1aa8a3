"""Plays GitLab CI: the jobs of a pipeline whose rules match its variables, every script in a real shell. What it does not know fails the test."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.pipelines.code_host import CodeHost
from tests.pipelines.repository import Repository, git
from tests.pipelines.shell import EXAMPLES, Ran, bash, programs

_TERM = re.compile(r'\$(\w+) == (?:"([^"]*)"|\$(\w+))')
_KEYWORDS = frozenset({"stages", "default", "variables", "workflow"})


@dataclass
class Pipelines:
    """`variables`: environment → name → value. `artifacts` of the last pipeline: file name → where it is kept."""

    repository: Repository
    host: CodeHost
    home: Path
    variables: Mapping[str, Mapping[str, str]]
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run(self, source: str, ref: str, *, manual: str = "", **facts: str) -> dict[str, Ran]:
        """The jobs of the pipeline that `source` begins on `ref`; of those by hand only `manual`."""
        document = yaml.safe_load((EXAMPLES / "gitlab/gitlab-ci.yml").read_text())
        given = self._given(source, ref, facts)
        assert _chosen(document["workflow"]["rules"], given) is not None, "no pipeline begins"
        self.artifacts.clear()
        jobs = {name: job for name, job in document.items() if name not in _KEYWORDS and not name.startswith(".")}
        done: dict[str, Ran] = {}
        for name in sorted(jobs, key=lambda name: document["stages"].index(jobs[name]["stage"])):
            job = {"defaults": document["variables"], **document.get(jobs[name].get("extends", ""), {}), **jobs[name]}
            rule = _chosen(job["rules"], given)
            when = (rule or {}).get("when", "on_success")
            if rule is None or (when == "manual" and name != manual) or (manual and name != manual):
                continue
            if when == "always" or when == "manual" or all(_passed(ran, jobs[other]) for other, ran in done.items()):
                done[name] = self._job(name, job, given)
        return done

    def _given(self, source: str, ref: str, facts: Mapping[str, str]) -> dict[str, str]:
        commit = git(self.repository.origin, "rev-parse", ref)
        named = {"CI_COMMIT_BRANCH": ref} if source != "merge_request_event" else {}
        return {
            "CI": "true", "CI_PIPELINE_SOURCE": source, "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_SHA": commit, "CI_PROJECT_ID": "o/r",
            "CI_API_V4_URL": self.host.url, "PATH": programs(self.home / "bin"), **named, **facts,
        }  # fmt: skip

    def _job(self, name: str, job: Mapping[str, Any], given: Mapping[str, str]) -> Ran:
        place = self.home / "builds" / name
        settings = {**job["defaults"], **job.get("variables", {})}
        if settings["GIT_STRATEGY"] in ("clone", "empty"):  # `none` and `fetch` leave what an earlier job did not commit
            shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True, exist_ok=True)
        if settings["GIT_STRATEGY"] not in ("none", "empty"):
            self.repository.check_out(given["CI_COMMIT_SHA"], place, depth=int(settings["GIT_DEPTH"]))
        if "needs" in job:
            for file, kept in self.artifacts.items():
                shutil.copy(kept, place / file)
        own = self.variables.get(job.get("environment", {}).get("name", ""), {})
        script = "\n".join([*job.get("before_script", ()), *job["script"]])
        ran = bash(script, place, {**given, **own}, self.home / "temp")
        bash("\n".join(job.get("after_script", ())), place, {**given, **own}, self.home / "temp")
        self._keep(place, job.get("artifacts", {}))
        return ran

    def _keep(self, place: Path, artifacts: Mapping[str, Any]) -> None:
        kept = self.home / "artifacts"
        kept.mkdir(exist_ok=True)
        for file in (*artifacts.get("paths", ()), *artifacts.get("reports", {}).values()):
            if (place / file).exists():
                self.artifacts[file] = Path(shutil.copy(place / file, kept / file))


def _chosen(rules: list[dict[str, Any]], given: Mapping[str, str]) -> dict[str, Any] | None:
    """The first rule that matches. Every commit of the tests changes documents: `changes` always does."""
    return next((rule for rule in rules if all(_holds(term, given) for term in rule["if"].split(" && "))), None)


def _holds(term: str, given: Mapping[str, str]) -> bool:
    found = _TERM.fullmatch(term)
    assert found, f"{term} is not known here"
    return given.get(found[1], "") == (found[2] if found[2] is not None else given.get(found[3], ""))


def _passed(ran: Ran, job: Mapping[str, Any]) -> bool:
    allowed = job.get("allow_failure", {})
    return ran.code == 0 or (isinstance(allowed, dict) and ran.code in allowed.get("exit_codes", ()))
