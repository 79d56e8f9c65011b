"""A chain and a database of this run's own; a token and a facilitator of its own for each test."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import psycopg
import pytest
from eth_abi.abi import encode
from eth_account import Account

from paygent.db import embedded
from paygent.db.database import Database
from paygent.db.migrate import migrate
from paygent.devnet import chain
from paygent.evm.abi import to_hex
from paygent.evm.contracts import artifact
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.evm.transactions import TransactionSender
from paygent.x402.facilitator.app import create_app
from paygent.x402.facilitator.service import Facilitator
from tests.support.servers import serving

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
async def rpc(http: aiohttp.ClientSession) -> AsyncIterator[JsonRpc]:
    """A chain of this test run's own, on a free port; blocks come with transactions only, or by evm_mine."""
    async with await chain.start(binary=chain.find_anvil(None), block_time_seconds=None) as node:
        yield JsonRpc(node.rpc_url, http)


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """A PostgreSQL of this test run's own; its folder is short, as sockets demand."""
    home = Path(tempfile.mkdtemp(prefix="paygent-"))
    url = embedded.start(home / "postgres")
    migrate(url)
    yield url
    embedded.stop(home / "postgres")
    shutil.rmtree(home)


@pytest.fixture
def fresh_database_url(database_url: str) -> Iterator[str]:
    """An empty database of this test's own on the same server."""
    name = "test_" + secrets.token_hex(4)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
        yield database_url.replace("/postgres?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.close()


async def send(rpc: JsonRpc, to: str | None, data: bytes) -> dict:
    """A transaction from anvil's first, unlocked account; the receipt."""
    sender = (await rpc.call("eth_accounts"))[0]
    transaction = {"from": sender, "data": to_hex(data), **({"to": to} if to else {})}
    receipt: dict = await rpc.call("eth_sendTransactionSync", transaction)  # EIP-7966: answers once it is mined
    return receipt


@pytest.fixture
async def token(rpc: JsonRpc) -> Eip3009Token:
    minter = (await rpc.call("eth_accounts"))[0]
    code = bytes.fromhex(artifact("BridgedUSDC").bytecode[2:]) + encode(["address"], [minter])
    receipt = await send(rpc, None, code)
    return await Eip3009Token.open(rpc, chain_id=338, address=receipt["contractAddress"])


@pytest.fixture
async def operator(rpc: JsonRpc) -> KeystoreSigner:
    """The facilitator's account."""
    account = Account.create()
    await rpc.call("anvil_setBalance", account.address, hex(10**18))
    return KeystoreSigner.from_private_key(account.key.hex())


@pytest.fixture
async def facilitator_url(
    database: Database, rpc: JsonRpc, token: Eip3009Token, operator: KeystoreSigner
) -> AsyncIterator[str]:
    facilitator = Facilitator([token], TransactionSender(database, rpc, operator, chain_id=338))
    async with serving(create_app(facilitator)) as url:
        yield url
