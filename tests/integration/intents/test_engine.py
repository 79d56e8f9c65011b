"""The engine against a model: any requests, any faults and crashes, two engines; money is conserved, and moves once.

The action is scripted, the database is real. `World` is the chain: what it shows is the only truth that the end of an
intent may follow.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from paygent.db.database import Database
from paygent.errors import ChainUnavailable, IdempotencyConflict, PaymentRefused, SellerUnavailable
from paygent.intents import repository
from paygent.intents.engine import Engine
from paygent.intents.model import TRANSITIONS, Answer, Effect, Intent, IntentRequest, Outcome, Quote, State
from paygent.ledger import transfers
from paygent.money import Amount, Asset
from paygent.policy import sessions
from paygent.policy.rules import Policy
from tests.support.examples import examples

KIND = "scripted"
FUNDS, BUDGET, PAYMENT_MAX = 100, 80, 50
T = TypeVar("T")


class Crash(BaseException):
    """The process ends here."""


@dataclass
class World:
    """What the chain shows, and what goes wrong next, in order, at the named points."""

    moved: dict[str, int] = field(default_factory=dict)
    dead: set[str] = field(default_factory=set)
    artefacts: dict[str, list[Mapping[str, Any]]] = field(default_factory=dict)
    faults: dict[str, BaseException] = field(default_factory=dict)

    def meet(self, point: str) -> None:
        if (fault := self.faults.pop(point, None)) is not None:
            raise fault


@dataclass
class Scripted:
    """An action whose every call may fail before or after its effect."""

    world: World
    database: Database
    asset: Asset

    def host(self, _: IntentRequest) -> str:
        return "seller.example"

    async def quote(self, request: IntentRequest) -> Quote:
        self.world.meet("quote")
        units = request.arguments["units"]
        if units == 0:
            return Quote("seller.example", answer=Answer(200, {}, b"free"))
        return Quote("seller.example", Amount(units, self.asset), payee="0xseller", source=f"pocket:{self.asset.id}")

    async def prepare(self, intent: Intent) -> Mapping[str, Any]:
        self.world.meet("before prepare")
        # As with EIP-3009: asked again it may sign other times, but always the same nonce.
        made = self.world.artefacts.setdefault(intent.id, [])
        made.append({"nonce": intent.id, "signed": len(made)})
        self.world.meet("after prepare")
        return made[-1]

    async def submit(self, intent: Intent) -> Answer:
        async with self.database.transaction() as connection:
            stored = await repository.get(connection, intent.id)
        assert stored.artefact == intent.artefact is not None, "sent before it was stored"
        assert stored.state in {State.SUBMITTED, State.UNKNOWN} or stored.is_owed
        self.world.meet("before submit")
        if intent.id in self.world.dead:
            raise PaymentRefused("expired")
        assert intent.amount is not None
        self.world.moved[intent.id] = intent.amount.base_units
        self.world.meet("after submit")
        return Answer(200, {}, intent.id.encode())

    async def outcome(self, intent: Intent) -> Outcome:
        self.world.meet("outcome")
        if intent.id in self.world.moved:
            return Outcome(Effect.MOVED, "0x" + intent.id, 1)
        return Outcome(Effect.DEAD, detail="expired") if intent.id in self.world.dead else Outcome(Effect.OPEN)


# What each call may raise by its contract, and a crash anywhere.
FAULTS: dict[str, list[type[BaseException]]] = {
    "quote": [Crash, SellerUnavailable, PaymentRefused, ChainUnavailable],
    "before prepare": [Crash, ChainUnavailable],
    "after prepare": [Crash, ChainUnavailable],
    "before submit": [Crash, SellerUnavailable, PaymentRefused],
    "after submit": [Crash, SellerUnavailable],
    "outcome": [Crash, ChainUnavailable],
}
fault_plans = st.fixed_dictionaries({}, optional={point: st.sampled_from(kinds) for point, kinds in FAULTS.items()})


class EngineMachine(RuleBasedStateMachine):
    """Rules are what users, time and bad luck do; invariants are what must hold after each."""

    intents = Bundle("intents")
    url: str

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.database = self.run(Database.open(self.url, connections_max=4))
        self.session_id = secrets.token_hex(6)
        # An asset of this machine's own: the sums below are then over its own postings alone.
        self.asset = Asset(338, "0x" + secrets.token_hex(20), "USDC", 6)
        self.world = World()
        action = Scripted(self.world, self.database, self.asset)
        policy = Policy(Amount(PAYMENT_MAX, self.asset), frozenset({"seller.example"}))
        self.engines = [
            Engine(self.database, {KIND: action}, policy=policy, owner=f"{self.session_id}:{n}", settle_wait_seconds=0)
            for n in range(2)
        ]
        self.requests: dict[str, IntentRequest] = {}
        self.final: dict[str, State] = {}
        self.run(self._open())

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def _open(self) -> None:
        pocket = f"pocket:{self.asset.id}"
        async with self.database.transaction() as c:
            await sessions.open_session(c, self.session_id, Amount(BUDGET, self.asset))
            await transfers.open_account(c, f"chain:{self.asset.id}", self.asset, limited=False)
            await transfers.open_account(c, pocket, self.asset, limited=True)
            await transfers.post(
                c, reference=pocket, debit=f"chain:{self.asset.id}", credit=pocket, amount=Amount(FUNDS, self.asset)
            )

    @rule(
        target=intents,
        units=st.integers(0, 60),
        key=st.integers(0, 8),
        engine=st.integers(0, 1),
        faults=fault_plans,
    )
    def submit(self, units: int, key: int, engine: int, faults: dict[str, type[BaseException]]) -> str:
        request = IntentRequest(self.session_id, KIND, {"units": units})
        name = f"{self.session_id}:{key}"
        self.world.faults = {point: fault("on purpose") for point, fault in faults.items()}
        known = self.requests.setdefault(name, request)
        try:
            self.run(self.engines[engine].submit(request, idempotency_key=name))
        except Crash:
            pass
        except IdempotencyConflict:
            assert known != request
        else:
            assert known == request, "one key, two requests"
        self.world.faults = {}
        return name

    @rule(name=intents, engine=st.integers(0, 1), faults=fault_plans)
    def drive(self, name: str, engine: int, faults: dict[str, type[BaseException]]) -> None:
        intent = self._intents()[name]
        self.world.faults = {point: fault("on purpose") for point, fault in faults.items()}
        with suppress(Crash):
            self.run(self.engines[engine].drive(intent.id))
        self.world.faults = {}

    @rule(name=intents)
    def abandon(self, name: str) -> None:
        """Its user gives it up: possible exactly while nothing was sent."""
        before = self._intents()[name]
        after = self.run(self.engines[0].abandon(before.id))
        assert after.state is (State.FAILED if before.state.is_unsent else before.state)

    @rule(name=intents)
    def race(self, name: str) -> None:
        intent = self._intents()[name]

        async def both() -> None:
            await asyncio.gather(*(engine.drive(intent.id) for engine in self.engines))

        self.run(both())

    @rule(name=intents)
    def expire(self, name: str) -> None:
        """Time passes: what has not moved by now never will."""
        intent = self._intents()[name]
        if intent.artefact is not None and intent.id not in self.world.moved:
            self.world.dead.add(intent.id)

    @invariant()
    def the_end_follows_the_chain(self) -> None:
        for intent in self._intents().values():
            moved = self.world.moved.get(intent.id)
            if intent.state is State.SETTLED:
                assert moved == (None if intent.amount is None else intent.amount.base_units)
            if intent.state in {State.FAILED, State.DENIED}:
                assert moved is None, "money moved, and the intent says that it did not"
            assert self.final.get(intent.id, intent.state) is intent.state, "an end is an end"
            if intent.state.is_final:
                self.final[intent.id] = intent.state
            if moved is not None:
                assert intent.artefact in self.world.artefacts[intent.id]

    @invariant()
    def the_ledger_says_the_same(self) -> None:
        intents = self._intents().values()
        settled = sum(i.amount.base_units for i in intents if i.state is State.SETTLED and i.amount)
        held = sum(
            i.amount.base_units
            for i in intents
            if i.amount and i.state in {State.HELD, State.SIGNED, State.SUBMITTED, State.UNKNOWN}
        )
        for account, total in (
            (f"pocket:{self.asset.id}", FUNDS),
            (sessions.budget_account(self.session_id), BUDGET),
        ):
            found = self.run(self._balance(account))
            assert (found.posted, found.debits_pending) == (total - settled, held)
            assert found.available >= 0
        assert self.run(self._sums()) == (0, 0)

    @invariant()
    def every_history_follows_the_arrows(self) -> None:
        for intent in self._intents().values():
            events = self.run(self._history(intent.id))
            assert [event.version for event in events] == list(range(len(events)))
            assert (events[0].to_state, events[-1].to_state) == ("proposed", intent.state)
            for before, after in pairwise(events):
                assert before.to_state == after.from_state
                assert State(after.to_state) in TRANSITIONS[State(before.to_state)]

    def teardown(self) -> None:
        for intent in self._intents().values():
            if intent.artefact is not None and intent.id not in self.world.moved:
                self.world.dead.add(intent.id)
        self.run(self.engines[0].recover())
        assert all(intent.state.is_final for intent in self._intents().values()), "nothing stays open for ever"
        self.the_end_follows_the_chain()
        self.the_ledger_says_the_same()
        self.run(self.database.close())
        self.loop.close()

    def _intents(self) -> dict[str, Intent]:
        async def read() -> dict[str, Intent]:
            async with self.database.transaction() as connection:
                cursor = await connection.execute("SELECT id FROM intents WHERE session_id = %s", (self.session_id,))
                found = [await repository.get(connection, row["id"]) for row in await cursor.fetchall()]
            return {intent.idempotency_key: intent for intent in found}

        return self.run(read())

    async def _balance(self, account: str) -> transfers.Balance:
        async with self.database.transaction() as connection:
            return await transfers.balance(connection, account)

    async def _history(self, intent_id: str) -> list[Any]:
        async with self.database.transaction() as connection:
            return await repository.history(connection, intent_id)

    async def _sums(self) -> tuple[int, int]:
        """Debits less credits over all accounts of the asset: posted, pending."""
        async with self.database.transaction() as connection:
            cursor = await connection.execute(
                "SELECT sum(debits_posted - credits_posted) AS posted, sum(debits_pending - credits_pending) AS pending"
                " FROM ledger_accounts WHERE asset = %s",
                (self.asset.id,),
            )
            row = await cursor.fetchone()
        assert row is not None
        return int(row["posted"]), int(row["pending"])


def test_whatever_happens_money_is_conserved_and_moves_once(database_url: str) -> None:
    machine = type("Machine", (EngineMachine,), {"url": database_url})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples(30), stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
