"""A real git repository with a bare origin: branches, merges and reverts as people make them on a code host."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ALONE = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
WHO = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in (("NAME", "ada"), ("EMAIL", "ada@example.invalid"))}


def git(directory: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], cwd=directory, env={**os.environ, **ALONE, **WHO}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"git {' '.join(words)}: {done.stderr}"
    return done.stdout.strip()


@dataclass(frozen=True)
class Repository:
    """`origin` is bare; `clone` is where people work."""

    origin: Path
    clone: Path

    @classmethod
    def begin(cls, directory: Path) -> Repository:
        origin, clone = directory / "origin.git", directory / "clone"
        git(directory, "init", "-q", "--bare", "-b", "main", str(origin))
        git(directory, "clone", "-q", str(origin), str(clone))
        git(clone, "checkout", "-q", "-b", "main")
        return cls(origin, clone)

    def commit(self, title: str, branch: str = "") -> str:
        """All that is in the clone, pushed; on a new or known branch where one is named. The commit."""
        if branch and git(self.clone, "branch", "--show-current") != branch:
            git(self.clone, "checkout", "-q", "-b", branch)
        git(self.clone, "add", "-A")
        git(self.clone, "commit", "-q", "-m", title)
        return self.push()

    def push(self) -> str:
        git(self.clone, "push", "-q", "-u", "origin", "HEAD")
        return git(self.clone, "rev-parse", "HEAD")

    def merge(self, branch: str) -> str:
        """Into main, as a merge commit."""
        git(self.clone, "checkout", "-q", "main")
        git(self.clone, "merge", "-q", "--no-ff", "-m", f"Merge {branch}", branch)
        return self.push()

    def revert(self, merge: str, branch: str) -> str:
        """On a new branch, what a merge brought."""
        git(self.clone, "checkout", "-q", "-b", branch, "main")
        git(self.clone, "revert", "--no-edit", "-m", "1", merge)
        return self.push()

    def check_out(self, ref: str, directory: Path, depth: int = 0) -> None:
        """`depth`: how many commits of its history; 0 is all of it."""
        directory.mkdir(parents=True, exist_ok=True)
        git(directory, "init", "-q")
        git(directory, "remote", "add", "origin", str(self.origin))
        git(directory, "fetch", "-q", *(("--depth", str(depth)) if depth else ()), "origin", ref)
        git(directory, "checkout", "-q", "--detach", "FETCH_HEAD")
