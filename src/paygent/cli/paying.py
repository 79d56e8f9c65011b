"""`paygent pay`, `ask`, `intents` and `wallet`: what a buyer does."""

from __future__ import annotations

import asyncio
import math
import os
import secrets
import sys
from typing import Any

from rich.table import Table

from paygent.agent import tools
from paygent.agent.runtime import propose
from paygent.api.schemas import EventOut, IntentOut, PlanOut
from paygent.bootstrap import Paygent, keystore_folder, open_database, open_paygent
from paygent.cli.exit_codes import EXIT_DENIED, EXIT_SELLER, EXIT_UNDECIDED
from paygent.cli.output import can_ask, confirm, emit, exit_code, note
from paygent.cli.tables import intents_table, open_console, print_books, print_intent
from paygent.errors import InvalidInput
from paygent.evm.abi import checksum_address
from paygent.evm.signers.keystore import encrypt_all
from paygent.intents import repository
from paygent.intents.model import Intent, IntentRequest, State
from paygent.policy.rules import Deny
from paygent.settings import Settings
from paygent.text import screen
from paygent.x402.client import HttpRequest

_RECOVERY_SECONDS = 5.0
_LEASE_WAIT_SECONDS = 60.0
_SAYS = {
    State.HELD: "allowed by the policy; {amount} reserved in budget and wallet",
    State.SIGNED: "authorization signed and stored",
    State.SUBMITTED: "paying the seller",
    State.UNKNOWN: "the outcome is not known yet; the chain will tell",
    State.SETTLED: "done, and booked",
    State.DENIED: "nothing is paid",
    State.FAILED: "nothing was paid",
}


async def pay(
    settings: Settings,
    *,
    url: str,
    method: str,
    headers: list[str],
    data: str,
    amount_max: str | None,
    key: str | None,
    fresh: bool,
    as_json: bool,
) -> int:
    """Buy one HTTP request; the exit code."""
    http = HttpRequest(url, method.upper(), _headers(headers), os.fsencode(data))
    async with open_paygent(settings, spends=True, on_change=None if as_json else _show_progress) as paygent:
        asset = paygent.pocket.token.asset
        purchase = tools.purchase(http, amount_max=amount_max, catalogue=paygent.catalogue, asset=asset)
        request = purchase.intent_request(paygent.session_id)
        return await _submit(paygent, request, key=key, fresh=fresh, as_json=as_json)


async def ask(settings: Settings, *, text: str, dry_run: bool, key: str | None, fresh: bool, as_json: bool) -> int:
    """Do what a sentence says; the exit code."""
    async with open_paygent(settings, spends=not dry_run, on_change=None if as_json else _show_progress) as paygent:
        asset = paygent.pocket.token.asset
        proposal = propose(text, session_id=paygent.session_id, catalogue=paygent.catalogue, asset=asset)
        if not as_json:
            note(f"Plan: {proposal.plan.summary}")
        if dry_run:
            return await _preview(paygent, proposal.request, proposal.plan.summary, as_json=as_json)
        return await _submit(paygent, proposal.request, key=key, fresh=fresh, as_json=as_json)


async def list_intents(settings: Settings, *, count: int, as_json: bool) -> int:
    """The newest intents."""
    async with open_database(settings) as database, database.transaction() as connection:
        intents = await repository.recent(connection, count=count)
    if as_json:
        emit([IntentOut.of(intent, with_answer=False).model_dump(mode="json") for intent in intents])
        return 0
    console = open_console()
    console.print(intents_table(intents, width=console.width) if intents else "No intents yet.")
    return 0


async def show_intent(settings: Settings, *, intent_id: str, as_json: bool) -> int:
    """One intent: what it bought, its history and its ledger entries."""
    async with open_database(settings) as database, database.transaction() as connection:
        intent = await repository.get(connection, intent_id)
        events = await repository.history(connection, intent_id)
        entries = await repository.ledger_entries(connection, intent)
    if as_json:
        document = IntentOut.of(intent).model_dump(mode="json")
        document["history"] = [EventOut.of(event).model_dump(mode="json") for event in events]
        document["ledger"] = entries
        emit(document)
        return 0
    console = open_console()
    print_intent(console, intent)
    print_books(console, intent, events, entries)
    return 0


