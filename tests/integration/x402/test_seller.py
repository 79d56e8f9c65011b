"""Our seller's guard, paid by the official Python and JavaScript clients through our facilitator."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import httpx
import pytest
from eth_account.signers.local import LocalAccount
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, StreamingResponse
from x402.http.clients.httpx import x402HttpxClient

from paygent.errors import FacilitatorUnavailable
from paygent.evm.abi import checksum_address
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.money import Amount
from paygent.x402 import headers
from paygent.x402.facilitator.client import FacilitatorClient
from paygent.x402.seller import Offer, PaymentGuard, fixed_offers
from paygent.x402.types import PaymentPayload, PaymentRequirements, SettleResponse
from tests.support.paying import SELLER, official_client
from tests.support.servers import serving

ROOT = Path(__file__).parents[3]


@dataclass
class Shop:
    """A running seller and how often its handlers ran."""

    url: str = ""
    runs: list[str] = field(default_factory=list)
    settle_fails: int = 0


class Flaky(FacilitatorClient):
    """Loses the answer of a settlement that happened, as a broken connection does."""

    shop: Shop

    async def settle(self, payment: PaymentPayload, requirements: PaymentRequirements) -> SettleResponse:
        settled = await super().settle(payment, requirements)
        if self.shop.settle_fails:
            self.shop.settle_fails -= 1
            raise FacilitatorUnavailable("the answer was lost")
        return settled


@pytest.fixture
async def shop(http: aiohttp.ClientSession, token: Eip3009Token, facilitator_url: str) -> AsyncIterator[Shop]:
    sold = Shop()
    app = FastAPI()

    @app.get("/free")
    async def free() -> str:
        return "free"

    @app.get("/data")
    async def data(request: Request) -> dict[str, str]:
        sold.runs.append(str(request.url.query))
        return {"data": "bought"}

    @app.get("/broken")
    async def broken() -> JSONResponse:
        return JSONResponse({"error": "out of order"}, status_code=500)

    @app.get("/stream")
    async def stream() -> StreamingResponse:
        def chunks() -> Iterator[bytes]:
            yield b"x" * 300_000
            yield b"end"

        return StreamingResponse(chunks())

    domain = token.domain
    offer = Offer(Amount(100, token.asset), SELLER, domain.name, domain.version, "Data")
    facilitator = Flaky(facilitator_url, http)
    facilitator.shop = sold
    offers = {("GET", path): offer for path in ("/data", "/broken", "/stream")}
    app.add_middleware(PaymentGuard, facilitator=facilitator, offer_for=fixed_offers(offers))
    async with serving(app) as sold.url:
        yield sold


async def signed(shop: Shop, path: str, payer: LocalAccount, token: Eip3009Token) -> str:
    """A payment header for `path`, signed by the official client."""
    async with httpx.AsyncClient() as plain:
        challenge = headers.decode_required((await plain.get(shop.url + path)).headers["payment-required"])
    payment = await official_client(payer, token).create_payment_payload(challenge)
    assert isinstance(payment, PaymentPayload)
    return headers.encode_payment_signature_header(payment)


async def test_the_official_python_client_buys(shop: Shop, token: Eip3009Token, payer: LocalAccount) -> None:
    async with x402HttpxClient(official_client(payer, token)) as client:
        answer = await client.get(shop.url + "/data")
        free = await client.get(shop.url + "/free")
    assert (answer.status_code, answer.json()) == (200, {"data": "bought"})
    receipt = headers.decode_settlement(answer.headers["payment-response"])
    assert receipt.success
    assert answer.headers["cache-control"] == "no-store"
    assert "payment-response" not in free.headers
    assert (await token.balance(SELLER)).base_units == 100


async def test_the_official_javascript_client_buys(shop: Shop, token: Eip3009Token, payer: LocalAccount) -> None:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(ROOT / "tests/integration/x402/pay.mjs"),
        shop.url + "/data",
        payer.key.hex(),
        token.asset.address,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    answer = json.loads(out)
    assert answer["status"] == 200, answer
    assert answer["body"] == {"data": "bought"}
    assert answer["receipt"]["success"] is True
    assert (await token.balance(SELLER)).base_units == 100


async def test_no_payment_is_answered_with_the_terms(shop: Shop, token: Eip3009Token) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(shop.url + "/data")
    assert answer.status_code == 402
    terms = headers.decode_required(answer.headers["payment-required"])
    assert terms.resource is not None
    assert terms.resource.url == shop.url + "/data"
    assert (terms.accepts[0].amount, terms.accepts[0].pay_to) == ("100", checksum_address(SELLER))
    assert terms.accepts[0].asset == checksum_address(token.asset.address)
    assert shop.runs == []


@pytest.mark.parametrize("header", ["!", "e30=", "bm90IGpzb24="])
async def test_a_malformed_payment_is_a_bad_request(shop: Shop, header: str) -> None:
    async with httpx.AsyncClient() as client:
        answer = await client.get(shop.url + "/data", headers={"payment-signature": header})
    assert answer.status_code == 400
    assert "PAYMENT-SIGNATURE" in answer.json()["error"]


async def test_fifty_replays_at_once_run_the_handler_once(
    shop: Shop, token: Eip3009Token, payer: LocalAccount, rpc: JsonRpc, operator: KeystoreSigner
) -> None:
    header = {"payment-signature": await signed(shop, "/data", payer, token)}
    async with httpx.AsyncClient(timeout=60) as client:
        answers = await asyncio.gather(*(client.get(shop.url + "/data", headers=header) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.headers["payment-response"] for answer in answers} == {answers[0].headers["payment-response"]}
    assert len(shop.runs) == 1
    assert int(await rpc.call("eth_getTransactionCount", operator.address, "latest"), 16) == 1
    assert (await token.balance(SELLER)).base_units == 100


async def test_one_payment_buys_nothing_elsewhere(shop: Shop, token: Eip3009Token, payer: LocalAccount) -> None:
    header = {"payment-signature": await signed(shop, "/data", payer, token)}
    async with httpx.AsyncClient() as client:
        assert (await client.get(shop.url + "/data", headers=header)).status_code == 200
        other = await client.get(shop.url + "/data?page=2", headers=header)
    assert other.status_code == 402
    assert "another resource" in other.json()["error"]
    assert shop.runs == [""]


async def test_an_error_is_not_charged(shop: Shop, token: Eip3009Token, payer: LocalAccount) -> None:
    async with x402HttpxClient(official_client(payer, token)) as client:
        answer = await client.get(shop.url + "/broken")
    assert answer.status_code == 500
    assert (await token.balance(SELLER)).base_units == 0


async def test_a_long_answer_streams_and_is_delivered_once(
    shop: Shop, token: Eip3009Token, payer: LocalAccount
) -> None:
    header = {"payment-signature": await signed(shop, "/stream", payer, token)}
    async with httpx.AsyncClient() as client:
        answer = await client.get(shop.url + "/stream", headers=header)
        again = await client.get(shop.url + "/stream", headers=header)
    assert len(answer.content) == 300_003
    assert again.status_code == 402
    assert "delivered already" in again.json()["error"]


async def test_a_lost_settlement_answer_is_asked_for_again_with_the_same_payment(
    shop: Shop, token: Eip3009Token, payer: LocalAccount
) -> None:
    shop.settle_fails = 1
    header = {"payment-signature": await signed(shop, "/data", payer, token)}
    async with httpx.AsyncClient() as client:
        lost = await client.get(shop.url + "/data", headers=header)
        found = await client.get(shop.url + "/data", headers=header)
    assert (lost.status_code, lost.headers["retry-after"]) == (503, "1")
    assert (found.status_code, found.json()) == (200, {"data": "bought"})
    assert (await token.balance(SELLER)).base_units == 100


async def test_other_terms_than_offered_are_refused(shop: Shop, token: Eip3009Token, payer: LocalAccount) -> None:
    payment = headers.decode_payment(await signed(shop, "/data", payer, token))
    payment.accepted.amount = "1"
    header = {"payment-signature": headers.encode_payment_signature_header(payment)}
    async with httpx.AsyncClient() as client:
        answer = await client.get(shop.url + "/data", headers=header)
    assert answer.status_code == 402
    assert "other terms" in answer.json()["error"]
    assert shop.runs == []
