"""How many examples a property test draws: a share of what the run's Hypothesis profile says (see `conftest.py`)."""

from __future__ import annotations

from hypothesis import settings


def examples(percent: int) -> int:
    """`percent` of the profile's number; for tests whose examples cost more than others'."""
    return settings().max_examples * percent // 100
