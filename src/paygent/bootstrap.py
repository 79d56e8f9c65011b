"""The only wiring: settings in, a working Paygent out."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from paygent.db import embedded
from paygent.db.database import Database
from paygent.db.migrate import migrate
from paygent.errors import ChainUnavailable, InvalidAmount, InvalidInput
from paygent.evm.identity import check_identity
from paygent.evm.networks import Network, network_named
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.intents.engine import Engine
from paygent.intents.model import Intent
from paygent.money import Amount, Asset
from paygent.outbound import open_session as open_http
from paygent.payments.action import KIND as X402_PAYMENT
from paygent.payments.action import X402Payment
from paygent.policy import sessions
from paygent.policy.rules import Policy
from paygent.registry.catalogue import Catalogue, Service
from paygent.settings import Settings
from paygent.wallets.pocket import Pocket
from paygent.x402.client import BuyerClient, HttpRequest

DEFAULT_SESSION = "default"
_DEVNET_FILE = "devnet.json"


@dataclass(frozen=True, slots=True)
class Paygent:
    """Everything wired. `catalogue` holds the services that the owner registered, and the devnet's own.

    `session_id` is the session that spends. Its terms are the operator's settings: whoever may spend cannot change them.
    """

    settings: Settings
    network: Network
    database: Database
    rpc: JsonRpc
    pocket: Pocket
    engine: Engine
    catalogue: Catalogue
    session_id: str = DEFAULT_SESSION


@asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, migrated; the embedded one is started when none is configured."""
    database = await Database.open(await start_database(settings))
    try:
        yield database
    finally:
        await database.close()


async def start_database(settings: Settings) -> str:
    """The URL of the configured database, or of the embedded one, which is started if it does not run; migrated."""

    def start() -> str:
        configured = settings.database_url
        url = embedded.start(embedded_folder(settings)) if configured is None else configured.get_secret_value()
        migrate(url)
        return url

    starting = asyncio.create_task(asyncio.to_thread(start))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        # A server that is half started is nobody's to stop.
        await asyncio.wait({starting})
        raise


def embedded_folder(settings: Settings) -> Path:
    """Where the embedded database lies."""
    return settings.home / "postgres"


@asynccontextmanager
async def open_rpc(settings: Settings) -> AsyncIterator[JsonRpc]:
    """The node, asked for its chain id first: nothing is done on another chain than the configured one."""
    network = network_of(settings)
    url = settings.rpc_url or network.rpc_url or read_devnet_file(settings).get("rpc_url")
    if url is None:
        raise ChainUnavailable("No devnet is running here. Start one with `paygent up`, or set PAYGENT_RPC_URL.")
    async with aiohttp.ClientSession() as http:
        rpc = JsonRpc(url, http)
        chain_id = int(await rpc.call("eth_chainId"), 16)
        if chain_id != network.chain_id:
            raise InvalidInput(
                f"{rpc.host} is chain {chain_id}; {network.name} is chain {network.chain_id}. "
                "Check PAYGENT_RPC_URL, PAYGENT_NETWORK and PAYGENT_CHAIN_ID."
            )
        yield rpc


@asynccontextmanager
async def open_paygent(
    settings: Settings, *, spends: bool, on_change: Callable[[Intent], None] | None = None
) -> AsyncIterator[Paygent]:
    """Wire everything; what is missing or misconfigured is a PaygentError that says so.

    Its policy is that of `settings`. The budget is one for all processes: whoever `spends` brings it to its settings, who
    only looks leaves it as it is.
    `on_change` is told of every state that `submit` and `drive` of the engine bring an intent to.
    """
    async with AsyncExitStack() as stack:
        network = network_of(settings)
        rpc = await stack.enter_async_context(open_rpc(settings))
        database = await stack.enter_async_context(open_database(settings))
        await check_identity(database, rpc, chain_id=network.chain_id)
        token = await open_token(settings, rpc)
        signer = await asyncio.to_thread(open_signer, settings, "pocket")
        # A devnet is short enough to be read from its start; elsewhere the past is one opening balance.
        first_block = 0 if network.is_devnet else int(await rpc.call("eth_blockNumber"), 16)
        pocket = Pocket(database, token, signer, first_block, network.confirmations)
        await pocket.open()
        http = await stack.enter_async_context(open_http(allow_loopback=network.is_devnet))
        catalogue = load_catalogue(settings)
        policy, budget = limits_of(settings, token.asset, catalogue)
        engine = Engine(
            database,
            {X402_PAYMENT: X402Payment(pocket, BuyerClient(http))},
            policy=policy,
            owner=f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}",
            lease_seconds=settings.lease_seconds,
            on_change=on_change,
        )
        async with database.transaction() as connection:
            if spends or not await sessions.exists(connection, DEFAULT_SESSION):
                await sessions.open_session(connection, DEFAULT_SESSION, budget)
        yield Paygent(settings, network, database, rpc, pocket, engine, catalogue)


