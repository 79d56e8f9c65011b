"""The contract AgentWallet; `make artifacts` writes this file from its ABI."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, ClassVar

from paygent.evm.calls import Contract, call_data, decode_log, member_of


class LimitKind(IntEnum):
    """The enum LimitKind."""

    DAILY = 0
    APPROVAL_THRESHOLD = 1
    POCKET_CEILING = 2


class WatchedKind(IntEnum):
    """The enum WatchedKind."""

    BALANCE = 0
    SHARES = 1
    NFT = 2


@dataclass(frozen=True, slots=True)
class CallRule:
    """The struct CallRule."""

    allowed: bool
    recipient_offsets: tuple[int, ...]

    @classmethod
    def of(cls, value: Sequence[Any]) -> CallRule:
        """From a decoded tuple."""
        return cls(value[0], value[1])


@dataclass(frozen=True, slots=True)
class ApproverSignature:
    """The struct ApproverSignature."""

    approver: str
    signature: bytes

    @classmethod
    def of(cls, value: Sequence[Any]) -> ApproverSignature:
        """From a decoded tuple."""
        return cls(value[0], value[1])


@dataclass(frozen=True, slots=True)
class Approval:
    """The struct Approval."""

    deadline: int
    signatures: tuple[ApproverSignature, ...]

    @classmethod
    def of(cls, value: Sequence[Any]) -> Approval:
        """From a decoded tuple."""
        return cls(value[0], tuple(ApproverSignature.of(item) for item in value[1]))


@dataclass(frozen=True, slots=True)
class Transfer:
    """The struct Transfer."""

    token: str
    to: str
    amount: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Transfer:
        """From a decoded tuple."""
        return cls(value[0], value[1], value[2])


@dataclass(frozen=True, slots=True)
class Spend:
    """The struct Spend."""

    token: str
    amount_max: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Spend:
        """From a decoded tuple."""
        return cls(value[0], value[1])


@dataclass(frozen=True, slots=True)
class Receive:
    """The struct Receive."""

    token: str
    amount_min: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Receive:
        """From a decoded tuple."""
        return cls(value[0], value[1])


@dataclass(frozen=True, slots=True)
class Call:
    """The struct Call."""

    target: str
    value: int
    data: bytes
    spends: tuple[Spend, ...]
    receives: tuple[Receive, ...]

    @classmethod
    def of(cls, value: Sequence[Any]) -> Call:
        """From a decoded tuple."""
        return cls(
            value[0],
            value[1],
            value[2],
            tuple(Spend.of(item) for item in value[3]),
            tuple(Receive.of(item) for item in value[4]),
        )


@dataclass(frozen=True, slots=True)
class Limit:
    """The struct Limit."""

    current: int
    next: int
    next_from: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Limit:
        """From a decoded tuple."""
        return cls(value[0], value[1], value[2])


@dataclass(frozen=True, slots=True)
class Watched:
    """The struct Watched."""

    token: str
    kind: WatchedKind
    id: int

    @classmethod
    def of(cls, value: Sequence[Any]) -> Watched:
        """From a decoded tuple."""
        return cls(value[0], member_of(WatchedKind, value[1]), value[2])


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
class AllowlistSet:
    """The event `AllowlistSet`."""

    topic: ClassVar[str] = "0x23b41a0e87ed5684e17a0adabfae042bdecf3d1a16c07c24d8486964a0d24ffd"
    on: bool

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> AllowlistSet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("bool", False),), emitter)
        return None if values is None else cls(values[0])


@dataclass(frozen=True, slots=True)
class ApproversSet:
    """The event `ApproversSet`."""

    topic: ClassVar[str] = "0xe400a8567996e899a2011b1286a3cd0b1e2c35d8113479e8c639cae0c2d85c1a"
    set: int
    approvers: tuple[str, ...]
    quorum: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> ApproversSet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("uint256", True), ("address[]", False), ("uint64", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


@dataclass(frozen=True, slots=True)
class CallAllowed:
    """The event `CallAllowed`."""

    topic: ClassVar[str] = "0x319f6076f38d02477daa41e4272252cbd5343809bc50393e062a976a7422a971"
    target: str
    selector: bytes
    recipient_offsets: tuple[int, ...]

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> CallAllowed | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("bytes4", True), ("uint16[]", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


@dataclass(frozen=True, slots=True)
class CallDisallowed:
    """The event `CallDisallowed`."""

    topic: ClassVar[str] = "0xac92c785756ea1aef1cd8053dc5b91bad784795a46984b28e12b7b53038df095"
    target: str
    selector: bytes

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> CallDisallowed | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("bytes4", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class Called:
    """The event `Called`."""

    topic: ClassVar[str] = "0xc54353810d944d42b22a02fd091a87f88d5babce25205c7f92c647a1d39b67fe"
    intent_id: bytes
    target: str
    selector: bytes
    value: int
    operator: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Called | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (("bytes32", True), ("address", True), ("bytes4", True), ("uint256", False), ("address", False)),
            emitter,
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3], values[4])


@dataclass(frozen=True, slots=True)
class GuardianSet:
    """The event `GuardianSet`."""

    topic: ClassVar[str] = "0xe6c09ffe4572dc9ceaa5ddde4ae41befa655d6fdfe8052077af0970f700e942e"
    guardian: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> GuardianSet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True),), emitter)
        return None if values is None else cls(values[0])


@dataclass(frozen=True, slots=True)
class LimitSet:
    """The event `LimitSet`."""

    topic: ClassVar[str] = "0x14afdfcf7490b8574c2dd9ccb80defa434e9603761be0f6ba2e82fa914ef76e8"
    kind: LimitKind
    token: str
    value: int
    from_: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> LimitSet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, ((LimitKind, True), ("address", True), ("uint112", False), ("uint32", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class NftWithdrawn:
    """The event `NftWithdrawn`."""

    topic: ClassVar[str] = "0xae3d1e06db362dabbd7f2b6ce86adbf2ee5eafb86e0e03e583c983af30411a1a"
    token: str
    to: str
    id: int
    amount: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> NftWithdrawn | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("address", True), ("address", True), ("uint256", False), ("uint256", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class OperatorSet:
    """The event `OperatorSet`."""

    topic: ClassVar[str] = "0x57203b8bc10246fc84354dc0200f3ee97e2a423e0b60d6a7ae7e302b524540df"
    operator: str
    expires_at: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> OperatorSet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("uint64", False)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class OwnershipTransferStarted:
    """The event `OwnershipTransferStarted`."""

    topic: ClassVar[str] = "0x38d16b8cac22d99fc7c124b9cd0de2d3fa1faef420bfe791d8c362d765e22700"
    previous_owner: str
    new_owner: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> OwnershipTransferStarted | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class OwnershipTransferred:
    """The event `OwnershipTransferred`."""

    topic: ClassVar[str] = "0x8be0079c531659141344cd1fd0a4f28419497f9722a3daafe3b4186f6b6457e0"
    previous_owner: str
    new_owner: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> OwnershipTransferred | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class Paid:
    """The event `Paid`."""

    topic: ClassVar[str] = "0xf145baf64ea3527f68cb9029cdac7f20032245aa5be6b1b22bc2a2945e5f22d2"
    intent_id: bytes
    token: str
    to: str
    amount: int
    operator: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Paid | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log,
            cls.topic,
            (("bytes32", True), ("address", True), ("address", True), ("uint256", False), ("address", False)),
            emitter,
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3], values[4])


@dataclass(frozen=True, slots=True)
class Paused:
    """The event `Paused`."""

    topic: ClassVar[str] = "0x62e78cea01bee320cd4e420270b5ea74000d11b0c9f74754ebdbfc544b05a258"
    account: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Paused | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", False),), emitter)
        return None if values is None else cls(values[0])


@dataclass(frozen=True, slots=True)
class RaiseDelaySet:
    """The event `RaiseDelaySet`."""

    topic: ClassVar[str] = "0x0e6d9363574804b0f769eee1258f31464efbd3affa83513ab4f043c962955cfc"
    delay: int
    from_: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> RaiseDelaySet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("uint32", False), ("uint32", False)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class Received:
    """The event `Received`."""

    topic: ClassVar[str] = "0x88a5966d370b9919b20f3e2c13ff65706f196a4e32cc2c12bf57088f88525874"
    from_: str
    amount: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Received | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("uint256", False)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class RecipientSet:
    """The event `RecipientSet`."""

    topic: ClassVar[str] = "0xd5ffcccec9ca17d38e6c980f3e9207dd9e3b4dce832168f35ef094eeda3043df"
    recipient: str
    allowed: bool

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> RecipientSet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("bool", False)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class Refilled:
    """The event `Refilled`."""

    topic: ClassVar[str] = "0x12ef3fead3c1a9d79a3ea4217592923d7f30d04429733c7ac82018a6c52ffc9e"
    operator: str
    token: str
    amount: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Refilled | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True), ("uint256", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


@dataclass(frozen=True, slots=True)
class Spent:
    """The event `Spent`."""

    topic: ClassVar[str] = "0x6bf19daf36502bd52c905aa2aa54dad22e33bbb775d7d94bd6a6800b14833ad7"
    intent_id: bytes
    token: str
    target: str
    amount: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Spent | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("bytes32", True), ("address", True), ("address", True), ("uint256", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class SubscriptionCharged:
    """The event `SubscriptionCharged`."""

    topic: ClassVar[str] = "0xf597c4bd1c959e80b8ff0f44e5f1b4ee34eaa611c2feb099daed704a8db05754"
    intent_id: bytes
    subscription_id: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> SubscriptionCharged | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("bytes32", True), ("uint256", True)), emitter)
        return None if values is None else cls(values[0], values[1])


@dataclass(frozen=True, slots=True)
class Unpaused:
    """The event `Unpaused`."""

    topic: ClassVar[str] = "0x5db9ee0a495bf2e6ff9c91a7834c1ba4fdd244a5e8aa4e537bd38aeae4b073aa"
    account: str

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Unpaused | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", False),), emitter)
        return None if values is None else cls(values[0])


@dataclass(frozen=True, slots=True)
class WatchedSet:
    """The event `WatchedSet`."""

    topic: ClassVar[str] = "0x93c3d5232ce5da972f49bdbc0f180b105203df2efa8eae8726e97c28aedb90bb"
    token: str
    kind: WatchedKind
    id: int
    watched: bool

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> WatchedSet | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(
            log, cls.topic, (("address", True), (WatchedKind, False), ("uint256", False), ("bool", False)), emitter
        )
        return None if values is None else cls(values[0], values[1], values[2], values[3])


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The event `Withdrawn`."""

    topic: ClassVar[str] = "0xd1c19fbcd4551a5edfb66d43d2e337c04837afda3482b42bdf569a8fccdae5fb"
    token: str
    to: str
    amount: int

    @classmethod
    def decode(cls, log: dict[str, Any], *, emitter: str | None = None) -> Withdrawn | None:
        """The event in a JSON-RPC log; None when it is another one, or not from `emitter` where one is named."""
        values = decode_log(log, cls.topic, (("address", True), ("address", True), ("uint256", False)), emitter)
        return None if values is None else cls(values[0], values[1], values[2])


