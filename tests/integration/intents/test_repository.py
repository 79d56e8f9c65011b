"""A lease is one driver's: whoever lost it changes nothing, and takes nothing from whoever has it."""

from __future__ import annotations

import secrets

import pytest

from paygent.db.database import Connection, Database
from paygent.errors import LeaseLost
from paygent.intents import repository
from paygent.intents.model import Answer, Intent, IntentRequest, State
from paygent.money import Amount, Asset
from paygent.policy import sessions

USDC = Asset(338, "0x" + "11" * 20, "USDC", 6)


async def created(connection: Connection) -> str:
    session_id = secrets.token_hex(6)
    await sessions.open_session(connection, session_id, Amount(1, USDC))
    return (await repository.create(connection, IntentRequest(session_id, "k", {}), session_id)).id


async def acquired(connection: Connection, intent_id: str, *, seconds: float) -> Intent:
    intent = await repository.acquire(connection, intent_id, owner=f"for {seconds}", seconds=seconds)
    assert intent is not None
    return intent


async def test_whoever_lost_the_lease_changes_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        intent_id = await created(connection)
        stopped = await acquired(connection, intent_id, seconds=-1)
        driver = await acquired(connection, intent_id, seconds=60)
        assert await repository.acquire(connection, intent_id, owner="a third", seconds=60) is None
        assert not await repository.renew(connection, stopped, seconds=600)
        await repository.release(connection, stopped)
        assert 50 < await repository.lease_seconds_left(connection, intent_id) <= 60
        with pytest.raises(LeaseLost):
            await repository.transition(connection, stopped, State.DENIED)
        assert await repository.renew(connection, driver, seconds=60)
        denied = await repository.transition(connection, driver, State.DENIED)
        assert (denied.state, denied.version) == (State.DENIED, 1)
        with pytest.raises(LeaseLost):
            await repository.transition(connection, driver, State.FAILED)
        await repository.release(connection, driver)
        assert await repository.acquire(connection, intent_id, owner="a third", seconds=60) is None, "it is ended"
        await connection.rollback()


async def test_the_first_answer_stays(database: Database) -> None:
    async with database.transaction() as connection:
        intent = await repository.get(connection, await created(connection))
        for body in (b"first", b"second"):
            await repository.store_answer(connection, intent, Answer(200, {}, body))
        stored = await repository.get(connection, intent.id)
        await connection.rollback()
    assert stored.answer is not None
    assert stored.answer.body == b"first"
