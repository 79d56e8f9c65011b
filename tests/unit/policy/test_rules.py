"""Deny by default, and say which rule and what to change."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paygent.money import Amount, Asset
from paygent.policy.rules import Allow, Deny, Policy, Spend, evaluate

USDC = Asset(338, "0x" + "11" * 20, "USDC", 6)
POLICY = Policy(Amount(100, USDC), frozenset({"api.example.com", "127.0.0.1:8080", "[2606:4700::1]"}))


@pytest.mark.parametrize(
    "host", ["api.example.com", "API.example.com", "api.example.com:8443", "127.0.0.1:8080", "[2606:4700::1]:5"]
)
def test_an_allowed_host_is_allowed(host: str) -> None:
    assert evaluate(POLICY, Spend(Amount(100, USDC), host)) == Allow()


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        "evil-api.example.com",
        "api.example.com.evil.org",
        "127.0.0.1",
        "127.0.0.1:80801",
        "",
        "[2606:4700::1:5]",
    ],
)
def test_every_other_host_is_denied(host: str) -> None:
    verdict = evaluate(POLICY, Spend(Amount(1, USDC), host))
    assert isinstance(verdict, Deny)
    assert verdict.rule == "allowed_hosts"


def test_a_policy_without_hosts_allows_nothing() -> None:
    verdict = evaluate(replace(POLICY, allowed_hosts=frozenset()), Spend(Amount(1, USDC), "api.example.com"))
    assert isinstance(verdict, Deny)


@given(st.integers(0, 200), st.integers(1, 200))
def test_exactly_the_maximum_is_allowed_and_no_more(units: int, limit: int) -> None:
    policy = replace(POLICY, payment_max=Amount(limit, USDC))
    assert isinstance(evaluate(policy, Spend(Amount(units, USDC), "api.example.com")), Allow) == (units <= limit)


def test_another_asset_is_denied() -> None:
    verdict = evaluate(POLICY, Spend(Amount(1, replace(USDC, chain_id=25)), "api.example.com"))
    assert isinstance(verdict, Deny)
    assert verdict.rule == "asset"
