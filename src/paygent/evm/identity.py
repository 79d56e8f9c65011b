"""Which chain a database belongs to. A development chain may be thrown away and begin again under the same id, lose what it
had not written when it was killed, or have the id of a public one: what was booked, signed and counted would then be untrue,
so nothing goes on until somebody decides.
"""

from __future__ import annotations

from paygent.db.database import Database
from paygent.errors import InvalidInput, RpcError
from paygent.evm.rpc import Call, JsonRpc

_PUBLIC = "public"


async def check_identity(database: Database, rpc: JsonRpc, *, chain_id: int) -> bool:
    """Whether it is a development chain. Remembers which chain it is, and refuses another one under its id (InvalidInput).

    Public chains are known by their id alone: many of their nodes have forgotten the first block. A development chain is
    known by its block 1, since anvil makes a new block 0 each time that it loads its state.
    """
    development, block = await rpc.batch([Call("anvil_nodeInfo"), Call("eth_getBlockByNumber", ("0x1", False))])
    is_development = not isinstance(development, RpcError)
    found: str | None = _PUBLIC
    if is_development:
        found = None if block is None or isinstance(block, RpcError) else block["hash"]
    async with database.transaction() as connection:
        if found is not None:
            await connection.execute(
                "INSERT INTO chains (chain_id, identity) VALUES (%s, %s) ON CONFLICT DO NOTHING", (chain_id, found)
            )
        cursor = await connection.execute("SELECT identity FROM chains WHERE chain_id = %s", (chain_id,))
        row = await cursor.fetchone()
    if row is not None and row["identity"] != found:
        which = "a public chain" if row["identity"] == _PUBLIC else "a devnet"
        raise InvalidInput(
            f"This database knows {which} under chain id {chain_id}, and {rpc.host} is another one (a devnet without "
            "--state began again?). Set PAYGENT_HOME (or PAYGENT_DATABASE_URL) to one of its own."
        )
    if is_development:
        await _check_nonces(database, rpc, chain_id)
    return is_development


async def _check_nonces(database: Database, rpc: JsonRpc, chain_id: int) -> None:
    """A chain that forgot what was mined counts fewer transactions of our accounts than we saw."""
    async with database.transaction() as connection:
        cursor = await connection.execute(
            "SELECT sender, max(nonce) + 1 AS mined FROM transactions WHERE chain_id = %s AND state = 'mined' GROUP BY sender",
            (chain_id,),
        )
        rows = await cursor.fetchall()
    if not rows:
        return
    counts = await rpc.batch([Call("eth_getTransactionCount", (row["sender"], "latest")) for row in rows])
    for row, count in zip(rows, counts, strict=True):
        if not isinstance(count, RpcError) and int(count, 16) < row["mined"]:
            raise InvalidInput(
                f"The devnet at {rpc.host} lost transactions that are booked: it was killed before it had written them. "
                "Set PAYGENT_HOME to a fresh folder."
            )
