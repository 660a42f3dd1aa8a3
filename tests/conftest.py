"""For all tests."""

import gc
import os
import signal
from pathlib import Path

import pytest

# A shell that starts the tests in the background ignores SIGINT for them, and every process they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

FIGURE = "figure"
STORIES = Path(__file__).parent / "story"
SHOP = "shop"
"""The fixture that stories with the largest of the worlds have."""

gc.disable()  # until all is collected: nothing of that is garbage, and to look through it again and again takes a tenth of the time


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every process begins with its share of what is marked `patient`, which waits for minutes while the others work, and of the stories:
    what is left for the end, when processes run out of tests, is short. Stories of one file share their worlds, which each process makes
    for itself, and those of the shop the largest one: they stay together.

    `--dist worksteal` gives each process an equal part of the list, one after the other, and later what another has left.
    """
    patient = [item for item in items if item.get_closest_marker("patient")]
    stories = [item for item in items if item.path.is_relative_to(STORIES) and item not in patient]
    stories.sort(key=lambda item: SHOP not in getattr(item, "fixturenames", ()))
    first = {*patient, *stories}
    others = [item for item in items if item not in first]
    whole, processes = len(items), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items.clear()
    for number in range(processes):
        begin, end = (len(stories) * each // processes for each in (number, number + 1))
        share = patient[number::processes] + stories[begin:end]
        rest = max(0, whole * (number + 1) // processes - len(items) - len(share))
        items += share + others[:rest]
        del others[:rest]
    items += others


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted (`record_property(FIGURE, ...)`), whichever process they ran in."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, value in report.user_properties:
            if name == FIGURE:
                terminalreporter.write_line(str(value))
