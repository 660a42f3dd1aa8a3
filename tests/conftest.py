"""For all tests."""

import signal

import pytest

# A shell that starts the tests in the background ignores SIGINT for them, and every process they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

FIGURE = "figure"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is marked `patient` takes minutes of waiting: begun first, it waits while the others work."""
    items.sort(key=lambda item: item.get_closest_marker("patient") is None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted (`record_property(FIGURE, ...)`), whichever process they ran in."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, value in report.user_properties:
            if name == FIGURE:
                terminalreporter.write_line(str(value))
