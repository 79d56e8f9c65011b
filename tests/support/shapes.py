"""The contract Shapes; `make artifacts` writes this file from its ABI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

from paygent.evm.calls import Contract, call_data, decode_log, member_of


class Kind(IntEnum):
    """The enum Kind."""

    SMALL = 0
    LARGE = 1


@dataclass(frozen=True, slots=True)
class Point:
    """The struct Point."""

    x: int
    y: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Point:
        """From a decoded tuple."""
        return cls(value[0], value[1])


@dataclass(frozen=True, slots=True)
class Point2:
    """The struct Point2."""

    z: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Point2:
        """From a decoded tuple."""
        return cls(value[0])


@dataclass(frozen=True, slots=True)
class Figure:
    """The struct Figure."""

    owner: str
    points: tuple[Point, ...]
    centre: Point
    data: bytes
    marks: tuple[bytes, ...]
    kind: Kind

    @classmethod
    def of(cls, value: Sequence[Any]) -> Figure:
        """From a decoded tuple."""
        return cls(
            value[0],
            tuple(Point.of(item) for item in value[1]),
            Point.of(value[2]),
            value[3],
            value[4],
            member_of(Kind, value[5]),
        )


@dataclass(frozen=True, slots=True)
class EchoResult:
    """What `echo` answers."""

    same: Figure
    also_same: tuple[tuple[Point, ...], ...]

    @classmethod
    def of(cls, value: Sequence[Any]) -> EchoResult:
        """From a decoded tuple."""
        return cls(Figure.of(value[0]), tuple(tuple(Point.of(item_) for item_ in item) for item in value[1]))


@dataclass(frozen=True, slots=True)
class Indexed:
    """The event `Indexed`."""

    topic: ClassVar[str] = "0x8993c90aeafa8970e356af56aa95078669706244cf80513e8541ae0fc7865dc9"
    point: bytes
    points: tuple[Point2, ...]

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Indexed | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("(int128,uint256)", True), ("(uint8)[]", False)), emitter)
        return None if values is None else cls(values[0], tuple(Point2.of(item) for item in values[1]))


@dataclass(frozen=True, slots=True)
class Moved:
    """The event `Moved`."""

    topic: ClassVar[str] = "0xaa8372885323576685ae0652119aee333a749ac57c4bfc5ea0c7df5577ff0c3a"
    from_: str
    to: Point
    data: bytes
    id: bytes
    last: bool

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Moved | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (("address", True), ("(int128,uint256)", False), ("bytes", False), ("bytes32", True), ("bool", False)),
            emitter,
        )
        return None if values is None else cls(values[0], Point.of(values[1]), values[2], values[3], values[4])


@dataclass(frozen=True, slots=True)
class NamedStringString:
    """The event `Named`."""

    topic: ClassVar[str] = "0x8cb173b152503e81ba6b4e17efd6951c58dfe54d89b5d7172fee5e63d16c3164"
    name: bytes
    plain: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> NamedStringString | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("string", True), ("string", False)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class NamedUint256:
    """The event `Named`."""

    topic: ClassVar[str] = "0x777a0592353ae62153e2a1e2794c3996571e5dd9bfb633b5a0a4bdf8675e5c43"
    count: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> NamedUint256 | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("uint256", True),), emitter)
        return None if values is None else cls(values[0])


@dataclass(frozen=True, slots=True)
class Nothing:
    """The event `Nothing`."""

    topic: ClassVar[str] = "0xf9820cc132b89dd54523d3427f62edb25f113e8cd2efd7b6b2513f209fd24cba"

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Nothing | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (), emitter)
        return None if values is None else cls()


class Shapes(Contract):
    """Every shape that a binding has to know: it keeps nothing but what it was made with, and answers what it is
    told.
    """

    async def factor(self, *, at: int | str = "latest") -> int:
        """The contract's `FACTOR`."""
        answer: int = (await self._read("FACTOR()", ("uint256",), (), at))[0]
        return answer

    async def maker(self, *, at: int | str = "latest") -> str:
        """What it was made with."""
        answer: str = (await self._read("MAKER()", ("address",), (), at))[0]
        return answer

    async def address_(self, *, at: int | str = "latest") -> str:
        """The contract's `address_`."""
        answer: str = (await self._read("address_()", ("address",), (), at))[0]
        return answer

    async def block_number(self, *, at: int | str = "latest") -> int:
        """The contract's `blockNumber`."""
        answer: int = (await self._read("blockNumber()", ("uint256",), (), at))[0]
        return answer

    @staticmethod
    def convert_uint256(value: int) -> bytes:
        """The contract's `convert`."""
        return call_data("convert(uint256)", value)

    @staticmethod
    def convert_int256(value: int) -> bytes:
        """The contract's `convert`."""
        return call_data("convert(int256)", value)

    async def echo(self, figure: Figure, grid: Sequence[Sequence[Point]], *, at: int | str = "latest") -> EchoResult:
        """The same figure.

        Its owner is "kept" as it is, its `data` too, with a \\ in it, and so long a sentence about it that it
        does not fit on one line any more.
        """
        return EchoResult.of(
            await self._read(
                "echo((address,(int128,uint256)[],(int128,uint256),bytes,bytes32[2],uint8),(int128,uint256)[][])",
                ("(address,(int128,uint256)[],(int128,uint256),bytes,bytes32[2],uint8)", "(int128,uint256)[][]"),
                (figure, grid),
                at,
            )
        )

    @staticmethod
    def emit_all(to: Point, data: bytes, name: str) -> bytes:
        """The contract's `emitAll`."""
        return call_data("emitAll((int128,uint256),bytes,string)", to, data, name)

    async def fail(self, how: int, *, at: int | str = "latest") -> None:
        """The contract's `fail`."""
        await self._read("fail(uint256)", (), (how,), at)

    async def figures(self, list_: Sequence[Figure], *, at: int | str = "latest") -> tuple[Figure, ...]:
        """The contract's `figures`."""
        answer: tuple[Figure, ...] = tuple(
            Figure.of(item)
            for item in (
                await self._read(
                    "figures((address,(int128,uint256)[],(int128,uint256),bytes,bytes32[2],uint8)[])",
                    ("(address,(int128,uint256)[],(int128,uint256),bytes,bytes32[2],uint8)[]",),
                    (list_,),
                    at,
                )
            )[0]
        )
        return answer

    async def kinds(self, list_: Sequence[Kind], *, at: int | str = "latest") -> tuple[tuple[Kind, ...], Kind]:
        """The contract's `kinds`."""
        answer = await self._read("kinds(uint8[])", ("uint8[]", "uint8"), (list_,), at)
        return (tuple(member_of(Kind, item) for item in answer[0]), member_of(Kind, answer[1]))

    @staticmethod
    def move_data(to: str, value: int, data: bytes) -> bytes:
        """The contract's `move`."""
        return call_data("move(address,uint256,bytes)", to, value, data)

    @staticmethod
    def move(to: str, value: int) -> bytes:
        """The contract's `move`."""
        return call_data("move(address,uint256)", to, value)

    async def nothing(self, *, at: int | str = "latest") -> None:
        """The contract's `nothing`."""
        await self._read("nothing()", (), (), at)

    @staticmethod
    def pay(from_: int, at_: int, self_: bytes) -> bytes:
        """The contract's `pay`. It takes CRO."""
        return call_data("pay(uint256,uint256,bytes)", from_, at_, self_)

    async def unnamed(
        self, a: int, argument_1: bool, *, at: int | str = "latest"
    ) -> tuple[int, tuple[bool, ...], Point]:
        """The contract's `unnamed`."""
        answer = await self._read("unnamed(uint8,bool)", ("uint8", "bool[]", "(int128,uint256)"), (a, argument_1), at)
        return (answer[0], answer[1], Point.of(answer[2]))