class AgentWallet(Contract):
    """The contract AgentWallet."""

    async def factory(self, *, at: int | str = "latest") -> str:
        """The only one that can begin a wallet."""
        answer: str = (await self._read("FACTORY()", ("address",), (), at))[0]
        return answer

    async def native(self, *, at: int | str = "latest") -> str:
        """How the chain's own coin is written where a token is asked for."""
        answer: str = (await self._read("NATIVE()", ("address",), (), at))[0]
        return answer

    async def raise_delay_max(self, *, at: int | str = "latest") -> int:
        """The longest delay, so that nobody locks limits up by a slip."""
        answer: int = (await self._read("RAISE_DELAY_MAX()", ("uint32",), (), at))[0]
        return answer

    async def router(self, *, at: int | str = "latest") -> str:
        """Where this wallet's subscriptions are."""
        answer: str = (await self._read("ROUTER()", ("address",), (), at))[0]
        return answer

    async def watched_max(self, *, at: int | str = "latest") -> int:
        """Each watched balance is read before and after a call."""
        answer: int = (await self._read("WATCHED_MAX()", ("uint256",), (), at))[0]
        return answer

    @staticmethod
    def accept_ownership() -> bytes:
        """The contract's `acceptOwnership`."""
        return call_data("acceptOwnership()")

    @staticmethod
    def allow_call(target: str, selector: bytes, recipient_offsets: Sequence[int]) -> bytes:
        """Let operators call `selector` of `target`, with the wallet's own address at each of
        `recipientOffsets`.
        """
        return call_data("allowCall(address,bytes4,uint16[])", target, selector, recipient_offsets)

    async def approver_set(self, *, at: int | str = "latest") -> int:
        """Which set of approvers is in force. Signatures name it, and die with it."""
        answer: int = (await self._read("approverSet()", ("uint256",), (), at))[0]
        return answer

    async def call_rule(self, target: str, selector: bytes, *, at: int | str = "latest") -> CallRule:
        """The contract's `callRule`."""
        answer: CallRule = CallRule.of(
            (await self._read("callRule(address,bytes4)", ("(bool,uint16[])",), (target, selector), at))[0]
        )
        return answer

    @staticmethod
    def cancel_subscription(subscription_id: int) -> bytes:
        """End a subscription of this wallet's, at once."""
        return call_data("cancelSubscription(uint256)", subscription_id)

    @staticmethod
    def charge_subscription(subscription_id: int, intent_id: bytes, approval: Approval) -> bytes:
        """Pay what is due of a subscription of this wallet's."""
        return call_data(
            "chargeSubscription(uint256,bytes32,(uint256,(address,bytes)[]))", subscription_id, intent_id, approval
        )

    @staticmethod
    def disallow_call(target: str, selector: bytes) -> bytes:
        """Take it back."""
        return call_data("disallowCall(address,bytes4)", target, selector)

    async def eip712_domain(self, *, at: int | str = "latest") -> Eip712DomainResult:
        """The EIP-712 domain of this wallet (ERC-5267): all of it but a salt."""
        return Eip712DomainResult.of(
            await self._read(
                "eip712Domain()", ("bytes1", "string", "string", "uint256", "address", "bytes32", "uint256[]"), (), at
            )
        )

    @staticmethod
    def execute_batch(transfers: Sequence[Transfer], intent_id: bytes, approval: Approval) -> bytes:
        """All of these payments, or none."""
        return call_data(
            "executeBatch((address,address,uint256)[],bytes32,(uint256,(address,bytes)[]))",
            transfers,
            intent_id,
            approval,
        )

    @staticmethod
    def execute_call(call: Call, intent_id: bytes, approval: Approval) -> bytes:
        """Call a protocol, within what it is declared to take and to bring.

        What it may take is approved to the target for this call only, and counted by what it took; the coin
        that goes along, in full.
        """
        return call_data(
            (
                "executeCall((address,uint256,bytes,(address,uint256)[],(address,uint256)[]),bytes32,(uint256,"
                "(address,bytes)[]))"
            ),
            call,
            intent_id,
            approval,
        )

    @staticmethod
    def execute_payment(token: str, to: str, amount: int, intent_id: bytes, approval: Approval) -> bytes:
        """Pay `amount` of `token` to `to`."""
        return call_data(
            "executePayment(address,address,uint256,bytes32,(uint256,(address,bytes)[]))",
            token,
            to,
            amount,
            intent_id,
            approval,
        )

    async def guardian(self, *, at: int | str = "latest") -> str:
        """Who can pause, and nothing else."""
        answer: str = (await self._read("guardian()", ("address",), (), at))[0]
        return answer

    @staticmethod
    def initialize(first_owner: str) -> bytes:
        """Begin.

        The factory owns a new wallet while it sets it up, and hands it over within the same transaction.
        """
        return call_data("initialize(address)", first_owner)

    async def is_allowlist_on(self, *, at: int | str = "latest") -> bool:
        """Whether operators can pay recipients of the list only."""
        answer: bool = (await self._read("isAllowlistOn()", ("bool",), (), at))[0]
        return answer

    async def is_approver(self, account: str, *, at: int | str = "latest") -> bool:
        """The contract's `isApprover`."""
        answer: bool = (await self._read("isApprover(address)", ("bool",), (account,), at))[0]
        return answer

    async def is_executed(self, intent_id: bytes, *, at: int | str = "latest") -> bool:
        """The contract's `isExecuted`."""
        answer: bool = (await self._read("isExecuted(bytes32)", ("bool",), (intent_id,), at))[0]
        return answer

    async def is_operator(self, account: str, *, at: int | str = "latest") -> bool:
        """The contract's `isOperator`."""
        answer: bool = (await self._read("isOperator(address)", ("bool",), (account,), at))[0]
        return answer

    async def is_recipient(self, recipient: str, *, at: int | str = "latest") -> bool:
        """Who is on the list of recipients."""
        answer: bool = (await self._read("isRecipient(address)", ("bool",), (recipient,), at))[0]
        return answer

    async def limit_of(self, kind: LimitKind, token: str, *, at: int | str = "latest") -> int:
        """The limit that holds now; one that is not set is zero."""
        answer: int = (await self._read("limitOf(uint8,address)", ("uint112",), (kind, token), at))[0]
        return answer

    @staticmethod
    def on_erc1155_batch_received(
        argument_0: str, argument_1: str, argument_2: Sequence[int], argument_3: Sequence[int], argument_4: bytes
    ) -> bytes:
        """The contract's `onERC1155BatchReceived`."""
        return call_data(
            "onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)",
            argument_0,
            argument_1,
            argument_2,
            argument_3,
            argument_4,
        )

    @staticmethod
    def on_erc1155_received(
        argument_0: str, argument_1: str, argument_2: int, argument_3: int, argument_4: bytes
    ) -> bytes:
        """The contract's `onERC1155Received`."""
        return call_data(
            "onERC1155Received(address,address,uint256,uint256,bytes)",
            argument_0,
            argument_1,
            argument_2,
            argument_3,
            argument_4,
        )

    @staticmethod
    def on_erc721_received(argument_0: str, argument_1: str, argument_2: int, argument_3: bytes) -> bytes:
        """The contract's `onERC721Received`."""
        return call_data(
            "onERC721Received(address,address,uint256,bytes)", argument_0, argument_1, argument_2, argument_3
        )

    async def operator_expires_at(self, operator: str, *, at: int | str = "latest") -> int:
        """Until when (unix time, excluded) an operator may act; zero for everybody else."""
        answer: int = (await self._read("operatorExpiresAt(address)", ("uint64",), (operator,), at))[0]
        return answer

    async def owner(self, *, at: int | str = "latest") -> str:
        """The contract's `owner`."""
        answer: str = (await self._read("owner()", ("address",), (), at))[0]
        return answer

    @staticmethod
    def pause() -> bytes:
        """Stop every operator. The guardian can, so that it need not wait for the owner."""
        return call_data("pause()")

    async def paused(self, *, at: int | str = "latest") -> bool:
        """The contract's `paused`."""
        answer: bool = (await self._read("paused()", ("bool",), (), at))[0]
        return answer

    async def pending_owner(self, *, at: int | str = "latest") -> str:
        """The contract's `pendingOwner`."""
        answer: str = (await self._read("pendingOwner()", ("address",), (), at))[0]
        return answer

    async def quorum(self, *, at: int | str = "latest") -> int:
        """How many approvers must sign what is above a threshold; zero when there are none."""
        answer: int = (await self._read("quorum()", ("uint64",), (), at))[0]
        return answer

    async def raise_delay(self, *, at: int | str = "latest") -> int:
        """The contract's `raiseDelay`."""
        answer: int = (await self._read("raiseDelay()", ("uint32",), (), at))[0]
        return answer

    @staticmethod
    def refill(token: str) -> bytes:
        """Fill the calling operator's own account up to the ceiling, as far as today's limit and the balance
        reach.
        """
        return call_data("refill(address)", token)

    async def remaining_today(self, token: str, *, at: int | str = "latest") -> int:
        """How much of `token` operators can still make leave on this UTC day."""
        answer: int = (await self._read("remainingToday(address)", ("uint256",), (token,), at))[0]
        return answer

    async def renounce_ownership(self, *, at: int | str = "latest") -> None:
        """A wallet without an owner would keep its money for ever."""
        await self._read("renounceOwnership()", (), (), at)

    @staticmethod
    def revoke_operator(operator: str) -> bytes:
        """Take an operator's rights away, at once."""
        return call_data("revokeOperator(address)", operator)

    @staticmethod
    def rotate_operator(operator: str, replacement: str, expires_at: int) -> bytes:
        """Put `replacement` in the place of `operator`, at once."""
        return call_data("rotateOperator(address,address,uint64)", operator, replacement, expires_at)

    async def scheduled_limit_of(self, kind: LimitKind, token: str, *, at: int | str = "latest") -> Limit:
        """A limit as stored, with what is scheduled and from when."""
        answer: Limit = Limit.of(
            (await self._read("scheduledLimitOf(uint8,address)", ("(uint112,uint112,uint32)",), (kind, token), at))[0]
        )
        return answer

    @staticmethod
    def set_allowlist(on: bool) -> bytes:
        """Turn the list of recipients on or off."""
        return call_data("setAllowlist(bool)", on)

    @staticmethod
    def set_approvers(approvers: Sequence[str], new_quorum: int) -> bytes:
        """Replace all approvers; what the old ones signed is void.

        None and a quorum of zero takes them away: then nothing above a threshold can leave.
        """
        return call_data("setApprovers(address[],uint256)", approvers, new_quorum)

    @staticmethod
    def set_guardian(new_guardian: str) -> bytes:
        """Name who can pause (zero: only the owner)."""
        return call_data("setGuardian(address)", new_guardian)

    @staticmethod
    def set_limit(kind: LimitKind, token: str, value: int) -> bytes:
        """Set a limit of `token`, in base units.

        Lowering holds at once, raising when the raise delay has passed. (Around midnight, two days' daily
        limits can leave within minutes.)
        """
        return call_data("setLimit(uint8,address,uint112)", kind, token, value)

    @staticmethod
    def set_operator(operator: str, expires_at: int) -> bytes:
        """Let `operator` act until the unix time `expiresAt`; again to prolong or shorten."""
        return call_data("setOperator(address,uint64)", operator, expires_at)

    @staticmethod
    def set_raise_delay(delay: int) -> bytes:
        """How long a raise of a limit, threshold or ceiling waits.

        A longer delay holds at once, a shorter one only when the present one has passed.
        """
        return call_data("setRaiseDelay(uint32)", delay)

    @staticmethod
    def set_recipient(recipient: str, allowed: bool) -> bytes:
        """Put `recipient` on the list, or take it off."""
        return call_data("setRecipient(address,bool)", recipient, allowed)

    async def spent_today(self, token: str, *, at: int | str = "latest") -> int:
        """How much of `token` operators made leave on this UTC day."""
        answer: int = (await self._read("spentToday(address)", ("uint256",), (token,), at))[0]
        return answer

    async def supports_interface(self, interface_id: bytes, *, at: int | str = "latest") -> bool:
        """The contract's `supportsInterface`."""
        answer: bool = (await self._read("supportsInterface(bytes4)", ("bool",), (interface_id,), at))[0]
        return answer

    @staticmethod
    def transfer_ownership(new_owner: str) -> bytes:
        """The contract's `transferOwnership`."""
        return call_data("transferOwnership(address)", new_owner)

    @staticmethod
    def unpause() -> bytes:
        """Let operators act again; only the owner can, or a stolen guardian's key could undo its own pause."""
        return call_data("unpause()")

    @staticmethod
    def unwatch(item: Watched) -> bytes:
        """Watch it no more: the way out when a watched token hinders all calls."""
        return call_data("unwatch((address,uint8,uint256))", item)

    @staticmethod
    def watch(item: Watched) -> bytes:
        """Watch something in calls.

        A token is watched from when its daily limit is raised; the chain's coin always.
        """
        return call_data("watch((address,uint8,uint256))", item)

    async def watched(self, *, at: int | str = "latest") -> tuple[Watched, ...]:
        """The contract's `watched`."""
        answer: tuple[Watched, ...] = tuple(
            Watched.of(item) for item in (await self._read("watched()", ("(address,uint8,uint256)[]",), (), at))[0]
        )
        return answer

    @staticmethod
    def withdraw(token: str, to: str, amount: int) -> bytes:
        """Take `amount` of `token` out, without limits, paused or not."""
        return call_data("withdraw(address,address,uint256)", token, to, amount)

    @staticmethod
    def withdraw_erc1155(token: str, to: str, id_: int, amount: int) -> bytes:
        """Take `amount` of an ERC-1155 id out."""
        return call_data("withdrawERC1155(address,address,uint256,uint256)", token, to, id_, amount)

    @staticmethod
    def withdraw_erc721(token: str, to: str, id_: int) -> bytes:
        """Take an ERC-721 token out."""
        return call_data("withdrawERC721(address,address,uint256)", token, to, id_)
