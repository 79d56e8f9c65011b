"""Which chain a database belongs to. A development chain may be thrown away and begin again under the same id: what was
booked, signed and counted on the old one would then be untrue, so nothing goes on until somebody decides.
"""

from __future__ import annotations

from paygent.db.database import Database
from paygent.errors import InvalidInput, RpcError
from paygent.evm.rpc import Call, JsonRpc


async def check_identity(database: Database, rpc: JsonRpc, *, chain_id: int) -> bool:
    """Whether it is a development chain; its first block is remembered, and another one under its id refused.

    Raises InvalidInput. Public chains are known by their id alone: many of their nodes have forgotten the first block.
    Block 1 it is, since anvil makes a new block 0 each time that it loads its state.
    """
    development, block = await rpc.batch([Call("anvil_nodeInfo"), Call("eth_getBlockByNumber", ("0x1", False))])
    if isinstance(development, RpcError):
        return False
    found = None if block is None or isinstance(block, RpcError) else block["hash"]
    async with database.transaction() as connection:
        if found is not None:
            await connection.execute(
                "INSERT INTO development_chains (chain_id, first_block_hash) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (chain_id, found),
            )
        cursor = await connection.execute(
            "SELECT first_block_hash FROM development_chains WHERE chain_id = %s", (chain_id,)
        )
        row = await cursor.fetchone()
    if row is not None and row["first_block_hash"] != found:
        raise InvalidInput(
            f"The devnet at {rpc.host} is another one than this database knows under chain id {chain_id}: it began "
            "again. Keep a devnet with --state, or set PAYGENT_HOME (or PAYGENT_DATABASE_URL) to a fresh one."
        )
    return True
