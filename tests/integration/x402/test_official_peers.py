"""Parties that we did not write, as processes of their own: the official package's seller and facilitator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import httpx
import pytest
from eth_account import Account
from eth_account.signers.local import LocalAccount
from fastapi import FastAPI
from x402.http.clients.httpx import x402HttpxClient

from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.intents.model import State
from paygent.x402 import headers
from paygent.x402.facilitator.client import FacilitatorClient
from paygent.x402.seller import Offer, PaymentGuard, fixed_offers
from paygent.x402.types import PaymentPayload
from tests.support.buying import Buyer
from tests.support.official import official
from tests.support.paying import SELLER, official_client
from tests.support.servers import serving


@pytest.fixture
async def official_facilitator_url(rpc: JsonRpc) -> AsyncIterator[str]:
    account = Account.create()
    await rpc.call("anvil_setBalance", account.address, hex(10**18))
    async with official("facilitator", "--rpc-url", rpc.url, "--key", account.key.hex()) as url:
        yield url


def selling(facilitator_url: str, token: Eip3009Token) -> list[str]:
    """The arguments of a seller."""
    return ["--facilitator", facilitator_url, "--asset", token.asset.address, "--pay-to", SELLER, "--amount", "100"]


async def test_our_client_pays_an_official_seller_with_an_official_facilitator(
    buyer: Buyer, token: Eip3009Token, official_facilitator_url: str
) -> None:
    async with official("seller", *selling(official_facilitator_url, token)) as seller_url:
        await buyer.allow(seller_url.removeprefix("http://"))
        intent = await buyer.buy(seller_url + "/data")
    assert intent.state is State.SETTLED, intent.reason
    assert intent.answer is not None
    assert intent.answer.body == b'{"data":"official"}'
    receipt = headers.decode_settlement(intent.answer.headers["payment-response"])
    assert receipt.transaction == intent.transaction
    assert await buyer.balances() == (900, 900, 0)
    assert (await token.balance(SELLER)).base_units == 100


async def test_an_official_seller_and_client_settle_through_our_facilitator(
    token: Eip3009Token, payer: LocalAccount, facilitator_url: str
) -> None:
    async with (
        official("seller", *selling(facilitator_url, token)) as seller_url,
        x402HttpxClient(official_client(payer, token)) as client,
    ):
        answer = await client.get(seller_url + "/data")
    assert (answer.status_code, answer.json()) == (200, {"data": "official"})
    receipt = headers.decode_settlement(answer.headers["payment-response"])
    assert receipt.success
    assert (await token.balance(SELLER)).base_units == 100
    assert await token.rpc.call("eth_getTransactionReceipt", receipt.transaction) is not None


async def test_an_official_seller_delivers_a_payment_once_however_often_it_is_replayed(
    token: Eip3009Token, payer: LocalAccount, facilitator_url: str
) -> None:
    """It keeps no journal: that a payment was presented before, it learns of the facilitator."""
    async with (
        official("seller", *selling(facilitator_url, token)) as seller_url,
        httpx.AsyncClient(timeout=60) as client,
    ):
        challenge = headers.decode_required((await client.get(seller_url + "/data")).headers["payment-required"])
        payment = await official_client(payer, token).create_payment_payload(challenge)
        assert isinstance(payment, PaymentPayload)
        header = {"payment-signature": headers.encode_payment_signature_header(payment)}
        answers = await asyncio.gather(*(client.get(seller_url + "/data", headers=header) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [200] + [402] * 19
    assert (await token.balance(SELLER)).base_units == 100


async def test_our_client_pays_an_official_seller_through_our_facilitator(
    buyer: Buyer, token: Eip3009Token, facilitator_url: str
) -> None:
    async with official("seller", *selling(facilitator_url, token)) as seller_url:
        await buyer.allow(seller_url.removeprefix("http://"))
        intent = await buyer.buy(seller_url + "/data")
    assert intent.state is State.SETTLED, intent.reason
    assert await buyer.balances() == (900, 900, 0)


async def test_the_official_client_pays_our_seller_through_an_official_facilitator(
    http: aiohttp.ClientSession, token: Eip3009Token, payer: LocalAccount, official_facilitator_url: str
) -> None:
    app = FastAPI()

    @app.get("/data")
    async def data() -> dict[str, str]:
        return {"data": "ours"}

    offer = Offer(token.amount(100), SELLER, token.domain.name, token.domain.version)
    facilitator = FacilitatorClient(official_facilitator_url, http)
    app.add_middleware(PaymentGuard, facilitator=facilitator, offer_for=fixed_offers({("GET", "/data"): offer}))
    async with serving(app) as url, x402HttpxClient(official_client(payer, token)) as client:
        answer = await client.get(url + "/data")
    assert (answer.status_code, answer.json()) == (200, {"data": "ours"})
    assert (await token.balance(SELLER)).base_units == 100
