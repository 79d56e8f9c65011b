"""Verification and settlement of `exact` payments by EIP-3009 (schemes/exact/scheme_exact_evm.md).

A settlement is one stored transaction per (asset, payer, nonce). Whoever asked for it gets its answer as often as they ask
with the same claim, before and after a crash; anybody else is told that it is a duplicate, since a seller takes "settled"
for "deliver". Success means that the chain shows the transfer, not that a transaction was mined.
"""

from __future__ import annotations

import secrets
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from paygent.errors import AlreadySent, RpcError, TransactionReverted
from paygent.evm.abi import encode_call, to_hex
from paygent.evm.eip712 import recover
from paygent.evm.eip3009 import TransferAuthorization, TransferLog, transfer_of
from paygent.evm.rpc import Call
from paygent.evm.tokens import BLOCKS_PER_QUERY, Eip3009Token
from paygent.evm.transactions import TransactionSender
from paygent.telemetry import get_logger
from paygent.x402.types import (
    SCHEME_EXACT,
    X402_VERSION,
    PaymentPayload,
    PaymentRequirements,
    SettleResponse,
    SupportedKind,
    SupportedResponse,
    VerifyResponse,
    authorization_of,
)

log = get_logger(__name__)

# A payment must stay valid long enough to be mined after it was verified.
_VALIDITY_MARGIN_SECONDS = 6
# A settlement takes about 80,000 gas, and a contract's signature a little more. A payer whose contract burns gas pays
# for none of it: the facilitator would.
_SETTLEMENT_GAS_MAX = 400_000
_ERC1271_MAGIC = "1626ba7e"


