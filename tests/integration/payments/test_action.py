"""A payment from request to chain, and everything that can be wrong with the seller, the price and the wallet."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import time
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI, Request, Response

from paygent.errors import ChainUnavailable, IdempotencyConflict, SellerUnavailable
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.intents import repository
from paygent.intents.engine import Engine
from paygent.intents.model import Effect, Intent, State
from paygent.payments.action import Purchase, X402Payment
from paygent.policy.rules import Deny
from paygent.x402.client import BuyerClient, HttpRequest
from paygent.x402.facilitator.client import FacilitatorClient
from paygent.x402.headers import decode_payment, encode_payment_response_header
from paygent.x402.types import PaymentPayload, PaymentRequired, authorization_of
from tests.support.buying import SELLER, Buyer, Seller
from tests.support.servers import serving


async def states(buyer: Buyer, intent: Intent) -> list[str]:
    async with buyer.database.transaction() as connection:
        return [event.to_state for event in await repository.history(connection, intent.id)]


async def test_a_payment_settles_is_delivered_and_booked(buyer: Buyer, seller: Seller, token: Eip3009Token) -> None:
    intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.SETTLED, intent.reason
    assert intent.answer is not None
    assert intent.answer.body == b'{"data":"bought"}'
    assert await states(buyer, intent) == ["proposed", "approved", "held", "signed", "submitted", "settled"]
    assert await buyer.balances() == (900, 900, 0)
    assert await buyer.budget_left() == 400
    assert (await token.balance(SELLER)).base_units == 100


async def test_the_same_key_gives_the_same_answer_and_pays_once(buyer: Buyer, seller: Seller) -> None:
    intents = [await buyer.buy(seller.url + "/data", key=buyer.session_id) for _ in range(3)]
    intents += await asyncio.gather(*(buyer.buy(seller.url + "/data", key=buyer.session_id) for _ in range(10)))
    assert {intent.id for intent in intents} == {intents[0].id}
    assert {intent.answer.body for intent in intents if intent.answer} == {b'{"data":"bought"}'}
    assert await buyer.balances() == (900, 900, 0)
    with pytest.raises(IdempotencyConflict):
        await buyer.buy(seller.url + "/free", key=buyer.session_id)


async def test_what_answers_without_a_402_is_free(buyer: Buyer, seller: Seller) -> None:
    intent = await buyer.buy(seller.url + "/free")
    assert intent.state is State.SETTLED
    assert intent.amount is None
    assert intent.answer is not None
    assert intent.answer.body == b'"free"'
    assert await states(buyer, intent) == ["proposed", "settled"]
    assert await buyer.balances() == (1_000, 0, 0)


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"price": 151}, "policy_denied", "maximum of"),
        ({"price": 90}, "quote_mismatch", "the catalogue says that it asks"),
        ({"pay_to": "0x" + "66" * 20}, "quote_mismatch", "the catalogue says at"),
        ({"chain_id": 25}, "quote_mismatch", "this wallet pays"),
        ({"address": "0x" + "77" * 20}, "quote_mismatch", "this wallet pays"),
        ({"token_version": "2"}, "quote_mismatch", "EIP-712 version"),
    ],
)
async def test_other_terms_than_agreed_are_refused_before_anything_is_signed(
    buyer: Buyer, seller: Seller, change: dict[str, Any], code: str, words: str
) -> None:
    price = seller.offer.price
    expected = None if change.get("price") == 151 else price
    if "price" in change:
        seller.offer = replace(seller.offer, price=replace(price, base_units=change["price"]))
    elif "pay_to" in change or "token_version" in change:
        seller.offer = replace(seller.offer, **change)
    else:
        seller.offer = replace(seller.offer, price=replace(price, asset=replace(price.asset, **change)))
    intent = await buyer.buy(seller.url + "/data", price=expected, pay_to=SELLER)
    assert intent.reason is not None
    assert intent.reason["code"] == code
    assert words in intent.reason["detail"]
    assert intent.artefact is None
    assert await buyer.balances() == (1_000, (intent.quote is not None and 1_000) or 0, 0)
    assert await buyer.budget_left() == 500


async def test_the_wallet_does_not_pay_itself(buyer: Buyer, seller: Seller) -> None:
    seller.offer = replace(seller.offer, pay_to=buyer.pocket.signer.address)
    intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.FAILED
    assert intent.reason is not None
    assert "wallet's own address" in intent.reason["detail"]
    assert await buyer.budget_left() == 500


@pytest.mark.parametrize(("status", "is_kept"), [(404, True), (302, True), (503, False)])
async def test_an_answer_that_was_paid_for_is_kept_whatever_it_is(
    buyer: Buyer, seller: Seller, http: aiohttp.ClientSession, facilitator_url: str, status: int, is_kept: bool
) -> None:
    """A seller that takes the money first. One that is broken for now is asked again, and owes its answer till then."""
    facilitator = FacilitatorClient(facilitator_url, http)
    requirements = seller.offer.requirements()
    app = FastAPI()

    @app.get("/data")
    async def data(request: Request) -> Response:
        payment = request.headers.get("payment-signature")
        if payment is None:
            extra = {"name": seller.offer.token_name, "version": seller.offer.token_version}
            return challenge(seller, extra=extra)
        receipt = await facilitator.settle(decode_payment(payment), requirements, claim="one")
        head = {"payment-response": encode_payment_response_header(receipt)}
        return Response('{"error": "no such\\u001b[2Jthing"}', status, head)

    async with serving(app) as url:
        await buyer.allow(HttpRequest(url).host)
        intent = await buyer.buy(url + "/data")
    assert intent.state is State.SETTLED, intent.reason
    assert (intent.answer is not None, intent.is_owed) == (is_kept, not is_kept)
    if intent.answer is not None:
        assert (intent.answer.status, b"no such" in intent.answer.body) == (status, True)
    assert await buyer.balances() == (900, 900, 0)
    async with buyer.database.transaction() as connection:
        reasons = [str(event.detail) for event in await repository.history(connection, intent.id)]
    assert any("HTTP 503: no such\ufffd[2Jthing" in reason for reason in reasons) is not is_kept


async def test_more_than_the_users_own_maximum_is_denied(buyer: Buyer, seller: Seller) -> None:
    intent = await buyer.buy(seller.url + "/data", amount_max=buyer.pocket.token.amount(99))
    assert intent.state is State.DENIED
    assert intent.reason is not None
    assert "more than your maximum" in intent.reason["detail"]


async def test_another_host_is_not_even_spoken_to(buyer: Buyer, seller: Seller) -> None:
    intent = await buyer.buy(seller.url.replace("127.0.0.1", "localhost") + "/free")
    assert intent.state is State.DENIED
    assert intent.reason is not None
    assert "PAYGENT_ALLOWED_HOSTS" in intent.reason["detail"]
    assert seller.requests == 0
    assert await buyer.budget_left() == 500


async def test_of_many_at_once_exactly_the_budget_is_spent(buyer: Buyer, seller: Seller) -> None:
    intents = await asyncio.gather(*(buyer.buy(seller.url + "/data") for _ in range(12)))
    settled = [intent for intent in intents if intent.state is State.SETTLED]
    denied = [intent.reason["code"] for intent in intents if intent.reason]
    assert (len(settled), denied) == (5, ["budget_exceeded"] * 7)
    assert await buyer.balances() == (500, 500, 0)
    assert await buyer.budget_left() == 0


async def test_an_empty_wallet_is_said(buyer: Buyer, seller: Seller) -> None:
    await buyer.allow(seller.url.removeprefix("http://"), payment_max=600, budget=5_000)
    seller.offer = replace(seller.offer, price=buyer.pocket.token.amount(600))
    assert (await buyer.buy(seller.url + "/data")).state is State.SETTLED
    intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.DENIED
    assert intent.reason is not None
    assert intent.reason["code"] == "insufficient_balance"
    assert buyer.pocket.signer.address in intent.reason["detail"]
    assert await buyer.balances() == (400, 400, 0)
    assert await buyer.budget_left() == 4_400


async def test_a_redirect_is_not_followed(buyer: Buyer, seller: Seller) -> None:
    intent = await buyer.buy(seller.url + "/redirect")
    assert intent.state is State.FAILED
    assert intent.reason is not None
    assert "elsewhere.example" in intent.reason["detail"]


async def test_an_unreachable_seller_is_said(buyer: Buyer, unused_tcp_port: int) -> None:
    await buyer.allow(f"127.0.0.1:{unused_tcp_port}")
    intent = await buyer.buy(f"http://127.0.0.1:{unused_tcp_port}/data")
    assert intent.state is State.FAILED
    assert intent.reason is not None
    assert intent.reason["code"] == "seller_unavailable"


async def buy_and_lose_the_answer(buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch) -> Intent:
    """The seller settled, and the connection broke before its answer was here."""
    send_request = BuyerClient.send

    async def lose_paid_answers(self: Any, request: Any, payment: Any = None, **more: Any) -> Any:
        answer = await send_request(self, request, payment, **more)
        if payment is not None:
            raise SellerUnavailable("the connection broke")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(BuyerClient, "send", lose_paid_answers)
        return await buyer.buy(seller.url + "/data")


async def test_an_answer_that_never_came_is_asked_for_again_after_the_settlement(
    buyer: Buyer, seller: Seller, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seller settled and broke down; once it is back, what was paid for is fetched with the same payment."""
    intent = await buy_and_lose_the_answer(buyer, seller, monkeypatch)
    assert (intent.state, intent.answer, intent.is_owed) == (State.SETTLED, None, True)
    async with buyer.database.transaction() as connection:
        twin = await repository.unfinished_twin(connection, intent.request)
    assert twin is not None
    assert twin.id == intent.id
    # The payment is on chain for all to read by now, and buys nothing for who reads it there.
    assert intent.artefact is not None
    public = PaymentPayload(payload=dict(intent.artefact["payload"]), accepted=seller.offer.requirements())
    stranger = await BuyerClient(http).send(HttpRequest(seller.url + "/data"), public)
    assert (stranger.status, b"bought" in stranger.body) == (402, False)
    fetched = await buyer.engine.drive(intent.id)
    assert fetched.answer is not None
    assert fetched.answer.body == b'{"data":"bought"}'
    assert seller.runs == 1
    assert await buyer.balances() == (900, 900, 0)


