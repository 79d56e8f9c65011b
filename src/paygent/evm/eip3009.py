"""EIP-3009 transfer authorizations (https://eips.ethereum.org/EIPS/eip-3009): the artefact of an `exact` x402 payment.

`TransferAuthorization` is what is signed, `transfer_of` what honours it on chain; no I/O.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paygent.evm.abi import encode_call, keccak, to_address, to_hex, to_word, topic
from paygent.evm.eip712 import Domain, address_word, word
from paygent.money import Asset

_TYPEHASH = keccak(
    b"TransferWithAuthorization(address from,address to,uint256 value,"
    b"uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_TRANSFER_VRS = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)"
_TRANSFER_BYTES = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
TRANSFER_TOPIC = topic("Transfer(address,address,uint256)")
USED_TOPIC = topic("AuthorizationUsed(address,bytes32)")
CANCELED_TOPIC = topic("AuthorizationCanceled(address,bytes32)")


@dataclass(frozen=True, slots=True)
class TransferAuthorization:
    """`value` base units from `payer` to `payee`; valid strictly between the two unix times; addresses lower-case."""

    payer: str
    payee: str
    value: int
    valid_after: int
    valid_before: int
    nonce: bytes

    def digest(self, domain: Domain) -> bytes:
        """The 32 bytes that the payer signs."""
        return domain.digest(
            keccak(
                _TYPEHASH
                + address_word(self.payer)
                + address_word(self.payee)
                + word(self.value)
                + word(self.valid_after)
                + word(self.valid_before)
                + self.nonce
            )
        )

    def call_data(self, signature: bytes) -> bytes:
        """Call data of `transferWithAuthorization`: v/r/s form for a 65-byte signature, bytes form for a contract's."""
        arguments = (self.payer, self.payee, self.value, self.valid_after, self.valid_before, self.nonce)
        if len(signature) == 65:
            return encode_call(_TRANSFER_VRS, *arguments, signature[64], signature[:32], signature[32:64])
        return encode_call(_TRANSFER_BYTES, *arguments, signature)


@dataclass(frozen=True, slots=True)
class TransferLog:
    """An ERC-20 `Transfer` as it stands on chain."""

    asset_address: str
    sender: str
    recipient: str
    value: int
    block_number: int
    transaction: str
    log_index: int


def transfer_of(
    authorization: TransferAuthorization, asset: Asset, logs: Sequence[dict[str, Any]]
) -> TransferLog | None:
    """The Transfer that honours `authorization` among a transaction's logs, or None.

    A receipt's status proves nothing (a token may answer without moving money): only this pair of logs does.
    """
    nonce = to_hex(authorization.nonce)
    used = any(
        log["address"].lower() == asset.address
        and log["topics"][:3] == [USED_TOPIC, to_word(authorization.payer), nonce]
        for log in logs
    )
    if not used:
        return None
    for log in logs:
        transfer = decode_transfer(log)
        if (
            transfer is not None
            and transfer.asset_address == asset.address
            and transfer.sender == authorization.payer
            and transfer.recipient == authorization.payee
            and transfer.value == authorization.value
        ):
            return transfer
    return None


def decode_transfer(log: dict[str, Any]) -> TransferLog | None:
    """An ERC-20 Transfer log of a receipt or of eth_getLogs; None for any other log."""
    topics = log["topics"]
    if len(topics) != 3 or topics[0] != TRANSFER_TOPIC:
        return None
    return TransferLog(
        asset_address=log["address"].lower(),
        sender=to_address(topics[1]),
        recipient=to_address(topics[2]),
        value=int(log["data"], 16),
        block_number=int(log["blockNumber"], 16),
        transaction=log["transactionHash"],
        log_index=int(log["logIndex"], 16),
    )
