"""A session's budget is what was granted less what was spent, whatever is opened again."""

from __future__ import annotations

import secrets

import pytest

from paygent.db.database import Database
from paygent.errors import InvalidInput, NotFound
from paygent.ledger import transfers
from paygent.money import Amount, Asset
from paygent.policy import sessions
from paygent.policy.rules import Policy

USDC = Asset(338, "0x" + "11" * 20, "USDC", 6)
POLICY = Policy(Amount(100, USDC), frozenset({"a.example"}))


async def reopen(database: Database, session_id: str, budget: int) -> int:
    """Open the session with `budget`; what is left of it."""
    async with database.transaction() as c:
        await sessions.open_session(c, session_id, POLICY, Amount(budget, USDC))
    async with database.transaction() as c:
        return (await transfers.balance(c, sessions.budget_account(session_id))).available


async def spend(database: Database, session_id: str, units: int) -> None:
    async with database.transaction() as c:
        await transfers.post(
            c,
            reference=secrets.token_hex(8),
            debit=sessions.budget_account(session_id),
            credit=sessions.used_account(session_id),
            amount=Amount(units, USDC),
        )


async def test_opening_again_grants_nothing_twice(database: Database) -> None:
    name = secrets.token_hex(4)
    assert [await reopen(database, name, 500) for _ in range(3)] == [500, 500, 500]


async def test_a_budget_is_raised_and_lowered_but_never_below_what_is_spent(database: Database) -> None:
    name = secrets.token_hex(4)
    await reopen(database, name, 500)
    await spend(database, name, 200)
    assert await reopen(database, name, 500) == 300
    assert await reopen(database, name, 600) == 400
    assert await reopen(database, name, 200) == 0
    with pytest.raises(InvalidInput, match="cannot be less"):
        await reopen(database, name, 199)
    assert await reopen(database, name, 200) == 0


async def test_the_policy_is_kept(database: Database) -> None:
    name = secrets.token_hex(4)
    await reopen(database, name, 500)
    async with database.transaction() as c:
        assert await sessions.policy_of(c, name, USDC) == POLICY
        with pytest.raises(NotFound):
            await sessions.policy_of(c, "nobody", USDC)
        with pytest.raises(InvalidInput, match="this payment is in"):
            await sessions.policy_of(c, name, Asset(25, "0x" + "11" * 20, "USDC", 6))


@pytest.mark.parametrize("name", ["", "a:b", "x" * 65])
async def test_odd_names_are_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 64"):
        await reopen(database, name, 1)
