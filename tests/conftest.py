"""For all tests."""

import signal

import pytest

# A shell that starts the tests in the background ignores SIGINT for them, and every process they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

FIGURE = "figure"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What tests counted (`record_property(FIGURE, ...)`), whichever process they ran in."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    for report in reports:
        for name, value in report.user_properties:
            if name == FIGURE:
                terminalreporter.write_line(str(value))
