"""A devnet that began again is noticed before anything is booked or signed on it."""

from __future__ import annotations

from pathlib import Path

import aiohttp
import pytest

from paygent.db.database import Database
from paygent.devnet import chain
from paygent.errors import InvalidInput
from paygent.evm.identity import check_identity
from paygent.evm.rpc import JsonRpc


async def test_a_devnet_that_began_again_is_refused(database: Database, rpc: JsonRpc) -> None:
    await rpc.call("evm_mine")
    await check_identity(database, rpc, chain_id=4242)
    await check_identity(database, rpc, chain_id=4242)
    async with database.transaction() as connection:
        changed = await connection.execute(
            "UPDATE development_chains SET first_block_hash = %s WHERE chain_id = 4242", ("0x" + "00" * 32,)
        )
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
