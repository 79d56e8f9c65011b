"""`paygent up` and `paygent api`: the API, with a devnet around it or on a chain that is there."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from paygent.api import keys
from paygent.api.app import create_app
from paygent.bootstrap import network_of, open_paygent
from paygent.cli.contracts import show_contracts
from paygent.cli.output import emit, note
from paygent.cli.server import listen, serve, tell
from paygent.db.database import Database
from paygent.devnet.stack import open_stack
from paygent.errors import InvalidInput
from paygent.settings import Settings


async def up(settings: Settings, *, port: int, new_key: bool, as_json: bool) -> int:
    """The whole house on a devnet that keeps its state."""
    if not network_of(settings).is_devnet or settings.rpc_url is not None:
        raise InvalidInput(
            "`paygent up` runs a devnet of its own. For another network start `paygent api`, "
            "or unset PAYGENT_NETWORK and PAYGENT_RPC_URL."
        )
    say: Callable[[str], None] = (lambda _: None) if as_json else note
    with listen(port) as listener:
        async with open_stack(settings, say=say) as stack, open_paygent(stack.settings, spends=True) as paygent:
            key = await _key(paygent.database, new_key=new_key)
            document = {**stack.document, "database": stack.database_note, **({"api_key": key} if key else {})}

            def ready(url: str) -> None:
                if as_json:
                    emit({"url": url, **document})
                else:
                    _show_up(url, document, _program(settings))

            await serve(create_app(paygent), listener, ready=ready, ended=stack.ended)
    return 0


async def api(settings: Settings, *, port: int, new_key: bool, as_json: bool) -> int:
    """The API on the configured chain and database."""
    with listen(port) as listener:
        async with open_paygent(settings, spends=True) as paygent:
            key = await _key(paygent.database, new_key=new_key)
            await serve(create_app(paygent), listener, ready=tell("API", as_json=as_json, api_key=key))
    return 0


async def _key(database: Database, *, new_key: bool) -> str | None:
    async with database.transaction() as connection:
        return await (keys.replace(connection) if new_key else keys.ensure_first_key(connection))


def _program(settings: Settings) -> str:
    """How this program is called here, with the home and the chain that it was told of."""
    path = Path(sys.argv[0])
    name = path.name if shutil.which(path.name) == str(path.absolute()) else os.path.relpath(path)
    if path.name == "__main__.py":
        name = "python -m paygent"
    told = {"PAYGENT_HOME": settings.home, "PAYGENT_CHAIN_ID": settings.chain_id}
    default = Settings.model_construct()
    usual = {"PAYGENT_HOME": default.home.expanduser(), "PAYGENT_CHAIN_ID": default.chain_id}
    return " ".join([*(f"{key}={value}" for key, value in told.items() if value != usual[key]), name])


def _show_up(url: str, document: dict[str, Any], program: str) -> None:
    note()
    note(f"API            {url}  (/health, /docs, /redoc, /openapi.json)")
    if "api_key" in document:
        note(f"API key        {document['api_key']}  (shown this once; keep it)")
    note(f"Chain          {document['rpc_url']}  (id {document['chain_id']})")
    note(f"Database       {document['database']}")
    note(f"Facilitator    {document['facilitator_url']}")
    for service in document["services"]:
        note(f"Sample API     {service['url']}  ({service['price']} USDC.e a request)")
    note(f"Wallet         {document['wallet']}")
    note("Contracts")
    show_contracts(document["contracts"])
    note()
    note(f'Try, in another terminal:  {program} ask "Pay 0.10 USDC to access the market data API"')
    note("Ctrl-C stops everything; its state is kept.")
