"""What the generated bindings stand on: reading a contract, call data with structs, logs as typed events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import IntEnum
from typing import Any, TypeVar

from eth_abi.exceptions import DecodingError

from paygent.errors import ChainUnavailable, RpcError
from paygent.evm.abi import decode, encode_call, to_bytes, to_hex
from paygent.evm.reverts import is_revert, reverted
from paygent.evm.rpc import JsonRpc

_Member = TypeVar("_Member", bound=IntEnum)
_STATIC = ("uint", "int", "address", "bool", "bytes")


class Contract:
    """A contract at an address (lower-case) of the chain behind `rpc`."""

    def __init__(self, rpc: JsonRpc, address: str) -> None:
        self.rpc = rpc
        self.address = address.lower()

    async def _read(
        self, signature: str, returns: tuple[str, ...], arguments: Sequence[Any], at: int | str
    ) -> tuple[Any, ...]:
        """What a view function answers in block `at`, a number or a tag.

        Raises TransactionReverted with the contract's reason, ChainUnavailable when there is no such answer.
        """
        call = {"to": self.address, "data": to_hex(call_data(signature, *arguments))}
        try:
            answer = await self.rpc.call("eth_call", call, hex(at) if isinstance(at, int) else at)
        except RpcError as error:
            if not is_revert(error):
                raise
            raise reverted(error, f"{signature.partition('(')[0]} of {self.address} fails") from error
        try:
            return decode(returns, to_bytes(answer))
        except (DecodingError, ValueError) as error:
            raise ChainUnavailable(
                f"What {self.address} answers to {signature} does not fit: is that contract deployed there?"
            ) from error


def call_data(signature: str, *arguments: Any) -> bytes:
    """Call data; a dataclass among the arguments, or within them, is the tuple of its fields."""
    return encode_call(signature, *(_plain(argument) for argument in arguments))


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return tuple(_plain(getattr(value, part.name)) for part in fields(value))
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def member_of(kind: type[_Member], value: int) -> _Member:
    """The member of an enum in an answer. Raises ChainUnavailable when it has none such: no contract of ours answers so."""
    try:
        return kind(value)
    except ValueError as error:
        raise ChainUnavailable(f"{value} is no {kind.__name__}: is that contract ours?") from error


def decode_log(
    log: Mapping[str, Any], topic: str, parameters: Sequence[tuple[str | type[IntEnum], bool]], emitter: str | None
) -> list[Any] | None:
    """The values of an event with these (type, is indexed) parameters, in their order; None when `log` is another event.

    With `emitter`, another contract's log is another event. An indexed value of dynamic type is its hash, 32 bytes. A
    type may be an enum's class: its value is the member, and where it has none such it is another event.
    """
    topics = log["topics"]
    types = [(kind if isinstance(kind, str) else "uint8", is_indexed) for kind, is_indexed in parameters]
    indexed = [kind if _is_word(kind) else "bytes32" for kind, is_indexed in types if is_indexed]
    if not topics or topics[0] != topic:
        return None
    if emitter is not None and log["address"].lower() != emitter.lower():
        return None
    plain = tuple(kind for kind, is_indexed in types if not is_indexed)
    try:
        # An event of the same signature may index more or fewer of its values: `strict` sees that.
        words = iter([decode((kind,), to_bytes(word))[0] for kind, word in zip(indexed, topics[1:], strict=True)])
        data = iter(decode(plain, to_bytes(log["data"])))
        values = [next(words) if is_indexed else next(data) for _, is_indexed in parameters]
        return [
            value if isinstance(kind, str) else kind(value) for value, (kind, _) in zip(values, parameters, strict=True)
        ]
    except (DecodingError, ValueError):
        return None


def _is_word(kind: str) -> bool:
    """Whether a value of this type stands in a topic as it is (bytes32 does, bytes does not)."""
    return kind.startswith(_STATIC) and kind != "bytes" and not kind.endswith("]")