@pytest.mark.parametrize("value", [b'attachment; filename="caf\xe9.pdf"', "na\u00efve".encode(), b"\xff\xfe"])
async def test_odd_bytes_in_a_paid_answers_headers_lose_nothing(buyer: Buyer, seller: Seller, value: bytes) -> None:
    seller.answer = Response("bought", headers={})
    seller.answer.raw_headers.append((b"x-odd", value))
    intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.SETTLED, intent.reason
    stored = await buyer.intent(intent.id)
    assert stored.answer is not None
    assert stored.answer.body == b"bought"
    assert stored.answer.headers["x-odd"].isprintable()


def challenge(seller: Seller, **changes: Any) -> Response:
    """A 402 of the seller's, with whatever in it."""
    terms = PaymentRequired(
        error=changes.get("error"), accepts=[seller.offer.requirements().model_copy(update={"extra": changes["extra"]})]
    )
    content = json.dumps(terms.model_dump(mode="json", by_alias=True, exclude_none=True))
    return Response(status_code=402, headers={"payment-required": base64.b64encode(content.encode()).decode()})


@pytest.mark.parametrize("extra", [{"x": "a\0b"}, {"x": "\ud800"}, {"x\0": 1}])
async def test_terms_that_no_database_holds_are_refused(buyer: Buyer, seller: Seller, extra: dict[str, Any]) -> None:
    seller.unpaid = challenge(seller, extra=extra)
    intent = await buyer.buy(seller.url + "/free")
    assert intent.state is State.FAILED
    assert intent.reason is not None
    assert intent.reason["code"] == "payment_refused"
    assert await buyer.balances() == (1_000, 0, 0)


