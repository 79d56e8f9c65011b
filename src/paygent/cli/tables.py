"""An intent's history and ledger entries as tables for people."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from paygent.intents.model import Event, Intent
from paygent.money import Amount

_ADDRESS = re.compile(r"0x([0-9a-f]{4})[0-9a-f]{32}([0-9a-f]{4})(?![0-9a-f])")
# Shown beside the table, where they have room.
_ELSEWHERE = frozenset({"facts", "transaction"})
_KINDS = {"posted": "post", "pending": "hold", "post_pending": "post hold", "void_pending": "void hold"}


def print_books(console: Console, intent: Intent, events: Sequence[Event], entries: Sequence[dict[str, Any]]) -> None:
    """Both tables."""
    for table in (_ledger_table(entries, intent), _history_table(events)):
        console.print(table)
        console.print()


def _history_table(events: Sequence[Event]) -> Table:
    """Every arrow, when it was taken, and what was noted with it."""
    table = Table("at (UTC)", "state", "detail", title="History", title_justify="left", box=None)
    for event in events:
        detail = ", ".join(f"{name} {value}" for name, value in event.detail.items() if name not in _ELSEWHERE)
        table.add_row(event.at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3], event.to_state, detail)
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


def _short(text: str) -> str:
    return _ADDRESS.sub(r"0x\1…\2", text)
