"""Verification and settlement of `exact` payments by EIP-3009 (schemes/exact/scheme_exact_evm.md).

A settlement is one stored transaction per (asset, payer, nonce): a repeated request finds it and gets the same answer,
before and after a crash. Success means that the chain shows the transfer, not that a transaction was mined.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from paygent.errors import RpcError, TransactionReverted
from paygent.evm.abi import encode_call, to_hex
from paygent.evm.eip712 import recover
from paygent.evm.eip3009 import TransferAuthorization, TransferLog, transfer_of
from paygent.evm.rpc import Call
from paygent.evm.tokens import Eip3009Token
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


class Facilitator:
    """Serves the assets of `tokens`, which share one chain, and settles by `sender`."""

    def __init__(
        self, tokens: Sequence[Eip3009Token], sender: TransactionSender, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._tokens = {(token.asset.network, token.asset.address): token for token in tokens}
        self._sender = sender
        self._clock = clock

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
            await self._check_state(token, authorization, signature)
        except _Invalid as problem:
            return VerifyResponse(
                is_valid=False, invalid_reason=problem.reason, invalid_message=problem.message, payer=payer
            )
        return VerifyResponse(is_valid=True, payer=payer)

    async def settle(self, payment: PaymentPayload, requirements: PaymentRequirements) -> SettleResponse:
        """Settle `payment` and wait for it; the same payment again gets the same answer.

        Raises ChainUnavailable when the outcome is not known in time: ask again with the same payment.
        """
        payer: str | None = None
        transaction = ""
        try:
            token, authorization, signature = self._check(payment, requirements)
            payer = authorization.payer
            transfer = await self._settle_once(token, authorization, signature)
            transaction = transfer.transaction
        except _Invalid as problem:
            log.info("settlement.failed", payer=payer, reason=problem.reason)
            return SettleResponse(
                success=False,
                error_reason=problem.reason,
                error_message=problem.message,
                payer=payer,
                transaction=transaction,
                network=requirements.network,
            )
        log.info("settlement.settled", payer=payer, transaction=transaction)
        return SettleResponse(
            success=True,
            payer=payer,
            transaction=transaction,
            network=requirements.network,
            amount=str(authorization.value),
        )

    async def _settle_once(
        self, token: Eip3009Token, authorization: TransferAuthorization, signature: bytes
    ) -> TransferLog:
        reference = f"settle:{token.asset.id}:{authorization.payer}:{to_hex(authorization.nonce)}"
        if not await self._sender.has_stored(reference):
            try:
                await self._check_state(token, authorization, signature)
            except _Invalid:
                # A settlement of this same payment may have been mined meanwhile: then its answer is ours too.
                if not await self._sender.has_stored(reference):
                    raise
        try:
            mined = await self._sender.send(
                reference=reference,
                to=token.asset.address,
                data=authorization.call_data(signature),
                gas_max=_SETTLEMENT_GAS_MAX,
            )
        except TransactionReverted as error:
            raise _Invalid("invalid_exact_evm_transaction_simulation_failed", error.detail) from error
        transfer = transfer_of(authorization, token.asset, mined.logs)
        if transfer is None:
            raise _Invalid("transaction_failed", f"Transaction {mined.hash} was mined and moved no money.")
        return transfer

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
        return token, authorization, signature

    async def _check_state(self, token: Eip3009Token, authorization: TransferAuthorization, signature: bytes) -> None:
        """What depends on the clock and on the chain: one round trip."""
        now = int(self._clock())
        if authorization.valid_before < now + _VALIDITY_MARGIN_SECONDS:
            raise _Invalid("invalid_exact_evm_payload_authorization_valid_before", "The payment has expired.")
        if authorization.valid_after > now:
            raise _Invalid("invalid_exact_evm_payload_authorization_valid_after", "The payment is not valid yet.")
        digest = authorization.digest(token.domain)
        by_key = recover(digest, signature) == authorization.payer
        address = token.asset.address
        calls = [
            (address, encode_call("balanceOf(address)", authorization.payer)),
            (
                address,
                encode_call("authorizationState(address,bytes32)", authorization.payer, authorization.nonce),
            ),
        ]
        if not by_key:
            ask = encode_call("isValidSignature(bytes32,bytes)", digest, signature)
            calls.append((authorization.payer, ask))
        answers = await token.rpc.batch(
            [Call("eth_call", ({"to": to, "data": to_hex(data)}, "latest")) for to, data in calls]
        )
        for answer in answers[:2]:
            if isinstance(answer, RpcError):
                raise answer
        if not by_key and not str(answers[2]).startswith("0x" + _ERC1271_MAGIC):
            raise _Invalid("invalid_exact_evm_payload_signature", "The payer did not sign this payment.")
        if int(answers[1], 16) != 0:
            raise _Invalid("invalid_exact_evm_nonce_already_used", "This payment was used or cancelled.")
        if int(answers[0], 16) < authorization.value:
            raise _Invalid("invalid_exact_evm_insufficient_balance", "The payer has too little of the token.")
