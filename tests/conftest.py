"""For all tests."""

import gc
import os
import signal

import pytest

# A shell that starts the tests in the background ignores SIGINT for them, and every process they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

FIGURE = "figure"

gc.disable()  # until all is collected: nothing of that is garbage, and to look through it again and again takes a tenth of the time


def pytest_collection_finish() -> None:
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every process begins with its share of what is marked `patient`: it waits for minutes, while the others work.

    `--dist worksteal` gives each process an equal part of the list, one after the other, and later what another has left.
    """
    patient = [item for item in items if item.get_closest_marker("patient")]
    others = [item for item in items if not item.get_closest_marker("patient")]
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    items.clear()
    for number in range(processes):
        first = patient[number::processes]
        rest = max(0, (len(patient) + len(others)) * (number + 1) // processes - len(items) - len(first))
        items += first + others[:rest]
        del others[:rest]
    items += others


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted (`record_property(FIGURE, ...)`), whichever process they ran in."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, value in report.user_properties:
            if name == FIGURE:
                terminalreporter.write_line(str(value))
