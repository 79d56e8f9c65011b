"""The one door: every movement of value goes through `Engine`, from a request to what the chain shows.

Save, commit, then act. Arrows that happen together commit together, with their ledger rows and their events. Whatever
leaves the process was stored before; after a crash the same artefact is presented again, and the chain decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from paygent.db.database import Connection, Database, jsonb
from paygent.errors import (
    BudgetExceeded,
    ChainUnavailable,
    DatabaseUnavailable,
    InsufficientBalance,
    InvalidInput,
    LeaseLost,
    NotFound,
    OverLimit,
    PaygentError,
    PolicyDenied,
)
from paygent.intents import repository
from paygent.intents.model import Action, Effect, Intent, IntentRequest, Outcome, Quote, State
from paygent.ledger import transfers
from paygent.money import Amount
from paygent.policy import sessions
from paygent.policy.rules import Allow, Deny, Policy, Spend, Verdict, check_host, evaluate
from paygent.telemetry import get_logger

log = get_logger(__name__)

_POLL_SECONDS_FIRST = 0.01
_POLL_SECONDS_LAST = 0.5
_RECOVERIES_AT_ONCE = 8
_UNSENT_SECONDS_MAX = 600


class Engine:
    """Drives intents by this process's `policy`. `owner` names it; a lease not renewed ends after `lease_seconds`.

    `settle_wait_seconds` is how long the chain may take to show what a seller says that it shows. `on_change` is told of
    every state that `submit` or `drive` committed.
    """

    def __init__(
        self,
        database: Database,
        actions: Mapping[str, Action],
        *,
        policy: Policy,
        owner: str,
        lease_seconds: float = 15,
        settle_wait_seconds: float = 10,
        on_change: Callable[[Intent], None] | None = None,
    ) -> None:
        self._database = database
        self._actions = actions
        self.policy = policy
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._settle_wait_seconds = settle_wait_seconds
        self._on_change = on_change

    async def submit(self, request: IntentRequest, *, idempotency_key: str) -> Intent:
        """Make the intent, or find the one that this key made, and drive it as far as it goes now.

        Raises IdempotencyConflict for the same key with another request, InvalidInput for an unknown kind.
        """
        if request.kind not in self._actions:
            raise InvalidInput(f"There is no kind of intent {request.kind!r}; known: {', '.join(self._actions)}.")
        async with self._database.transaction() as connection:
            intent = await repository.create(connection, request, idempotency_key)
        return await self.drive(intent.id)

    async def preview(self, request: IntentRequest) -> tuple[Quote, Verdict]:
        """What `request` would cost now and what the policy, the budget and the wallet say to it. Stores nothing.

        Raises what `Action.quote` raises.
        """
        action = self._actions[request.kind]
        try:
            self._check_host(request, action)
            quote = await action.quote(request)
        except PolicyDenied as error:
            return Quote(action.host(request)), Deny(str(error.facts.get("rule")), error.detail)
        if quote.amount is None:
            return quote, Allow()
        async with self._database.transaction() as connection:
            verdict = evaluate(self.policy, Spend(quote.amount, quote.host))
            for rule, account in (("budget", sessions.budget_account(request.session_id)), ("funds", quote.source)):
                left = Amount((await transfers.balance(connection, account)).available, quote.amount.asset)
                if left < quote.amount and isinstance(verdict, Allow):
                    verdict = Deny(
                        rule, f"{quote.amount} is more than the {left} that {account.split(':')[0]} has left."
                    )
        return quote, verdict

    async def drive(self, intent_id: str) -> Intent:
        """Drive an intent that nobody drives as far as it goes now; else tell where it is. Raises NotFound.

        One that is paid for and whose answer has not come is asked for again.
        """
        intent = await self._with_lease(intent_id, lambda intent: self._run(intent, self._on_change))
        return await self._collect(intent) if intent.is_owed else intent

    async def abandon(self, intent_id: str) -> Intent:
        """End an intent of which nothing has left this process; any other stays as it is. Raises NotFound."""
        return await self._with_lease(intent_id, self._abandon)

    async def _with_lease(self, intent_id: str, work: Callable[[Intent], Awaitable[Intent]]) -> Intent:
        """What `work` makes of the intent; the intent as it is where somebody else drives it, or it is ended."""
        async with self._database.transaction() as connection:
            intent = await repository.acquire(connection, intent_id, owner=self._owner, seconds=self._lease_seconds)
            if intent is None:
                return await repository.get(connection, intent_id)
        done = asyncio.Event()
        heartbeat = asyncio.create_task(self._keep_lease(intent, done))
        try:
            return await work(intent)
        except LeaseLost:
            async with self._database.transaction() as connection:
                return await repository.get(connection, intent_id)
        finally:
            done.set()
            await heartbeat

    async def recover(self, *, stopped: asyncio.Event | None = None, sent_only: bool = False) -> list[Intent]:
        """Drive every intent that was left as far as it goes now, a few at once, none after `stopped`.

        With `sent_only` only what is undecided is looked at, and nothing that was not sent yet is paid. One that cannot be
        driven now stops no other; it is logged, and tried again the next time. What was left before anything of it was
        sent is resumed for ten minutes, and given up then: nobody expects it any more.
        """
        async with self._database.transaction() as connection:
            ids = await repository.undriven(connection, sent_only=sent_only)
        gate = asyncio.Semaphore(_RECOVERIES_AT_ONCE)

        async def drive(intent_id: str) -> Intent | None:
            async with gate:
                if stopped is not None and stopped.is_set():
                    return None
                try:
                    return await self._with_lease(intent_id, self._resume)
                except PaygentError as error:
                    log.warning("intent.not_driven", intent_id=intent_id, code=error.code, detail=error.detail)
                except Exception:
                    log.exception("intent.not_driven", intent_id=intent_id)
                return None

        driven = await asyncio.gather(*(drive(intent_id) for intent_id in ids))
        return [intent for intent in driven if intent is not None]

    async def _keep_lease(self, intent: Intent, done: asyncio.Event) -> None:
        """Renew the lease until `done`, then give it back.

        It is told to end and never cancelled: a cancellation that arrives while a connection is handed over gets lost.
        """
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(done.wait(), self._lease_seconds / 3)
                break
            with suppress(DatabaseUnavailable):
                async with self._database.transaction() as connection:
                    if not await repository.renew(connection, intent, seconds=self._lease_seconds):
                        return
        with suppress(DatabaseUnavailable):
            async with self._database.transaction() as connection:
                await repository.release(connection, intent)

    async def _run(self, intent: Intent, on_change: Callable[[Intent], None] | None = None) -> Intent:
        while not intent.state.is_final:
            after = await self._step(intent)
            if after.state is intent.state:
                return after
            log.info(f"intent.{after.state}", intent_id=after.id, transaction=after.transaction)
            if on_change is not None:
                on_change(after)
            intent = after
        return intent

    async def _resume(self, intent: Intent) -> Intent:
        age_seconds = (datetime.now(UTC) - intent.created_at).total_seconds()
        is_stale = intent.state.is_unsent and age_seconds > _UNSENT_SECONDS_MAX
        return await (self._abandon(intent) if is_stale else self._run(intent))

    async def _abandon(self, intent: Intent) -> Intent:
        if not intent.state.is_unsent:
            return intent
        reason = {"code": "abandoned", "detail": "It was interrupted before anything was sent, and given up."}
        return await self._release_holds(intent, reason)

    async def _collect(self, intent: Intent) -> Intent:
        """Present again what paid for an answer that never came; for an hour, and as often as somebody asks."""
        age_seconds = (datetime.now(UTC) - intent.created_at).total_seconds()
        if age_seconds > repository.OWED_SECONDS:
            return intent
        with suppress(PaygentError):
            return await self._fetch_answer(intent, self._actions[intent.request.kind])
        return intent

    async def _step(self, intent: Intent) -> Intent:
        action = self._actions[intent.request.kind]
        match intent.state:
            case State.PROPOSED:
                return await self._quote_and_hold(intent, action)
            case State.HELD:
                return await self._sign(intent, action)
            case State.SIGNED:
                return await self._move(intent, State.SUBMITTED)
            case State.SUBMITTED:
                return await self._present(intent, action)
            case _:
                return await self._resolve(intent, action)

    # proposed → denied | failed | settled (free) | approved → held

    async def _quote_and_hold(self, intent: Intent, action: Action) -> Intent:
        try:
            self._check_host(intent.request, action)
            quote = await action.quote(intent.request)
        except (DatabaseUnavailable, LeaseLost):
            raise
        except PolicyDenied as error:
            return await self._refuse(intent, State.DENIED, error)
        except PaygentError as error:
            return await self._refuse(intent, State.FAILED, error)
        except Exception:
            # Ours to mend, and nothing is signed: left as it is, it would be tried again for ever.
            log.exception("intent.quote_failed", intent_id=intent.id)
            return await self._refuse(intent, State.FAILED, PaygentError("Asking for the price failed unexpectedly."))
        if quote.amount is None:
            assert quote.answer is not None
            columns = {"quote": jsonb(_stored(quote)), **repository.answer_columns(quote.answer)}
            return await self._move(intent, State.SETTLED, detail={"free": True}, columns=columns)
        try:
            async with self._database.transaction() as connection:
                return await self._hold(connection, intent, quote)
        except (PolicyDenied, InsufficientBalance, InvalidInput, NotFound) as error:
            return await self._refuse(intent, State.DENIED, error, quote)

    async def _hold(self, connection: Connection, intent: Intent, quote: Quote) -> Intent:
        """Policy, budget and money in one transaction: what was allowed is what is reserved."""
        amount = quote.amount
        assert amount is not None
        session_id = intent.request.session_id
        verdict = evaluate(self.policy, Spend(amount, quote.host))
        if isinstance(verdict, Deny):
            raise PolicyDenied(verdict.reason, rule=verdict.rule)
        payee = f"payee:{quote.payee}:{amount.asset.id}"
        await transfers.open_account(connection, payee, amount.asset, limited=False)
        try:
            budget = await transfers.hold(
                connection,
                reference=f"{intent.id}:budget",
                debit=sessions.budget_account(session_id),
                credit=sessions.used_account(session_id),
                amount=amount,
            )
        except OverLimit as error:
            raise BudgetExceeded(
                f"{amount} is more than the budget of session {session_id} has left (PAYGENT_SESSION_BUDGET)."
            ) from error
        try:
            funds = await transfers.hold(
                connection,
                reference=f"{intent.id}:funds",
                debit=quote.source,
                credit=payee,
                amount=amount,
            )
        except OverLimit as error:
            raise InsufficientBalance(
                f"The wallet has less than {amount} that is not reserved. Add funds to {quote.source.split(':')[1]}."
            ) from error
        columns = {"quote": jsonb(_stored(quote)), "holds": [budget, funds]}
        approved = await repository.transition(connection, intent, State.APPROVED, columns=columns)
        return await repository.transition(connection, approved, State.HELD, detail={"amount": str(amount)})

    # held → signed

    async def _sign(self, intent: Intent, action: Action) -> Intent:
        try:
            artefact = await action.prepare(intent)
        except PaygentError as error:
            return await self._release_holds(intent, error.as_dict())
        return await self._move(intent, State.SIGNED, columns={"artefact": jsonb(artefact)})

    # submitted → settled | unknown

    async def _present(self, intent: Intent, action: Action) -> Intent:
        try:
            intent = await self._fetch_answer(intent, action)
            outcome = await self._await_outcome(intent, action)
        except PaygentError as error:
            if isinstance(error, LeaseLost | DatabaseUnavailable):
                raise
            reason = error.as_dict()
        else:
            if outcome.effect is Effect.MOVED:
                return await self._settle(intent, outcome)
            reason = {
                "code": "not_on_chain",
                "detail": "The seller delivered, and the chain does not show the payment. Nothing is booked yet.",
            }
        return await self._move(intent, State.UNKNOWN, detail=reason, columns={"reason": jsonb(reason)})

    # unknown → settled | failed

    async def _resolve(self, intent: Intent, action: Action) -> Intent:
        try:
            outcome = await action.outcome(intent)
            if intent.answer is None and outcome.effect is not Effect.DEAD:
                with suppress(PaygentError):
                    intent = await self._fetch_answer(intent, action)
                if outcome.effect is Effect.OPEN and intent.answer is not None:
                    outcome = await self._await_outcome(intent, action)
        except ChainUnavailable as error:
            log.warning("intent.unresolved", intent_id=intent.id, reason=error.detail)
            return intent
        if outcome.effect is Effect.MOVED:
            return await self._settle(intent, outcome)
        if outcome.effect is Effect.DEAD:
            reason = dict(intent.reason or {}) | {"outcome": outcome.detail}
            return await self._release_holds(intent, reason)
        return intent

    def _check_host(self, request: IntentRequest, action: Action) -> None:
        """Nobody is spoken to who may not be paid. Raises PolicyDenied."""
        denied = check_host(self.policy.allowed_hosts, action.host(request))
        if denied is not None:
            raise PolicyDenied(denied.reason, rule=denied.rule)

    async def _fetch_answer(self, intent: Intent, action: Action) -> Intent:
        """Present the artefact; what is delivered is stored before anything else happens with it."""
        answer = await action.submit(intent)
        async with self._database.transaction() as connection:
            await repository.store_answer(connection, intent, answer)
            stored = await repository.get(connection, intent.id)
        if stored.lease_epoch != intent.lease_epoch:
            raise LeaseLost(f"{intent.id} is driven by another process.")
        return stored

    async def _await_outcome(self, intent: Intent, action: Action) -> Outcome:
        deadline = asyncio.get_running_loop().time() + self._settle_wait_seconds
        pause = _POLL_SECONDS_FIRST
        while True:
            outcome = await action.outcome(intent)
            if outcome.effect is not Effect.OPEN or asyncio.get_running_loop().time() > deadline:
                return outcome
            await asyncio.sleep(pause)
            pause = min(pause * 2, _POLL_SECONDS_LAST)

    async def _settle(self, intent: Intent, outcome: Outcome) -> Intent:
        async with self._database.transaction() as connection:
            for pending_id in intent.holds:
                await transfers.post_hold(connection, pending_id, reference=f"{intent.id}:post:{pending_id}")
            return await repository.transition(
                connection,
                intent,
                State.SETTLED,
                detail={"transaction": outcome.transaction, "block": outcome.block_number},
                columns={"transaction": outcome.transaction, "reason": None},
            )

    async def _release_holds(self, intent: Intent, reason: Mapping[str, Any]) -> Intent:
        async with self._database.transaction() as connection:
            for pending_id in intent.holds:
                await transfers.void_hold(connection, pending_id, reference=f"{intent.id}:void:{pending_id}")
            return await repository.transition(
                connection, intent, State.FAILED, detail=reason, columns={"reason": jsonb(reason)}
            )

    async def _refuse(self, intent: Intent, state: State, error: PaygentError, quote: Quote | None = None) -> Intent:
        columns = {"reason": jsonb(error.as_dict())}
        if quote is not None:
            columns["quote"] = jsonb(_stored(quote))
        return await self._move(intent, state, detail=error.as_dict(), columns=columns)

    async def _move(
        self,
        intent: Intent,
        state: State,
        *,
        detail: Mapping[str, Any] | None = None,
        columns: Mapping[str, Any] | None = None,
    ) -> Intent:
        async with self._database.transaction() as connection:
            return await repository.transition(connection, intent, state, detail=detail, columns=columns)


def _stored(quote: Quote) -> dict[str, Any]:
    return {
        "host": quote.host,
        "amount": None if quote.amount is None else quote.amount.as_dict(),
        "payee": quote.payee,
        "source": quote.source,
        "terms": dict(quote.terms),
    }
