"""The contract ServiceRegistry; `make artifacts` writes this file from its ABI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from paygent.evm.calls import Contract, call_data, decode_log


@dataclass(frozen=True, slots=True)
class Service:
    """The struct Service."""

    id: int
    owner: str
    payee: str
    uri: str
    stake: int
    leavable_at: int
    has_left: bool
    active: bool
    ratings: int
    weight: int
    score_e18: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Service:
        """From a decoded tuple."""
        return cls(
            value[0],
            value[1],
            value[2],
            value[3],
            value[4],
            value[5],
            value[6],
            value[7],
            value[8],
            value[9],
            value[10],
        )


@dataclass(frozen=True, slots=True)
class ServicesResult:
    """What `services` answers."""

    page: tuple[Service, ...]
    total: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> ServicesResult:
        """From a decoded tuple."""
        return cls(tuple(Service.of(item) for item in value[0]), value[1])


@dataclass(frozen=True, slots=True)
class ArbiterChanged:
    """The event `ArbiterChanged`."""

    topic: ClassVar[str] = "0x8baeb8e9be10c233f000f8215f52a1038a77bc736883d06f9022545ef1ab1a74"
    previous_arbiter: str
    arbiter: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ArbiterChanged | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class ArbitrationOffered:
    """The event `ArbitrationOffered`."""

    topic: ClassVar[str] = "0x77835d2c6041db35f3c4afb3e0ab48c3e74c07a3bd2c1181ae7e4c3483d88d9f"
    arbiter: str
    pending_arbiter: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ArbitrationOffered | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class LeaveRequested:
    """The event `LeaveRequested`."""

    topic: ClassVar[str] = "0xcb1274c54622a798ea0fe5b734dc4cdb0f92074111612d33ee4546f9689ccd1d"
    id: int
    leavable_at: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> LeaveRequested | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("uint256", True), ("uint64", False)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class ServiceLeft:
    """The event `ServiceLeft`."""

    topic: ClassVar[str] = "0x18b85cbc90ce8138c08d93ab497dadf8baf60dc6acd97c5db32ec8c335e90780"
    id: int
    owner: str
    stake: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ServiceLeft | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("uint256", True), ("address", True), ("uint256", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


@dataclass(frozen=True, slots=True)
class ServiceRated:
    """The event `ServiceRated`."""

    topic: ClassVar[str] = "0xe8f597421aef10c6eb6f4f6a67c1576af140a9839a901bd1ff706f647a000534"
    id: int
    payer: str
    payment_id: bytes
    amount: int
    stars: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ServiceRated | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (("uint256", True), ("address", True), ("bytes32", True), ("uint256", False), ("uint8", False)),
            emitter,
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3], values[4])


@dataclass(frozen=True, slots=True)
class ServiceRegistered:
    """The event `ServiceRegistered`."""

    topic: ClassVar[str] = "0xfab5489af9d5e910501c2cbdd5f651919cb4edf5173472a9d1007b8d7aeb7044"
    id: int
    owner: str
    payee: str
    uri: str
    stake: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ServiceRegistered | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (("uint256", True), ("address", True), ("address", True), ("string", False), ("uint256", False)),
            emitter,
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3], values[4])


@dataclass(frozen=True, slots=True)
class ServiceSlashed:
    """The event `ServiceSlashed`."""

    topic: ClassVar[str] = "0x7aae7c6ee3a8315427662ed25cc2a530d34cc8a0890237114559c39c2ddeb0f5"
    id: int
    beneficiary: str
    reason_hash: bytes
    amount: int
    stake: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ServiceSlashed | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (("uint256", True), ("address", True), ("bytes32", True), ("uint256", False), ("uint256", False)),
            emitter,
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3], values[4])


@dataclass(frozen=True, slots=True)
class ServiceUpdated:
    """The event `ServiceUpdated`."""

    topic: ClassVar[str] = "0x3eb8535f518ade7ca26e5d8e0e5a45370e5c4bed732e02402e5a2cbdf80b9eb0"
    id: int
    payee: str
    uri: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ServiceUpdated | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("uint256", True), ("address", True), ("string", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


@dataclass(frozen=True, slots=True)
class StakeAdded:
    """The event `StakeAdded`."""

    topic: ClassVar[str] = "0x4edac3f1611b36f1e0066481b28d8165ccae68a50fae8607f08545ab21112e61"
    id: int
    amount: int
    stake: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> StakeAdded | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("uint256", True), ("uint256", False), ("uint256", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


class ServiceRegistry(Contract):
    """The contract ServiceRegistry."""

    async def leave_delay(self, *, at: int | str = "latest") -> int:
        """The contract's `LEAVE_DELAY`."""
        answer: int = (await self._read("LEAVE_DELAY()", ("uint64",), (), at))[0]
        return answer

    async def max_uri_bytes(self, *, at: int | str = "latest") -> int:
        """The contract's `MAX_URI_BYTES`."""
        answer: int = (await self._read("MAX_URI_BYTES()", ("uint256",), (), at))[0]
        return answer

    async def min_stake(self, *, at: int | str = "latest") -> int:
        """The contract's `MIN_STAKE`."""
        answer: int = (await self._read("MIN_STAKE()", ("uint256",), (), at))[0]
        return answer

    async def prior(self, *, at: int | str = "latest") -> int:
        """What the neutral score of a new service weighs, in base units: 100 whole tokens."""
        answer: int = (await self._read("PRIOR()", ("uint256",), (), at))[0]
        return answer

    async def router(self, *, at: int | str = "latest") -> str:
        """The contract's `ROUTER`."""
        answer: str = (await self._read("ROUTER()", ("address",), (), at))[0]
        return answer

    async def stars_max(self, *, at: int | str = "latest") -> int:
        """The contract's `STARS_MAX`."""
        answer: int = (await self._read("STARS_MAX()", ("uint8",), (), at))[0]
        return answer

    async def stars_neutral(self, *, at: int | str = "latest") -> int:
        """The contract's `STARS_NEUTRAL`."""
        answer: int = (await self._read("STARS_NEUTRAL()", ("uint8",), (), at))[0]
        return answer

    async def token(self, *, at: int | str = "latest") -> str:
        """The contract's `TOKEN`."""
        answer: str = (await self._read("TOKEN()", ("address",), (), at))[0]
        return answer

    @staticmethod
    def accept_arbitration() -> bytes:
        """Become the arbiter."""
        return call_data("acceptArbitration()")

    @staticmethod
    def add_stake(id_: int, amount: int) -> bytes:
        """Add to the stake: after a slash, say, that left less than the service needs to be active."""
        return call_data("addStake(uint256,uint256)", id_, amount)

    async def arbiter(self, *, at: int | str = "latest") -> str:
        """Who may slash, and who may take that over by `acceptArbitration`."""
        answer: str = (await self._read("arbiter()", ("address",), (), at))[0]
        return answer

    async def is_active(self, id_: int, *, at: int | str = "latest") -> bool:
        """Whether the service stays and its stake is large enough."""
        answer: bool = (await self._read("isActive(uint256)", ("bool",), (id_,), at))[0]
        return answer

    async def is_payee_of(self, id_: int, payee: str, *, at: int | str = "latest") -> bool:
        """Whether payments to `payee` are or were payments of the service: a new payee sheds no ratings."""
        answer: bool = (await self._read("isPayeeOf(uint256,address)", ("bool",), (id_, payee), at))[0]
        return answer

    async def is_rated(self, payment_id: bytes, *, at: int | str = "latest") -> bool:
        """Whether the payment was rated, for whichever service."""
        answer: bool = (await self._read("isRated(bytes32)", ("bool",), (payment_id,), at))[0]
        return answer

    @staticmethod
    def offer_arbitration(successor: str) -> bytes:
        """Offer the arbiter's place; nothing changes until it is accepted, and another offer replaces this one."""
        return call_data("offerArbitration(address)", successor)

    async def pending_arbiter(self, *, at: int | str = "latest") -> str:
        """The contract's `pendingArbiter`."""
        answer: str = (await self._read("pendingArbiter()", ("address",), (), at))[0]
        return answer

    @staticmethod
    def rate(id_: int, payee: str, amount: int, payment_reference: bytes, stars: int) -> bytes:
        """Rate a payment of the caller's that the router has on record, once, with 1 to 5 stars."""
        return call_data("rate(uint256,address,uint256,bytes32,uint8)", id_, payee, amount, payment_reference, stars)

    @staticmethod
    def register(payee: str, uri: str, stake: int) -> bytes:
        """Register a service that is paid at `payee` and described at `uri`, with `stake` out of the caller's
        allowance.
        """
        return call_data("register(address,string,uint256)", payee, uri, stake)

    @staticmethod
    def request_leave(id_: int) -> bytes:
        """Begin to leave: the service is inactive from now on, its stake can be slashed until it is taken back."""
        return call_data("requestLeave(uint256)", id_)

    async def score_e18(self, id_: int, *, at: int | str = "latest") -> int:
        """The service's stars times 1e18, between 1e18 and 5e18, rounded down."""
        answer: int = (await self._read("scoreE18(uint256)", ("uint256",), (id_,), at))[0]
        return answer

    async def service(self, id_: int, *, at: int | str = "latest") -> Service:
        """The service with this id; all zero (but a neutral score) for an id that was never given."""
        answer: Service = Service.of(
            (
                await self._read(
                    "service(uint256)",
                    ("(uint256,address,address,string,uint256,uint64,bool,bool,uint256,uint256,uint256)",),
                    (id_,),
                    at,
                )
            )[0]
        )
        return answer

    async def service_count(self, *, at: int | str = "latest") -> int:
        """How many services there have been; their ids are 1 to this."""
        answer: int = (await self._read("serviceCount()", ("uint256",), (), at))[0]
        return answer

    async def services(self, offset: int, limit: int, *, at: int | str = "latest") -> ServicesResult:
        """Up to `limit` services in the order of their ids, `offset` passed over, and how many there are in all."""
        return ServicesResult.of(
            await self._read(
                "services(uint256,uint256)",
                ("(uint256,address,address,string,uint256,uint64,bool,bool,uint256,uint256,uint256)[]", "uint256"),
                (offset, limit),
                at,
            )
        )

    @staticmethod
    def slash(id_: int, amount: int, beneficiary: str, reason_hash: bytes) -> bytes:
        """Take `amount` of the stake for `beneficiary`.

        `reasonHash` names the decision, which is kept elsewhere.
        """
        return call_data("slash(uint256,uint256,address,bytes32)", id_, amount, beneficiary, reason_hash)

    @staticmethod
    def take_stake_back(id_: int) -> bytes:
        """Take the stake back, `LEAVE_DELAY` after the request. The entry and its score stay to be read."""
        return call_data("takeStakeBack(uint256)", id_)

    @staticmethod
    def update(id_: int, payee: str, uri: str) -> bytes:
        """Change where the service is paid and described. What it earned by earlier payees stays its own."""
        return call_data("update(uint256,address,string)", id_, payee, uri)
