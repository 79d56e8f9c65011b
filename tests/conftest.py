"""Fixtures for every test live in `tests/support`; what a test counted is printed at the end of the run."""

from __future__ import annotations

import pytest

pytest_plugins = ["tests.support.chain", "tests.support.buying", "tests.support.paying", "tests.support.commands"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Each `record_property("counted", text)`."""
    counted = [
        (report.nodeid, value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "counted"
    ]
    if counted:
        terminalreporter.section("what the tests counted")
    for test, text in counted:
        terminalreporter.write_line(f"{test}\n  {text}")
