"""A token that takes EIP-3009 authorizations, read from the chain: what it is, its balances, what became of a payment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi.exceptions import DecodingError

from paygent.errors import ChainUnavailable, RpcError, UnknownAsset
from paygent.evm.abi import decode, encode_call, to_bytes, to_hex, to_word
from paygent.evm.eip712 import Domain
from paygent.evm.eip3009 import (
    TRANSFER_TOPIC,
    USED_TOPIC,
    TransferAuthorization,
    TransferLog,
    decode_transfer,
    transfer_of,
)
from paygent.evm.rpc import Call, JsonRpc
from paygent.money import Amount, Asset


@dataclass(frozen=True, slots=True)
class AuthorizationOutcome:
    """What the chain says of an authorization: used (by which transaction, moving what), and as of which block."""

    used: bool
    block_number: int
    block_timestamp: int
    transfer: TransferLog | None = None


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
                "topics": [USED_TOPIC, to_word(authorization.payer), to_hex(authorization.nonce)],
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
                "topics": [TRANSFER_TOPIC] if recipient is None else [TRANSFER_TOPIC, None, to_word(recipient)],
            },
        )
        return [transfer for log in logs if (transfer := decode_transfer(log)) is not None]
