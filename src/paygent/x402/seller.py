"""The seller's guard: ASGI middleware that puts a price on routes of any FastAPI or Starlette application.

    app.add_middleware(PaymentGuard, facilitator=…, offer_for=fixed_offers({("GET", "/data"): Offer(…)}), chain=token)

The handler runs after the payment is verified; the money moves when it has begun a good answer, before its first byte
leaves. So nobody pays for an error, nothing is given away, and an answer may stream. One payment buys one request:
whoever presents it again, at once or later, gets the answer that it bought; with another resource, or another
`Idempotency-Key` than it came with, it buys nothing.
With `chain` a facilitator's word is not enough: what it calls settled must be seen there.
The journal of sales is this process's memory; after a restart the chain's used nonces still refuse every old payment.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paygent.errors import FacilitatorUnavailable, InvalidInput, Unavailable
from paygent.evm.abi import checksum_address
from paygent.evm.eip3009 import TransferAuthorization, TransferLog
from paygent.money import Amount
from paygent.telemetry import get_logger
from paygent.x402 import headers
from paygent.x402.types import (
    SCHEME_EXACT,
    PaymentPayload,
    PaymentRequired,
    PaymentRequirements,
    ResourceInfo,
    SettleResponse,
    VerifyResponse,
    authorization_of,
)

log = get_logger(__name__)

_JOURNAL_ENTRIES_MAX = 10_000
_JOURNAL_ANSWER_BYTES_MAX = 256 * 1024
_JOURNAL_BYTES_MAX = 64 * 1024 * 1024
# Pauses between looks at the chain: its nodes may lag behind the facilitator's.
_LOOKS_SECONDS = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)


class Facilitates(Protocol):
    """What the guard asks of a facilitator: `FacilitatorClient` and `Facilitator` both do."""

    async def verify(self, payment: PaymentPayload, requirements: PaymentRequirements) -> VerifyResponse: ...
    async def settle(
        self, payment: PaymentPayload, requirements: PaymentRequirements, *, claim: str
    ) -> SettleResponse: ...


class ShowsTransfers(Protocol):
    """What the guard asks of the chain; an `Eip3009Token` does."""

    async def transfer_in(self, transaction: str, authorization: TransferAuthorization) -> TransferLog | None: ...


@dataclass(frozen=True, slots=True)
class Offer:
    """What one request costs. `token_name` and `token_version` are the EIP-712 domain that clients sign for."""

    price: Amount
    pay_to: str
    token_name: str
    token_version: str
    description: str = ""
    mime_type: str = "application/json"
    timeout_seconds: int = 60

    def requirements(self) -> PaymentRequirements:
        """The offer as the protocol states it."""
        return PaymentRequirements(
            scheme=SCHEME_EXACT,
            network=self.price.asset.network,
            asset=checksum_address(self.price.asset.address),
            amount=str(self.price.base_units),
            pay_to=checksum_address(self.pay_to),
            max_timeout_seconds=self.timeout_seconds,
            extra={"name": self.token_name, "version": self.token_version},
        )


OfferFor = Callable[[str, str], Offer | None]
"""Method and path of a request → what it costs, or None when it is free."""


def fixed_offers(offers: Mapping[tuple[str, str], Offer]) -> OfferFor:
    """Offers by exact method and path; a HEAD costs what its GET does."""
    return lambda method, path: offers.get(("GET" if method == "HEAD" else method, path))


@dataclass(slots=True)
class _Purchase:
    """What became of one payment: the request that it was first presented for, and the answer that it bought."""

    # With the `Idempotency-Key` in it: a payment is on chain for all to read once it is settled, and this key is not.
    request: bytes
    # With it the facilitator tells us, and nobody else, how the settlement ended.
    claim: str
    done: asyncio.Event = field(default_factory=asyncio.Event)
    answer: list[Message] = field(default_factory=list)
    answer_bytes: int = 0
    too_long: asyncio.Event = field(default_factory=asyncio.Event)
    settled: bool = False
    # Settlement was asked for and its outcome is unknown.
    unsettled: bool = False
    # The whole answer is in `answer`.
    replayable: bool = False


_Key = tuple[str, str, bytes, bytes]


@dataclass(frozen=True, slots=True)
class _Sale:
    offer: Offer
    resource: str
    requirements: PaymentRequirements
    payment: PaymentPayload
    authorization: TransferAuthorization
    signature: bytes

    @property
    def key(self) -> _Key:
        """With the signature: all else of a payment can be made up by whoever saw or guessed it."""
        return (self.requirements.asset, self.authorization.payer, self.authorization.nonce, self.signature)


class PaymentGuard:
    """See the module. Answers of up to 256 KiB are kept for re-presented payments: 10,000 of them, and 64 MiB in all."""

    def __init__(
        self, app: ASGIApp, *, facilitator: Facilitates, offer_for: OfferFor, chain: ShowsTransfers | None = None
    ) -> None:
        self._app = app
        self._facilitator = facilitator
        self._offer_for = offer_for
        self._chain = chain
        self._purchases: OrderedDict[_Key, _Purchase] = OrderedDict()
        self._kept: deque[_Purchase] = deque()
        self._kept_bytes = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        path = _route_path(scope)
        if not path.isprintable():
            # A route's pattern may well match before a line's end, and ours would not.
            await _refuse(scope, receive, send, "A path with control characters in it is refused.")
            return
        offer = self._offer_for(scope.get("method", "GET"), path)
        if offer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await _refuse(scope, receive, send, "What has a price here is not sold over WebSocket.")
        else:
            await self._ask_or_sell(scope, receive, send, offer)

    async def _ask_or_sell(self, scope: Scope, receive: Receive, send: Send, offer: Offer) -> None:
        resource = str(URL(scope=scope))
        requirements = offer.requirements()
        header = Headers(scope=scope).get(headers.PAYMENT_SIGNATURE)
        if header is None:
            await _send_challenge(send, offer, resource, "Payment required")
            return
        try:
            payment = headers.decode_payment(header)
            authorization, signature = authorization_of(payment.payload)
        except (InvalidInput, ValueError) as error:
            await _send_json(send, 400, {"error": str(error)})
            return
        if not _accepts(requirements, payment.accepted):
            await _send_challenge(send, offer, resource, "The payment is for other terms than these")
            return
        sale = _Sale(offer, resource, requirements, payment, authorization, signature)
        await self._sell_once(scope, receive, send, sale)

    async def _sell_once(self, scope: Scope, receive: Receive, send: Send, sale: _Sale) -> None:
        offer, resource, key = sale.offer, sale.resource, sale.key
        retry_key = Headers(scope=scope).get("idempotency-key", "")
        request = f"{scope['method']} {resource} {retry_key}".encode()
        while (earlier := self._purchases.get(key)) is not None:
            if not hmac.compare_digest(earlier.request, request):
                await _send_challenge(send, offer, resource, "This payment was presented with another request")
                return
            await earlier.done.wait()
            if earlier.replayable:
                for message in earlier.answer:
                    await send(message)
                return
            if self._purchases.get(key) is not earlier:
                continue
            if earlier.unsettled:
                break
            await _send_challenge(send, offer, resource, "What this payment bought was delivered already")
            return
        # No await since the last look at the journal: this request alone holds the payment now.
        claim = secrets.token_hex(16) if earlier is None else earlier.claim
        purchase = self._purchases[key] = _Purchase(request, claim, unsettled=earlier is not None)
        try:
            await self._sell(scope, receive, send, sale, purchase)
        finally:
            if not (purchase.settled or purchase.unsettled) and self._purchases.get(key) is purchase:
                del self._purchases[key]
            purchase.done.set()
            self._trim(purchase)

    async def _sell(self, scope: Scope, receive: Receive, send: Send, sale: _Sale, purchase: _Purchase) -> None:
        # A payment whose settlement was asked for may be used by now: settling it again tells.
        if not purchase.unsettled:
            try:
                verified = await self._facilitator.verify(sale.payment, sale.requirements)
            except Unavailable as error:
                await _send_unavailable(send, error)
                return
            if not verified.is_valid:
                reason = verified.invalid_reason or "The payment is not valid"
                await _send_challenge(send, sale.offer, sale.resource, reason)
                return
        delivery = _Delivery(receive, send, self._facilitator, self._chain, sale, purchase)
        await self._app(scope, delivery.receive, delivery.send)

    def _trim(self, purchase: _Purchase) -> None:
        if purchase.replayable:
            self._kept.append(purchase)
            self._kept_bytes += purchase.answer_bytes
        while self._kept_bytes > _JOURNAL_BYTES_MAX:
            oldest = self._kept.popleft()
            oldest.replayable = False
            oldest.answer.clear()
            self._kept_bytes -= oldest.answer_bytes
        while len(self._purchases) > _JOURNAL_ENTRIES_MAX and next(iter(self._purchases.values())).done.is_set():
            self._purchases.popitem(last=False)


class _Delivery:
    """The handler's `receive` and `send`: settles before a good answer's first byte, and keeps the answer for later."""

    def __init__(
        self,
        receive: Receive,
        send: Send,
        facilitator: Facilitates,
        chain: ShowsTransfers | None,
        sale: _Sale,
        purchase: _Purchase,
    ) -> None:
        self._receive = receive
        self._send = send
        self._facilitator = facilitator
        self._chain = chain
        self._sale = sale
        self._purchase = purchase
        self._refused = False

    async def receive(self) -> Message:
        """What the client sends. That it has left is kept from the handler while its paid answer may still be kept."""
        message = await self._receive()
        if message["type"] == "http.disconnect" and self._purchase.settled:
            await self._purchase.too_long.wait()
        return message

    async def send(self, message: Message) -> None:
        """What the handler answers; from a settlement that failed on, nothing of it gets through."""
        if self._refused:
            return
        if message["type"] == "http.response.start" and 200 <= message["status"] < 300:
            self._refused = not await self._settle(message)
            if self._refused:
                return
        if not self._purchase.settled:
            await self._send(message)
            return
        self._keep(message)
        with suppress(OSError):  # the client has left; what it paid for is still made, and kept
            await self._send(message)

    async def _settle(self, message: Message) -> bool:
        sale = self._sale
        self._purchase.unsettled = True
        try:
            settlement = await self._facilitator.settle(sale.payment, sale.requirements, claim=self._purchase.claim)
            if settlement.success:
                await self._see(settlement)
        except Unavailable as error:
            await _send_unavailable(self._send, error)
            return False
        self._purchase.unsettled = False
        receipt = headers.encode_payment_response_header(settlement)
        if not settlement.success:
            reason = settlement.error_reason or "The payment did not settle"
            await _send_challenge(self._send, sale.offer, sale.resource, reason, {headers.PAYMENT_RESPONSE: receipt})
            return False
        self._purchase.settled = True
        log.info("sale.settled", resource=sale.resource, transaction=settlement.transaction, payer=settlement.payer)
        answer = MutableHeaders(scope=message)
        answer[headers.PAYMENT_RESPONSE] = receipt
        answer["cache-control"] = "no-store"
        return True

    async def _see(self, settlement: SettleResponse) -> None:
        """Raises Unavailable until the chain shows what the facilitator says."""
        if self._chain is None:
            return
        for pause in _LOOKS_SECONDS:
            await asyncio.sleep(pause)
            if await self._chain.transfer_in(settlement.transaction, self._sale.authorization) is not None:
                return
        log.warning("sale.not_on_chain", resource=self._sale.resource, transaction=settlement.transaction)
        raise FacilitatorUnavailable("The facilitator says that this payment settled, and the chain does not show it.")

    def _keep(self, message: Message) -> None:
        purchase = self._purchase
        purchase.answer_bytes += len(message.get("body", b""))
        if purchase.answer_bytes > _JOURNAL_ANSWER_BYTES_MAX:
            purchase.answer.clear()
            purchase.too_long.set()
            return
        purchase.answer.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            purchase.replayable = True


def _route_path(scope: Scope) -> str:
    """The path that the application's routes see: without the prefix under which it is mounted."""
    path, root = str(scope["path"]), str(scope.get("root_path", "")).rstrip("/")
    return path[len(root) :] if root and (path == root or path.startswith(root + "/")) else path


