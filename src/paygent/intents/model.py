"""What an intent is and which way it may go; no I/O.

proposed ─► denied | failed                           policy or budget says no | there is nothing to buy on these terms
   ├──────► settled                                   it costs nothing
   ▼
approved ─► held ─► signed ─► submitted ─► settled
             │         │          └─► unknown ─► settled | failed      the chain alone decides
             └─────────┴─► failed                                      nothing has left this process
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from paygent.money import Amount


class State(StrEnum):
    """Where an intent is; see the module."""

    PROPOSED = "proposed"
    DENIED = "denied"
    APPROVED = "approved"
    HELD = "held"
    SIGNED = "signed"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    SETTLED = "settled"
    FAILED = "failed"

    @property
    def is_final(self) -> bool:
        return not TRANSITIONS[self]

    @property
    def is_unsent(self) -> bool:
        """Nothing that could move money has left this process: what is signed is sent only after `submitted`."""
        return self in (State.PROPOSED, State.APPROVED, State.HELD, State.SIGNED)


TRANSITIONS: Mapping[State, frozenset[State]] = {
    State.PROPOSED: frozenset({State.DENIED, State.FAILED, State.SETTLED, State.APPROVED}),
    State.DENIED: frozenset(),
    State.APPROVED: frozenset({State.HELD}),
    State.HELD: frozenset({State.SIGNED, State.FAILED}),
    State.SIGNED: frozenset({State.SUBMITTED, State.FAILED}),
    State.SUBMITTED: frozenset({State.SETTLED, State.UNKNOWN}),
    State.UNKNOWN: frozenset({State.SETTLED, State.FAILED}),
    State.SETTLED: frozenset(),
    State.FAILED: frozenset(),
}


@dataclass(frozen=True, slots=True)
class IntentRequest:
    """What somebody wants to happen: an action's `kind` and its JSON-able arguments, in a session."""

    session_id: str
    kind: str
    arguments: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of the request's canonical JSON: the same request has the same digest."""
        canonical = json.dumps([self.session_id, self.kind, self.arguments], sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What was bought: an HTTP answer, its body cut off at a bound (`is_whole` tells)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool = True


@dataclass(frozen=True, slots=True)
class Quote:
    """The worst case: what would leave which ledger account (`source`), to whom, at which host.

    `terms` are the action's own. Without an `amount` it costs nothing, and `answer` is what was asked for.
    """

    host: str
    amount: Amount | None = None
    payee: str = ""
    source: str = ""
    terms: Mapping[str, Any] = field(default_factory=dict)
    answer: Answer | None = None


class Effect(StrEnum):
    """What the chain says of an artefact."""

    OPEN = "open"
    MOVED = "moved"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Outcome:
    """`MOVED` by `transaction`; `DEAD` when the artefact can never take effect; `OPEN` while it still may."""

    effect: Effect
    transaction: str | None = None
    block_number: int | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Intent:
    """An intent as stored."""

    id: str
    request: IntentRequest
    idempotency_key: str
    state: State
    version: int
    lease_epoch: int
    quote: Mapping[str, Any] | None
    holds: tuple[int, ...]
    artefact: Mapping[str, Any] | None
    transaction: str | None
    reason: Mapping[str, Any] | None
    answer: Answer | None
    delivered_at: datetime | None
    created_at: datetime

    @property
    def amount(self) -> Amount | None:
        """What it costs, once quoted; None while unknown, and when it is free."""
        amount = (self.quote or {}).get("amount")
        return None if amount is None else Amount.from_dict(amount)

    @property
    def is_owed(self) -> bool:
        """Paid for, and its answer has not come yet."""
        return self.state is State.SETTLED and self.artefact is not None and self.answer is None


@dataclass(frozen=True, slots=True)
class Event:
    """One arrow that an intent went along."""

    version: int
    from_state: str | None
    to_state: str
    detail: Mapping[str, Any]
    at: datetime


class Action(Protocol):
    """One kind of intent. Adding a protocol is adding an action; the engine does the rest."""

    def host(self, request: IntentRequest) -> str:
        """Whom `request` would speak to; the policy is asked before anything is."""
        ...

    async def quote(self, request: IntentRequest) -> Quote:
        """What `request` would cost now. Moves and signs nothing. Raises PaygentError when it cannot be had."""
        ...

    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        """The signed artefact, JSON-able; asked again for the same intent, one that can take effect at most once."""
        ...

    async def submit(self, intent: Intent) -> Answer:
        """Present the stored artefact, as often as it takes. Raises PaygentError when nothing was delivered."""
        ...

    async def outcome(self, intent: Intent) -> Outcome:
        """What the chain shows of the artefact. Raises ChainUnavailable."""
        ...
