"""A devnet that began again is noticed before anything is booked or signed on it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from paygent.db.database import Database
from paygent.devnet import chain
from paygent.errors import InvalidInput, RpcError
from paygent.evm.identity import check_identity
from paygent.evm.rpc import Call, JsonRpc


async def test_a_devnet_that_began_again_is_refused(database: Database, rpc: JsonRpc) -> None:
    await rpc.call("evm_mine")
    await check_identity(database, rpc, chain_id=4242)
    await check_identity(database, rpc, chain_id=4242)
    async with database.transaction() as connection:
        changed = await connection.execute("UPDATE chains SET identity = %s WHERE chain_id = 4242", ("0x" + "00" * 32,))
    assert changed.rowcount == 1
    with pytest.raises(InvalidInput, match="began again"):
        await check_identity(database, rpc, chain_id=4242)
    await check_identity(database, rpc, chain_id=4243)


async def test_a_devnet_that_is_loaded_again_is_the_same(
    database: Database, http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    for _ in range(8):  # anvil's block 0 is another one after some of the restarts, not after the first
        async with await chain.start(
            binary=chain.find_anvil(None), chain_id=4244, state=tmp_path / "chain.json", block_time_seconds=None
        ) as node:
            again = JsonRpc(node.rpc_url, http)
            await again.call("evm_mine")
            await check_identity(database, again, chain_id=4244)
    async with await chain.start(binary=chain.find_anvil(None), chain_id=4244, block_time_seconds=None) as node:
        with pytest.raises(InvalidInput, match="began again"):
            await check_identity(database, JsonRpc(node.rpc_url, http), chain_id=4244)


async def test_a_public_chain_and_a_devnet_of_the_same_id_share_no_books(
    database: Database, rpc: JsonRpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = JsonRpc.batch

    async def without_anvil(self: JsonRpc, calls: Sequence[Call]) -> list[Any]:
        return [
            RpcError("no such method") if call.method.startswith("anvil_") else answer
            for call, answer in zip(calls, await batch(self, calls), strict=True)
        ]

    await rpc.call("evm_mine")
    assert await check_identity(database, rpc, chain_id=4245) is True
    monkeypatch.setattr(JsonRpc, "batch", without_anvil)
    with pytest.raises(InvalidInput, match="knows a devnet under chain id 4245"):
        await check_identity(database, rpc, chain_id=4245)
    for _ in range(2):
        assert await check_identity(database, rpc, chain_id=4246) is False
    monkeypatch.undo()
    with pytest.raises(InvalidInput, match="knows a public chain under chain id 4246"):
        await check_identity(database, rpc, chain_id=4246)


async def test_a_devnet_that_lost_what_was_mined_is_refused(database: Database, rpc: JsonRpc) -> None:
    sender = "0x" + secrets.token_hex(20)
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO transactions (reference, claim, chain_id, sender, nonce, raw, hash, state, succeeded,"
            " block_number) VALUES (%s, '', 4247, %s, 0, '', %s, 'mined', true, 1)",
            (sender, sender, sender),
        )
    with pytest.raises(InvalidInput, match="lost transactions that are booked"):
        await check_identity(database, rpc, chain_id=4247)


async def test_a_state_that_was_half_written_is_taken_from_the_last_whole_one(
    http: aiohttp.ClientSession, tmp_path: Path
) -> None:
    state = tmp_path / "chain.json"

    async def run(blocks: int) -> int:
        async with await chain.start(
            binary=chain.find_anvil(None), chain_id=4248, state=state, block_time_seconds=None
        ) as node:
            again = JsonRpc(node.rpc_url, http)
            for _ in range(blocks):
                await again.call("evm_mine")
            return int(await again.call("eth_blockNumber"), 16)

    assert await run(3) == 3
    assert await run(2) == 5
    state.write_bytes(state.read_bytes()[:1000])
    assert await run(0) == 3, "what it began with the last time"
    state.write_bytes(b"")
    (tmp_path / "chain.json.kept").unlink()
    with pytest.raises(InvalidInput, match="no state of a devnet"):
        await run(0)
