"""The contract BridgedUSDC; `make artifacts` writes this file from its ABI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from paygent.evm.calls import Contract, call_data, decode_log


@dataclass(frozen=True, slots=True)
class Eip712DomainResult:
    """What `eip712Domain` answers."""

    fields: bytes
    name: str
    version: str
    chain_id: int
    verifying_contract: str
    salt: bytes
    extensions: tuple[int, ...]

    @classmethod
    def of(cls, value: Sequence[Any]) -> Eip712DomainResult:
        """From a decoded tuple."""
        return cls(value[0], value[1], value[2], value[3], value[4], value[5], value[6])


@dataclass(frozen=True, slots=True)
class Approval:
    """The event `Approval`."""

    topic: ClassVar[str] = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925"
    owner: str
    spender: str
    value: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Approval | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True), ("uint256", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


@dataclass(frozen=True, slots=True)
class AuthorizationCanceled:
    """The event `AuthorizationCanceled`."""

    topic: ClassVar[str] = "0x1cdd46ff242716cdaa72d159d339a485b3438398348d68f09d7c8c0a59353d81"
    authorizer: str
    nonce: bytes

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> AuthorizationCanceled | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("bytes32", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class AuthorizationUsed:
    """The event `AuthorizationUsed`."""

    topic: ClassVar[str] = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5"
    authorizer: str
    nonce: bytes

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> AuthorizationUsed | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("bytes32", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class EIP712DomainChanged:
    """The event `EIP712DomainChanged`."""

    topic: ClassVar[str] = "0x0a6387c9ea3628b88a633bb4f3b151770f70085117a15f9bf3787cda53f13d31"

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> EIP712DomainChanged | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (), emitter)
        return None if values is None else cls()


@dataclass(frozen=True, slots=True)
class Transfer:
    """The event `Transfer`."""

    topic: ClassVar[str] = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"
    from_: str
    to: str
    value: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Transfer | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True), ("uint256", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


class BridgedUSDC(Contract):
    """The contract BridgedUSDC."""

    async def cancel_authorization_typehash(self, *, at: int | str = "latest") -> bytes:
        """The contract's `CANCEL_AUTHORIZATION_TYPEHASH`."""
        answer: bytes = (await self._read("CANCEL_AUTHORIZATION_TYPEHASH()", ("bytes32",), (), at))[0]
        return answer

    async def domain_separator(self, *, at: int | str = "latest") -> bytes:
        """The contract's `DOMAIN_SEPARATOR`."""
        answer: bytes = (await self._read("DOMAIN_SEPARATOR()", ("bytes32",), (), at))[0]
        return answer

    async def minter(self, *, at: int | str = "latest") -> str:
        """The only account that can create money; nobody can change it."""
        answer: str = (await self._read("MINTER()", ("address",), (), at))[0]
        return answer

    async def permit_typehash(self, *, at: int | str = "latest") -> bytes:
        """The contract's `PERMIT_TYPEHASH`."""
        answer: bytes = (await self._read("PERMIT_TYPEHASH()", ("bytes32",), (), at))[0]
        return answer

    async def receive_with_authorization_typehash(self, *, at: int | str = "latest") -> bytes:
        """The contract's `RECEIVE_WITH_AUTHORIZATION_TYPEHASH`."""
        answer: bytes = (await self._read("RECEIVE_WITH_AUTHORIZATION_TYPEHASH()", ("bytes32",), (), at))[0]
        return answer

    async def transfer_with_authorization_typehash(self, *, at: int | str = "latest") -> bytes:
        """The contract's `TRANSFER_WITH_AUTHORIZATION_TYPEHASH`."""
        answer: bytes = (await self._read("TRANSFER_WITH_AUTHORIZATION_TYPEHASH()", ("bytes32",), (), at))[0]
        return answer

    async def allowance(self, owner: str, spender: str, *, at: int | str = "latest") -> int:
        """The contract's `allowance`."""
        answer: int = (await self._read("allowance(address,address)", ("uint256",), (owner, spender), at))[0]
        return answer

    @staticmethod
    def approve(spender: str, value: int) -> bytes:
        """The contract's `approve`."""
        return call_data("approve(address,uint256)", spender, value)

    async def authorization_state(self, authorizer: str, nonce: bytes, *, at: int | str = "latest") -> bool:
        """Whether `nonce` of `authorizer` is gone: its transfer was made, or it was cancelled."""
        answer: bool = (await self._read("authorizationState(address,bytes32)", ("bool",), (authorizer, nonce), at))[0]
        return answer

    async def balance_of(self, account: str, *, at: int | str = "latest") -> int:
        """The contract's `balanceOf`."""
        answer: int = (await self._read("balanceOf(address)", ("uint256",), (account,), at))[0]
        return answer

    @staticmethod
    def cancel_authorization_v_r_s(authorizer: str, nonce: bytes, v: int, r: bytes, s: bytes) -> bytes:
        """The contract's `cancelAuthorization`."""
        return call_data("cancelAuthorization(address,bytes32,uint8,bytes32,bytes32)", authorizer, nonce, v, r, s)

    @staticmethod
    def cancel_authorization_signature(authorizer: str, nonce: bytes, signature: bytes) -> bytes:
        """Make `nonce` unusable before it is used: how a signed payment is taken back."""
        return call_data("cancelAuthorization(address,bytes32,bytes)", authorizer, nonce, signature)

    async def decimals(self, *, at: int | str = "latest") -> int:
        """The contract's `decimals`."""
        answer: int = (await self._read("decimals()", ("uint8",), (), at))[0]
        return answer

    async def eip712_domain(self, *, at: int | str = "latest") -> Eip712DomainResult:
        """The contract's `eip712Domain`."""
        return Eip712DomainResult.of(
            await self._read(
                "eip712Domain()", ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"), (), at
            )
        )

    @staticmethod
    def mint(to: str, value: int) -> bytes:
        """Create `value` base units for `to`."""
        return call_data("mint(address,uint256)", to, value)

    async def name(self, *, at: int | str = "latest") -> str:
        """The contract's `name`."""
        answer: str = (await self._read("name()", ("string",), (), at))[0]
        return answer

    async def nonces(self, owner: str, *, at: int | str = "latest") -> int:
        """The contract's `nonces`."""
        answer: int = (await self._read("nonces(address)", ("uint256",), (owner,), at))[0]
        return answer

    @staticmethod
    def permit_signature(owner: str, spender: str, value: int, deadline: int, signature: bytes) -> bytes:
        """Allow `spender` to move `value` as `owner` signed it."""
        return call_data("permit(address,address,uint256,uint256,bytes)", owner, spender, value, deadline, signature)

    @staticmethod
    def permit_v_r_s(owner: str, spender: str, value: int, deadline: int, v: int, r: bytes, s: bytes) -> bytes:
        """The contract's `permit`."""
        return call_data(
            "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", owner, spender, value, deadline, v, r, s
        )

    @staticmethod
    def receive_with_authorization_signature(
        from_: str, to: str, value: int, valid_after: int, valid_before: int, nonce: bytes, signature: bytes
    ) -> bytes:
        """Move `value` to the caller as `from` signed it."""
        return call_data(
            "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
            from_,
            to,
            value,
            valid_after,
            valid_before,
            nonce,
            signature,
        )

    @staticmethod
    def receive_with_authorization_v_r_s(
        from_: str, to: str, value: int, valid_after: int, valid_before: int, nonce: bytes, v: int, r: bytes, s: bytes
    ) -> bytes:
        """The contract's `receiveWithAuthorization`."""
        return call_data(
            "receiveWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
            from_,
            to,
            value,
            valid_after,
            valid_before,
            nonce,
            v,
            r,
            s,
        )

    async def symbol(self, *, at: int | str = "latest") -> str:
        """The contract's `symbol`."""
        answer: str = (await self._read("symbol()", ("string",), (), at))[0]
        return answer

    async def total_supply(self, *, at: int | str = "latest") -> int:
        """The contract's `totalSupply`."""
        answer: int = (await self._read("totalSupply()", ("uint256",), (), at))[0]
        return answer

    @staticmethod
    def transfer(to: str, value: int) -> bytes:
        """The contract's `transfer`."""
        return call_data("transfer(address,uint256)", to, value)

    @staticmethod
    def transfer_from(from_: str, to: str, value: int) -> bytes:
        """The contract's `transferFrom`."""
        return call_data("transferFrom(address,address,uint256)", from_, to, value)

    @staticmethod
    def transfer_with_authorization_signature(
        from_: str, to: str, value: int, valid_after: int, valid_before: int, nonce: bytes, signature: bytes
    ) -> bytes:
        """Move `value` as `from` signed it. Anyone may present it: that is what spares the payer gas."""
        return call_data(
            "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)",
            from_,
            to,
            value,
            valid_after,
            valid_before,
            nonce,
            signature,
        )

    @staticmethod
    def transfer_with_authorization_v_r_s(
        from_: str, to: str, value: int, valid_after: int, valid_before: int, nonce: bytes, v: int, r: bytes, s: bytes
    ) -> bytes:
        """The contract's `transferWithAuthorization`."""
        return call_data(
            "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)",
            from_,
            to,
            value,
            valid_after,
            valid_before,
            nonce,
            v,
            r,
            s,
        )

    async def version(self, *, at: int | str = "latest") -> str:
        """The EIP-712 version; wallets that do not guess ask for it."""
        answer: str = (await self._read("version()", ("string",), (), at))[0]
        return answer
