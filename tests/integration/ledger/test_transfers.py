"""The ledger on a real PostgreSQL: conserved, limited, never booked twice, also under a race."""

from __future__ import annotations

import asyncio
import itertools

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from paygent.db.database import Database
from paygent.errors import LedgerConflict, OverLimit
from paygent.ledger import transfers
from paygent.money import Amount, Asset
from tests.support.examples import examples

USDC = Asset(338, "0x" + "11" * 20, "USDC", 6)
OTHER = Asset(338, "0x" + "22" * 20, "OTHER", 6)
names = itertools.count()


def usdc(units: int) -> Amount:
    return Amount(units, USDC)


@pytest.fixture
async def pocket(database: Database) -> str:
    """A limited account with 100 base units."""
    account = f"pocket:{next(names)}"
    async with database.transaction() as c:
        await transfers.open_account(c, "chain:usdc", USDC, limited=False)
        await transfers.open_account(c, "sellers:usdc", USDC, limited=False)
        await transfers.open_account(c, account, USDC, limited=True)
        await transfers.post(c, reference=f"fund:{account}", debit="chain:usdc", credit=account, amount=usdc(100))
    return account


async def held(database: Database, pocket: str, units: int, reference: str) -> int:
    async with database.transaction() as c:
        pending = await transfers.hold(c, reference=reference, debit=pocket, credit="sellers:usdc", amount=usdc(units))
    assert pending is not None
    return pending


async def test_a_posted_hold_moves_once(database: Database, pocket: str) -> None:
    pending = await held(database, pocket, 30, f"{pocket}:a")
    async with database.transaction() as c:
        assert (await transfers.balance(c, pocket)).available == 70
        assert (await transfers.balance(c, pocket)).posted == 100
        await transfers.post_hold(c, pending, reference=f"{pocket}:a:post")
        assert (await transfers.balance(c, pocket)).posted == 70
    for end in (transfers.post_hold, transfers.void_hold):
        async with database.transaction() as c:
            with pytest.raises(LedgerConflict, match="no open hold"):
                await end(c, pending, reference=f"{pocket}:a:again")


async def test_a_voided_hold_gives_everything_back(database: Database, pocket: str) -> None:
    pending = await held(database, pocket, 30, f"{pocket}:a")
    async with database.transaction() as c:
        await transfers.void_hold(c, pending, reference=f"{pocket}:a:void")
        assert await transfers.balance(c, pocket) == transfers.Balance(0, 0, 0, 100)


async def test_the_same_reference_is_booked_once(database: Database, pocket: str) -> None:
    await held(database, pocket, 30, f"{pocket}:a")
    async with database.transaction() as c:
        again = await transfers.hold(c, reference=f"{pocket}:a", debit=pocket, credit="sellers:usdc", amount=usdc(30))
        assert again is None
        assert (await transfers.balance(c, pocket)).available == 70


async def test_a_limit_counts_holds(database: Database, pocket: str) -> None:
    await held(database, pocket, 60, f"{pocket}:a")
    with pytest.raises(OverLimit):
        await held(database, pocket, 41, f"{pocket}:b")
    await held(database, pocket, 40, f"{pocket}:b")


async def test_of_a_hundred_at_once_exactly_what_fits_is_held(database: Database, pocket: str) -> None:
    async def attempt(number: int) -> bool:
        try:
            await held(database, pocket, 10, f"{pocket}:{number}")
        except OverLimit:
            return False
        return True

    assert sum(await asyncio.gather(*(attempt(n) for n in range(100)))) == 10


async def test_assets_do_not_mix(database: Database, pocket: str) -> None:
    async with database.transaction() as c:
        with pytest.raises(LedgerConflict, match="another asset"):
            await transfers.open_account(c, pocket, OTHER, limited=True)

    async def mix() -> None:
        async with database.transaction() as c:
            await transfers.post(
                c, reference=f"{pocket}:x", debit=pocket, credit="sellers:usdc", amount=Amount(1, OTHER)
            )

    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        await mix()


@pytest.mark.parametrize("change", ["UPDATE ledger_transfers SET amount = 1", "DELETE FROM ledger_transfers"])
async def test_history_cannot_be_changed(database: Database, pocket: str, change: str) -> None:
    async def attempt() -> None:
        async with database.transaction() as c:
            await c.execute(change.encode())

    with pytest.raises(psycopg.errors.RaiseException, match="never changed"):
        await attempt()


