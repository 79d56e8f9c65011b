"""`paygent demo`: everything on a chain of its own; an agent buys data, and the books are shown and checked."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp
from rich.table import Table

from paygent.api.schemas import EventOut
from paygent.bootstrap import embedded_folder, open_database
from paygent.cli.output import emit, note
from paygent.cli.tables import open_console, print_books
from paygent.db import embedded
from paygent.devnet.stack import Stack, open_stack
from paygent.errors import Unavailable
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.intents import repository
from paygent.intents.model import Event, Intent
from paygent.money import Amount
from paygent.settings import Settings

COMMAND = "Pay 0.10 USDC to access the market data API"


async def demo(settings: Settings, *, as_json: bool) -> int:
    """Run the main job in a home that is made for it and removed after it; the exit code."""
    began = time.monotonic()
    home = Path(tempfile.mkdtemp(prefix="paygent-demo-"))

    def say(text: str) -> None:
        if not as_json:
            note(f"[{time.monotonic() - began:4.1f} s] {text}")

    own = Settings(_env_file=None, home=home, chain_id=settings.chain_id, anvil=settings.anvil)
    unset = ("rpc_url", "database_url", "token_address", "keystore_password")
    own = own.model_copy(update={"network": "devnet"} | dict.fromkeys(unset))
    try:
        async with open_stack(own, say=say) as stack:
            report = await _buy(stack, say, quiet=as_json)
        say("Everything is stopped again")
    except asyncio.CancelledError:
        note("Stopping…")
        raise
    finally:
        try:
            await asyncio.to_thread(embedded.stop, embedded_folder(own))
        finally:
            shutil.rmtree(home, ignore_errors=True)
    if as_json:
        emit(report)
    elif report["ok"]:
        note(f"Done in {time.monotonic() - began:.1f} s.")
    else:
        note("Error: the demo did not end as it should; see above.")
    return 0 if report["ok"] else 1


async def _buy(stack: Stack, say: Any, *, quiet: bool) -> dict[str, Any]:
    document = stack.document
    async with aiohttp.ClientSession() as http, open_database(stack.settings) as database:
        token = await Eip3009Token.open(
            JsonRpc(document["rpc_url"], http), chain_id=document["chain_id"], address=document["usdc"]
        )
        before = await _balances(token, document)
        say(f'paygent ask "{COMMAND}"')
        code, bought = await _ask(stack)
        after = await _balances(token, document)
        async with database.transaction() as connection:
            intents = await repository.recent(connection, count=1)
            if not intents:
                raise Unavailable(f"The demo's payment did not begin (exit code {code}); see above.")
            intent = intents[0]
            events = await repository.history(connection, intent.id)
            entries = await repository.ledger_entries(connection, intent)
    paid, received = before["payer"] - after["payer"], after["seller"] - before["seller"]
    booked = sum(
        int(entry["base_units"])
        for entry in entries
        if entry["kind"] == "post_pending" and entry["credit_account"].startswith("payee:")
    )
    ok = code == 0 and bought is not None and paid == received == token.amount(booked) and booked > 0
    if not quiet:
        _show(intent, bought, (before, after), events, entries)
    return {
        "ok": ok,
        "intent": intent.id,
        "state": intent.state,
        "transaction": intent.transaction,
        "data": bought,
        "before": {who: balance.as_dict() for who, balance in before.items()},
        "after": {who: balance.as_dict() for who, balance in after.items()},
        "history": [EventOut.of(event).model_dump(mode="json") for event in events],
        "ledger": entries,
    }


async def _ask(stack: Stack) -> tuple[int, Any]:
    """The very command that a user would type, as a process of its own; its exit code and the data it printed."""
    assert stack.settings.database_url is not None
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PAYGENT_")} | {
        "PAYGENT_HOME": str(stack.settings.home),
        "PAYGENT_CHAIN_ID": str(stack.settings.chain_id),
        "PAYGENT_DATABASE_URL": stack.settings.database_url.get_secret_value(),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paygent", "ask", COMMAND,
        env=environment, cwd=stack.settings.home, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        out, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()
    try:
        bought = json.loads(out)
    except ValueError:
        bought = None
    return process.returncode or 0, bought


async def _balances(token: Eip3009Token, document: dict[str, Any]) -> dict[str, Amount]:
    payer, seller = await asyncio.gather(token.balance(document["wallet"]), token.balance(document["seller"]))
    return {"payer": payer, "seller": seller}


def _show(
    intent: Intent,
    bought: Any,
    balances: tuple[dict[str, Amount], dict[str, Amount]],
    events: Sequence[Event],
    entries: Sequence[dict[str, Any]],
) -> None:
    console = open_console()
    console.print("\nThe data bought")
    console.print_json(data=bought)
    console.print(f"\nTransaction {intent.transaction}\n", soft_wrap=True)
    table = Table("", "before", "after", title="Balances on chain", title_justify="left", box=None)
    for who in ("payer", "seller"):
        table.add_row(who, *(str(balance[who]) for balance in balances))
    console.print(table)
    console.print()
    print_books(console, intent, events, entries)
