"""`paygent doctor`: what is missing or misconfigured, and what to do about it."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Literal

import aiohttp
from rich.text import Text

from paygent.bootstrap import (
    embedded_folder,
    keystore_folder,
    limits_of,
    load_catalogue,
    network_of,
    open_database,
    open_rpc,
    open_signer,
    open_token,
    read_devnet_file,
)
from paygent.cli.contracts import known_steps
from paygent.cli.output import emit
from paygent.cli.tables import open_console
from paygent.devnet.chain import find_anvil
from paygent.errors import NotFound, PaygentError, Unavailable
from paygent.evm import deployment
from paygent.evm.abi import checksum_address
from paygent.evm.identity import check_identity
from paygent.settings import Settings, wrong_settings
from paygent.telemetry import configure_logging

_COLOURS = {"ok": "green", "note": "yellow", "problem": "red"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `ok`, `note` (works without) or `problem`."""

    name: str
    level: Literal["ok", "note", "problem"]
    detail: str


async def doctor(*, as_json: bool) -> int:
    """Look at everything; 1 when there is a problem."""
    findings = [_python()]
    wrong = wrong_settings()
    if wrong:
        findings += [Finding("settings", "problem", f"{name} {problem}") for name, problem in wrong.items()]
    else:
        settings = Settings()
        configure_logging(level=settings.log_level, json=settings.log_json)
        findings.append(Finding("settings", "ok", f"network {settings.network}, home {settings.home}"))
        for name, look in _LOOKS.items():
            findings.append(await _finding(name, look, settings))
    if as_json:
        emit([asdict(finding) for finding in findings])
    else:
        console = open_console()
        for finding in findings:
            mark = (f"{finding.level:<9}", _COLOURS[finding.level])
            console.print(Text.assemble(mark, f"{finding.name:<13}", finding.detail), soft_wrap=True)
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
    if settings.rpc_url is not None:
        return Finding("devnet", "ok", "PAYGENT_RPC_URL names one")
    running = read_devnet_file(settings)
    if not running:
        return Finding("devnet", "note", f"not running; `paygent up` starts it ({binary})")
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as http:
        await _answers(http, "facilitator", running["facilitator_url"] + "/supported", 200)
        for service in running["services"]:
            await _answers(http, service["name"], service["url"], 402)
    return Finding("devnet", "ok", f"running, with its facilitator and its sample API ({binary})")


async def _answers(http: aiohttp.ClientSession, name: str, url: str, status: int) -> None:
    try:
        async with http.get(url) as answer:
            if answer.status == status:
                return
            said = f"answers with HTTP {answer.status} instead of {status}"
    except (aiohttp.ClientError, TimeoutError):
        said = "does not answer"
    raise Unavailable(f"the {name} at {url} {said}; stop `paygent up` and start it again")


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
    where = "PAYGENT_DATABASE_URL" if settings.database_url else f"embedded, in {embedded_folder(settings)}"
    return Finding("database", "ok", f"PostgreSQL {row['version']} ({where})")


async def _chain(settings: Settings) -> Finding:
    network = network_of(settings)
    if network.is_devnet and settings.rpc_url is None and not read_devnet_file(settings):
        return Finding("chain", "note", "no devnet is running")
    async with open_rpc(settings) as rpc, open_database(settings) as database:
        await check_identity(database, rpc, chain_id=network.chain_id)
        token = await open_token(settings, rpc)
        limits_of(settings, token.asset, load_catalogue(settings))
        if not _has_wallet(settings):
            return Finding("chain", "ok", f"{network.id} answers; {token.asset.symbol} is there")
        balance = await token.balance(open_signer(settings, "pocket").address)
    if balance.base_units == 0:
        return Finding("chain", "note", f"{network.id} answers; the wallet has no {token.asset.symbol} yet")
    return Finding("chain", "ok", f"{network.id} answers; the wallet has {balance}")


async def _wallet(settings: Settings) -> Finding:
    if not _has_wallet(settings):
        return Finding("wallet", "note", f"none yet; its key is made on first use, in {keystore_folder(settings)}")
    address = checksum_address(open_signer(settings, "pocket").address)
    if settings.keystore_password is None and not network_of(settings).is_devnet:
        detail = f"{address}; its password lies beside it. Before real money: set PAYGENT_KEYSTORE_PASSWORD, then"
        return Finding("wallet", "note", f"{detail} `paygent wallet encrypt`")
    return Finding("wallet", "ok", address)


def _has_wallet(settings: Settings) -> bool:
    return (keystore_folder(settings) / "pocket.json").exists()


async def _contracts(settings: Settings) -> Finding:
    network = network_of(settings)
    if network.is_devnet and settings.rpc_url is None and not read_devnet_file(settings):
        return Finding("contracts", "note", "no devnet is running")
    try:
        steps = known_steps(settings, None)
    except NotFound:
        return Finding(
            "contracts", "note", f"none were deployed from here on {network.name} (`paygent contracts deploy`)"
        )
    async with open_rpc(settings) as rpc:
        missing = await deployment.missing(rpc, steps)
    if missing:
        names = ", ".join(step.name for step in missing)
        return Finding("contracts", "note", f"not on {network.name}: {names}; `paygent contracts deploy` deploys them")
    return Finding("contracts", "ok", f"all {len(steps)} are on {network.name}, and ours")


async def _services(settings: Settings) -> Finding:
    names = ", ".join(service.name for service in load_catalogue(settings).services)
    return Finding("services", "ok" if names else "note", names or "no service is registered (services.toml)")


_LOOKS: dict[str, Callable[[Settings], Awaitable[Finding]]] = {
    "node": _node,
    "database": _database,
    "devnet": _devnet,
    "wallet": _wallet,
    "chain": _chain,
    "contracts": _contracts,
    "services": _services,
}
