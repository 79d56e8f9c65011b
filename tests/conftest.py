"""Fixtures for every test live in `tests/support`; what a test counted is printed at the end of the run."""

from __future__ import annotations

import pytest
from hypothesis import settings

# The usual run draws the same examples each time: it fails for what was changed, and for nothing else. `make chaos` draws
# others each time, and many more.
settings.register_profile("usual", max_examples=100, derandomize=True, deadline=None)
settings.register_profile("chaos", max_examples=2_000, deadline=None, print_blob=True)
settings.load_profile("usual")

pytest_plugins = [
    "tests.support.chain",
    "tests.support.buying",
    "tests.support.paying",
    "tests.support.commands",
    "tests.support.vault",
]


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
