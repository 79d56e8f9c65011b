"""Fixtures for every test live in `tests/support`."""

pytest_plugins = ["tests.support.chain", "tests.support.buying", "tests.support.paying", "tests.support.crashes"]
