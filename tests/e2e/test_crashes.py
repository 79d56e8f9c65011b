"""The paying process, and the facilitator, are killed before and after everything that they do."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest
from eth_account.signers.local import LocalAccount

from paygent.evm.abi import encode_call
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.x402.types import PaymentRequirements
from tests.support.books import ledger_of, transfers_on_chain
from tests.support.buying import SELLER, Seller
from tests.support.chain import send
from tests.support.commands import Commands
from tests.support.paying import pay as sign

PRICE = 100


async def test_a_buyer_killed_anywhere_pays_exactly_once(
    commands: Commands,
    environment: dict[str, str],
    http: aiohttp.ClientSession,
    token: Eip3009Token,
    seller: Seller,
    fresh_database_url: str,
    record_property: Callable[[str, object], None],
) -> None:
    async def pay(key: str, kill_at: int = 0) -> int:
        arguments = ("pay", seller.url + "/data", "--idempotency-key", key, "--json")
        return await commands.run(*arguments, environment=environment, kill_at=kill_at)

    assert await pay("warm-up") == 0, commands.output
    assert await pay("count") == 0
    points = commands.trace
    record_property("counted", described(points))
    assert len(points) >= 30
    payer, paid = environment["PAYER"], 2
    for number in range(1, len(points) + 1):
        key = secrets.token_hex(8)
        assert await pay(key, kill_at=number) == -signal.SIGKILL, (number, commands.output)
        status = await _until_free(pay, key)
        paid += 1
        where = f"after a kill at {number}, {points[number - 1]}: {commands.output}"
        assert status == 0, where
        assert "bought" in commands.output, where
        on_chain = await transfers_on_chain(http, token.rpc.url, token.asset.address, payer, SELLER)
        assert on_chain == [PRICE] * paid, where
        posted, still_held, balance = await ledger_of(fresh_database_url, payer, SELLER)
        assert (posted, still_held) == (PRICE * paid, 0), where
        assert balance == (await token.balance(payer)).base_units, where


async def _until_free(pay: object, key: str) -> int:
    """Run it again until the dead process's lease has ended (exit code 5: not decided yet)."""
    async with asyncio.timeout(30):
        while (status := await pay(key)) == 5:  # type: ignore[operator]
            pass
    assert isinstance(status, int)
    return status


@pytest.fixture
async def facilitator_environment(tmp_path: Path, fresh_database_url: str, token: Eip3009Token) -> dict[str, str]:
    """The settings of a facilitator of its own, with gas."""
    home = tmp_path / "facilitator"
    signer = KeystoreSigner.open(home / "keystore" / "facilitator.json")
    await token.rpc.call("anvil_setBalance", signer.address, hex(10**20))
    return {"PAYGENT_HOME": str(home), "PAYGENT_DATABASE_URL": fresh_database_url, "SIGNER": signer.address}


async def test_a_facilitator_killed_anywhere_settles_exactly_once(
    commands: Commands,
    facilitator_environment: dict[str, str],
    http: aiohttp.ClientSession,
    token: Eip3009Token,
    payer: LocalAccount,
    requirements: PaymentRequirements,
    unused_tcp_port: int,
    record_property: Callable[[str, object], None],
) -> None:
    await send(token.rpc, token.asset.address, encode_call("mint(address,uint256)", payer.address, 1_000_000))
    url = f"http://127.0.0.1:{unused_tcp_port}"
    where_to = ("--rpc-url", token.rpc.url, "--port", str(unused_tcp_port), "--asset", token.asset.address)

    async def start(kill_at: int = 0) -> int:
        return await commands.spawn(
            "facilitator", *where_to, "--json", environment=facilitator_environment, kill_at=kill_at
        )

    async def settle(body: dict) -> dict | None:
        """The answer, or None when the connection broke or nobody listens."""
        try:
            async with http.post(url + "/settle", json=body, headers={"idempotency-key": "the seller"}) as response:
                answer: dict = await response.json()
                return answer
        except aiohttp.ClientError:
            return None

    def body() -> dict:
        return {
            "x402Version": 2,
            "paymentPayload": sign(payer, requirements).model_dump(mode="json", by_alias=True, exclude_none=True),
            "paymentRequirements": requirements.model_dump(mode="json", by_alias=True, exclude_none=True),
        }

    async def until_answered(payment: dict, pid: int) -> dict | None:
        """Ask until there is an answer or the process is dead."""
        async with asyncio.timeout(60):
            while (answer := await settle(payment)) is None and _is_alive(pid):
                await asyncio.sleep(0.02)
        return answer

    pid = await start()
    answer = await until_answered(body(), pid)
    assert answer is not None
    assert answer["success"], answer
    _kill(pid)
    points = commands.trace
    record_property("counted", described(points))
    assert len(points) >= 20
    settled = 1
    for number in range(1, len(points) + 1):
        payment = body()
        pid = await start(kill_at=number)
        await until_answered(payment, pid)
        _kill(pid)
        pid = await start()
        answer = await until_answered(payment, pid)
        again = await until_answered(payment, pid)
        _kill(pid)
        settled += 1
        where = f"after a kill at {number}, {points[number - 1]}: {commands.output}"
        assert answer is not None, where
        assert answer["success"], (where, answer)
        assert again == answer, where
        on_chain = await transfers_on_chain(
            http, token.rpc.url, token.asset.address, payer.address, requirements.pay_to
        )
        assert on_chain == [int(requirements.amount)] * settled, where
    count = await token.rpc.call("eth_getTransactionCount", facilitator_environment["SIGNER"], "latest")
    assert int(count, 16) == settled


def described(points: list[str]) -> str:
    """How many points were killed at, and what lies between them: `2 commit` is one commit, before and after."""
    kinds = Counter(point.removeprefix("before ").removeprefix("after ") for point in points)
    return f"killed at {len(points)} points: " + ", ".join(f"{n} {kind}" for kind, n in kinds.most_common())


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _kill(pid: int) -> None:
    if _is_alive(pid):
        os.kill(pid, signal.SIGKILL)
