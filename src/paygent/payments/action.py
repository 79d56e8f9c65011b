"""The x402 payment as an action of the engine: the 402 is the quote, an EIP-3009 authorization is the artefact."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from paygent.errors import InvalidInput, PaymentRefused, PolicyDenied, QuoteMismatch, SellerUnavailable
from paygent.evm.abi import checksum_address, keccak, parse_address
from paygent.evm.eip3009 import TransferAuthorization
from paygent.intents.model import Answer, Effect, Intent, IntentRequest, Outcome, Quote
from paygent.money import UINT256_MAX, Amount
from paygent.text import foreign
from paygent.wallets.pocket import Pocket
from paygent.x402.client import BuyerClient, HttpAnswer, HttpRequest
from paygent.x402.types import (
    SCHEME_EXACT,
    PaymentPayload,
    PaymentRequired,
    PaymentRequirements,
    ResourceInfo,
    authorization_of,
    exact_payload,
)

KIND = "x402_payment"

# A payment is valid a little before now, for clocks that differ, and never longer than this, whatever a seller asks:
# a hold ends only after it.
_CLOCK_SKEW_SECONDS = 600
_VALIDITY_SECONDS_MAX = 600


@dataclass(frozen=True, slots=True)
class Purchase:
    """What to buy: a request, the most that it may cost, and what is known of the seller beforehand.

    `amount_max` and `price` are in base units of the pocket's token.
    """

    http: HttpRequest
    amount_max: Amount | None = None
    price: Amount | None = None
    pay_to: str | None = None

    def intent_request(self, session_id: str) -> IntentRequest:
        """The intent that makes this purchase in a session."""
        arguments = {
            "http": self.http.as_dict(),
            "amount_max": None if self.amount_max is None else self.amount_max.as_dict(),
            "price": None if self.price is None else self.price.as_dict(),
            "pay_to": None if self.pay_to is None else self.pay_to.lower(),
        }
        return IntentRequest(session_id, KIND, arguments)

    @classmethod
    def of(cls, request: IntentRequest) -> Purchase:
        """The purchase that `intent_request` wrote."""
        a = request.arguments
        return cls(
            HttpRequest.from_dict(a["http"]),
            None if a["amount_max"] is None else Amount.from_dict(a["amount_max"]),
            None if a["price"] is None else Amount.from_dict(a["price"]),
            a["pay_to"],
        )


class X402Payment:
    """Pays from `pocket` what `client` is asked for."""

    def __init__(self, pocket: Pocket, client: BuyerClient, *, clock: Callable[[], float] = time.time) -> None:
        self._pocket = pocket
        self._client = client
        self._clock = clock

    def host(self, request: IntentRequest) -> str:
        """The seller's host, with its port where that is not the scheme's own."""
        return Purchase.of(request).http.host

    async def quote(self, request: IntentRequest) -> Quote:
        """Ask without paying. An answer other than 402 is the thing itself, and free."""
        purchase = Purchase.of(request)
        answer = await self._client.send(purchase.http)
        if answer.status != 402:
            return Quote(purchase.http.host, answer=_delivered(answer, purchase.http))
        terms = answer.terms()
        requirements = self._choose(terms, purchase)
        amount = self._price(requirements, purchase)
        if (await self._pocket.balance()).available < amount.base_units:
            await self._pocket.sync()
        return Quote(
            purchase.http.host,
            amount,
            payee=requirements.pay_to.lower(),
            source=self._pocket.account,
            terms={
                "requirements": requirements.model_dump(mode="json", by_alias=True, exclude_none=True),
                "resource": None
                if terms.resource is None
                else terms.resource.model_dump(mode="json", by_alias=True, exclude_none=True),
            },
        )

    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        """Sign. The nonce is a digest of the intent's id, so that one intent can pay once only, whatever is signed."""
        requirements = _requirements(intent)
        token, signer = self._pocket.token, self._pocket.signer
        now = int(self._clock())
        head = int(await token.rpc.call("eth_blockNumber"), 16)
        seed = f"paygent:{token.asset.id}:{signer.address}:{intent.id}"
        authorization = TransferAuthorization(
            payer=signer.address,
            payee=requirements.pay_to.lower(),
            value=int(requirements.amount),
            valid_after=now - _CLOCK_SKEW_SECONDS,
            valid_before=now + min(requirements.max_timeout_seconds, _VALIDITY_SECONDS_MAX),
            nonce=keccak(seed.encode()),
        )
        signature = await signer.sign_digest(authorization.digest(token.domain))
        payload = exact_payload(authorization, signature)
        return {"payload": payload, "from_block": head, "retry_key": secrets.token_hex(16)}

    async def submit(self, intent: Intent) -> Answer:
        """Present the stored payment. Raises PaymentRefused or SellerUnavailable when nothing is delivered."""
        assert intent.quote is not None
        assert intent.artefact is not None
        http = Purchase.of(intent.request).http
        resource = intent.quote["terms"]["resource"]
        payment = PaymentPayload(
            payload=dict(intent.artefact["payload"]),
            accepted=_requirements(intent),
            resource=None if resource is None else ResourceInfo.model_validate(resource),
        )
        answer = await self._client.send(http, payment, retry_key=intent.artefact.get("retry_key"))
        if answer.status == 402:
            raise PaymentRefused(_refusal(answer, _requirements(intent)))
        if answer.status < 500 and answer.says_paid:
            # It took the money for this answer, whatever it is worth.
            return Answer(answer.status, answer.headers, answer.body, answer.is_whole)
        return _delivered(answer, http)

    async def outcome(self, intent: Intent) -> Outcome:
        """Read the authorization's fate from the chain."""
        assert intent.artefact is not None
        authorization, _ = authorization_of(intent.artefact["payload"])
        seen = await self._pocket.token.outcome(
            authorization,
            from_block=int(intent.artefact["from_block"]),
            confirmations=self._pocket.confirmations,
        )
        if seen.transfer is not None:
            return Outcome(Effect.MOVED, seen.transfer.transaction, seen.transfer.block_number)
        if seen.is_cancelled:
            return Outcome(Effect.DEAD, detail="The authorization was cancelled on chain; no money moved.")
        if seen.block_timestamp >= authorization.valid_before:
            return Outcome(
                Effect.DEAD,
                block_number=seen.block_number,
                detail="The authorization expired unused in a final block; no money moved.",
            )
        return Outcome(Effect.OPEN)

    def _choose(self, terms: PaymentRequired, purchase: Purchase) -> PaymentRequirements:
        """The first offer that this pocket can pay and that is what was known of the seller."""
        asset = self._pocket.token.asset
        payable = [
            offer
            for offer in terms.accepts
            if offer.scheme == SCHEME_EXACT and offer.network == asset.network and offer.asset.lower() == asset.address
        ]
        if not payable:
            wants = ", ".join(f"{o.scheme} {o.asset} on {o.network}" for o in terms.accepts[:5]) or "nothing"
            raise QuoteMismatch(
                f"The seller takes {foreign(wants, 400)}; this wallet pays {asset.symbol} ({asset.address}) on {asset.network}."
            )
        offer = payable[0]
        try:
            parse_address(offer.pay_to)
        except InvalidInput as error:
            raise PaymentRefused(f"The seller's terms name no payable address. {error.detail}") from error
        domain = self._pocket.token.domain
        for name in ("name", "version"):
            if (offer.extra or {}).get(name, getattr(domain, name)) != getattr(domain, name):
                raise QuoteMismatch(f"The seller names another EIP-712 {name} for {asset.symbol} than the token has.")
        if (offer.extra or {}).get("assetTransferMethod", "eip3009") != "eip3009":
            raise QuoteMismatch("The seller takes another transfer method than EIP-3009.")
        if purchase.pay_to is not None and offer.pay_to.lower() != purchase.pay_to:
            raise QuoteMismatch(
                f"The seller wants the money at {checksum_address(offer.pay_to)}, and the catalogue says at "
                f"{checksum_address(purchase.pay_to)}. Nothing was paid."
            )
        if offer.pay_to.lower() == self._pocket.signer.address:
            raise QuoteMismatch("The seller wants the money at this wallet's own address. Nothing was paid.")
        return offer

    def _price(self, offer: PaymentRequirements, purchase: Purchase) -> Amount:
        if not re.fullmatch(r"[0-9]{1,78}", offer.amount) or not 0 < int(offer.amount) <= UINT256_MAX:
            raise PaymentRefused(f"The seller's terms name no payable amount: {offer.amount[:80]!r}.")
        amount = self._pocket.token.amount(int(offer.amount))
        if purchase.price is not None and amount != purchase.price:
            raise QuoteMismatch(
                f"The seller asks {amount}, and the catalogue says that it asks {purchase.price}. Nothing was paid."
            )
        if purchase.amount_max is not None and purchase.amount_max < amount:
            raise PolicyDenied(
                f"The seller asks {amount}, more than your maximum of {purchase.amount_max}. Nothing was paid.",
                rule="amount_max",
            )
        return amount