async def drive_after_its_end(buyer: Buyer, rpc: JsonRpc, intent: Intent) -> Intent:
    """What becomes of it when its authorization has expired on chain; the chain's time is put back."""
    snapshot = await rpc.call("evm_snapshot")
    await rpc.call("evm_increaseTime", 700)
    await rpc.call("evm_mine")
    driven = await buyer.engine.drive(intent.id)
    await rpc.call("evm_revert", snapshot)
    return driven


async def test_whatever_a_seller_says_when_it_refuses_the_hold_ends(buyer: Buyer, seller: Seller, rpc: JsonRpc) -> None:
    extra = {"name": seller.offer.token_name, "version": seller.offer.token_version}
    seller.unpaid = challenge(seller, extra=extra)
    seller.refusal = challenge(seller, extra=extra, error="\0\ud800" * 9)
    intent = await buyer.buy(seller.url + "/free")
    assert intent.state is State.UNKNOWN
    assert await buyer.balances() == (1_000, 1_000, 100)
    resolved = await drive_after_its_end(buyer, rpc, intent)
    assert resolved.state is State.FAILED
    assert await buyer.balances() == (1_000, 1_000, 0)


@pytest.mark.parametrize("url", ["http://a..b/", "http://" + "a" * 64 + ".example/", "http://xn--/"])
async def test_a_host_that_cannot_be_is_told(buyer: Buyer, url: str) -> None:
    await buyer.allow(HttpRequest(url).host)
    intent = await buyer.buy(url)
    assert intent.state is State.FAILED
    assert intent.reason is not None
    assert intent.reason["code"] in {"unsafe_destination", "seller_unavailable"}