def _accepts(offered: PaymentRequirements, accepted: PaymentRequirements) -> bool:
    """Whether the payer accepted these very terms; addresses compare without case."""
    return (
        offered.scheme == accepted.scheme
        and offered.network == accepted.network
        and offered.amount == accepted.amount
        and offered.asset.lower() == accepted.asset.lower()
        and offered.pay_to.lower() == accepted.pay_to.lower()
    )


async def _send_challenge(
    send: Send, offer: Offer, resource: str, error: str, extra: dict[str, str] | None = None
) -> None:
    required = PaymentRequired(
        error=error,
        resource=ResourceInfo(url=resource, description=offer.description, mime_type=offer.mime_type),
        accepts=[offer.requirements()],
    )
    head = {headers.PAYMENT_REQUIRED: headers.encode_payment_required_header(required), **(extra or {})}
    await _send_json(send, 402, required.model_dump(mode="json", by_alias=True, exclude_none=True), head)


async def _send_unavailable(send: Send, error: Unavailable) -> None:
    await _send_json(send, 503, error.as_dict(), {"retry-after": "1"})


async def _refuse(scope: Scope, receive: Receive, send: Send, reason: str) -> None:
    if scope["type"] == "http":
        await _send_json(send, 400, {"error": reason})
        return
    await receive()
    await send({"type": "websocket.close", "code": 1008, "reason": reason})


async def _send_json(send: Send, status: int, body: dict[str, Any], extra: dict[str, str] | None = None) -> None:
    content = json.dumps(body).encode()
    head = {
        "content-type": "application/json",
        "content-length": str(len(content)),
        "cache-control": "no-store",
        **(extra or {}),
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": content})


__all__ = ["Facilitates", "Offer", "OfferFor", "PaymentGuard", "ShowsTransfers", "fixed_offers"]
