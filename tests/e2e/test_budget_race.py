"""Two API processes, one budget, a thousand requests at once: nothing but the database stands between them."""

from __future__ import annotations

import asyncio
import collections
import json
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import aiohttp
import psycopg

from paygent.evm.tokens import Eip3009Token
from tests.support.books import ledger_of, transfers_on_chain
from tests.support.buying import SELLER, Seller
from tests.support.chain import ROOT

REQUESTS = 1_000
AFFORDABLE = 10
PRICE = 100


@asynccontextmanager
async def api_process(environment: dict[str, str]) -> AsyncIterator[dict[str, Any]]:
    """`paygent api` on a free port; what it says of itself."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paygent", "api", "--port", "0", "--json",
        env={**os.environ, **environment}, cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
    finally:
        process.terminate()
        await process.wait()


async def test_of_a_thousand_requests_over_two_processes_exactly_the_budget_passes(
    environment: dict[str, str],
    fresh_database_url: str,
    token: Eip3009Token,
    seller: Seller,
    record_property: Callable[[str, object], None],
) -> None:
    environment |= {"PAYGENT_SESSION_BUDGET": f"0.{AFFORDABLE * PRICE:06}", "PAYGENT_LEASE_SECONDS": "15"}
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(api_process(environment))
        second = await stack.enter_async_context(api_process(environment))
        assert "api_key" not in second, "a key is shown once"
        http = await stack.enter_async_context(
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),
                headers={"authorization": f"Bearer {first['api_key']}"},
                timeout=aiohttp.ClientTimeout(total=240),
            )
        )

        async def pay(number: int) -> tuple[int, str]:
            url = (first, second)[number % 2]["url"] + "/v1/payments"
            head = {"idempotency-key": f"race-{number}"}
            async with http.post(url, json={"url": seller.url + "/data"}, headers=head) as response:
                body = await response.json()
                return response.status, (body.get("reason") or body).get("code", body["state"])

        answers = collections.Counter(await asyncio.gather(*(pay(number) for number in range(REQUESTS))))
        assert answers == {(200, "settled"): AFFORDABLE, (403, "budget_exceeded"): REQUESTS - AFFORDABLE}
        record_property("counted", f"{REQUESTS} requests over 2 processes: {dict(answers)}")
        payer = environment["PAYER"]
        assert await transfers_on_chain(http, token.rpc.url, token.asset.address, payer, SELLER) == [PRICE] * AFFORDABLE
    posted, held, balance = await ledger_of(fresh_database_url, payer, SELLER)
    assert (posted, held) == (PRICE * AFFORDABLE, 0)
    assert balance == (await token.balance(payer)).base_units
    assert seller.runs == AFFORDABLE
    async with await psycopg.AsyncConnection.connect(fresh_database_url) as connection:
        cursor = await connection.execute("SELECT count(*), count(DISTINCT lease_owner) FROM intents")
        row = await cursor.fetchone()
    assert row == (REQUESTS, 0), "every request is an intent, and none is still driven"