async def show_wallet(settings: Settings, *, as_json: bool) -> int:
    """The wallet on chain and in the ledger."""
    async with open_paygent(settings, spends=False) as paygent:
        view = await paygent.pocket.view()
    if as_json:
        emit(view)
        return 0
    symbol = view["on_chain"]["asset"]["symbol"]
    table = Table(box=None, show_header=False)
    table.add_row("address", view["address"])
    table.add_row("network", view["network"])
    for name, label in (("on_chain", "on chain"), ("ledger", "in the ledger"), ("reserved", "of it reserved")):
        table.add_row(label, f"{view[name]['text']} {symbol}")
    open_console().print(table)
    return 0


async def encrypt_wallet(settings: Settings, *, as_json: bool) -> int:
    """Put every key that was made without a password under the configured one."""
    if settings.keystore_password is None:
        raise InvalidInput("Set PAYGENT_KEYSTORE_PASSWORD to the password that the keys shall have.")
    password = settings.keystore_password.get_secret_value()
    names = await asyncio.to_thread(encrypt_all, keystore_folder(settings), password)
    if as_json:
        emit({"encrypted": names})
    elif names:
        note(f"Encrypted: {', '.join(names)}. From now on PAYGENT_KEYSTORE_PASSWORD opens them, and nothing else does.")
    else:
        note("There is nothing to encrypt: no key was made without a password.")
    return 0


async def _submit(paygent: Paygent, request: IntentRequest, *, key: str | None, fresh: bool, as_json: bool) -> int:
    await _recover(paygent)
    twin = None
    if key is None:
        async with paygent.database.transaction() as connection:
            twin = await repository.unfinished_twin(connection, request)
    if twin is not None and not fresh:
        twin = await _settled_down(paygent, twin)
    if twin is not None and not fresh and _wants_resume(twin, as_json=as_json):
        intent = await paygent.engine.drive(twin.id)
    else:
        if twin is not None:
            await _leave(paygent, twin)
        intent = await paygent.engine.submit(request, idempotency_key=secrets.token_hex(16) if key is None else key)
    if as_json:
        emit(IntentOut.of(intent).model_dump(mode="json"))
    else:
        _show(intent)
    if intent.state is not State.SETTLED:
        return exit_code(intent.reason or {}) if intent.state.is_final else EXIT_UNDECIDED
    if intent.is_owed:
        return EXIT_SELLER
    async with paygent.database.transaction() as connection:
        await repository.mark_delivered(connection, intent.id)
    answer = intent.answer
    return 0 if answer is None or (answer.status < 300 and answer.is_whole) else EXIT_SELLER


async def _recover(paygent: Paygent) -> None:
    """First look, for a moment, at what earlier commands sent and left undecided: its reserve may be free by now."""
    stopped = asyncio.Event()
    recovering = asyncio.create_task(paygent.engine.recover(stopped=stopped, sent_only=True))
    await asyncio.wait({recovering}, timeout=_RECOVERY_SECONDS)
    stopped.set()
    if not recovering.done():
        recovering.cancel()
        await asyncio.wait({recovering})
        return
    for intent in recovering.result():
        note(f"An earlier payment, {intent.id}, is {intent.state if intent.state.is_final else 'not decided yet'}.")


async def _leave(paygent: Paygent, twin: Intent) -> None:
    """Its user does not want it resumed: end it where that can still be done, and never offer it again."""
    if await _lease_seconds(paygent, twin) > 0:
        return
    left = await paygent.engine.abandon(twin.id)
    async with paygent.database.transaction() as connection:
        await repository.mark_delivered(connection, twin.id)
    if left.state.is_final:
        note(f"{twin.id} is left as it is ({left.state}).")
    else:
        note(f"{twin.id} was sent already, and may still be settled: `paygent intents show {twin.id}` will tell.")


async def _lease_seconds(paygent: Paygent, intent: Intent) -> float:
    async with paygent.database.transaction() as connection:
        return await repository.lease_seconds_left(connection, intent.id)


