"""A devnet that began again is noticed before anything is booked or signed on it."""

from __future__ import annotations

import pytest

from paygent.db.database import Database
from paygent.errors import InvalidInput
from paygent.evm.identity import check_identity
from paygent.evm.rpc import JsonRpc


async def test_a_devnet_that_began_again_is_refused(database: Database, rpc: JsonRpc) -> None:
    await check_identity(database, rpc, chain_id=4242)
    await check_identity(database, rpc, chain_id=4242)
    async with database.transaction() as connection:
        changed = await connection.execute(
            "UPDATE development_chains SET genesis_hash = %s WHERE chain_id = 4242", ("0x" + "00" * 32,)
        )
    assert changed.rowcount == 1
    with pytest.raises(InvalidInput, match="began again"):
        await check_identity(database, rpc, chain_id=4242)
    await check_identity(database, rpc, chain_id=4243)
