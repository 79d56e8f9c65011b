"""Brings the database to the newest schema: on every start, one process at a time."""

from __future__ import annotations

from pathlib import Path

import psycopg

from paygent.errors import DatabaseUnavailable

_MIGRATIONS = Path(__file__).parent / "migrations"
# Any constant will do, as long as it is ours alone in this database.
_LOCK = 7_206_338
_CONNECT_SECONDS = 10


def newest_revision() -> str:
    """The name of the last migration file, e.g. `0001`."""
    return max(path.name for path in (_MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def migrate(url: str) -> None:
    """Apply what is missing. Blocks; a process that comes while another migrates waits for it.

    Raises DatabaseUnavailable; the message never shows the URL, which may hold a password.
    """
    try:
        _migrate(url)
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable("PostgreSQL does not answer. Check PAYGENT_DATABASE_URL.") from error
    except psycopg.ProgrammingError:
        # Its message quotes the URL.
        raise DatabaseUnavailable("PAYGENT_DATABASE_URL is no URL of a PostgreSQL: postgresql://…") from None


def _migrate(url: str, revision: str = "head") -> None:
    if _current_revision(url) == newest_revision():
        return
    # SQLAlchemy serves the migrations only, and takes a second to import: most starts need neither.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from sqlalchemy import create_engine, text  # noqa: PLC0415
    from sqlalchemy.pool import NullPool  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    engine = create_engine(
        "postgresql+psycopg://",
        creator=lambda: psycopg.connect(url, connect_timeout=_CONNECT_SECONDS),
        poolclass=NullPool,
    )
    with engine.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _current_revision(url: str) -> str | None:
    with _connect(url) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except psycopg.errors.UndefinedTable:
            return None
    return row[0] if row else None


def _connect(url: str) -> psycopg.Connection:
    return psycopg.connect(url, connect_timeout=_CONNECT_SECONDS)