def limits_of(settings: Settings, asset: Asset, catalogue: Catalogue) -> tuple[Policy, Amount]:
    """Policy and budget of `settings`; what the owner registered may be paid besides the hosts that are listed.

    Raises InvalidInput that names the setting or the service.
    """
    for service in catalogue.services:
        if service.price is not None:
            _limit(service.price, asset, f"The price of {service.name!r}")
    registered = {HttpRequest(service.url).host for service in catalogue.services}
    payment_max = _limit(settings.payment_max, asset, "PAYGENT_PAYMENT_MAX")
    policy = Policy(payment_max, frozenset(settings.allowed_hosts) | registered)
    return policy, _limit(settings.session_budget, asset, "PAYGENT_SESSION_BUDGET")


def _limit(text: str, asset: Asset, name: str) -> Amount:
    try:
        return Amount.parse_positive(text, asset)
    except InvalidAmount as error:
        raise InvalidInput(f"{name}: {error.detail}") from error


async def open_token(settings: Settings, rpc: JsonRpc) -> Eip3009Token:
    """The token that is paid with, checked against its contract."""
    network = network_of(settings)
    address = settings.token_address or network.usdc_address
    return await Eip3009Token.open(rpc, chain_id=network.chain_id, address=address)


def network_of(settings: Settings) -> Network:
    """The network that the settings name."""
    return network_named(settings.network, devnet_chain_id=settings.chain_id)


def open_signer(settings: Settings, name: str) -> KeystoreSigner:
    """The key `name` in the home's keystore, made on first use. Blocks."""
    password = settings.keystore_password.get_secret_value() if settings.keystore_password else None
    return KeystoreSigner.open(keystore_folder(settings) / f"{name}.json", password)


def keystore_folder(settings: Settings) -> Path:
    """Where the keys lie."""
    return settings.home / "keystore"


def load_catalogue(settings: Settings) -> Catalogue:
    """The owner's services, and on the devnet the sample API that runs there."""
    path = settings.services or settings.home / "services.toml"
    if settings.services is not None and not path.exists():
        raise InvalidInput(f"PAYGENT_SERVICES names {path}, and there is no such file.")
    own = Catalogue.load(path).services if path.exists() else ()
    if not network_of(settings).is_devnet:
        return Catalogue(own)
    sample = [Service(**service) for service in read_devnet_file(settings).get("services", [])]
    # What the owner registered goes first, by name and by request.
    registered = Catalogue(own)
    names = {name.casefold() for service in own for name in service.names}
    free = [s for s in sample if s.name.casefold() not in names and registered.at(s.url, s.method) is None]
    return Catalogue((*own, *free))


def read_devnet_file(settings: Settings) -> dict[str, Any]:
    """What the running devnet wrote down of itself; empty when none runs."""
    if not _devnet_runs(settings.home):
        return {}
    try:
        content = json.loads(devnet_file(settings).read_text())
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise InvalidInput(f"{devnet_file(settings)} is damaged; stop the devnet and start it again.") from error
    return content if isinstance(content, dict) else {}


def devnet_file(settings: Settings) -> Path:
    """Where a running devnet writes down its addresses."""
    return settings.home / _DEVNET_FILE


def devnet_lock(home: Path) -> Path:
    """What a running devnet holds locked. (One that was killed leaves its file behind, and no lock.)"""
    return home / "up.lock"


def _devnet_runs(home: Path) -> bool:
    try:
        with devnet_lock(home).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False
    return False