async def _settled_down(paygent: Paygent, twin: Intent) -> Intent:
    """The twin when nobody drives it any more.

    A process that was killed cannot give its lease back, and it ends; one that lives renews it until it is done.
    """
    deadline = asyncio.get_running_loop().time() + _LEASE_WAIT_SECONDS
    seconds = await _lease_seconds(paygent, twin)
    if seconds > 0:
        note(f"Another process may still be at the identical payment {twin.id}: {math.ceil(seconds)} s will tell.")
    while seconds > 0 and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(min(seconds, 0.25))
        seconds = await _lease_seconds(paygent, twin)
    async with paygent.database.transaction() as connection:
        return await repository.get(connection, twin.id)


def _wants_resume(twin: Intent, *, as_json: bool) -> bool:
    """Whether to go on with an identical intent that was interrupted; without a terminal the answer is yes."""
    began = twin.created_at.isoformat(sep=" ", timespec="seconds")
    became = "was interrupted" if twin.delivered_at is None else "was just made by another command"
    if as_json or not can_ask():
        note(
            f"Resuming the identical payment of {began}, which {became} ({twin.id}, {twin.state}), instead of paying again "
            "(--new pays)."
        )
        return True
    offer = "Resume it" if twin.delivered_at is None else "Show what it bought"
    question = f"An identical payment of {began} {became} ({twin.id}, {twin.state}). {offer} instead of paying again?"
    return confirm(question, default=True)


async def _preview(paygent: Paygent, request: IntentRequest, summary: str, *, as_json: bool) -> int:
    quote, verdict = await paygent.engine.preview(request)
    allowed = not isinstance(verdict, Deny)
    if as_json:
        emit(PlanOut.of(summary, quote, verdict).model_dump(mode="json"))
        return 0 if allowed else EXIT_DENIED
    if quote.amount is not None:
        note(f"The seller asks {quote.amount}, payable to {checksum_address(quote.payee)}.")
    if isinstance(verdict, Deny):
        note(f"Not allowed: {verdict.reason}")
    elif quote.amount is None:
        note("It answers without asking for a payment: nothing would be paid.")
    else:
        note("Allowed. Nothing was paid (dry run).")
    return 0 if allowed else EXIT_DENIED


def _show_progress(intent: Intent) -> None:
    note(f"  {intent.state:<10} " + _SAYS.get(intent.state, "").format(amount=intent.amount))


def _show(intent: Intent) -> None:
    if intent.reason and intent.state is not State.SETTLED:
        note(f"Error: {intent.reason.get('detail')}" if intent.state.is_final else f"{intent.reason.get('detail')}")
    if intent.state is State.SETTLED and intent.amount is None:
        note("It answered without asking for a payment: nothing was paid.")
    elif intent.state is State.SETTLED:
        note(f"Paid {intent.amount} in transaction {intent.transaction} ({intent.id})")
        if intent.answer is None:
            note("The seller took the payment and delivered no answer yet. Run the same command again to ask for it.")
    if intent.answer is not None:
        if intent.amount is not None and intent.answer.status >= 300:
            note(f"The seller took the payment and answered with HTTP {intent.answer.status}.")
        _write(intent.answer.body)
        if not intent.answer.is_whole:
            note(f"The answer is longer than what is kept ({len(intent.answer.body)} bytes); it was cut off.")
    if not intent.state.is_final:
        note(f"{intent.id} is not decided yet. Its reserve is kept; run the same command again to resume it.")


def _write(body: bytes) -> None:
    """What was bought, as it is; on a terminal without what would control it."""
    if sys.stdout.isatty():
        sys.stdout.write(screen(body.decode(errors="replace")).removesuffix("\n") + "\n")
    else:
        sys.stdout.buffer.write(body)
    sys.stdout.flush()


def _headers(lines: list[str]) -> dict[str, str]:
    headers: dict[str, Any] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise InvalidInput(f"Write a header as 'Name: value', not {line!r}.")
        headers[name.strip()] = value.strip()
    return headers
