"""Fixtures of what plays on the lab. Without a lab that is up its tests fail: they are only run when they are asked for by their mark."""

from __future__ import annotations

import json

import pytest

from tests.lab import infrastructure
from tests.lab.access import Lab, running_lab
from tests.sandbox.running import Control

STORIES = ("test_story.py", "test_story_manage.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first: workers take whole files, in this order."""
    items.sort(key=lambda item: item.path.parent.name != "lab" or item.path.name not in STORIES)


@pytest.fixture(scope="session")
def lab() -> Lab:
    found = running_lab()
    assert found is not None, "the lab is not up: make lab-up"
    return found


@pytest.fixture(scope="session")
def arrays(lab: Lab) -> Control:
    """The control API of the sandbox whose arrays the lab uses."""
    endpoints = infrastructure.directory() / "sandbox" / "endpoints.json"
    return Control(json.loads(endpoints.read_text())["control"])