async def test_an_error_of_ours_ends_the_intent_before_anything_is_signed(
    buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: Any) -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(X402Payment, "quote", broken)
    intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.FAILED
    assert intent.reason is not None
    assert "unexpectedly" in intent.reason["detail"]


async def test_intents_that_cannot_be_resolved_starve_no_other(
    buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck: set[str] = set()
    outcome = X402Payment.outcome

    async def unreachable_for_some(self: Any, intent: Any) -> Any:
        if intent.id in stuck:
            raise ChainUnavailable("no answer")
        return await outcome(self, intent)

    monkeypatch.setattr(X402Payment, "outcome", unreachable_for_some)
    request = Purchase(HttpRequest(seller.url + "/data")).intent_request(buyer.session_id)
    async with buyer.database.transaction() as connection:
        for _ in range(110):
            intent = await repository.create(connection, request, secrets.token_hex(8))
            await connection.execute(
                "UPDATE intents SET state = 'unknown', created_at = now() - interval '1 day' WHERE id = %s",
                (intent.id,),
            )
            stuck.add(intent.id)
        good = await repository.create(connection, request, secrets.token_hex(8))
    for _ in range(2):
        await buyer.engine.recover()
    settled = await buyer.intent(good.id)
    async with buyer.database.transaction() as connection:
        await connection.execute("UPDATE intents SET state = 'failed' WHERE id = ANY(%s)", (list(stuck),))
    assert settled.state is State.SETTLED, settled.reason


async def test_what_was_left_before_anything_was_sent_is_given_up_after_a_while(buyer: Buyer, seller: Seller) -> None:
    request = Purchase(HttpRequest(seller.url + "/data")).intent_request(buyer.session_id)
    async with buyer.database.transaction() as connection:
        old = await repository.create(connection, request, secrets.token_hex(8))
        await connection.execute(
            "UPDATE intents SET created_at = now() - interval '11 minutes' WHERE id = %s", (old.id,)
        )
    await buyer.engine.recover()
    given_up = await buyer.intent(old.id)
    assert given_up.state is State.FAILED
    assert given_up.reason is not None
    assert given_up.reason["code"] == "abandoned"
    assert await buyer.balances() == (1_000, 0, 0)


@pytest.mark.parametrize("left_in", ["prepare", "submit"])
async def test_what_is_abandoned_gives_back_what_it_reserved_unless_it_was_sent(
    buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch, left_in: str
) -> None:
    class Crash(BaseException):
        pass

    async def crash(*_: Any) -> Any:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(X402Payment, left_in, crash)
        with pytest.raises(Crash):
            await buyer.buy(seller.url + "/data", key=buyer.session_id)
    async with buyer.database.transaction() as connection:
        left = (await repository.recent(connection, count=1))[0]
    abandoned = await buyer.engine.abandon(left.id)
    if left_in == "prepare":
        assert (left.state, abandoned.state) == (State.HELD, State.FAILED)
        assert await buyer.balances() == (1_000, 1_000, 0)
        assert (await buyer.engine.drive(left.id)).state is State.FAILED
    else:
        assert (left.state, abandoned.state) == (State.SUBMITTED, State.SUBMITTED)
        assert await buyer.balances() == (1_000, 1_000, 100)
        assert (await buyer.engine.drive(left.id)).state is State.SETTLED


async def test_a_driver_that_lost_its_lease_keeps_the_answer_and_stops(
    buyer: Buyer, seller: Seller, rival: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped for longer than its lease; meanwhile another engine has settled the intent."""
    seller.open.clear()
    paying = asyncio.create_task(buyer.buy(seller.url + "/data", key=buyer.session_id))
    await asyncio.wait_for(seller.entered.wait(), 10)
    lease = await lease_of(buyer)
    async with buyer.database.transaction() as connection:
        await connection.execute("UPDATE intents SET lease_until = to_timestamp(0) WHERE id = %s", (lease["id"],))
    racing = asyncio.create_task(rival.drive(lease["id"]))
    async with asyncio.timeout(10):
        while (await lease_of(buyer))["epoch"] == lease["epoch"]:
            await asyncio.sleep(0.01)
    seller.open.set()
    first, second = await asyncio.gather(paying, racing)
    assert (await buyer.intent(lease["id"])).state is State.SETTLED
    assert {first.id, second.id} == {lease["id"]}
    assert await states(buyer, first) == ["proposed", "approved", "held", "signed", "submitted", "settled"]
    assert seller.runs == 1
    assert await buyer.balances() == (900, 900, 0)


async def test_a_lost_answer_is_fetched_again_with_the_same_payment(
    buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost: list[Any] = []
    send_request = BuyerClient.send

    async def lose_first_paid_answer(self: Any, request: Any, payment: Any = None, **more: Any) -> Any:
        answer = await send_request(self, request, payment, **more)
        if payment is not None and not lost:
            lost.append(answer)
            raise SellerUnavailable("the connection broke")
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(BuyerClient, "send", lose_first_paid_answer)
        intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.SETTLED, intent.reason
    assert intent.answer is not None
    assert intent.answer.body == b'{"data":"bought"}'
    assert await states(buyer, intent) == [
        "proposed", "approved", "held", "signed", "submitted", "unknown", "settled",
    ]  # fmt: skip
    assert seller.runs == 1
    assert await buyer.balances() == (900, 900, 0)


async def test_a_seller_that_lies_about_the_settlement_is_not_booked(
    buyer: Buyer, seller: Seller, rpc: JsonRpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It delivers and says that it settled; the chain shows nothing until the payment has expired."""
    from paygent.x402.types import SettleResponse

    async def lie(*_: Any, **__: Any) -> SettleResponse:
        return SettleResponse(success=True, transaction="0x" + "ab" * 32, network="eip155:338")

    with monkeypatch.context() as patch:
        patch.setattr(FacilitatorClient, "settle", lie)
        intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.UNKNOWN
    assert intent.reason is not None
    assert intent.reason["code"] == "not_on_chain"
    assert await buyer.balances() == (1_000, 1_000, 100)
    resolved = await drive_after_its_end(buyer, rpc, intent)
    assert resolved.state is State.FAILED
    assert await buyer.balances() == (1_000, 1_000, 0)
    assert await buyer.budget_left() == 500


async def test_an_unreachable_chain_leaves_the_hold_until_it_answers(
    buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreachable(*_: Any) -> Any:
        raise ChainUnavailable("no answer")

    with monkeypatch.context() as patch:
        patch.setattr(X402Payment, "outcome", unreachable)
        intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.UNKNOWN
    assert intent.answer is not None
    assert (await buyer.balances())[1:] == (1_000, 100)
    resolved = await buyer.engine.drive(intent.id)
    assert resolved.state is State.SETTLED
    assert await buyer.balances() == (900, 900, 0)


async def test_a_price_that_changes_after_the_quote_is_not_paid(
    buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare = X402Payment.prepare

    async def raise_price(self: Any, intent: Any) -> Any:
        seller.offer = replace(seller.offer, price=buyer.pocket.token.amount(120))
        return await prepare(self, intent)

    with monkeypatch.context() as patch:
        patch.setattr(X402Payment, "prepare", raise_price)
        intent = await buyer.buy(seller.url + "/data")
    assert intent.state is State.UNKNOWN
    assert intent.reason is not None
    assert "changed its terms" in intent.reason["detail"]
    # what was signed is for the old price, and is kept until it expires
    assert await buyer.balances() == (1_000, 1_000, 100)


@pytest.fixture
def rival(buyer: Buyer) -> Engine:
    """Another engine on the same database, as another process would have one."""
    return Engine(
        buyer.database,
        buyer.engine._actions,
        policy=buyer.engine.policy,
        owner="rival",
        lease_seconds=0.3,
        settle_wait_seconds=1,
    )


async def test_engines_that_race_for_an_intent_drive_it_once(buyer: Buyer, seller: Seller, rival: Engine) -> None:
    request = Purchase(HttpRequest(seller.url + "/data")).intent_request(buyer.session_id)
    async with buyer.database.transaction() as connection:
        intent = await repository.create(connection, request, buyer.session_id)
    await asyncio.gather(*(engine.drive(intent.id) for engine in (buyer.engine, rival) * 5))
    settled = await rival.drive(intent.id)
    assert settled.state is State.SETTLED
    assert await states(buyer, intent) == ["proposed", "approved", "held", "signed", "submitted", "settled"]
    assert seller.runs == 1
    assert await buyer.balances() == (900, 900, 0)


async def test_a_slow_seller_does_not_cost_the_lease(buyer: Buyer, seller: Seller, rival: Engine) -> None:
    seller.open.clear()
    request = Purchase(HttpRequest(seller.url + "/data")).intent_request(buyer.session_id)
    paying = asyncio.create_task(rival.submit(request, idempotency_key=buyer.session_id))
    await asyncio.wait_for(seller.entered.wait(), 10)
    first = await lease_of(buyer)
    async with asyncio.timeout(10):
        # Later than it first ended: it was renewed, by more than its whole length.
        while (lease := await lease_of(buyer)) and lease["until"] < first["until"] + timedelta(seconds=0.4):
            await asyncio.sleep(0.02)
        while first["until"] > await now(buyer):
            await asyncio.sleep(0.02)
    assert (await buyer.engine.drive(first["id"])).state is State.SUBMITTED
    assert (await lease_of(buyer))["epoch"] == first["epoch"] == 1
    seller.open.set()
    assert (await paying).state is State.SETTLED
    assert (await lease_of(buyer))["owner"] is None
    assert seller.runs == 1


async def lease_of(buyer: Buyer) -> dict[str, Any]:
    async with buyer.database.transaction() as connection:
        cursor = await connection.execute(
            "SELECT id, lease_owner AS owner, lease_epoch AS epoch, lease_until AS until FROM intents"
            " WHERE session_id = %s",
            (buyer.session_id,),
        )
        row = await cursor.fetchone()
    assert row is not None
    return row


async def now(buyer: Buyer) -> datetime:
    async with buyer.database.transaction() as connection:
        row = await (await connection.execute("SELECT clock_timestamp() AS now")).fetchone()
    assert row is not None
    moment = row["now"]
    assert isinstance(moment, datetime)
    return moment


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"scheme": "upto"}, "quote_mismatch"),
        ({"extra": {"assetTransferMethod": "permit2"}}, "quote_mismatch"),
        ({"pay_to": "0x" + "00" * 20}, "payment_refused"),
        ({"pay_to": "0x5e"}, "payment_refused"),
        ({"amount": "0"}, "payment_refused"),
        ({"amount": "-1"}, "payment_refused"),
        ({"amount": "1e2"}, "payment_refused"),
        ({"amount": str(2**256)}, "payment_refused"),
    ],
)
async def test_terms_that_cannot_be_paid_are_refused(
    buyer: Buyer, seller: Seller, terms: dict[str, Any], code: str
) -> None:
    offer = seller.offer.requirements().model_copy(update=terms)
    content = PaymentRequired(accepts=[offer]).model_dump_json(by_alias=True, exclude_none=True)
    head = {"payment-required": base64.b64encode(content.encode()).decode()}
    seller.unpaid = Response(status_code=402, headers=head)
    intent = await buyer.buy(seller.url + "/free")
    assert intent.state is State.FAILED
    assert intent.reason is not None
    assert intent.reason["code"] == code
    assert intent.artefact is None
    assert await buyer.balances() == (1_000, 0, 0)


