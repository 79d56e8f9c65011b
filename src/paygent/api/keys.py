"""Keys of the API: 256 random bits, shown once, stored as a SHA-256 digest (nothing to stretch in a random key)."""

from __future__ import annotations

import hashlib
import secrets

from paygent.db.database import Connection


async def ensure_first_key(connection: Connection) -> str | None:
    """The first key when there is none yet: the only time that it can be shown. None when there is one."""
    key = new_key()
    cursor = await connection.execute(
        "INSERT INTO api_keys (digest, name) SELECT %s, 'first' WHERE NOT EXISTS (SELECT FROM api_keys)"
        " ON CONFLICT DO NOTHING",
        (_digest(key),),
    )
    return key if cursor.rowcount == 1 else None


async def replace(connection: Connection) -> str:
    """A new key in the place of every other: for whoever lost theirs, or fears that somebody else has it."""
    await connection.execute("DELETE FROM api_keys")
    key = await ensure_first_key(connection)
    assert key is not None
    return key


async def is_known(connection: Connection, key: str) -> bool:
    """Whether `key` opens the API."""
    cursor = await connection.execute("SELECT 1 AS known FROM api_keys WHERE digest = %s", (_digest(key),))
    return await cursor.fetchone() is not None


def new_key() -> str:
    """A fresh key; its prefix lets scanners for leaked secrets recognise it."""
    return "paygent_" + secrets.token_urlsafe(32)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
