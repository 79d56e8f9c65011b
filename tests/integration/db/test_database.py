"""The embedded PostgreSQL is private, and a transaction is whole or not at all."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest

from paygent.db import embedded
from paygent.db.database import Database
from paygent.db.migrate import _migrate, migrate
from paygent.errors import DatabaseUnavailable
from paygent.money import Amount, Asset
from paygent.policy import sessions


async def test_the_socket_lies_in_a_private_folder(database_url: str) -> None:
    folder = Path(database_url.partition("host=")[2])
    assert (folder / ".s.PGSQL.5432").is_socket()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


async def test_the_server_listens_on_no_network(database: Database) -> None:
    async with database.transaction() as connection:
        row = await (await connection.execute("SHOW listen_addresses")).fetchone()
    assert row == {"listen_addresses": ""}


async def test_a_transaction_that_raises_leaves_nothing(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE kept (n int)")

    async def insert_and_fail() -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO kept VALUES (1)")
            raise ValueError("on purpose")

    with pytest.raises(ValueError, match="on purpose"):
        await insert_and_fail()
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO kept VALUES (2)")
    async with database.transaction() as connection:
        assert await (await connection.execute("SELECT n FROM kept")).fetchall() == [{"n": 2}]
        await connection.execute("DROP TABLE kept")


def test_a_path_too_long_for_a_socket_is_said(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="PAYGENT_HOME"):
        embedded.start(tmp_path / ("x" * 100))


async def test_a_dead_database_is_said_and_its_password_is_not(unused_tcp_port: int) -> None:
    with pytest.raises(DatabaseUnavailable) as caught:
        await Database.open(f"postgresql://user:hunter2@127.0.0.1:{unused_tcp_port}/db", timeout_seconds=1)
    assert "hunter2" not in str(caught.value)


def test_the_server_stops_with_its_last_living_user() -> None:
    home = Path(tempfile.mkdtemp(prefix="paygent-"))
    folder = home / "postgres"
    try:
        embedded.start(folder)
        postmaster = int((folder / "postmaster.pid").read_text().split()[0])
        killed = subprocess.Popen(["true"])
        killed.wait()
        (folder / ".handle_pids.json").write_text(json.dumps([killed.pid, os.getpid()]))
        embedded.start(folder)
        embedded.stop(folder)
        assert not (folder / "postmaster.pid").exists(), postmaster
    finally:
        shutil.rmtree(home)


async def test_a_database_of_before_is_brought_up_and_keeps_what_it_holds(fresh_database_url: str) -> None:
    await asyncio.to_thread(_migrate, fresh_database_url, "0004")
    asset = Asset(338, "0x" + "11" * 20, "USDC", 6)
    database = await Database.open(fresh_database_url)
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO sessions (id, asset, payment_max, allowed_hosts) VALUES ('default', %s, 1, '{}')", (asset.id,)
        )
    await asyncio.to_thread(migrate, fresh_database_url)
    async with database.transaction() as connection:
        await sessions.open_session(connection, "default", Amount(5, asset))
        cursor = await connection.execute("SELECT id, asset FROM sessions")
        assert await cursor.fetchall() == [{"id": "default", "asset": asset.id}]
    await database.close()