async def test_what_is_signed_is_valid_for_ten_minutes_at_most_and_has_the_intents_nonce(
    buyer: Buyer, seller: Seller, http: aiohttp.ClientSession
) -> None:
    seller.offer = replace(seller.offer, timeout_seconds=86_400)
    intent = await buyer.buy(seller.url + "/data")
    assert intent.artefact is not None
    signed, _ = authorization_of(intent.artefact["payload"])
    assert signed.valid_before <= time.time() + 600
    later = X402Payment(buyer.pocket, BuyerClient(http), clock=lambda: time.time() + 60)
    again, _ = authorization_of((await later.prepare(intent))["payload"])
    assert again.valid_before > signed.valid_before
    assert again.nonce == signed.nonce, "whatever is signed, one intent pays once"


async def test_a_payment_is_settled_when_its_block_is_deep_enough(
    buyer: Buyer, seller: Seller, rpc: JsonRpc, http: aiohttp.ClientSession
) -> None:
    intent = await buyer.buy(seller.url + "/data")
    careful = X402Payment(replace(buyer.pocket, confirmations=3), BuyerClient(http))
    assert (await careful.outcome(intent)).effect is Effect.OPEN
    await rpc.call("evm_mine")
    await rpc.call("evm_mine")
    assert (await careful.outcome(intent)).transaction == intent.transaction