def _requirements(intent: Intent) -> PaymentRequirements:
    assert intent.quote is not None
    return PaymentRequirements.model_validate(intent.quote["terms"]["requirements"])


def _delivered(answer: HttpAnswer, http: HttpRequest) -> Answer:
    if 300 <= answer.status < 400:
        target = foreign(answer.headers.get("location", "another address"))
        raise PaymentRefused(f"{http.host} redirects to {target}. Payments follow no redirect: use that URL itself.")
    if answer.status >= 400:
        raise SellerUnavailable(
            f"{http.host} answered with HTTP {answer.status}{_explanation(answer)}", http_status=answer.status
        )
    return Answer(answer.status, answer.headers, answer.body, answer.is_whole)


def _explanation(answer: HttpAnswer) -> str:
    """What a JSON answer says of its error, as the end of a sentence of ours."""
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        return "."
    fields = document if isinstance(document, dict) else {}
    said = next((fields[name] for name in ("detail", "error", "message") if isinstance(fields.get(name), str)), None)
    return f": {foreign(said)}" if said else "."


def _refusal(answer: HttpAnswer, accepted: PaymentRequirements) -> str:
    try:
        terms = answer.terms()
    except PaymentRefused:
        return "The seller refused the payment and did not say why."
    changed = [o for o in terms.accepts if (o.amount, o.pay_to.lower()) == (accepted.amount, accepted.pay_to.lower())]
    if not changed:
        return "The seller changed its terms after the quote. Nothing more was signed."
    return f"The seller refused the payment: {foreign(terms.error or 'no reason given', 300)}"
