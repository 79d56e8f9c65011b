"""A token that takes EIP-3009 authorizations, read from the chain: what it is, its balances, what became of a payment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError

from paygent.errors import ChainUnavailable, RpcError, UnknownAsset
from paygent.evm.abi import decode, encode_call, to_bytes, to_hex, to_word
from paygent.evm.eip712 import Domain
from paygent.evm.eip3009 import (
    CANCELED_TOPIC,
    TRANSFER_TOPIC,
    USED_TOPIC,
    TransferAuthorization,
    TransferLog,
    decode_transfer,
    transfer_of,
)
from paygent.evm.rpc import Call, JsonRpc
from paygent.money import Amount, Asset

# Public nodes refuse eth_getLogs over wide ranges.
BLOCKS_PER_QUERY = 2_000


@dataclass(frozen=True, slots=True)
class AuthorizationOutcome:
    """What the chain says of an authorization as of a block: honoured by `transfer`, `is_cancelled`, or neither yet."""

    block_number: int
    block_timestamp: int
    transfer: TransferLog | None = None
    is_cancelled: bool = False


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

    async def balance(self, owner: str, *, block_number: int | None = None) -> Amount:
        """The owner's balance in the latest block, or in the one named."""
        result = await self.rpc.call(
            "eth_call",
            {"to": self.asset.address, "data": to_hex(encode_call("balanceOf(address)", owner))},
            "latest" if block_number is None else hex(block_number),
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
            return AuthorizationOutcome(final, timestamp)
        log = await self._find_use(authorization, from_block=from_block, to_block=final)
        if log["topics"][0] == CANCELED_TOPIC:
            return AuthorizationOutcome(final, timestamp, is_cancelled=True)
        transfer = await self.transfer_in(log["transactionHash"], authorization)
        if transfer is None:
            raise ChainUnavailable(f"{self.rpc.host} shows that the payment was made, and not its transfer; ask again.")
        return AuthorizationOutcome(final, timestamp, transfer=transfer)

    async def transfer_in(self, transaction: str, authorization: TransferAuthorization) -> TransferLog | None:
        """The transfer that honours `authorization` in this transaction; None when it is not there, or not yet mined."""
        receipt = await self.rpc.call("eth_getTransactionReceipt", transaction)
        return None if receipt is None else transfer_of(authorization, self.asset, receipt["logs"])

    async def _find_use(
        self, authorization: TransferAuthorization, *, from_block: int, to_block: int
    ) -> dict[str, Any]:
        """The log by which a used nonce was used. Raises ChainUnavailable when there is none to be seen.

        That it is missing proves nothing: a node may lag behind the one that knows the nonce to be used.
        """
        topics = [[USED_TOPIC, CANCELED_TOPIC], to_word(authorization.payer), to_hex(authorization.nonce)]
        for start in range(from_block, to_block + 1, BLOCKS_PER_QUERY):
            end = min(start + BLOCKS_PER_QUERY - 1, to_block)
            query = {"address": self.asset.address, "fromBlock": hex(start), "toBlock": hex(end), "topics": topics}
            logs: list[dict[str, Any]] = await self.rpc.call("eth_getLogs", query)
            if logs:
                return logs[0]
        raise ChainUnavailable(f"{self.rpc.host} knows that the payment's nonce is used, and not by what; ask again.")

    async def transfers(self, *, from_block: int, to_block: int, recipient: str | None = None) -> list[TransferLog]:
        """Every Transfer of this token, or every one to `recipient`, within the two blocks, both included."""
        logs = await self.rpc.call(
            "eth_getLogs",
            {
                "address": self.asset.address,
                "fromBlock": hex(from_block),
                "toBlock": hex(to_block),
                "topics": [TRANSFER_TOPIC] if recipient is None else [TRANSFER_TOPIC, None, to_word(recipient)],
            },
        )
        return [transfer for log in logs if (transfer := decode_transfer(log)) is not None]
