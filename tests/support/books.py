"""Readers of chain and ledger that share no code with the product."""

from __future__ import annotations

import aiohttp
import psycopg

TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"


async def transfers_on_chain(
    http: aiohttp.ClientSession, rpc_url: str, token: str, payer: str, seller: str
) -> list[int]:
    """The values of every Transfer from payer to seller, read without the product's code."""
    topics = [TRANSFER_TOPIC, *("0x" + address[2:].lower().rjust(64, "0") for address in (payer, seller))]
    query = {"address": token, "fromBlock": "0x0", "toBlock": "latest", "topics": topics}
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_getLogs", "params": [query]}
    async with http.post(rpc_url, json=body) as response:
        logs = (await response.json())["result"]
    return [int(log["data"], 16) for log in logs]


async def ledger_of(url: str, payer: str, seller: str) -> tuple[int, int, int]:
    """Base units posted from the pocket to the seller; still held; and the pocket's posted balance. Plain SQL."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        cursor = await connection.execute(
            """
            SELECT
              coalesce(sum(amount) FILTER (WHERE kind = 'post_pending'), 0),
              coalesce(sum(amount) FILTER (WHERE kind = 'pending'), 0)
                - coalesce(sum(amount) FILTER (WHERE kind IN ('post_pending', 'void_pending')), 0)
            FROM ledger_transfers WHERE debit_account LIKE %s AND credit_account LIKE %s
            """,
            (f"pocket:{payer}:%", f"payee:{seller}:%"),
        )
        row = await cursor.fetchone()
        cursor = await connection.execute(
            "SELECT coalesce(sum(CASE WHEN credit_account LIKE %(p)s THEN amount ELSE -amount END), 0)"
            " FROM ledger_transfers WHERE (credit_account LIKE %(p)s OR debit_account LIKE %(p)s)"
            " AND kind IN ('posted', 'post_pending')",
            {"p": f"pocket:{payer}:%"},
        )
        balance = await cursor.fetchone()
    assert row is not None
    assert balance is not None
    return int(row[0]), int(row[1]), int(balance[0])
