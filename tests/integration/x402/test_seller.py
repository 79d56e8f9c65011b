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
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, RedirectResponse, StreamingResponse
from x402.http.clients.httpx import x402HttpxClient

from paygent.errors import FacilitatorUnavailable, PaygentError
from paygent.evm.abi import checksum_address
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.money import Amount
from paygent.x402 import headers, seller
from paygent.x402.facilitator.client import FacilitatorClient
from paygent.x402.seller import Offer, PaymentGuard, fixed_offers
from paygent.x402.types import PaymentPayload, PaymentRequirements, SettleResponse
from tests.support.paying import SELLER, official_client
from tests.support.servers import serving

ROOT = Path(__file__).parents[3]


@dataclass
class Shop:
    """A running seller, how often its handlers ran, and what goes wrong next."""

    url: str = ""
    runs: list[str] = field(default_factory=list)
    settle_fails: int = 0
    lies: bool = False
    statuses: list[int] = field(default_factory=list)
    chunk: asyncio.Event = field(default_factory=asyncio.Event)


class Flaky(FacilitatorClient):
    """Loses the answer of a settlement that happened, as a broken connection does."""

    shop: Shop

    async def settle(self, payment: PaymentPayload, requirements: PaymentRequirements, *, claim: str) -> SettleResponse:
        if self.shop.lies:
            return SettleResponse(success=True, transaction="0x" + "ab" * 32, network="eip155:338")
        settled = await super().settle(payment, requirements, claim=claim)
        if self.shop.settle_fails:
            self.shop.settle_fails -= 1
            raise FacilitatorUnavailable("the answer was lost")
        return settled


