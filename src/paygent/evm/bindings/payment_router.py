"""The contract PaymentRouter; `make artifacts` writes this file from its ABI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from paygent.evm.calls import Contract, call_data, decode_log


@dataclass(frozen=True, slots=True)
class Payment:
    """The struct Payment."""

    to: str
    amount: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Payment:
        """From a decoded tuple."""
        return cls(value[0], value[1])


@dataclass(frozen=True, slots=True)
class Share:
    """The struct Share."""

    to: str
    basis_points: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Share:
        """From a decoded tuple."""
        return cls(value[0], value[1])


@dataclass(frozen=True, slots=True)
class Subscription:
    """The struct Subscription."""

    payer: str
    merchant: str
    token: str
    amount: int
    period: int
    count: int
    starts_at: int
    charged: int
    next_charge_at: int
    cancelled: bool

    @classmethod
    def of(cls, value: Sequence[Any]) -> Subscription:
        """From a decoded tuple."""
        return cls(value[0], value[1], value[2], value[3], value[4], value[5], value[6], value[7], value[8], value[9])


@dataclass(frozen=True, slots=True)
class BatchPaid:
    """The event `BatchPaid`."""

    topic: ClassVar[str] = "0x0b1267de573b17f559b4b84a0dfa030c44a3055bca07d588af64dd60e194edbe"
    token: str
    payer: str
    count: int
    total: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> BatchPaid | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("address", True), ("address", True), ("uint256", False), ("uint256", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class BatchSettled:
    """The event `BatchSettled`."""

    topic: ClassVar[str] = "0xd58fdc294b06fa1fbc72491a578dc2c4e762ef21ed6810c687dce2624a3f6c7b"
    token: str
    item_gas: int
    count: int
    settled: tuple[int, ...]

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> BatchSettled | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("address", True), ("uint256", False), ("uint256", False), ("uint256[]", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class ItemFailed:
    """The event `ItemFailed`."""

    topic: ClassVar[str] = "0x340f15f74294182cb8cb141fc2354a8bb6e3d966737607fa0fc5b5aa571d3199"
    token: str
    payer: str
    nonce: bytes
    index: int
    reason: bytes

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ItemFailed | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (("address", True), ("address", True), ("bytes32", True), ("uint256", False), ("bytes4", False)),
            emitter,
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3], values[4])


@dataclass(frozen=True, slots=True)
class PaymentMade:
    """The event `PaymentMade`."""

    topic: ClassVar[str] = "0xda4f4e2cb5d0b8d7747262dcc6869bdd559f981ed4132f1a0703c43e214b78df"
    token: str
    payer: str
    payee: str
    amount: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> PaymentMade | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("address", True), ("address", True), ("address", True), ("uint256", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class PaymentRecorded:
    """The event `PaymentRecorded`."""

    topic: ClassVar[str] = "0x4ffcf6053a94764f8392c11e773df94d6e2669b0ff5e0fdbdf9701c05ab7e500"
    payment_id: bytes
    payer: str
    payee: str
    token: str
    amount: int
    payment_reference: bytes

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> PaymentRecorded | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (
                ("bytes32", True),
                ("address", True),
                ("address", True),
                ("address", False),
                ("uint256", False),
                ("bytes32", False),
            ),
            emitter,
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3], values[4], values[5])


@dataclass(frozen=True, slots=True)
class SplitPaid:
    """The event `SplitPaid`."""

    topic: ClassVar[str] = "0x9f1bd799a521bc9e2d47a6a2ffef110766e14f17104d2863d8c6f38613d43fc4"
    token: str
    payer: str
    count: int
    amount: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> SplitPaid | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("address", True), ("address", True), ("uint256", False), ("uint256", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The event `Subscribed`."""

    topic: ClassVar[str] = "0x5737950b58dcf3384573ab8b7c760e8398a4b7d78b6980de01eb779db07cd3e4"
    id: int
    payer: str
    merchant: str
    token: str
    amount: int
    period: int
    count: int
    starts_at: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Subscribed | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (
                ("uint256", True),
                ("address", True),
                ("address", True),
                ("address", False),
                ("uint128", False),
                ("uint32", False),
                ("uint32", False),
                ("uint64", False),
            ),
            emitter,
        )
        return (
            None
            if values is None
            else cls(values[0], values[1], values[2], values[3], values[4], values[5], values[6], values[7])
        )


