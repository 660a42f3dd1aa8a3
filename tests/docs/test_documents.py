"""Documents that point somewhere must point at something."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from millpond.cli.main import cli

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?://)([^)#]+)(?:#[^)]*)?\)")
COMMAND = re.compile(r"(?:^\s*\$ |`)(?:\.venv/bin/)?millpond (?:-C [^\s`]+ )?([a-z]+)", re.MULTILINE)
PATH = re.compile(r"`((?:millpond|docs|scripts|demo|examples|tests)/[\w./-]*)`")


def test_documents_are_found() -> None:
    assert len(DOCUMENTS) > 10


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_and_paths_exist(document: Path) -> None:
    text = document.read_text()
    links = [document.parent / link for link in LINK.findall(text) if "NNNN" not in link]
    missing = [str(path) for path in [*links, *(ROOT / path for path in PATH.findall(text))] if not path.exists()]
    assert not missing


def test_every_command_in_the_documents_is_a_verb() -> None:
    named = {verb for document in DOCUMENTS for verb in COMMAND.findall(document.read_text())}
    assert named, "no document shows a command"
    assert named <= set(cli.commands)


def test_every_decision_is_listed_and_has_its_date_and_status() -> None:
    index = (ROOT / "docs/decisions/README.md").read_text()
    pages = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for page in pages:
        title, _, head = page.read_text().split("\n", 2)
        assert title.startswith(f"# {page.name[:4]}: ")
        assert re.match(r"Date: \d{4}-\d\d-\d\d\. Status: (accepted|replaced by \[\d{4}\]\(\d{4}-.*\))\.", head)
        assert f"({page.name})" in index
