"""EIP-3009 transfer authorizations (https://eips.ethereum.org/EIPS/eip-3009): the artefact of an `exact` x402 payment.

`TransferAuthorization` is what is signed; `Eip3009Token` reads and decodes a token that honours it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError

from paygent.errors import ChainUnavailable, RpcError, UnknownAsset
from paygent.evm.abi import decode, encode_call, keccak, to_address, to_bytes, to_hex, to_word, topic
from paygent.evm.eip712 import Domain, address_word, word
from paygent.evm.rpc import Call, JsonRpc
from paygent.money import Amount, Asset

_TYPEHASH = keccak(
    b"TransferWithAuthorization(address from,address to,uint256 value,"
    b"uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_TRANSFER_VRS = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)"
_TRANSFER_BYTES = "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)"
_TRANSFER_TOPIC = topic("Transfer(address,address,uint256)")
_USED_TOPIC = topic("AuthorizationUsed(address,bytes32)")


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


@dataclass(frozen=True, slots=True)
class AuthorizationOutcome:
    """What the chain says of an authorization: used (by which transaction, moving what), and as of which block."""

    used: bool
    block_number: int
    block_timestamp: int
    transfer: TransferLog | None = None


def transfer_of(
    authorization: TransferAuthorization, asset: Asset, logs: Sequence[dict[str, Any]]
) -> TransferLog | None:
    """The Transfer that honours `authorization` among a transaction's logs, or None.

    A receipt's status proves nothing (a token may answer without moving money): only this pair of logs does.
    """
    nonce = to_hex(authorization.nonce)
    used = any(
        log["address"].lower() == asset.address
        and log["topics"][:3] == [_USED_TOPIC, to_word(authorization.payer), nonce]
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
    if len(topics) != 3 or topics[0] != _TRANSFER_TOPIC:
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


class Eip3009Token:
    """A token whose domain was checked against the contract; build it with `open`."""

    def __init__(self, rpc: JsonRpc, asset: Asset, domain: Domain) -> None:
        self.rpc = rpc
        self.asset = asset
        self.domain = domain

    @classmethod
    async def open(
        cls, rpc: JsonRpc, *, chain_id: int, address: str, versions: Sequence[str] = ("1", "2")
    ) -> Eip3009Token:
        """Read symbol, decimals and EIP-712 name from the contract; find the version that its DOMAIN_SEPARATOR proves.

        Raises UnknownAsset when there is no contract, or none of `versions` explains its separator.
        """
        address = address.lower()
        to_call = ("symbol()", "decimals()", "name()", "DOMAIN_SEPARATOR()")
        results = await rpc.batch(
            [Call("eth_getCode", (address, "latest"))]
            + [Call("eth_call", ({"to": address, "data": to_hex(encode_call(s))}, "latest")) for s in to_call]
        )
        for result in results:
            if isinstance(result, RpcError):
                raise UnknownAsset(f"{address} on chain {chain_id} is no EIP-3009 token: {result.detail}")
        if results[0] in ("0x", None):
            raise UnknownAsset(f"There is no contract at {address} on chain {chain_id}.")
        try:
            (symbol,) = decode(("string",), to_bytes(results[1]))
            (decimals,) = decode(("uint8",), to_bytes(results[2]))
            (name,) = decode(("string",), to_bytes(results[3]))
        except (DecodingError, ValueError) as error:
            raise UnknownAsset(f"{address} on chain {chain_id} is no ERC-20 token with a name.") from error
        for version in versions:
            domain = Domain(name, version, chain_id, address)
            if to_hex(domain.separator) == results[4]:
                return cls(rpc, Asset(chain_id, address, symbol, decimals), domain)
        raise UnknownAsset(
            f"{symbol} at {address} has a DOMAIN_SEPARATOR() that no version of {', '.join(versions)} explains; "
            "signing for it would be a guess."
        )

    def amount(self, base_units: int) -> Amount:
        """`base_units` of this token."""
        return Amount(base_units, self.asset)

    async def balance(self, owner: str) -> Amount:
        """The owner's balance in the latest block."""
        result = await self.rpc.call(
            "eth_call",
            {"to": self.asset.address, "data": to_hex(encode_call("balanceOf(address)", owner))},
            "latest",
        )
        return Amount(int(result, 16), self.asset)

    async def outcome(
        self, authorization: TransferAuthorization, *, from_block: int, confirmations: int
    ) -> AuthorizationOutcome:
        """What happened to `authorization` as of the newest block that is `confirmations` deep (1 = the head).

        `from_block` is a block before which it cannot have been used. Raises ChainUnavailable.
        """
        head = int(await self.rpc.call("eth_blockNumber"), 16)
        final = max(head - (confirmations - 1), 0)
        tag = hex(final)
        state_call = encode_call("authorizationState(address,bytes32)", authorization.payer, authorization.nonce)
        state, block = await self.rpc.batch(
            [
                Call("eth_call", ({"to": self.asset.address, "data": to_hex(state_call)}, tag)),
                Call("eth_getBlockByNumber", (tag, False)),
            ]
        )
        for result in (state, block):
            if isinstance(result, RpcError):
                raise result
        if block is None:
            raise ChainUnavailable(f"{self.rpc.host} does not know its own block {final}.")
        timestamp = int(block["timestamp"], 16)
        if int(state, 16) == 0:
            return AuthorizationOutcome(used=False, block_number=final, block_timestamp=timestamp)
        transfer = await self._find_transfer(authorization, from_block=from_block, to_block=final)
        return AuthorizationOutcome(used=True, block_number=final, block_timestamp=timestamp, transfer=transfer)

    async def _find_transfer(
        self, authorization: TransferAuthorization, *, from_block: int, to_block: int
    ) -> TransferLog | None:
        logs = await self.rpc.call(
            "eth_getLogs",
            {
                "address": self.asset.address,
                "fromBlock": hex(from_block),
                "toBlock": hex(to_block),
                "topics": [_USED_TOPIC, to_word(authorization.payer), to_hex(authorization.nonce)],
            },
        )
        if not logs:
            return None  # used by cancelAuthorization: the nonce is gone and nothing moved
        receipt = await self.rpc.call("eth_getTransactionReceipt", logs[0]["transactionHash"])
        if receipt is None:
            raise ChainUnavailable(f"{self.rpc.host} has a log but not its receipt; ask again.")
        return transfer_of(authorization, self.asset, receipt["logs"])

    async def transfers(self, *, from_block: int, to_block: int, recipient: str | None = None) -> list[TransferLog]:
        """Every Transfer of this token, or every one to `recipient`, within the two blocks, both included."""
        logs = await self.rpc.call(
            "eth_getLogs",
            {
                "address": self.asset.address,
                "fromBlock": hex(from_block),
                "toBlock": hex(to_block),
                "topics": [_TRANSFER_TOPIC] if recipient is None else [_TRANSFER_TOPIC, None, to_word(recipient)],
            },
        )
        return [transfer for log in logs if (transfer := decode_transfer(log)) is not None]
