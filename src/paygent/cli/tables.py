"""Intents, their history and their ledger entries, for people."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from paygent.evm.abi import checksum_address
from paygent.intents.model import Answer, Event, Intent, State
from paygent.money import Amount
from paygent.text import foreign, screen

_ADDRESS = re.compile(r"0x([0-9a-f]{4})[0-9a-f]{32}([0-9a-f]{4})(?![0-9a-f])")
# Shown beside the table, where they have room.
_ELSEWHERE = frozenset({"facts", "transaction"})
_PIPED_COLUMNS = 200
_BODY_SHOWN = 2_000
_KINDS = {"posted": "post", "pending": "hold", "post_pending": "post hold", "void_pending": "void hold"}


def open_console() -> Console:
    """A console on stdout. What is piped somewhere is not cut to a terminal's width."""
    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _PIPED_COLUMNS)


def intents_table(intents: Sequence[Intent], *, width: int) -> Table:
    """One line each, at most `width` wide; the id is whole, since `intents show` asks for it, and the URL has what is left."""
    rows = [
        (intent.id, _time(intent.created_at, "seconds"), str(intent.state), amount_of(intent)) for intent in intents
    ]
    headings = ("intent", "created (UTC)", "state", "amount")
    taken = sum(max(len(cell) for cell in column) + 2 for column in zip(headings, *rows, strict=True)) + 2
    table = Table(*headings, box=None)
    table.add_column("url", no_wrap=True, overflow="ellipsis", max_width=max(width - taken, 1))
    for intent, row in zip(intents, rows, strict=True):
        table.add_row(*row, str(intent.request.arguments.get("http", {}).get("url", "")))
    return table


def amount_of(intent: Intent) -> str:
    """What it costs; a dash while that is unknown."""
    if intent.amount is not None:
        return str(intent.amount)
    return "free" if intent.state is State.SETTLED else "-"


def print_intent(console: Console, intent: Intent) -> None:
    """What it is, what became of it, and the beginning of what it bought."""
    http = intent.request.arguments.get("http", {})
    payee = (intent.quote or {}).get("payee")
    answer = intent.answer
    facts = {
        "intent": intent.id,
        "created": f"{_time(intent.created_at, 'seconds')} UTC",
        "request": f"{http.get('method', '')} {http.get('url', '')}".strip(),
        "state": intent.state,
        "reason": (intent.reason or {}).get("detail"),
        "amount": amount_of(intent),
        "payee": checksum_address(payee) if payee else None,
        "transaction": intent.transaction,
        "answer": None if answer is None else _summary(answer),
    }
    for name, value in facts.items():
        if value:
            console.print(f"{name:<13}{value}", soft_wrap=True)
    if answer is not None and answer.body:
        shown = screen(answer.body[:_BODY_SHOWN].decode(errors="replace")).rstrip("\n")
        console.print(f"\n{shown}{'…' if len(answer.body) > _BODY_SHOWN else ''}", soft_wrap=True)
    console.print()


def _summary(answer: Answer) -> str:
    kind = foreign(answer.headers.get("content-type", "of no type"), 60)
    return f"HTTP {answer.status}, {kind}, {len(answer.body)} bytes{'' if answer.is_whole else ' (cut off)'}"


def print_books(console: Console, intent: Intent, events: Sequence[Event], entries: Sequence[dict[str, Any]]) -> None:
    """Both tables."""
    for table in (_ledger_table(entries, intent), _history_table(events)):
        if table.row_count:
            console.print(table)
            console.print()


def _history_table(events: Sequence[Event]) -> Table:
    """Every arrow, when it was taken, and what was noted with it."""
    table = Table("at (UTC)", "state", "detail", title="History", title_justify="left", box=None)
    for event in events:
        detail = ", ".join(f"{name} {value}" for name, value in event.detail.items() if name not in _ELSEWHERE)
        table.add_row(_time(event.at, "milliseconds"), event.to_state, detail)
    return table


def _ledger_table(entries: Sequence[dict[str, Any]], intent: Intent) -> Table:
    """Every transfer, all of them of the asset that the intent pays in."""
    table = Table("entry", "debit", "credit", "amount", title="Ledger", title_justify="left", box=None)
    for entry in entries:
        assert intent.amount is not None
        amount = Amount(int(entry["base_units"]), intent.amount.asset)
        sides = [_short(entry[side].partition(":eip155:")[0]) for side in ("debit_account", "credit_account")]
        table.add_row(_KINDS[entry["kind"]], *(side.replace(":", " ") for side in sides), str(amount))
    return table


def _time(moment: datetime, precision: str) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec=precision)


def _short(text: str) -> str:
    return _ADDRESS.sub(r"0x\1…\2", text)
