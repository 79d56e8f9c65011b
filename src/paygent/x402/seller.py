"""The seller's guard: ASGI middleware that puts a price on routes of any FastAPI or Starlette application.

    app.add_middleware(PaymentGuard, facilitator=…, offer_for=fixed_offers({("GET", "/data"): Offer(…)}))

The handler runs after the payment is verified; the money moves when it has begun a good answer, before its first byte
leaves. So nobody pays for an error, nothing is given away, and an answer may stream. One payment buys one request:
whoever presents it again, at once or later, gets the answer that it bought; on another resource it buys nothing.
The journal of sales is this process's memory; after a restart the chain's used nonces still refuse every old payment.
"""

from __future__ import annotations

import asyncio
import json
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from paygent.errors import InvalidInput, Unavailable
from paygent.evm.abi import checksum_address
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


class Facilitates(Protocol):
    """What the guard asks of a facilitator: `FacilitatorClient` and `Facilitator` both do."""

    async def verify(self, payment: PaymentPayload, requirements: PaymentRequirements) -> VerifyResponse: ...
    async def settle(self, payment: PaymentPayload, requirements: PaymentRequirements) -> SettleResponse: ...


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

    request: str
    done: asyncio.Event = field(default_factory=asyncio.Event)
    answer: list[Message] = field(default_factory=list)
    answer_bytes: int = 0
    settled: bool = False
    # Settlement was asked for and its outcome is unknown.
    unsettled: bool = False
    # The whole answer is in `answer`.
    replayable: bool = False


class PaymentGuard:
    """See the module. Answers of up to 256 KiB are kept for re-presented payments, the newest 10,000 of them."""

    def __init__(self, app: ASGIApp, *, facilitator: Facilitates, offer_for: OfferFor) -> None:
        self._app = app
        self._facilitator = facilitator
        self._offer_for = offer_for
        self._purchases: OrderedDict[tuple[str, str, bytes], _Purchase] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        offer = self._offer_for(scope["method"], scope["path"]) if scope["type"] == "http" else None
        if offer is None:
            await self._app(scope, receive, send)
            return
        resource = str(URL(scope=scope))
        requirements = offer.requirements()
        header = Headers(scope=scope).get(headers.PAYMENT_SIGNATURE)
        if header is None:
            await _send_challenge(send, offer, resource, "Payment required")
            return
        try:
            payment = headers.decode_payment(header)
            authorization, _ = authorization_of(payment.payload)
        except (InvalidInput, ValueError) as error:
            await _send_json(send, 400, {"error": str(error)})
            return
        if not _accepts(requirements, payment.accepted):
            await _send_challenge(send, offer, resource, "The payment is for other terms than these")
            return
        key = (requirements.asset, authorization.payer, authorization.nonce)
        await self._sell_once(scope, receive, send, _Sale(offer, resource, requirements, payment, key))

    async def _sell_once(self, scope: Scope, receive: Receive, send: Send, sale: _Sale) -> None:
        offer, resource, key = sale.offer, sale.resource, sale.key
        request = f"{scope['method']} {resource}"
        while (earlier := self._purchases.get(key)) is not None:
            if earlier.request != request:
                await _send_challenge(send, offer, resource, "This payment was presented for another resource")
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
        purchase = self._purchases[key] = _Purchase(request)
        while len(self._purchases) > _JOURNAL_ENTRIES_MAX:
            self._purchases.popitem(last=False)
        try:
            await self._sell(scope, receive, send, sale, purchase, is_retry=earlier is not None)
        finally:
            if not (purchase.settled or purchase.unsettled) and self._purchases.get(key) is purchase:
                del self._purchases[key]
            purchase.done.set()

    async def _sell(
        self, scope: Scope, receive: Receive, send: Send, sale: _Sale, purchase: _Purchase, *, is_retry: bool
    ) -> None:
        try:
            # A payment whose settlement was asked for may be used by now: settling it again tells.
            if not is_retry:
                verified = await self._facilitator.verify(sale.payment, sale.requirements)
                if not verified.is_valid:
                    reason = verified.invalid_reason or "The payment is not valid"
                    await _send_challenge(send, sale.offer, sale.resource, reason)
                    return
            await self._app(scope, receive, _SettlingSend(send, self._facilitator, sale, purchase))
        except Unavailable as error:
            if purchase.settled:
                raise
            purchase.unsettled |= is_retry
            await _send_json(send, 503, error.as_dict(), {"retry-after": "1"})


@dataclass(frozen=True, slots=True)
class _Sale:
    offer: Offer
    resource: str
    requirements: PaymentRequirements
    payment: PaymentPayload
    key: tuple[str, str, bytes]


class _SettlingSend:
    """An ASGI `send` that settles before a good answer's first byte, and keeps the answer for later."""

    def __init__(self, send: Send, facilitator: Facilitates, sale: _Sale, purchase: _Purchase) -> None:
        self._send = send
        self._facilitator = facilitator
        self._sale = sale
        self._purchase = purchase
        self._refused = False

    async def __call__(self, message: Message) -> None:
        if self._refused:
            return
        is_good_start = message["type"] == "http.response.start" and message["status"] < 400
        if is_good_start and not await self._settle(message):
            self._refused = True
            return
        if self._purchase.settled:
            self._keep(message)
        await self._send(message)

    async def _settle(self, message: Message) -> bool:
        sale = self._sale
        self._purchase.unsettled = True
        settlement = await self._facilitator.settle(sale.payment, sale.requirements)
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

    def _keep(self, message: Message) -> None:
        purchase = self._purchase
        purchase.answer_bytes += len(message.get("body", b""))
        if purchase.answer_bytes > _JOURNAL_ANSWER_BYTES_MAX:
            purchase.answer.clear()
            return
        purchase.answer.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            purchase.replayable = True


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


__all__ = ["Facilitates", "Offer", "OfferFor", "PaymentGuard", "fixed_offers"]
