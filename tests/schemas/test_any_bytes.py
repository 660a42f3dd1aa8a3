"""Whatever is in a file, the loaders refuse it as an invalid document, or read it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from millpond.errors import InvalidDocument, Problem
from millpond.schemas import load_inventory, load_manifest
from millpond.schemas.document import read_document
from millpond.schemas.plan_document import read_plan
from tests.schemas.writing import HEAD

WORDS = st.sampled_from(
    [
        *"[]{}:,-#&*!|>'\"%@`?~<",
        "\n",
        "  ",
        "\n  ",
        "\n- ",
        ": ",
        "<<: ",
        "&a ",
        "*a",
        "!!int ",
        "---\n",
        "...\n",
        "\t",
        "spec",
        "waves",
        "0777",
    ]
)
quickly = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def is_refused_or_read(load: Callable[[Path], object], path: Path, data: bytes) -> None:
    path.write_bytes(data)
    problems: tuple[Problem, ...] = ()
    try:
        load(path)
    except InvalidDocument as refusal:
        problems = refusal.problems
    for problem in problems:
        assert problem.where.startswith(str(path))
        assert (problem.what + problem.why + problem.fix).isprintable()


@pytest.mark.parametrize("load", [load_manifest, load_inventory, read_plan])
@given(data=st.binary(max_size=40) | st.lists(WORDS, max_size=25).map("".join).map(str.encode))
@quickly
def test_any_bytes(load: Callable[[Path], object], tmp_path: Path, data: bytes) -> None:
    is_refused_or_read(load, tmp_path / "x.yaml", data)


@given(at=st.integers(0, len(HEAD)), length=st.integers(0, 12), text=st.lists(WORDS, max_size=4).map("".join) | st.text(max_size=4))
@quickly
def test_any_edit_of_a_manifest(tmp_path: Path, at: int, length: int, text: str) -> None:
    is_refused_or_read(load_manifest, tmp_path / "x.yaml", (HEAD[:at] + text + HEAD[at + length :]).encode())


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)


@given(
    value=st.recursive(
        SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=8
    )
)
@quickly
def test_any_spec(tmp_path: Path, value: object) -> None:
    text = yaml.safe_dump(
        {"apiVersion": "millpond.dev/v1", "kind": "Tenant", "metadata": {"name": "acme"}, "spec": value}, allow_unicode=True
    )
    path = tmp_path / "x.yaml"
    path.write_text(text)
    problems: list[Problem] = []
    assert (read_document(path, "tenant", problems) is None) == bool(problems)
