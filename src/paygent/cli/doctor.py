"""`paygent doctor`: what is missing or misconfigured, and what to do about it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape

from paygent.bootstrap import (
    database_url,
    load_catalogue,
    network_of,
    open_database,
    open_rpc,
    open_signer,
    open_token,
    read_devnet_file,
)
from paygent.cli.output import emit
from paygent.devnet.chain import find_anvil
from paygent.errors import PaygentError
from paygent.evm.identity import check_identity
from paygent.settings import Settings


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, `note` (works without) or `problem`."""

    name: str
    level: Literal["ok", "note", "problem"]
    detail: str


async def doctor(*, as_json: bool) -> int:
    """Look at everything; 1 when there is a problem."""
    findings = [_python()]
    try:
        settings = Settings()
    except ValidationError as error:
        findings += [
            Finding("settings", "problem", f"PAYGENT_{str(e['loc'][0]).upper()}: {e['msg']}") for e in error.errors()
        ]
    else:
        findings.append(Finding("settings", "ok", f"network {settings.network}, home {settings.home}"))
        for name, look in _LOOKS.items():
            findings.append(await _finding(name, look, settings))
    if as_json:
        emit([asdict(finding) for finding in findings])
    else:
        marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "problem": "[red]problem[/]"}
        console = Console()
        for finding in findings:
            text = f"{marks[finding.level]:>18}  {finding.name:<10} {escape(finding.detail)}"
            console.print(text, highlight=False, soft_wrap=True)
    return 1 if any(finding.level == "problem" for finding in findings) else 0


async def _finding(name: str, look: Callable[[Settings], Awaitable[Finding]], settings: Settings) -> Finding:
    try:
        return await look(settings)
    except PaygentError as error:
        return Finding(name, "problem", error.detail)


def _python() -> Finding:
    return Finding("python", "ok", f"Python {platform.python_version()}")


async def _devnet(settings: Settings) -> Finding:
    if not network_of(settings).is_devnet:
        return Finding("devnet", "ok", f"not needed on {settings.network}")
    binary = find_anvil(settings.anvil)
    if not read_devnet_file(settings) and settings.rpc_url is None:
        return Finding("devnet", "note", f"not running; `paygent up` starts it ({binary})")
    return Finding("devnet", "ok", f"running ({binary})")


async def _node(_: Settings) -> Finding:
    node = shutil.which("node")
    if node is None:
        return Finding("node", "note", "Node.js is not on PATH; only building the contracts needs it.")
    return Finding("node", "ok", node)


async def _database(settings: Settings) -> Finding:
    async with open_database(settings) as database, database.transaction() as connection:
        cursor = await connection.execute("SELECT current_setting('server_version') AS version")
        row = await cursor.fetchone()
    assert row is not None
    where = "PAYGENT_DATABASE_URL" if settings.database_url else f"embedded, {database_url(settings).partition('=')[2]}"
    return Finding("database", "ok", f"PostgreSQL {row['version']} ({where})")


async def _chain(settings: Settings) -> Finding:
    network = network_of(settings)
    if network.is_devnet and settings.rpc_url is None and not read_devnet_file(settings):
        return Finding("chain", "note", "no devnet is running")
    async with open_rpc(settings) as rpc, open_database(settings) as database:
        await check_identity(database, rpc, chain_id=network.chain_id)
        token = await open_token(settings, rpc)
        balance = await token.balance(open_signer(settings, "pocket").address)
    if balance.base_units == 0:
        return Finding("chain", "note", f"{network.id} answers; the wallet has no {token.asset.symbol} yet")
    return Finding("chain", "ok", f"{network.id} answers; the wallet has {balance}")


async def _keystore(settings: Settings) -> Finding:
    signer = open_signer(settings, "pocket")
    if settings.keystore_password is None and not network_of(settings).is_devnet:
        detail = f"{signer.address}; its password lies beside it. Set PAYGENT_KEYSTORE_PASSWORD before real money."
        return Finding("wallet", "note", detail)
    return Finding("wallet", "ok", signer.address)


async def _services(settings: Settings) -> Finding:
    names = ", ".join(service.name for service in load_catalogue(settings).services)
    return Finding("services", "ok" if names else "note", names or "no service is registered (services.toml)")


_LOOKS: dict[str, Callable[[Settings], Awaitable[Finding]]] = {
    "node": _node,
    "database": _database,
    "devnet": _devnet,
    "wallet": _keystore,
    "chain": _chain,
    "services": _services,
}
