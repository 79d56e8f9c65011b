"""The contract AgentWalletFactory; `make artifacts` writes this file from its ABI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from paygent.evm.calls import Contract, call_data, decode_log


@dataclass(frozen=True, slots=True)
class TokenLimits:
    """The struct TokenLimits."""

    token: str
    daily: int
    approval_threshold: int
    pocket_ceiling: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> TokenLimits:
        """From a decoded tuple."""
        return cls(value[0], value[1], value[2], value[3])


@dataclass(frozen=True, slots=True)
class Setup:
    """The struct Setup."""

    guardian: str
    operator: str
    operator_expires_at: int
    raise_delay: int
    approvers: tuple[str, ...]
    quorum: int
    limits: tuple[TokenLimits, ...]

    @classmethod
    def of(cls, value: Sequence[Any]) -> Setup:
        """From a decoded tuple."""
        return cls(
            value[0], value[1], value[2], value[3], value[4], value[5], tuple(TokenLimits.of(item) for item in value[6])
        )


@dataclass(frozen=True, slots=True)
class WalletCreated:
    """The event `WalletCreated`."""

    topic: ClassVar[str] = "0xbdbcb584581e4f688b28038d847fa0c73130b688da678029bcb98e32fec769a2"
    owner: str
    wallet: str
    salt: bytes

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> WalletCreated | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True), ("bytes32", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


class AgentWalletFactory(Contract):
    """The contract AgentWalletFactory."""

    async def implementation(self, *, at: int | str = "latest") -> str:
        """What all wallets are copies of. It is the factory's own and holds nothing."""
        answer: str = (await self._read("IMPLEMENTATION()", ("address",), (), at))[0]
        return answer

    @staticmethod
    def create_wallet(salt: bytes, setup: Setup) -> bytes:
        """Make the caller's wallet of this `salt`, ready to use."""
        return call_data(
            (
                "createWallet(bytes32,(address,address,uint64,uint32,address[],uint256,(address,uint112,uint112,"
                "uint112)[]))"
            ),
            salt,
            setup,
        )

    async def is_forbidden(self, selector: bytes, *, at: int | str = "latest") -> bool:
        """Whether `selector` is one that no operator may call, of whatever contract."""
        answer: bool = (await self._read("isForbidden(bytes4)", ("bool",), (selector,), at))[0]
        return answer

    async def wallet_of(self, owner: str, salt: bytes, *, at: int | str = "latest") -> str:
        """Where `owner`'s wallet of this `salt` is, or will be."""
        answer: str = (await self._read("walletOf(address,bytes32)", ("address",), (owner, salt), at))[0]
        return answer