@dataclass(frozen=True, slots=True)
class SubscriptionCancelled:
    """The event `SubscriptionCancelled`."""

    topic: ClassVar[str] = "0x2452796067e324c4fde3266a14228da30fffb056343221799bcced2910590334"
    id: int
    payer: str
    merchant: str
    by: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> SubscriptionCancelled | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("uint256", True), ("address", True), ("address", True), ("address", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class SubscriptionCharged:
    """The event `SubscriptionCharged`."""

    topic: ClassVar[str] = "0x0137aeee7364ab069a091c58a07a1a00b0ca8e3e29438363933aa8a73a93a7f8"
    id: int
    payer: str
    merchant: str
    token: str
    amount: int
    charged: int
    next_charge_at: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> SubscriptionCharged | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (
                ("uint256", True),
                ("address", True),
                ("address", True),
                ("address", False),
                ("uint128", False),
                ("uint32", False),
                ("uint64", False),
            ),
            emitter,
        )
        return (
            None if values is None else cls(values[0], values[1], values[2], values[3], values[4], values[5], values[6])
        )


class PaymentRouter(Contract):
    """The contract PaymentRouter."""

    async def basis_points(self, *, at: int | str = "latest") -> int:
        """What the shares of a split sum to."""
        answer: int = (await self._read("BASIS_POINTS()", ("uint256",), (), at))[0]
        return answer

    async def item_bytes(self, *, at: int | str = "latest") -> int:
        """The length of a packed item."""
        answer: int = (await self._read("ITEM_BYTES()", ("uint256",), (), at))[0]
        return answer

    @staticmethod
    def batch_pay(token: str, payments: Sequence[Payment]) -> bytes:
        """Pay each of `payments` out of the caller's allowance, or out of the native CRO sent along.

        It takes CRO.
        """
        return call_data("batchPay(address,(address,uint256)[])", token, payments)

    @staticmethod
    def cancel(id_: int) -> bytes:
        """End a subscription, at once and for good. Either party may."""
        return call_data("cancel(uint256)", id_)

    @staticmethod
    def charge(id_: int) -> bytes:
        """Move this period's amount from the payer to the merchant. Either of them may ask for it."""
        return call_data("charge(uint256)", id_)

    async def is_due(self, id_: int, *, at: int | str = "latest") -> bool:
        """Whether `charge` would find this period open and not charged yet."""
        answer: bool = (await self._read("isDue(uint256)", ("bool",), (id_,), at))[0]
        return answer

    async def is_recorded(self, payment_id: bytes, *, at: int | str = "latest") -> bool:
        """Whether the payment with this id was made here; see `paymentIdOf`."""
        answer: bool = (await self._read("isRecorded(bytes32)", ("bool",), (payment_id,), at))[0]
        return answer

    @staticmethod
    def pay_recorded(token: str, to: str, amount: int, payment_reference: bytes) -> bytes:
        """Pay `amount` of an ERC-20 out of the caller's allowance, once under this reference, and record it."""
        return call_data("payRecorded(address,address,uint256,bytes32)", token, to, amount, payment_reference)

    async def payment_id_of(
        self, token: str, payer: str, payee: str, amount: int, payment_reference: bytes, *, at: int | str = "latest"
    ) -> bytes:
        """The id of a payment."""
        answer: bytes = (
            await self._read(
                "paymentIdOf(address,address,address,uint256,bytes32)",
                ("bytes32",),
                (token, payer, payee, amount, payment_reference),
                at,
            )
        )[0]
        return answer

    @staticmethod
    def settle_batch(token: str, item_gas: int, items: bytes) -> bytes:
        """Settle `items`, each of whose calls to the token (the balance before, the transfer, the balance after)
        gets `itemGas`, no more and no less.
        """
        return call_data("settleBatch(address,uint256,bytes)", token, item_gas, items)

    @staticmethod
    def settle_batch_recorded(token: str, item_gas: int, items: bytes) -> bytes:
        """The same, and each payment that settled is recorded; an item whose payment is on record fails."""
        return call_data("settleBatchRecorded(address,uint256,bytes)", token, item_gas, items)

    @staticmethod
    def split_pay(token: str, amount: int, shares: Sequence[Share]) -> bytes:
        """Divide `amount` among `shares`, whose basis points sum to 10,000. It takes CRO."""
        return call_data("splitPay(address,uint256,(address,uint256)[])", token, amount, shares)

    @staticmethod
    def subscribe(merchant: str, token: str, amount: int, period: int, count: int, starts_at: int) -> bytes:
        """Let `merchant` charge the caller from `startsAt` on (unix seconds; 0: now)."""
        return call_data(
            "subscribe(address,address,uint128,uint32,uint32,uint64)", merchant, token, amount, period, count, starts_at
        )

    async def subscription(self, id_: int, *, at: int | str = "latest") -> Subscription:
        """The entry as it stands; all zero for an id that was never given."""
        answer: Subscription = Subscription.of(
            (
                await self._read(
                    "subscription(uint256)",
                    ("(address,address,address,uint128,uint32,uint32,uint64,uint32,uint64,bool)",),
                    (id_,),
                    at,
                )
            )[0]
        )
        return answer

    async def subscription_count(self, *, at: int | str = "latest") -> int:
        """How many there have been; their ids are 1 to this."""
        answer: int = (await self._read("subscriptionCount()", ("uint256",), (), at))[0]
        return answer
