"""Plays Bitbucket Pipelines: the steps of one pipeline, each in a fresh clone with the artifacts of those before it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.pipelines.code_host import BOT_UUID, TOKEN, CodeHost
from tests.pipelines.repository import Repository, git
from tests.pipelines.shell import EXAMPLES, Ran, bash, programs

FILE = EXAMPLES / "bitbucket/bitbucket-pipelines.yml"


@dataclass
class Steps:
    """`variables`: deployment environment → name → value. `artifacts` of the last pipeline: file → where it is kept."""

    repository: Repository
    host: CodeHost
    home: Path
    variables: Mapping[str, Mapping[str, str]]
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run(self, pipeline: str, name: str, ref: str, **facts: str) -> dict[str, Ran]:
        """`pipeline`: pull-requests, branches or custom. Every commit of the tests changes documents: each condition holds."""
        items = yaml.safe_load(FILE.read_text())["pipelines"][pipeline][name]
        commit = git(self.repository.origin, "rev-parse", ref)
        given = {
            "CI": "true", "BITBUCKET_WORKSPACE": "o", "BITBUCKET_REPO_SLUG": "r", "BITBUCKET_COMMIT": commit,
            "BITBUCKET_API_URL": self.host.url, "COMMENT_TOKEN": TOKEN, "COMMENT_AUTHOR": BOT_UUID,
            "PATH": programs(self.home / "bin"), **facts,
        }  # fmt: skip
        self.artifacts.clear()
        done: dict[str, Ran] = {}
        for item in items:
            ((kind, step),) = item.items()
            if kind == "final" or (kind == "step" and all(ran.code == 0 for ran in done.values())):
                done[step["name"]] = self._step(step, commit, given)
        return done

    def _step(self, step: Mapping[str, Any], commit: str, given: Mapping[str, str]) -> Ran:
        place = self.home / "steps" / step["name"]
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        cloned = step.get("clone", {})
        if cloned.get("enabled", True):
            depth = cloned.get("depth", 50)
            self.repository.check_out(commit, place, depth=0 if depth == "full" else depth)
            if "BITBUCKET_PR_ID" in given:
                git(place, "fetch", "-q", "origin", "main")
                git(place, "merge", "-q", "--no-edit", "FETCH_HEAD")
        for file, kept in self.artifacts.items():
            shutil.copy(kept, place / file)
        own = self.variables[step["deployment"]] if "deployment" in step else {}
        ran = bash("\n".join(step["script"]), place, {**given, **own}, self.home / "temp")
        bash("\n".join(step.get("after-script", ())), place, {**given, **own}, self.home / "temp")
        for artifact in step.get("artifacts", {}).get("upload", ()):
            if ran.code == 0 or artifact.get("capture-on") == "always":
                self._keep(place, artifact["paths"])
        return ran

    def _keep(self, place: Path, paths: list[str]) -> None:
        kept = self.home / "artifacts"
        kept.mkdir(exist_ok=True)
        for file in paths:
            if (place / file).exists():
                self.artifacts[file] = Path(shutil.copy(place / file, kept / file))
