"""Sessions: a budget under a name. It is a limited ledger account, which no race can overdraw."""

from __future__ import annotations

from paygent.db.database import Connection
from paygent.errors import InvalidInput
from paygent.ledger import transfers
from paygent.money import Amount


def budget_account(session_id: str) -> str:
    """The limited account that holds what the session may still spend."""
    return f"budget:{session_id}"


def used_account(session_id: str) -> str:
    """Where the session's spent budget goes."""
    return f"budget:{session_id}:used"


async def open_session(connection: Connection, session_id: str, budget: Amount) -> None:
    """Open the session, or bring an open one to this total budget.

    Where more than `budget` is spent or reserved already, nothing is left to spend. Raises InvalidInput when the session
    is in another asset.
    """
    if not 1 <= len(session_id) <= 64 or ":" in session_id:
        raise InvalidInput("A session's name has 1 to 64 characters and no colon.")
    asset = budget.asset
    await connection.execute(
        "INSERT INTO sessions (id, asset) VALUES (%s, %s) ON CONFLICT DO NOTHING", (session_id, asset.id)
    )
    cursor = await connection.execute("SELECT asset FROM sessions WHERE id = %s", (session_id,))
    row = await cursor.fetchone()
    if row != {"asset": asset.id}:
        raise InvalidInput(
            f"The session {session_id} is in {row and row['asset']}, not in {asset.id}. "
            "Set PAYGENT_HOME (or PAYGENT_DATABASE_URL) to one of its own."
        )
    grants = f"grants:{asset.id}"
    budget_id = budget_account(session_id)
    await transfers.open_account(connection, grants, asset, limited=False)
    await transfers.open_account(connection, budget_id, asset, limited=True)
    await transfers.open_account(connection, used_account(session_id), asset, limited=False)
    held, used = await transfers.lock(connection, budget_id, used_account(session_id))
    change = max(budget.base_units - held.posted - used.posted, -held.available)
    if change == 0:
        return
    cursor = await connection.execute(
        "SELECT count(*) AS n FROM ledger_transfers WHERE starts_with(reference, %s)", (f"{budget_id}:grant:",)
    )
    count = await cursor.fetchone()
    assert count is not None
    debit, credit = (grants, budget_id) if change > 0 else (budget_id, grants)
    await transfers.post(
        connection,
        reference=f"{budget_id}:grant:{count['n']}",
        debit=debit,
        credit=credit,
        amount=Amount(abs(change), asset),
    )


async def exists(connection: Connection, session_id: str) -> bool:
    """Whether the session was opened."""
    cursor = await connection.execute("SELECT FROM sessions WHERE id = %s", (session_id,))
    return await cursor.fetchone() is not None