steps = st.lists(st.tuples(st.sampled_from(["hold", "post", "void", "pay"]), st.integers(1, 60)), max_size=20)


@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=steps)
def test_totals_always_equal_the_sum_of_transfers(database_url: str, sequence: list[tuple[str, int]]) -> None:
    asyncio.run(_play(database_url, sequence))


async def _play(url: str, sequence: list[tuple[str, int]]) -> None:
    database = await Database.open(url, connections_max=1)
    account = f"model:{next(names)}"
    available, open_holds = 100, dict[int, int]()
    async with database.transaction() as c:
        await transfers.open_account(c, "chain:usdc", USDC, limited=False)
        await transfers.open_account(c, "sellers:usdc", USDC, limited=False)
        await transfers.open_account(c, account, USDC, limited=True)
        await transfers.post(c, reference=account, debit="chain:usdc", credit=account, amount=usdc(100))
    for number, (step, units) in enumerate(sequence):
        reference = f"{account}:{number}"
        sides = {"debit": account, "credit": "sellers:usdc", "amount": usdc(units)}
        try:
            async with database.transaction() as c:
                if step == "hold":
                    pending = await transfers.hold(c, reference=reference, **sides)  # type: ignore[arg-type]
                    assert pending is not None
                    open_holds[pending] = units
                    available -= units
                elif step == "pay":
                    await transfers.post(c, reference=reference, **sides)  # type: ignore[arg-type]
                    available -= units
                elif open_holds:
                    pending, held_units = open_holds.popitem()
                    end = transfers.post_hold if step == "post" else transfers.void_hold
                    await end(c, pending, reference=reference)
                    available += held_units if step == "void" else 0
        except OverLimit:
            assert units > available
    async with database.transaction() as c:
        assert (await transfers.balance(c, account)).available == available >= 0
        cursor = await c.execute(_DIFFERENCES)
        assert await cursor.fetchall() == []
    await database.close()


# An independent reading: each account's totals against its transfers; no row means that they agree.
_DIFFERENCES = """
    WITH ended AS (SELECT pending_id FROM ledger_transfers WHERE pending_id IS NOT NULL),
    sides AS (
        SELECT debit_account AS id, 'debits' AS side, kind, t.id AS transfer, amount FROM ledger_transfers t
        UNION ALL SELECT credit_account, 'credits', kind, t.id, amount FROM ledger_transfers t),
    sums AS (
        SELECT id,
            coalesce(sum(amount) FILTER (WHERE side = 'debits' AND kind IN ('posted', 'post_pending')), 0) AS dp,
            coalesce(sum(amount) FILTER (WHERE side = 'credits' AND kind IN ('posted', 'post_pending')), 0) AS cp,
            coalesce(sum(amount) FILTER (WHERE side = 'debits' AND kind = 'pending'
                AND transfer NOT IN (SELECT pending_id FROM ended)), 0) AS dh,
            coalesce(sum(amount) FILTER (WHERE side = 'credits' AND kind = 'pending'
                AND transfer NOT IN (SELECT pending_id FROM ended)), 0) AS ch
        FROM sides GROUP BY id)
    SELECT id FROM ledger_accounts JOIN sums USING (id)
    WHERE (debits_posted, credits_posted, debits_pending, credits_pending) IS DISTINCT FROM (dp, cp, dh, ch)
"""


async def test_many_openers_of_one_account_open_it(database: Database) -> None:
    """The first payments to a new payee, at once."""

    async def open_it(account: str) -> None:
        async with database.transaction() as c:
            await transfers.open_account(c, account, USDC, limited=False)

    for _ in range(50):
        account = f"payee:{next(names)}"
        await asyncio.gather(*(open_it(account) for _ in range(12)))


async def test_transfers_in_opposite_directions_never_wait_for_each_other(database: Database) -> None:
    here, there = (f"to and fro:{next(names)}" for _ in range(2))
    async with database.transaction() as c:
        for account in (here, there):
            await transfers.open_account(c, account, USDC, limited=False)

    async def move(number: int) -> None:
        debit, credit = (here, there) if number % 2 else (there, here)
        async with database.transaction() as c:
            await transfers.post(c, reference=f"{here}:{number}", debit=debit, credit=credit, amount=usdc(1))

    await asyncio.gather(*(move(number) for number in range(200)))
    async with database.transaction() as c:
        assert (await transfers.balance(c, here)).posted == (await transfers.balance(c, there)).posted == 0
