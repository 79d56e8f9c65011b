"""A session's budget is what was granted less what was spent, whatever is opened again."""

from __future__ import annotations

import asyncio
import secrets

import pytest

from paygent.db.database import Database
from paygent.errors import InvalidInput
from paygent.ledger import transfers
from paygent.money import Amount, Asset
from paygent.policy import sessions

USDC = Asset(338, "0x" + "11" * 20, "USDC", 6)


async def reopen(database: Database, session_id: str, budget: int) -> int:
    """Open the session with `budget`; what is left of it."""
    async with database.transaction() as c:
        await sessions.open_session(c, session_id, Amount(budget, USDC))
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


async def test_a_budget_is_raised_and_lowered_down_to_what_is_spent(database: Database) -> None:
    name = secrets.token_hex(4)
    await reopen(database, name, 500)
    await spend(database, name, 200)
    assert await reopen(database, name, 500) == 300
    assert await reopen(database, name, 600) == 400
    assert await reopen(database, name, 200) == 0
    assert await reopen(database, name, 0) == 0, "less than is spent leaves nothing, and stops nobody from starting"
    assert await reopen(database, name, 201) == 1


async def test_a_budget_is_not_lowered_below_what_is_reserved(database: Database) -> None:
    name = secrets.token_hex(4)
    await reopen(database, name, 500)
    async with database.transaction() as c:
        sides = {"debit": sessions.budget_account(name), "credit": sessions.used_account(name)}
        pending = await transfers.hold(c, reference=secrets.token_hex(8), amount=Amount(300, USDC), **sides)
    assert pending is not None
    assert await reopen(database, name, 100) == 0
    async with database.transaction() as c:
        await transfers.void_hold(c, pending, reference=secrets.token_hex(8))
    assert await reopen(database, name, 100) == 100


async def test_opening_while_money_is_reserved_and_spent_grants_exactly_the_budget(database: Database) -> None:
    name = secrets.token_hex(4)
    await reopen(database, name, 1_000)

    async def hold_and_post() -> None:
        sides = {"debit": sessions.budget_account(name), "credit": sessions.used_account(name)}
        async with database.transaction() as c:
            pending = await transfers.hold(c, reference=secrets.token_hex(8), amount=Amount(10, USDC), **sides)
        assert pending is not None
        async with database.transaction() as c:
            await transfers.post_hold(c, pending, reference=secrets.token_hex(8))

    await asyncio.gather(*(hold_and_post() for _ in range(20)), *(reopen(database, name, 1_000) for _ in range(20)))
    assert await reopen(database, name, 1_000) == 800


async def test_a_budget_is_counted_while_nothing_of_it_moves(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks at two accounts a payment could be counted twice, or not at all."""

    async def is_open(*_: object, **__: object) -> None:
        """Opening waits for the payment as well, by chance: it may begin right after that."""

    name = secrets.token_hex(4)
    await reopen(database, name, 1_000)
    monkeypatch.setattr(transfers, "open_account", is_open)
    sides = {"debit": sessions.budget_account(name), "credit": sessions.used_account(name)}
    async with database.transaction() as c:
        pending = await transfers.hold(c, reference=secrets.token_hex(8), amount=Amount(10, USDC), **sides)
    assert pending is not None
    async with database.transaction() as c:
        await transfers.post_hold(c, pending, reference=secrets.token_hex(8))
        opening = asyncio.create_task(reopen(database, name, 1_000))
        done, _ = await asyncio.wait({opening}, timeout=0.5)
        assert not done, "it waits until the payment is booked"
    assert await opening == 990


async def test_a_session_is_in_one_asset(database: Database) -> None:
    name = secrets.token_hex(4)
    await reopen(database, name, 500)
    async with database.transaction() as c:
        assert await sessions.exists(c, name)
        assert not await sessions.exists(c, "nobody")
        with pytest.raises(InvalidInput, match="not in"):
            await sessions.open_session(c, name, Amount(1, Asset(25, "0x" + "11" * 20, "USDC", 6)))


@pytest.mark.parametrize("name", ["", "a:b", "x" * 65])
async def test_odd_names_are_refused(database: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="1 to 64"):
        await reopen(database, name, 1)