class _Invalid(Exception):
    """Why a payment is not accepted: the specification's reason, and a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


def _duplicate() -> _Invalid:
    return _Invalid("duplicate_settlement", "This payment was presented before. It pays once.")


class Facilitator:
    """Serves the assets of `tokens`, which share one chain, and settles by `sender`."""

    def __init__(
        self, tokens: Sequence[Eip3009Token], sender: TransactionSender, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._tokens = {(token.asset.network, token.asset.address): token for token in tokens}
        self._sender = sender
        self._clock = clock
        # (asset, payer) → (nonce, value) → how many requests are settling it
        self._under_way: defaultdict[tuple[str, str], Counter[tuple[bytes, int]]] = defaultdict(Counter)

    def supported(self) -> SupportedResponse:
        """The kinds served, one per network, and who signs the settlements."""
        networks = sorted({network for network, _ in self._tokens})
        return SupportedResponse(
            kinds=[SupportedKind(x402_version=X402_VERSION, scheme=SCHEME_EXACT, network=n) for n in networks],
            signers={"eip155:*": [self._sender.address]},
        )

    async def verify(self, payment: PaymentPayload, requirements: PaymentRequirements) -> VerifyResponse:
        """Whether `payment` would settle now. Raises ChainUnavailable when the chain cannot be asked."""
        payer: str | None = None
        try:
            token, authorization, signature = self._check(payment, requirements)
            payer = authorization.payer
            self._check_times(authorization)
            await self._check_signature(token, authorization, signature)
            await self._check_funds(token, authorization, reserved=0)
        except _Invalid as problem:
            return VerifyResponse(
                is_valid=False, invalid_reason=problem.reason, invalid_message=problem.message, payer=payer
            )
        return VerifyResponse(is_valid=True, payer=payer)

    async def settle(
        self, payment: PaymentPayload, requirements: PaymentRequirements, *, claim: str | None = None
    ) -> SettleResponse:
        """Settle `payment` and wait for it; the same payment with the same `claim` gets the same answer.

        Raises ChainUnavailable when the outcome is not known in time: ask again with the same payment and claim.
        """
        payer: str | None = None
        try:
            token, authorization, signature = self._check(payment, requirements)
            payer = authorization.payer
            transfer = await self._settle_once(token, authorization, signature, claim or secrets.token_hex(16))
        except _Invalid as problem:
            log.info("settlement.failed", payer=payer, reason=problem.reason)
            return SettleResponse(
                success=False,
                error_reason=problem.reason,
                error_message=problem.message,
                payer=payer,
                transaction="",
                network=requirements.network,
            )
        log.info("settlement.settled", payer=payer, transaction=transfer.transaction)
        return SettleResponse(
            success=True,
            payer=payer,
            transaction=transfer.transaction,
            network=requirements.network,
            amount=str(authorization.value),
        )

    async def _settle_once(
        self, token: Eip3009Token, authorization: TransferAuthorization, signature: bytes, claim: str
    ) -> TransferLog:
        reference = f"settle:{token.asset.id}:{authorization.payer}:{to_hex(authorization.nonce)}"
        owner = await self._sender.claim_of(reference)
        if owner not in (None, claim):
            raise _duplicate()
        if owner is None:
            self._check_times(authorization)
        await self._check_signature(token, authorization, signature)
        transfer: TransferLog | None = None
        try:
            with self._reserved(token, authorization) as reserved:
                if owner is None:
                    await self._check_funds(token, authorization, reserved)
                mined = await self._sender.send(
                    reference=reference,
                    claim=claim,
                    to=token.asset.address,
                    data=authorization.call_data(signature),
                    gas_max=_SETTLEMENT_GAS_MAX,
                )
            transfer = transfer_of(authorization, token.asset, mined.logs)
            problem = _Invalid("transaction_failed", f"Transaction {mined.hash} was mined and moved no money.")
        except AlreadySent:
            raise _duplicate() from None
        except TransactionReverted as error:
            problem = _Invalid("invalid_exact_evm_transaction_simulation_failed", error.detail)
        except _Invalid as error:
            problem = error
        if transfer is None and await self._sender.claim_of(reference) == claim:
            # Anybody may present an authorization. Somebody was faster than we, and the seller has the money.
            transfer = await self._honoured_by_another(token, authorization)
        if transfer is None:
            raise problem
        return transfer

    async def _honoured_by_another(
        self, token: Eip3009Token, authorization: TransferAuthorization
    ) -> TransferLog | None:
        head = int(await token.rpc.call("eth_blockNumber"), 16)
        recent = max(head - BLOCKS_PER_QUERY + 1, 0)
        return (await token.outcome(authorization, from_block=recent, confirmations=1)).transfer

    @contextmanager
    def _reserved(self, token: Eip3009Token, authorization: TransferAuthorization) -> Iterator[int]:
        """What the payer's other payments under way here will take of its balance; counts this one in meanwhile."""
        under_way = self._under_way[token.asset.id, authorization.payer]
        under_way[authorization.nonce, authorization.value] += 1
        try:
            yield sum(value for nonce, value in under_way if nonce != authorization.nonce)
        finally:
            under_way[authorization.nonce, authorization.value] -= 1
            if not under_way[authorization.nonce, authorization.value]:
                del under_way[authorization.nonce, authorization.value]
            if not under_way:
                self._under_way.pop((token.asset.id, authorization.payer), None)

    def _check(
        self, payment: PaymentPayload, requirements: PaymentRequirements
    ) -> tuple[Eip3009Token, TransferAuthorization, bytes]:
        """What can be checked without the chain, in the order of the specification."""
        accepted = payment.accepted
        if payment.x402_version != X402_VERSION:
            raise _Invalid("invalid_x402_version", "This facilitator speaks x402 version 2.")
        if not (accepted.scheme == requirements.scheme == SCHEME_EXACT):
            raise _Invalid("unsupported_scheme", "Only the scheme `exact` is served.")
        if accepted.network != requirements.network:
            raise _Invalid("network_mismatch", "The payment is for another network than the seller wants.")
        token = self._tokens.get((requirements.network, requirements.asset.lower()))
        if token is None:
            raise _Invalid("invalid_network", f"{requirements.asset} on {requirements.network} is not served.")
        extra = requirements.extra or {}
        if extra.get("assetTransferMethod", "eip3009") != "eip3009":
            raise _Invalid("unsupported_scheme", "Only EIP-3009 transfers are served.")
        for field, reason in (("name", "token_name"), ("version", "token_version")):
            if field in extra and extra[field] != getattr(token.domain, field):
                raise _Invalid(f"invalid_exact_evm_{reason}_mismatch", f"The token's {field} is another.")
        try:
            authorization, signature = authorization_of(payment.payload)
        except ValueError as error:
            raise _Invalid("invalid_payload", str(error)) from error
        if authorization.payee != requirements.pay_to.lower():
            raise _Invalid("invalid_exact_evm_payload_recipient_mismatch", "The payment is to another address.")
        if str(authorization.value) != requirements.amount:
            raise _Invalid("invalid_exact_evm_payload_authorization_value_mismatch", "The amount is another.")
        if authorization.value == 0 or authorization.payer == authorization.payee:
            raise _Invalid("invalid_exact_evm_payload_authorization_value", "This would move no money.")
        return token, authorization, signature

    def _check_times(self, authorization: TransferAuthorization) -> None:
        now = int(self._clock())
        if authorization.valid_before < now + _VALIDITY_MARGIN_SECONDS:
            raise _Invalid("invalid_exact_evm_payload_authorization_valid_before", "The payment has expired.")
        if authorization.valid_after > now:
            raise _Invalid("invalid_exact_evm_payload_authorization_valid_after", "The payment is not valid yet.")

    async def _check_signature(
        self, token: Eip3009Token, authorization: TransferAuthorization, signature: bytes
    ) -> None:
        """By the payer's key, or by the payer's contract (ERC-1271), which is asked with a bound on its gas."""
        digest = authorization.digest(token.domain)
        if recover(digest, signature) == authorization.payer:
            return
        ask = encode_call("isValidSignature(bytes32,bytes)", digest, signature)
        call = {"to": authorization.payer, "data": to_hex(ask), "gas": hex(_SETTLEMENT_GAS_MAX)}
        try:
            answer = await token.rpc.call("eth_call", call, "latest")
        except RpcError:
            answer = ""
        if not str(answer).startswith("0x" + _ERC1271_MAGIC):
            raise _Invalid("invalid_exact_evm_payload_signature", "The payer did not sign this payment.")

    async def _check_funds(self, token: Eip3009Token, authorization: TransferAuthorization, reserved: int) -> None:
        """`reserved` base units of the payer's balance are spoken for."""
        address = token.asset.address
        state = encode_call("authorizationState(address,bytes32)", authorization.payer, authorization.nonce)
        balance = encode_call("balanceOf(address)", authorization.payer)
        answers = await token.rpc.batch(
            [Call("eth_call", ({"to": address, "data": to_hex(data)}, "latest")) for data in (state, balance)]
        )
        for answer in answers:
            if isinstance(answer, RpcError):
                raise answer
        if int(answers[0], 16) != 0:
            raise _Invalid("invalid_exact_evm_nonce_already_used", "This payment was used or cancelled.")
        if int(answers[1], 16) < authorization.value + reserved:
            raise _Invalid("invalid_exact_evm_insufficient_balance", "The payer has too little of the token.")
