"""The connection pool. Every change goes through `transaction`, which commits at its end or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, OperationalError, ProgrammingError
from psycopg.rows import DictRow, dict_row
from psycopg.types.json import Jsonb
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from paygent.errors import DatabaseUnavailable
from paygent.text import storable

Connection = AsyncConnection[DictRow]
"""A connection whose rows are dictionaries."""


# Nothing waits for ever: not a statement, not a transaction that its process forgot, not a connection that is dead.
_BOUNDS = {
    "options": "-c statement_timeout=30s -c idle_in_transaction_session_timeout=60s",
    "keepalives_idle": 10,
    "tcp_user_timeout": 20_000,
}


def jsonb(value: Any) -> Jsonb:
    """`value` as a parameter, without what PostgreSQL cannot store."""
    return Jsonb(storable(value))


class Database:
    """A pool of at most `connections_max` connections to one PostgreSQL. Build it with `open`."""

    def __init__(self, pool: AsyncConnectionPool[Connection]) -> None:
        self._pool = pool

    @classmethod
    async def open(cls, url: str, *, connections_max: int = 16, timeout_seconds: float = 10) -> Database:
        """Connect. Raises DatabaseUnavailable; the message never shows the URL, which may hold a password."""
        arguments: dict[str, Any] = {"row_factory": dict_row, "connect_timeout": int(timeout_seconds), **_BOUNDS}
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url, min_size=1, max_size=connections_max, timeout=timeout_seconds, kwargs=arguments, open=False
        )
        try:
            await pool.open(wait=True, timeout=timeout_seconds)
        except (PoolTimeout, OperationalError, ProgrammingError):
            await pool.close()
            # Not from the error, which may quote the URL.
            raise DatabaseUnavailable("PostgreSQL does not answer. Check PAYGENT_DATABASE_URL.") from None
        return cls(pool)

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        try:
            async with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, OperationalError) as error:
            raise DatabaseUnavailable("PostgreSQL does not answer, or dropped the connection.") from error