def goods(sold: Shop) -> FastAPI:
    """What is sold; it answers its own errors, as many applications do."""
    app = FastAPI()

    @app.exception_handler(PaygentError)
    async def problem(_: Request, error: PaygentError) -> JSONResponse:
        return JSONResponse(error.as_dict(), 500)

    @app.get("/free")
    async def free() -> str:
        return "free"

    @app.get("/data")
    async def data(request: Request) -> JSONResponse:
        sold.runs.append(str(request.url.query))
        return JSONResponse({"data": "bought"}, sold.statuses.pop(0) if sold.statuses else 200)

    @app.get("/redirect")
    async def redirect() -> RedirectResponse:
        return RedirectResponse("/elsewhere")

    @app.get("/long")
    async def long() -> StreamingResponse:
        def chunks() -> Iterator[bytes]:
            yield b"x" * 300_000
            yield b"end"

        return StreamingResponse(chunks())

    @app.get("/slow")
    async def slow() -> StreamingResponse:
        async def chunks() -> AsyncIterator[bytes]:
            yield b"first"
            await sold.chunk.wait()
            yield b"last"

        return StreamingResponse(chunks())

    @app.websocket("/data")
    async def socket(websocket: WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text("bought")
        await websocket.close()

    return app


def guarded(sold: Shop, http: aiohttp.ClientSession, token: Eip3009Token, facilitator_url: str) -> FastAPI:
    """The goods at 100 base units each."""
    domain = token.domain
    offer = Offer(Amount(100, token.asset), SELLER, domain.name, domain.version, "Data")
    facilitator = Flaky(facilitator_url, http)
    facilitator.shop = sold
    offers = fixed_offers({("GET", path): offer for path in ("/data", "/redirect", "/long", "/slow")})
    app = goods(sold)
    app.add_middleware(PaymentGuard, facilitator=facilitator, offer_for=offers, chain=token)
    return app


@pytest.fixture
async def shop(http: aiohttp.ClientSession, token: Eip3009Token, facilitator_url: str) -> AsyncIterator[Shop]:
    sold = Shop()
    async with serving(guarded(sold, http, token, facilitator_url)) as sold.url:
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
    assert "another request" in other.json()["error"]
    assert shop.runs == [""]


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_an_error_is_not_charged(shop: Shop, token: Eip3009Token, payer: LocalAccount, status: int) -> None:
    shop.statuses = [status]
    async with x402HttpxClient(official_client(payer, token)) as client:
        answer = await client.get(shop.url + "/data")
    assert answer.status_code == status
    assert "payment-response" not in answer.headers
    assert (await token.balance(SELLER)).base_units == 0


async def test_a_redirect_is_not_charged(shop: Shop, token: Eip3009Token, payer: LocalAccount) -> None:
    """It sells nothing: payments follow no redirect."""
    header = {"payment-signature": await signed(shop, "/redirect", payer, token)}
    async with httpx.AsyncClient() as client:
        answer = await client.get(shop.url + "/redirect", headers=header)
    assert answer.status_code == 307
    assert "payment-response" not in answer.headers
    assert (await token.balance(SELLER)).base_units == 0


async def test_a_long_answer_streams_and_is_delivered_once(
    shop: Shop, token: Eip3009Token, payer: LocalAccount
) -> None:
    header = {"payment-signature": await signed(shop, "/long", payer, token)}
    async with httpx.AsyncClient() as client:
        answer = await client.get(shop.url + "/long", headers=header)
        again = await client.get(shop.url + "/long", headers=header)
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


async def test_a_facilitator_that_lies_is_given_nothing(shop: Shop, token: Eip3009Token, payer: LocalAccount) -> None:
    """It calls settled what the chain does not show."""
    shop.lies = True
    header = {"payment-signature": await signed(shop, "/data", payer, token)}
    async with httpx.AsyncClient(timeout=30) as client:
        lied = await client.get(shop.url + "/data", headers=header)
        shop.lies = False
        settled = await client.get(shop.url + "/data", headers=header)
    assert (lied.status_code, lied.json()["code"]) == (503, "facilitator_unavailable")
    assert "bought" not in lied.text
    assert (settled.status_code, settled.json()) == (200, {"data": "bought"})
    assert (await token.balance(SELLER)).base_units == 100


async def test_a_hiccup_after_a_lost_settlement_answer_does_not_lose_the_payment(
    shop: Shop, token: Eip3009Token, payer: LocalAccount
) -> None:
    shop.settle_fails = 1
    shop.statuses = [200, 500, 200]
    header = {"payment-signature": await signed(shop, "/data", payer, token)}
    async with httpx.AsyncClient() as client:
        statuses = [(await client.get(shop.url + "/data", headers=header)).status_code for _ in range(4)]
    assert statuses == [503, 500, 200, 200]
    assert len(shop.runs) == 3
    assert (await token.balance(SELLER)).base_units == 100


async def test_who_leaves_in_the_middle_gets_the_whole_answer_later(
    shop: Shop, token: Eip3009Token, payer: LocalAccount
) -> None:
    header = await signed(shop, "/slow", payer, token)
    host = shop.url.removeprefix("http://")
    reader, writer = await asyncio.open_connection(*host.split(":"))
    writer.write(f"GET /slow HTTP/1.1\r\nHost: {host}\r\nPayment-Signature: {header}\r\n\r\n".encode())
    await asyncio.wait_for(reader.readuntil(b"first"), 20)
    writer.close()
    await writer.wait_closed()
    shop.chunk.set()
    async with httpx.AsyncClient() as client:
        answer = await client.get(shop.url + "/slow", headers={"payment-signature": header})
    assert (answer.status_code, answer.text) == (200, "firstlast")
    assert (await token.balance(SELLER)).base_units == 100


async def test_two_guards_without_a_common_memory_deliver_one_payment_once(
    shop: Shop, http: aiohttp.ClientSession, token: Eip3009Token, facilitator_url: str, payer: LocalAccount
) -> None:
    """Two workers of one shop: the facilitator tells only one of them that it was paid."""
    header = {"payment-signature": await signed(shop, "/data", payer, token)}
    other = Shop()
    async with (
        serving(guarded(other, http, token, facilitator_url)) as other.url,
        httpx.AsyncClient(timeout=30) as client,
    ):
        answers = await asyncio.gather(
            *(client.get(one.url + "/data", headers=header) for one in (shop, other) for _ in range(3))
        )
    delivered = [answer for answer in answers if "bought" in answer.text]
    assert len({answer.headers["payment-response"] for answer in delivered}) == 1
    assert {answer.status_code for answer in answers} == {200, 402}
    assert len(delivered) == 3, "the same worker gives the same answer again, the other one none"
    assert (await token.balance(SELLER)).base_units == 100


@pytest.mark.parametrize("prefix", ["", "/v1"])
@pytest.mark.parametrize(
    "path", ["/data", "/data%0A", "/data%0a", "//data", "/data/", "/DATA", "/x/../data", "/data?a=b"]
)
async def test_no_spelling_of_a_path_is_free(
    http: aiohttp.ClientSession, token: Eip3009Token, facilitator_url: str, prefix: str, path: str
) -> None:
    sold = Shop()
    app = guarded(sold, http, token, facilitator_url)
    if prefix:
        outer = FastAPI()
        outer.mount(prefix, app)
        app = outer
    async with serving(app) as url:
        reader, writer = await asyncio.open_connection(*url.removeprefix("http://").split(":"))
        writer.write(f"GET {prefix}{path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
    assert b"bought" not in answer
    assert int(answer.split()[1]) in {307, 400, 402, 404}, answer[:200]
    assert sold.runs == []


async def test_what_has_a_price_is_not_given_away_over_websocket(shop: Shop, http: aiohttp.ClientSession) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await http.ws_connect(shop.url + "/data")


async def test_the_journal_is_bounded(
    shop: Shop, token: Eip3009Token, payer: LocalAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seller, "_JOURNAL_BYTES_MAX", 20)
    first, second = [{"payment-signature": await signed(shop, "/data", payer, token)} for _ in range(2)]
    async with httpx.AsyncClient() as client:
        for header in (first, second):
            assert (await client.get(shop.url + "/data", headers=header)).status_code == 200
        assert (await client.get(shop.url + "/data", headers=second)).status_code == 200
        forgotten = await client.get(shop.url + "/data", headers=first)
    assert forgotten.status_code == 402
    assert "delivered already" in forgotten.json()["error"]
    assert len(shop.runs) == 2


async def test_a_stranger_with_the_chains_data_gets_nothing_and_ends_nothing(
    shop: Shop, token: Eip3009Token, payer: LocalAccount
) -> None:
    """Payer, payee, times and nonce stand on chain for all to read; the signature is made up."""
    shop.settle_fails = 1
    good = await signed(shop, "/data", payer, token)
    payment = headers.decode_payment(good)
    payment.payload["signature"] = "0x" + "ab" * 65
    forged = headers.encode_payment_signature_header(payment)
    async with httpx.AsyncClient(timeout=30) as client:
        answers = [
            await client.get(shop.url + "/data", headers={"payment-signature": header})
            for header in (good, forged, good, forged)
        ]
    assert [answer.status_code for answer in answers] == [503, 402, 200, 402]
    assert "bought" not in answers[3].text
    assert len(shop.runs) == 2
    assert (await token.balance(SELLER)).base_units == 100


def test_a_head_costs_what_its_get_does(token: Eip3009Token) -> None:
    offer = Offer(Amount(100, token.asset), SELLER, token.domain.name, token.domain.version)
    offers = fixed_offers({("GET", "/data"): offer})
    assert (offers("GET", "/data"), offers("HEAD", "/data"), offers("POST", "/data")) == (offer, offer, None)


async def test_what_was_bought_with_a_key_is_given_again_only_with_it(
    shop: Shop, token: Eip3009Token, payer: LocalAccount
) -> None:
    """Whoever rebuilds the payment from the chain has all of it but the key."""
    header = await signed(shop, "/data", payer, token)
    keys = ["secret", "secret", "guess", None, "secret"]
    async with httpx.AsyncClient(timeout=30) as client:
        answers = [
            await client.get(
                shop.url + "/data",
                headers={"payment-signature": header} | ({} if key is None else {"idempotency-key": key}),
            )
            for key in keys
        ]
    assert [answer.status_code for answer in answers] == [200, 200, 402, 402, 200]
    assert len(shop.runs) == 1
