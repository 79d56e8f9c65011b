"""From a payment command in plain English to a plan, or to a question. Nothing is guessed: no amount, token or payee.

The sentence is untrusted. A plan takes its amount from it literally, its token from the symbols that the caller knows,
and its payee from the owner's catalogue or from a URL that the sentence spells out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal, cast

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from paygent.errors import UnknownService, UnsafeDestination
from paygent.registry.catalogue import Catalogue, Service

TEXT_CHARACTERS_MAX = 2_000

_PLAIN = re.compile(r"[0-9]{1,78}(\.[0-9]{1,78})?")
_QUANTITY = re.compile(r"(?<!\S)[^\w\s]*\d\S*")
_CURRENCY = re.compile(r"[$€£¥₹¢]|\b(?:dollars?|cents?|bucks?|usd|euros?|eur|pounds?|gbp|yen)\b", re.IGNORECASE)
_URL_CHARACTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=%-]+")
_ADDRESS = re.compile(r"0x[0-9a-f]{40}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Plan:
    """Request `url` with `method` and pay at most `amount_max` for it.

    `amount_max` is decimal text exactly as it was written, in whole tokens and more than zero; `Amount.parse_positive`
    has the last word on it. `symbol` is the asset's own. `service` is None when the sentence gave a URL.
    """

    amount_max: str
    symbol: str
    service: Service | None
    url: str
    method: str

    @property
    def summary(self) -> str:
        """One sentence for people."""
        request = self.url if self.method == "GET" else f"{self.method} {self.url}"
        payee = request if self.service is None else f"{self.service.name} ({request})"
        return f"Pay at most {self.amount_max} {self.symbol} for {payee}."


@dataclass(frozen=True, slots=True)
class Question:
    """What is unclear (`about`), and in `text` how to say it. What it quotes of the sentence is escaped and clipped."""

    text: str
    about: Literal["command", "amount", "token", "payee"]


class _Unclear(Exception):
    def __init__(self, about: Literal["command", "amount", "token", "payee"], text: str) -> None:
        self.question = Question(text, about)


def plan(text: str, catalogue: Catalogue, *, symbols: Mapping[str, str]) -> Plan | Question:
    """Read one payment command, e.g. `Pay 0.10 USDC to access the market data API`.

    `symbols` maps what a user may write, in upper case, to the asset's symbol: `{"USDC": "USDC.e"}`.
    The same text, catalogue and symbols give the same answer; no text raises.
    """
    try:
        tree = _parse(text, symbols)
        amount_max, symbol = _amount(text, tree, symbols)
        payee = _payee(text, tree, catalogue, symbols)
    except _Unclear as unclear:
        return unclear.question
    if isinstance(payee, Service):
        return Plan(amount_max, symbol, payee, payee.url, payee.method)
    return Plan(amount_max, symbol, None, payee, "GET")


@cache
def _parser() -> Lark:
    return Lark.open_from_package(__name__, "grammar.lark", parser="lalr", propagate_positions=True)


def _parse(text: str, symbols: Mapping[str, str]) -> Tree[Token]:
    if len(text) > TEXT_CHARACTERS_MAX:
        raise _Unclear("command", f"That is longer than {TEXT_CHARACTERS_MAX:,} characters. {_help(symbols)}")
    try:
        return _parser().parse(text)
    except UnexpectedInput as error:
        raise _not_understood(text, error, symbols) from None


def _amount(text: str, tree: Tree[Token], symbols: Mapping[str, str]) -> tuple[str, str]:
    amount = _part(tree, "amount")
    if amount is None:
        raise _about_money(text, symbols) or _Unclear("amount", f"How much at most? {_help(symbols)}")
    quantity, symbol = (*map(str, amount.children), "")[:2]
    _check_quantity(quantity, symbols)
    if not symbol:
        raise _Unclear("token", f"Which token is {quantity} in? {_known(symbols)}")
    if not symbol.isascii() or symbol.upper() not in symbols:
        raise _Unclear("token", f"{_quoted(symbol)} is no token that I can pay with. {_known(symbols)}")
    return quantity, symbols[symbol.upper()]


def _check_quantity(quantity: str, symbols: Mapping[str, str]) -> None:
    if _CURRENCY.search(quantity):
        raise _Unclear("token", f"{_quoted(quantity)} names no token. {_known(symbols)}")
    if not _PLAIN.fullmatch(quantity):
        raise _Unclear(
            "amount",
            f"{_quoted(quantity)} is no plain amount. Write digits with at most one point, such as 0.10, then a blank "
            "and the token; no sign, separator, exponent or unit.",
        )
    if not quantity.strip("0."):
        raise _Unclear("amount", f"{_quoted(quantity)} pays nothing. Write an amount of more than zero.")


def _payee(text: str, tree: Tree[Token], catalogue: Catalogue, symbols: Mapping[str, str]) -> Service | str:
    """A service of the catalogue, or a URL."""
    exact = _part(tree, "exact")
    if exact is not None:
        payee = str(exact.children[0]).strip('"“”')
        is_url = payee.lower().startswith(("http://", "https://"))
        return _checked(payee) if is_url else _service([payee], catalogue, symbols)
    named = _part(tree, "name") or _part(tree, "rest")
    if named is None:
        known = ", ".join(_quoted(service.name) for service in catalogue.services[:20])
        raise _Unclear("payee", f"For which service? {f'I know {known}. ' if known else ''}{_help(symbols)}")
    name = _span(text, named)
    lead = [] if (part := _part(tree, "lead")) is None else _span(text, part).split()
    readings = [" ".join([*lead[i:], name]) for i in reversed(range(len(lead) + 1))]
    return _service(readings, catalogue, symbols)


def _service(readings: list[str], catalogue: Catalogue, symbols: Mapping[str, str]) -> Service:
    """The one service that any of the readings may mean; the first is the likeliest, and the one asked about."""
    found = list(dict.fromkeys(service for reading in readings for service in catalogue.candidates(reading)))
    if len(found) == 1:
        return found[0]
    if found:
        names = " or ".join(_quoted(service.name) for service in found[:20])
        raise _Unclear("payee", f"Do you mean {names}? Write the name in quotes.")
    name = readings[0]
    if _ADDRESS.fullmatch(name):
        raise _Unclear("payee", f"I pay for services; I do not transfer to an address. {_help(symbols)}")
    words = name.split()
    if any(_PLAIN.fullmatch(a) and b.upper() in symbols for a, b in pairwise(words)):
        raise _Unclear("amount", f"There is more than one amount in that; give one payment at a time. {_help(symbols)}")
    try:
        return catalogue.find(name)
    except UnknownService as error:
        raise _Unclear("payee", f"{error.detail} A URL does as well: write it with https:// in front.") from None


def _checked(url: str) -> str:
    from paygent.outbound import check_url  # noqa: PLC0415 - it brings an HTTP client; planning needs none

    if not _URL_CHARACTERS.fullmatch(url):
        raise _Unclear("payee", f"{_quoted(url)} has characters that no URL has. Write them percent-encoded.")
    try:
        return check_url(url)
    except UnsafeDestination as error:
        raise _Unclear("payee", error.detail) from None


def _not_understood(text: str, error: UnexpectedInput, symbols: Mapping[str, str]) -> _Unclear:
    """The likeliest reason. It only words the question; whatever the grammar refuses is never planned."""
    expected = error.allowed if isinstance(error, UnexpectedCharacters) else cast("UnexpectedToken", error).expected
    if "_PAY" in expected:
        return _Unclear("command", f"I do not understand {_quoted(text)}. {_help(symbols)}")
    if (reason := _about_money(text, symbols)) is not None:
        return reason
    if isinstance(error, UnexpectedToken) and error.token.type == "$END":
        return _Unclear("command", f"There is something missing at the end. {_help(symbols)}")
    left_over = _quoted(text[error.pos_in_stream or 0 :])
    return _Unclear("command", f"I understand that only up to {left_over}. {_help(symbols)}")


def _about_money(text: str, symbols: Mapping[str, str]) -> _Unclear | None:
    """What is wrong with the amounts in a sentence that holds no readable one, or None."""
    quantities = [quantity.rstrip(".,;:!?") for quantity in _QUANTITY.findall(text)]
    if len(quantities) > 1:
        return _Unclear("amount", f"Which amount: {', '.join(map(_quoted, quantities[:5]))}? {_help(symbols)}")
    currency = [word for word in _CURRENCY.findall(text) if word.upper() not in symbols]
    if currency:
        return _Unclear("token", f"{_quoted(currency[0])} names no token. {_known(symbols)}")
    try:
        for quantity in quantities:
            _check_quantity(quantity, symbols)
    except _Unclear as unclear:
        return unclear
    return None


def _part(tree: Tree[Token], rule: str) -> Tree[Token] | None:
    return next((part for part in tree.children if isinstance(part, Tree) and part.data == rule), None)


def _span(text: str, part: Tree[Token]) -> str:
    return text[part.meta.start_pos : part.meta.end_pos]


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:79] + "…")


def _known(symbols: Mapping[str, str]) -> str:
    if not symbols:
        return "No token is set up."
    names = sorted(symbol if name == symbol.upper() else name for name, symbol in symbols.items())
    return f"Write {' or '.join(names)} after the number, as in 0.10 {_example(symbols)}."


def _help(symbols: Mapping[str, str]) -> str:
    token = _example(symbols)
    return (
        f'I can pay for one request to a paid service, for example: "Pay 0.10 {token} to access the market data API" '
        f'or "Buy https://api.example.com/data for at most 0.10 {token}".'
    )


def _example(symbols: Mapping[str, str]) -> str:
    return min(symbols, default="USDC")