async def test_a_payment_is_dead_when_a_block_is_as_old_as_its_end_whatever_our_clock_says(
    buyer: Buyer, seller: Seller, rpc: JsonRpc, http: aiohttp.ClientSession
) -> None:
    extra = {"name": seller.offer.token_name, "version": seller.offer.token_version}
    seller.unpaid = seller.refusal = challenge(seller, extra=extra)
    intent = await buyer.buy(seller.url + "/free")
    assert intent.artefact is not None
    end = authorization_of(intent.artefact["payload"])[0].valid_before
    late = X402Payment(buyer.pocket, BuyerClient(http), clock=lambda: end + 10_000)
    snapshot = await rpc.call("evm_snapshot")
    effects = []
    for moment in (end - 1, end):
        await rpc.call("evm_setNextBlockTimestamp", moment)
        await rpc.call("evm_mine")
        effects.append((await late.outcome(intent)).effect)
    await rpc.call("evm_revert", snapshot)
    assert effects == [Effect.OPEN, Effect.DEAD]


async def test_a_look_at_what_was_sent_pays_nothing_that_was_not(buyer: Buyer, seller: Seller) -> None:
    """It is made by a command about something else, whose user expects no payment of it."""
    request = Purchase(HttpRequest(seller.url + "/data")).intent_request(buyer.session_id)
    async with buyer.database.transaction() as connection:
        left = await repository.create(connection, request, buyer.session_id)
    await buyer.engine.recover(sent_only=True)
    assert (await buyer.intent(left.id)).state is State.PROPOSED
    assert seller.requests == 0
    assert (await buyer.engine.abandon(left.id)).state is State.FAILED


async def test_a_preview_speaks_to_nobody_else(buyer: Buyer, seller: Seller) -> None:
    url = seller.url.replace("127.0.0.1", "localhost") + "/free"
    _, verdict = await buyer.engine.preview(Purchase(HttpRequest(url)).intent_request(buyer.session_id))
    assert isinstance(verdict, Deny)
    assert verdict.rule == "allowed_hosts"
    assert seller.requests == 0


async def test_an_answer_is_asked_for_during_an_hour(
    buyer: Buyer, seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent = await buy_and_lose_the_answer(buyer, seller, monkeypatch)
    async with buyer.database.transaction() as connection:
        await connection.execute(
            "UPDATE intents SET created_at = now() - interval '61 minutes' WHERE id = %s", (intent.id,)
        )
        assert await repository.unfinished_twin(connection, intent.request) is None
    asked = seller.requests
    assert (await buyer.engine.drive(intent.id)).is_owed
    assert seller.requests == asked
