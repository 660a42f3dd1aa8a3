"""What is written out reaches the place that was named, whole or not at all."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from millpond.reporting.files import CannotWrite, write_text


def test_a_link_goes_on_leading_to_its_file(tmp_path: Path) -> None:
    file, link = tmp_path / "plan.json", tmp_path / "latest.json"
    file.write_text("old")
    link.symlink_to(file)
    write_text(link, "new")
    assert link.is_symlink()
    assert file.read_text() == "new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["latest.json", "plan.json"]


def test_a_link_that_leads_nowhere_gets_its_file(tmp_path: Path) -> None:
    link = tmp_path / "latest.json"
    link.symlink_to(tmp_path / "plan.json")
    write_text(link, "new")
    assert (tmp_path / "plan.json").read_text() == "new"


def test_what_is_no_file_is_written_to_as_it_is(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_text(pipe, "whole")
        assert os.read(reader, 100) == b"whole"
    finally:
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def full_device(directory: Path) -> Path:
    """A link, so that the device itself is safe from whatever is wrong here."""
    link = directory / "full"
    link.symlink_to("/dev/full")
    return link


def circle(directory: Path) -> Path:
    (directory / "a").symlink_to(directory / "b")
    (directory / "b").symlink_to(directory / "a")
    return directory / "a"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        (full_device, "No space left on device"),
        (circle, "its links lead in a circle"),
        (lambda directory: directory, "Is a directory"),
        (lambda directory: directory / "nowhere/plan.json", "its directory does not exist"),
    ],
)
def test_a_place_that_does_not_take_it_is_told(tmp_path: Path, place: Callable[[Path], Path], why: str) -> None:
    path = place(tmp_path)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(CannotWrite) as caught:
        write_text(path, "x" * 100_000)
    assert str(caught.value).replace("Too many levels of symbolic links", "its links lead in a circle") == why
    assert caught.value.where == str(path)
    assert sorted(tmp_path.iterdir()) == before
