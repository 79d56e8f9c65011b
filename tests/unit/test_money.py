"""Amounts: exact in, exact out, and everything else refused."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paygent.errors import InvalidAmount
from paygent.money import UINT256_MAX, Amount, Asset

USDC = Asset(338, "0x" + "11" * 20, "USDC", 6)
CRO = Asset(338, "0x" + "22" * 20, "WCRO", 18)
assets = st.builds(Asset, st.just(338), st.just("0x" + "33" * 20), st.just("TKN"), st.integers(0, 77))
base_units = st.integers(0, UINT256_MAX)


@given(base_units, assets)
def test_shown_amount_parses_back_to_itself(units: int, asset: Asset) -> None:
    amount = Amount(units, asset)
    assert Amount.parse(amount.text, asset) == amount


@given(st.integers(0, 10**20), st.integers(0, 18))
def test_parsing_agrees_with_exact_decimals(number: int, places: int) -> None:
    with localcontext(prec=100):
        text = format(Decimal(number).scaleb(-places), "f")
        expected = Decimal(text).scaleb(18)
    assert Amount.parse(text, CRO).base_units == int(expected)


@pytest.mark.parametrize(
    ("text", "units"),
    [("0.10", 100_000), ("1", 1_000_000), ("0.000001", 1), ("007", 7_000_000), ("1.5000000", 1_500_000)],
)
def test_plain_decimals_are_read(text: str, units: int) -> None:
    assert Amount.parse(text, USDC).base_units == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        " 1",
        "1 ",
        "-1",
        "+1",
        "1e3",
        "1,000",
        "1_000",
        "0x10",
        "NaN",
        "inf",
        ".5",
        "5.",
        "1.2.3",
        "١",
        "１",
        "1\n",
        "$1",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidAmount, match="is not an amount"):
        Amount.parse(text, USDC)


def test_finer_than_the_token_is_refused() -> None:
    with pytest.raises(InvalidAmount, match="6 decimals"):
        Amount.parse("0.0000001", USDC)


def test_more_than_a_uint256_is_refused() -> None:
    with pytest.raises(InvalidAmount, match="more than any token"):
        Amount.parse(str(UINT256_MAX), USDC)


@pytest.mark.parametrize("text", ["0", "0.00"])
def test_zero_is_no_payment(text: str) -> None:
    with pytest.raises(InvalidAmount, match="more than zero"):
        Amount.parse_positive(text, USDC)


@pytest.mark.parametrize("value", [0.1, True, Decimal("0.1"), "1"])
def test_only_integers_are_base_units(value: object) -> None:
    with pytest.raises(TypeError):
        Amount(value, USDC)  # type: ignore[arg-type]


def test_a_float_is_never_parsed() -> None:
    with pytest.raises(InvalidAmount, match="not a float"):
        Amount.parse(0.1, USDC)  # type: ignore[arg-type]


def test_different_assets_do_not_mix() -> None:
    with pytest.raises(ValueError, match="cannot combine"):
        Amount(1, USDC) + Amount(1, CRO)


def test_subtraction_never_goes_below_zero() -> None:
    with pytest.raises(InvalidAmount):
        Amount(1, USDC) - Amount(2, USDC)


@given(base_units, base_units)
def test_addition_is_exact_or_refused(a: int, b: int) -> None:
    if a + b > UINT256_MAX:
        with pytest.raises(InvalidAmount):
            Amount(a, USDC) + Amount(b, USDC)
    else:
        assert (Amount(a, USDC) + Amount(b, USDC)).base_units == a + b
