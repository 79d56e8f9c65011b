"""A buyer with money, a session, and a seller whose behaviour a test may change."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from eth_account import Account
from fastapi import FastAPI, Request, Response

from paygent.db.database import Database
from paygent.evm.abi import encode_call
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.intents import repository
from paygent.intents.engine import Engine
from paygent.intents.model import Intent
from paygent.ledger import transfers
from paygent.money import Amount
from paygent.outbound import open_session as open_http
from paygent.payments.action import KIND, Purchase, X402Payment
from paygent.policy import sessions
from paygent.policy.rules import Policy
from paygent.wallets.pocket import Pocket
from paygent.x402.client import BuyerClient, HttpRequest
from paygent.x402.facilitator.client import FacilitatorClient
from paygent.x402.seller import Offer, PaymentGuard
from tests.support.chain import send
from tests.support.servers import serving

SELLER = "0x" + "5e" * 20


@dataclass
class Seller:
    """A running seller; `offer` is what /data costs, `answer` what it gives, once `open` is set.

    /free costs nothing, unless it answers with `unpaid`, and with `refusal` to whoever pays.
    """

    url: str
    offer: Offer
    runs: int = 0
    requests: int = 0
    unpaid: Response | None = None
    refusal: Response | None = None
    answer: Any = field(default_factory=lambda: {"data": "bought"})
    open: asyncio.Event = field(default_factory=asyncio.Event)
    entered: asyncio.Event = field(default_factory=asyncio.Event)


@pytest.fixture
async def seller(http: aiohttp.ClientSession, token: Eip3009Token, facilitator_url: str) -> AsyncIterator[Seller]:
    offer = Offer(token.amount(100), SELLER, token.domain.name, token.domain.version)
    sold = Seller("", offer)
    sold.open.set()
    app = FastAPI()

    @app.get("/data")
    async def data() -> Any:
        sold.runs += 1
        sold.entered.set()
        await sold.open.wait()
        return sold.answer

    @app.middleware("http")
    async def count(request: Request, call_next: Any) -> Any:
        sold.requests += 1
        return await call_next(request)

    @app.get("/free")
    async def free(request: Request) -> Any:
        return (sold.refusal if "payment-signature" in request.headers else sold.unpaid) or "free"

    @app.get("/redirect")
    async def redirect() -> Response:
        return Response(status_code=302, headers={"location": "https://elsewhere.example/data"})

    def offer_for(method: str, path: str) -> Offer | None:
        return sold.offer if (method, path) == ("GET", "/data") else None

    app.add_middleware(
        PaymentGuard,
        facilitator=FacilitatorClient(facilitator_url, http),
        offer_for=offer_for,
    )
    async with serving(app) as sold.url:
        yield sold


@pytest.fixture
async def pocket(database: Database, rpc: JsonRpc, token: Eip3009Token) -> Pocket:
    """A fresh account with 1,000 base units and no gas."""
    account = Account.create()
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", account.address, 1_000))
    opened = Pocket(database, token, KeystoreSigner.from_private_key(account.key.hex()), first_block=0)
    await opened.open()
    return opened


@dataclass
class Buyer:
    """An engine, and a session of its own."""

    engine: Engine
    database: Database
    pocket: Pocket
    session_id: str

    async def buy(self, url: str, *, key: str | None = None, **terms: Any) -> Intent:
        purchase = Purchase(HttpRequest(url), **terms)
        return await self.engine.submit(
            purchase.intent_request(self.session_id), idempotency_key=key or secrets.token_hex(8)
        )

    async def allow(self, *hosts: str, payment_max: int = 150, budget: int = 500) -> None:
        """Bring the session to these terms."""
        asset = self.pocket.token.asset
        self.engine.policy = Policy(Amount(payment_max, asset), frozenset(hosts))
        async with self.database.transaction() as connection:
            await sessions.open_session(connection, self.session_id, Amount(budget, asset))

    async def intent(self, intent_id: str) -> Intent:
        async with self.database.transaction() as connection:
            return await repository.get(connection, intent_id)

    async def balances(self) -> tuple[int, int, int]:
        """Base units: the pocket on chain; the pocket in the ledger; what the ledger holds."""
        on_chain = await self.pocket.token.balance(self.pocket.signer.address)
        ledger = await self.pocket.balance()
        return on_chain.base_units, ledger.posted, ledger.debits_pending

    async def budget_left(self) -> int:
        async with self.database.transaction() as connection:
            return (await transfers.balance(connection, sessions.budget_account(self.session_id))).available


@pytest.fixture
async def buyer(database: Database, pocket: Pocket, seller: Seller) -> AsyncIterator[Buyer]:
    """May spend 150 base units at once and 500 in all, at the seller's."""
    session_id = "s" + secrets.token_hex(4)
    async with open_http(allow_loopback=True) as session:
        action = X402Payment(pocket, BuyerClient(session))
        nothing = Policy(Amount(0, pocket.token.asset), frozenset())
        engine = Engine(
            database, {KIND: action}, policy=nothing, owner=session_id, lease_seconds=5, settle_wait_seconds=1
        )
        opened = Buyer(engine, database, pocket, session_id)
        await opened.allow(seller.url.removeprefix("http://"), "10.0.0.1", "169.254.169.254")
        yield opened


@pytest.fixture
async def environment(tmp_path: Path, fresh_database_url: str, token: Eip3009Token, seller: Seller) -> dict[str, str]:
    """The settings of a buyer that runs as a process: a home of its own, so a wallet of its own, and plenty of money."""
    home = tmp_path / "home"
    signer = KeystoreSigner.open(home / "keystore" / "pocket.json")
    await send(token.rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 1_000_000))
    return {
        "PAYGENT_HOME": str(home),
        "PAYGENT_NETWORK": "devnet",
        "PAYGENT_CHAIN_ID": "338",
        "PAYGENT_RPC_URL": token.rpc.url,
        "PAYGENT_TOKEN_ADDRESS": token.asset.address,
        "PAYGENT_DATABASE_URL": fresh_database_url,
        "PAYGENT_ALLOWED_HOSTS": seller.url.removeprefix("http://"),
        "PAYGENT_LEASE_SECONDS": "0.5",
        "PAYER": signer.address,
    }
