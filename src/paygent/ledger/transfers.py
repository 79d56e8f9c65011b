"""Accounts and transfers. Every function works inside the caller's transaction and commits nothing itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import LiteralString

from paygent.db.database import Connection
from paygent.errors import LedgerConflict, OverLimit
from paygent.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class Balance:
    """An account's totals in base units. `available` is what it may still give."""

    debits_pending: int
    debits_posted: int
    credits_pending: int
    credits_posted: int

    @property
    def posted(self) -> int:
        return self.credits_posted - self.debits_posted

    @property
    def available(self) -> int:
        return self.posted - self.debits_pending


async def open_account(connection: Connection, account: str, asset: Asset, *, limited: bool) -> None:
    """Open `account`, unless it is open. Raises LedgerConflict when it is, for another asset or limit."""
    await connection.execute(
        "INSERT INTO ledger_accounts (id, asset, limited) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (account, asset.id, limited),
    )
    cursor = await connection.execute("SELECT asset, limited FROM ledger_accounts WHERE id = %s", (account,))
    if await cursor.fetchone() != {"asset": asset.id, "limited": limited}:
        raise LedgerConflict(f"The account {account} exists with another asset or limit.")


async def balance(connection: Connection, account: str) -> Balance:
    """The totals of `account`. Raises LedgerConflict when there is no such account."""
    return (await _balances(connection, (account,), _SELECT))[0]


async def lock(connection: Connection, *accounts: str) -> list[Balance]:
    """The totals of `accounts`, which nothing else changes until the transaction ends."""
    return await _balances(connection, accounts, _SELECT + " FOR UPDATE")


# Locked in the order of their names, as everywhere.
_SELECT: LiteralString = (
    "SELECT id, debits_pending, debits_posted, credits_pending, credits_posted FROM ledger_accounts"
    " WHERE id = ANY(%s) ORDER BY id"
)


async def _balances(connection: Connection, accounts: Sequence[str], query: LiteralString) -> list[Balance]:
    cursor = await connection.execute(query, (list(accounts),))
    found = {row.pop("id"): row for row in await cursor.fetchall()}
    for account in accounts:
        if account not in found:
            raise LedgerConflict(f"There is no account {account}.")
    return [Balance(**{name: int(value) for name, value in found[account].items()}) for account in accounts]


async def post(connection: Connection, *, reference: str, debit: str, credit: str, amount: Amount) -> bool:
    """Move `amount` from `debit` to `credit` at once. False when `reference` was booked before: nothing is moved twice.

    Raises OverLimit when a limited account has too little.
    """
    if await _insert(connection, reference, "posted", debit, credit, amount) is None:
        return False
    await _move(connection, debit, credit, amount.base_units, _POST)
    return True


async def hold(connection: Connection, *, reference: str, debit: str, credit: str, amount: Amount) -> int | None:
    """Reserve `amount`; the id with which to `post_hold` or `void_hold` it, None when `reference` was held before.

    Raises OverLimit when a limited account has too little, its other holds counted.
    """
    pending_id = await _insert(connection, reference, "pending", debit, credit, amount)
    if pending_id is not None:
        await _move(connection, debit, credit, amount.base_units, _HOLD)
    return pending_id


async def post_hold(connection: Connection, pending_id: int, *, reference: str) -> None:
    """Turn a hold into a movement. Raises LedgerConflict when it was posted or voided before."""
    await _end_hold(connection, pending_id, reference, "post_pending", _POST_HOLD)


async def void_hold(connection: Connection, pending_id: int, *, reference: str) -> None:
    """Give a hold back. Raises LedgerConflict when it was posted or voided before."""
    await _end_hold(connection, pending_id, reference, "void_pending", _VOID_HOLD)


# How a movement changes the totals of its (debit side, credit side); the limit stands in the debit side's WHERE.
_WITHIN_LIMIT: LiteralString = " AND (NOT limited OR debits_pending + debits_posted + %(units)s <= credits_posted)"
_POST: tuple[LiteralString, LiteralString] = (
    "debits_posted = debits_posted + %(units)s WHERE id = %(id)s" + _WITHIN_LIMIT,
    "credits_posted = credits_posted + %(units)s WHERE id = %(id)s",
)
_HOLD: tuple[LiteralString, LiteralString] = (
    "debits_pending = debits_pending + %(units)s WHERE id = %(id)s" + _WITHIN_LIMIT,
    "credits_pending = credits_pending + %(units)s WHERE id = %(id)s",
)
_POST_HOLD: tuple[LiteralString, LiteralString] = (
    "debits_pending = debits_pending - %(units)s, debits_posted = debits_posted + %(units)s WHERE id = %(id)s",
    "credits_pending = credits_pending - %(units)s, credits_posted = credits_posted + %(units)s WHERE id = %(id)s",
)
_VOID_HOLD: tuple[LiteralString, LiteralString] = (
    "debits_pending = debits_pending - %(units)s WHERE id = %(id)s",
    "credits_pending = credits_pending - %(units)s WHERE id = %(id)s",
)


async def _insert(
    connection: Connection, reference: str, kind: str, debit: str, credit: str, amount: Amount
) -> int | None:
    cursor = await connection.execute(
        "INSERT INTO ledger_transfers (reference, kind, debit_account, credit_account, asset, amount)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (reference) DO NOTHING RETURNING id",
        (reference, kind, debit, credit, amount.asset.id, amount.base_units),
    )
    row = await cursor.fetchone()
    return None if row is None else row["id"]


async def _end_hold(
    connection: Connection, pending_id: int, reference: str, kind: str, change: tuple[LiteralString, LiteralString]
) -> None:
    cursor = await connection.execute(
        "INSERT INTO ledger_transfers (reference, kind, pending_id, debit_account, credit_account, asset, amount)"
        " SELECT %s, %s, id, debit_account, credit_account, asset, amount FROM ledger_transfers"
        " WHERE id = %s AND kind = 'pending' ON CONFLICT DO NOTHING RETURNING debit_account, credit_account, amount",
        (reference, kind, pending_id),
    )
    row = await cursor.fetchone()
    if row is None:
        raise LedgerConflict(f"Transfer {pending_id} is no open hold.")
    await _move(connection, row["debit_account"], row["credit_account"], int(row["amount"]), change)


async def _move(
    connection: Connection, debit: str, credit: str, units: int, change: tuple[LiteralString, LiteralString]
) -> None:
    sides = [(debit, change[0]), (credit, change[1])]
    # Rows are locked in the order of their names, so that two transfers never wait for each other.
    for account, update in sorted(sides):
        cursor = await connection.execute(
            "UPDATE ledger_accounts SET " + update,  # noqa: S608 - both parts are literals of this module
            {"id": account, "units": units},
        )
        if cursor.rowcount != 1:
            raise OverLimit(f"{account} has less than this left.", account=account, base_units=str(units))
