"""Intents in PostgreSQL. Every change is conditional on the state and on the lease that the caller read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from paygent.db.database import Connection, jsonb
from paygent.errors import IdempotencyConflict, InvalidInput, LeaseLost, NotFound
from paygent.intents.model import TRANSITIONS, Answer, Event, Intent, IntentRequest, State
from paygent.text import foreign

OWED_SECONDS = 3_600
"""For how long a seller is asked for an answer that was paid for."""
_ID = re.compile(r"int_[0-9a-f]{24}")
_FINAL = [state.value for state in State if state.is_final]


async def create(connection: Connection, request: IntentRequest, idempotency_key: str) -> Intent:
    """The new intent, or the one that this key made. Raises IdempotencyConflict when that was another request."""
    if not 1 <= len(idempotency_key) <= 128 or not idempotency_key.isprintable():
        raise InvalidInput("An idempotency key has 1 to 128 printable characters.")
    intent_id = "int_" + secrets.token_hex(12)
    cursor = await connection.execute("SELECT 1 AS known FROM sessions WHERE id = %s", (request.session_id,))
    if await cursor.fetchone() is None:
        raise NotFound(f"There is no session {request.session_id!r}. Open it first.")
    cursor = await connection.execute(
        "INSERT INTO intents (id, session_id, kind, idempotency_key, request, request_digest)"
        " VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (idempotency_key) DO NOTHING RETURNING id",
        (
            intent_id,
            request.session_id,
            request.kind,
            idempotency_key,
            jsonb(request.arguments),
            request.digest,
        ),
    )
    if await cursor.fetchone() is not None:
        await connection.execute(
            "INSERT INTO intent_events (intent_id, version, to_state) VALUES (%s, 0, 'proposed')", (intent_id,)
        )
        return await get(connection, intent_id)
    cursor = await connection.execute("SELECT id FROM intents WHERE idempotency_key = %s", (idempotency_key,))
    row = await cursor.fetchone()
    assert row is not None
    existing = await get(connection, row["id"])
    if existing.request.digest != request.digest:
        raise IdempotencyConflict(
            "This idempotency key was used for another request. Use a new key for a new request.", intent_id=existing.id
        )
    return existing


async def get(connection: Connection, intent_id: str) -> Intent:
    """Raises NotFound."""
    if not _ID.fullmatch(intent_id):
        raise NotFound(f"{foreign(intent_id, 80)!r} is no intent's id: int_ and 24 hex digits.")
    cursor = await connection.execute("SELECT * FROM intents WHERE id = %s", (intent_id,))
    row = await cursor.fetchone()
    if row is None:
        raise NotFound(f"There is no intent {intent_id}.")
    return _intent(row)


async def recent(connection: Connection, *, count: int) -> list[Intent]:
    """The newest intents, newest first, without what they bought."""
    cursor = await connection.execute(
        "SELECT id, session_id, kind, idempotency_key, request, state, version, lease_epoch, quote, holds, artefact,"
        " transaction, reason, NULL AS answer, delivered_at, created_at"
        " FROM intents ORDER BY created_at DESC, id LIMIT %s",
        (count,),
    )
    return [_intent(row) for row in await cursor.fetchall()]


async def history(connection: Connection, intent_id: str) -> list[Event]:
    """Every arrow, in order."""
    cursor = await connection.execute(
        "SELECT version, from_state, to_state, detail, at FROM intent_events WHERE intent_id = %s ORDER BY version",
        (intent_id,),
    )
    return [Event(**row) for row in await cursor.fetchall()]


async def unfinished_twin(connection: Connection, request: IntentRequest) -> Intent | None:
    """The newest identical intent whose outcome, or whose paid answer, its user has not seen.

    An answer that a seller owes for more than an hour is given up.
    """
    cursor = await connection.execute(
        "SELECT * FROM intents WHERE session_id = %s AND request_digest = %s AND delivered_at IS NULL"
        " AND (state <> ALL(%s) OR (state = 'settled' AND quote ->> 'amount' IS NOT NULL"
        "      AND (answer IS NOT NULL OR created_at > now() - make_interval(secs => %s))))"
        " ORDER BY created_at DESC LIMIT 1",
        (request.session_id, request.digest, _FINAL, OWED_SECONDS),
    )
    row = await cursor.fetchone()
    return None if row is None else _intent(row)


async def lease_seconds_left(connection: Connection, intent_id: str) -> float:
    """How long whoever drives the intent may go on without a sign of life; 0 when nobody drives it."""
    cursor = await connection.execute(
        "SELECT greatest(extract(epoch FROM lease_until - clock_timestamp()), 0)::float AS seconds"
        " FROM intents WHERE id = %s",
        (intent_id,),
    )
    row = await cursor.fetchone()
    return 0.0 if row is None else row["seconds"]


async def undriven(connection: Connection, *, sent_only: bool = False) -> Sequence[str]:
    """Ids of the intents that are not ended (`sent_only`: and are sent) and nobody drives, the longest not driven first."""
    left_out = _FINAL + [state.value for state in State if sent_only and state.is_unsent]
    cursor = await connection.execute(
        "SELECT id FROM intents WHERE state <> ALL(%s) AND lease_until < clock_timestamp()"
        " ORDER BY lease_until, created_at LIMIT 100",
        (left_out,),
    )
    return [row["id"] for row in await cursor.fetchall()]


async def acquire(connection: Connection, intent_id: str, *, owner: str, seconds: float) -> Intent | None:
    """Take the lease of an intent that nobody drives; None when somebody does, or it is ended."""
    cursor = await connection.execute(
        "UPDATE intents SET lease_owner = %s, lease_epoch = lease_epoch + 1,"
        " lease_until = clock_timestamp() + make_interval(secs => %s)"
        " WHERE id = %s AND lease_until < clock_timestamp() AND state <> ALL(%s) RETURNING *",
        (owner, seconds, intent_id, _FINAL),
    )
    row = await cursor.fetchone()
    return None if row is None else _intent(row)


async def renew(connection: Connection, intent: Intent, *, seconds: float) -> bool:
    """Keep the lease; False when it is lost."""
    cursor = await connection.execute(
        "UPDATE intents SET lease_until = clock_timestamp() + make_interval(secs => %s)"
        " WHERE id = %s AND lease_epoch = %s",
        (seconds, intent.id, intent.lease_epoch),
    )
    return cursor.rowcount == 1


async def release(connection: Connection, intent: Intent) -> None:
    """Give the lease back, if it is still ours."""
    await connection.execute(
        "UPDATE intents SET lease_owner = NULL, lease_until = clock_timestamp() WHERE id = %s AND lease_epoch = %s",
        (intent.id, intent.lease_epoch),
    )


async def transition(
    connection: Connection,
    intent: Intent,
    to_state: State,
    *,
    detail: Mapping[str, Any] | None = None,
    columns: Mapping[str, Any] | None = None,
) -> Intent:
    """Go along one arrow, with its event. Raises LeaseLost when another process was faster: nothing is changed then."""
    if to_state not in TRANSITIONS[intent.state]:
        raise ValueError(f"there is no arrow from {intent.state} to {to_state}")
    assignments = "".join(f", {name} = %({name})s" for name in columns or {})
    cursor = await connection.execute(
        # The names are those of the engine's own keyword arguments, never input.
        f"UPDATE intents SET state = %(to)s, version = version + 1, updated_at = now(){assignments}"  # noqa: S608
        " WHERE id = %(id)s AND state = %(from)s AND lease_epoch = %(epoch)s RETURNING *".encode(),
        {"to": to_state, "from": intent.state, "id": intent.id, "epoch": intent.lease_epoch, **(columns or {})},
    )
    row = await cursor.fetchone()
    if row is None:
        raise LeaseLost(f"{intent.id} is driven by another process.")
    await connection.execute(
        "INSERT INTO intent_events (intent_id, version, from_state, to_state, detail) VALUES (%s, %s, %s, %s, %s)",
        (intent.id, row["version"], intent.state, to_state, jsonb(detail or {})),
    )
    return _intent(row)


async def store_answer(connection: Connection, intent: Intent, answer: Answer) -> None:
    """Keep what was delivered, whoever drives the intent by now; the first answer stays."""
    await connection.execute(
        "UPDATE intents SET answer = %s, answer_body = %s WHERE id = %s AND answer IS NULL",
        (*answer_columns(answer).values(), intent.id),
    )


async def mark_delivered(connection: Connection, intent_id: str) -> None:
    """Its user has seen the answer."""
    await connection.execute(
        "UPDATE intents SET delivered_at = now() WHERE id = %s AND delivered_at IS NULL", (intent_id,)
    )


async def ledger_entries(connection: Connection, intent: Intent) -> list[dict[str, Any]]:
    """The ledger's transfers that this intent made, in order; base units as text."""
    cursor = await connection.execute(
        "SELECT id, kind, pending_id, debit_account, credit_account, asset, amount::text AS base_units, created_at"
        " FROM ledger_transfers WHERE id = ANY(%(holds)s) OR pending_id = ANY(%(holds)s) ORDER BY id",
        {"holds": list(intent.holds)},
    )
    return await cursor.fetchall()


def answer_columns(answer: Answer) -> dict[str, Any]:
    """The columns that hold `answer`."""
    head = {"status": answer.status, "headers": dict(answer.headers), "is_whole": answer.is_whole}
    return {"answer": jsonb(head), "answer_body": answer.body}


def _intent(row: dict[str, Any]) -> Intent:
    answer = row["answer"]
    return Intent(
        id=row["id"],
        request=IntentRequest(row["session_id"], row["kind"], row["request"]),
        idempotency_key=row["idempotency_key"],
        state=State(row["state"]),
        version=row["version"],
        lease_epoch=row["lease_epoch"],
        quote=row["quote"],
        holds=tuple(row["holds"]),
        artefact=row["artefact"],
        transaction=row["transaction"],
        reason=row["reason"],
        answer=None if answer is None else Answer(body=bytes(row["answer_body"]), **answer),
        delivered_at=row["delivered_at"],
        created_at=row["created_at"],
    )
