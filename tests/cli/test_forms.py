"""The forms of a plan: printed, or written beside what is printed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from millpond.model.plan_document import PlanDocument
from millpond.reporting.planfile import write_planfile
from tests.cli.calling import call
from tests.reporting import examples


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    document = PlanDocument(examples.plan(examples.ACME), datetime.now(UTC) + timedelta(hours=1), site="north", git_sha="3f2a9c1d8e7f6a5b")
    write_planfile(tmp_path / "plan.json", document)
    return tmp_path / "plan.json"


def test_a_saved_plan_is_shown_as_a_comment(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "show", str(saved), "--format", "markdown")
    assert (called.code, called.err) == (0, "")
    assert called.out.startswith("<!-- millpond:north -->\n### Plan of `north`\n\nPlan: 4 to add, 4 to change, 1 to destroy.\n")
    assert called.out.endswith("</details>\n")


def test_it_fits_the_host_that_is_named(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "show", str(saved), "--format", "markdown", "--fit", "bitbucket")
    assert called.out.startswith("[//]: # (millpond:north)\n")
    assert "<" not in called.out.partition("```diff")[0]
    assert len(call(capsys, "show", str(saved), "--format", "markdown", "--fit", "4000").out) <= 4000


def test_gitlab_gets_its_counts(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(call(capsys, "show", str(saved), "--format", "gitlab").out) == {"create": 4, "update": 4, "delete": 1}


def test_files_are_written_beside_the_text(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    json_file, markdown = saved.with_name("again.json"), saved.with_name("comment.md")
    called = call(capsys, "show", str(saved), "--json-into", str(json_file), "--markdown-into", str(markdown))
    assert "Plan: 4 to add, 4 to change, 1 to destroy." in called.out.splitlines()
    assert json_file.read_text() == saved.read_text() == call(capsys, "show", str(saved), "--format", "json").out
    assert markdown.read_text() == call(capsys, "show", str(saved), "--format", "markdown").out


@pytest.mark.parametrize("fit", ["gitea", "12", "-5"])
def test_another_host_is_a_misuse(saved: Path, fit: str, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "show", str(saved), f"--fit={fit}")
    assert called.code == 64
    assert "none of github, gitlab, bitbucket, nor a number of characters from 4000 on" in " ".join(called.err.split())


def test_a_file_in_no_directory_is_told(saved: Path, capsys: pytest.CaptureFixture[str]) -> None:
    called = call(capsys, "show", str(saved), "--markdown-into", str(saved.parent / "nowhere/comment.md"))
    assert called.code == 1
    assert "its directory does not exist" in called.err
