"""The commands that stay up: `up`, `api`, `facilitator`, `sell`, `devnet`. Each says where it is once it answers."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn

from paygent.api import keys
from paygent.api.app import create_app
from paygent.bootstrap import network_of, open_database, open_paygent, open_rpc, open_signer, open_token
from paygent.cli.output import emit, note
from paygent.db.database import Database
from paygent.devnet import chain as devnet_chain
from paygent.devnet import deploy as devnet_deploy
from paygent.devnet.sample_api import create_paid_app
from paygent.devnet.stack import open_stack
from paygent.errors import ChainUnavailable, InvalidInput, UnknownAsset
from paygent.evm.abi import parse_address
from paygent.evm.identity import check_identity
from paygent.evm.networks import MULTICALL3_ADDRESS, known_usdc
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.evm.transactions import TransactionSender
from paygent.money import Amount
from paygent.outbound import check_url
from paygent.settings import Settings
from paygent.x402.facilitator.app import create_app as create_facilitator_app
from paygent.x402.facilitator.client import FacilitatorClient
from paygent.x402.facilitator.service import Facilitator
from paygent.x402.proxy import ReverseProxy
from paygent.x402.seller import Offer, PaymentGuard


async def up(settings: Settings, *, port: int, as_json: bool) -> int:
    """The whole house on a devnet that keeps its state."""
    if not network_of(settings).is_devnet or settings.rpc_url is not None:
        raise InvalidInput(
            "`paygent up` runs a devnet of its own. For another network start `paygent api`, "
            "or unset PAYGENT_NETWORK and PAYGENT_RPC_URL."
        )
    say: Callable[[str], None] = (lambda _: None) if as_json else note
    async with open_stack(settings, say=say) as stack, open_paygent(stack.settings, spends=True) as paygent:
        key = await _first_key(paygent.database)
        document = {**stack.document, "api_key": key, "database": stack.database_note}

        def ready(url: str) -> None:
            if as_json:
                emit({"api": url, **document})
            else:
                _show_up(url, document, _program(settings))

        await _serve(create_app(paygent), port=port, ready=ready)
    return 0


async def api(settings: Settings, *, port: int, as_json: bool) -> int:
    """The API on the configured chain and database."""
    async with open_paygent(settings, spends=True) as paygent:
        key = await _first_key(paygent.database)
        await _serve(create_app(paygent), port=port, ready=_tell("API", as_json=as_json, api_key=key))
    return 0


async def facilitator(settings: Settings, *, rpc_url: str, assets: Sequence[str], port: int, as_json: bool) -> int:
    """A facilitator on the node at `rpc_url`."""
    check_url(rpc_url)
    async with aiohttp.ClientSession() as http, open_database(settings) as database:
        rpc = JsonRpc(rpc_url, http)
        chain_id = int(await rpc.call("eth_chainId"), 16)
        await check_identity(database, rpc, chain_id=chain_id)
        tokens = await _served_tokens(rpc, chain_id, assets)
        signer = await asyncio.to_thread(open_signer, settings, "facilitator")
        if int(await rpc.call("eth_getBalance", signer.address, "latest"), 16) == 0:
            note(f"Warning: {signer.address} has no gas on chain {chain_id}; send it some, or nothing can be settled.")
        sender = TransactionSender(database, rpc, signer, chain_id=chain_id)
        await sender.recover()
        served = [token.asset.id for token in tokens]
        tell = _tell("Facilitator", as_json=as_json, signer=signer.address, assets=served)
        await _serve(create_facilitator_app(Facilitator(tokens, sender)), port=port, ready=tell)
    return 0


async def sell(
    settings: Settings, *, upstream: str, price: str, pay_to: str, facilitator_url: str, port: int, as_json: bool
) -> int:
    """A reverse proxy that asks `price` for every request."""
    async with _selling(settings, price, pay_to, facilitator_url) as (offer, facilitates, http, token):
        guarded = PaymentGuard(
            ReverseProxy(check_url(upstream), http),
            facilitator=facilitates,
            offer_for=lambda _m, _p: offer,
            chain=token,
        )
        tell = _tell("Selling", as_json=as_json, upstream=upstream, price=str(offer.price), pay_to=offer.pay_to)
        await _serve(guarded, port=port, ready=tell)
    return 0


async def sample_api(
    settings: Settings, *, price: str, pay_to: str, facilitator_url: str, port: int, as_json: bool
) -> int:
    """The sample market-data API."""
    async with _selling(settings, price, pay_to, facilitator_url) as (offer, facilitates, _, token):
        app = create_paid_app(token.rpc, token, facilitator=facilitates, price=offer.price, pay_to=offer.pay_to)
        await _serve(app, port=port, ready=_tell("Sample API", as_json=as_json, price=str(offer.price)))
    return 0


async def devnet(settings: Settings, *, chain_id: int, port: int, state: Path | None, as_json: bool) -> int:
    """A chain with contracts and funded accounts."""
    binary = devnet_chain.find_anvil(settings.anvil)
    async with (
        await devnet_chain.start(binary=binary, chain_id=chain_id, port=port, state=state) as chain,
        aiohttp.ClientSession() as http,
    ):
        rpc = JsonRpc(chain.rpc_url, http)
        token = await devnet_deploy.deploy(rpc, chain_id=chain_id)
        usdc = 1_000_000 * 10**token.asset.decimals
        for account in devnet_deploy.DEV_ACCOUNTS:
            await devnet_deploy.fund(rpc, token, account.address, usdc_base_units=usdc, gas_wei=0)
        document = {
            "rpc_url": chain.rpc_url,
            "chain_id": chain_id,
            "contracts": {"usdc": token.asset.address, "multicall3": MULTICALL3_ADDRESS},
            "accounts": [
                {"address": account.address, "private_key": account.private_key}
                for account in devnet_deploy.DEV_ACCOUNTS
            ],
        }
        if as_json:
            emit(document)
        else:
            note(f"Devnet {chain_id} at {chain.rpc_url}")
            note(f"  USDC.e      {token.asset.address}\n  Multicall3  {MULTICALL3_ADDRESS}")
            note(
                "  Development accounts, each with 1,000,000 USDC.e (their keys are public: never use them elsewhere):"
            )
            for account in devnet_deploy.DEV_ACCOUNTS:
                note(f"  {account.address}  {account.private_key}")
            note("Ctrl-C stops it.")
        await _until_stopped(chain)
    return 0


def upstream_session() -> aiohttp.ClientSession:
    """For the reverse proxy: bytes pass as they are, and no buyer's cookie is another's."""
    return aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())


@asynccontextmanager
async def _selling(
    settings: Settings, price: str, pay_to: str, facilitator_url: str
) -> AsyncIterator[tuple[Offer, FacilitatorClient, aiohttp.ClientSession, Eip3009Token]]:
    """What every seller needs; the token's domain is read from the chain, never assumed."""
    check_url(facilitator_url)
    async with open_rpc(settings) as rpc, upstream_session() as http:
        token = await open_token(settings, rpc)
        async with aiohttp.ClientSession() as facilitator_http:
            offer = Offer(
                Amount.parse_positive(price, token.asset),
                parse_address(pay_to),
                token.domain.name,
                token.domain.version,
            )
            yield offer, FacilitatorClient(facilitator_url, facilitator_http), http, token


async def _served_tokens(rpc: JsonRpc, chain_id: int, assets: Sequence[str]) -> list[Eip3009Token]:
    """The tokens named, which must exist, and those of the known ones that are deployed there."""
    tokens = [await Eip3009Token.open(rpc, chain_id=chain_id, address=parse_address(asset)) for asset in assets]
    for address in known_usdc(chain_id):
        try:
            tokens.append(await Eip3009Token.open(rpc, chain_id=chain_id, address=address))
        except UnknownAsset:
            continue
    if not tokens:
        raise UnknownAsset(f"No known EIP-3009 token is deployed on chain {chain_id}; name one with --asset.")
    return tokens


async def _first_key(database: Database) -> str | None:
    async with database.transaction() as connection:
        return await keys.ensure_first_key(connection)


class _Server(uvicorn.Server):
    """Uvicorn without its own signals: it raises them again at its end, before what stands around it is put away."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _serve(app: Any, *, port: int, ready: Callable[[str], None]) -> None:
    """Serve on loopback until a signal stops it; `ready` is told the URL once it answers."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        raise InvalidInput(f"Port {port} is taken; choose another with --port.") from error
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5, server_header=False)
    server = _Server(config)
    stopped = asyncio.create_task(_stop_signal().wait())
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    deadline = time.monotonic() + 30
    while not server.started and not serving.done() and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.005)
    if server.started:
        ready(f"http://127.0.0.1:{listener.getsockname()[1]}")
    await asyncio.wait({serving, stopped}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    stopped.cancel()
    await serving


async def _until_stopped(chain: devnet_chain.Chain) -> None:
    """Until Ctrl-C or SIGTERM; a chain that ends by itself is an error."""
    stopped = asyncio.create_task(_stop_signal().wait())
    ended = asyncio.create_task(chain.process.wait())
    done, _ = await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    if ended in done:
        stopped.cancel()
        raise ChainUnavailable(f"The devnet's chain ended by itself (exit code {chain.process.returncode}).")
    ended.cancel()


def _stop_signal() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM, which from here on end nothing by themselves."""
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


def _tell(what: str, *, as_json: bool, **facts: Any) -> Callable[[str], None]:
    """A `ready` that prints the URL and `facts`, those that there are."""
    known = {name: value for name, value in facts.items() if value is not None}

    def ready(url: str) -> None:
        if as_json:
            emit({"url": url, **known})
            return
        note(f"{what} at {url}")
        for name, value in known.items():
            note(f"  {name.replace('_', ' ')}: {', '.join(value) if isinstance(value, list) else value}")
        if "api_key" in known:
            note("  (the key is shown this once; keep it)")
        note("Ctrl-C stops it.")

    return ready


def _program(settings: Settings) -> str:
    """How this program is called here, with the home that it was told of."""
    path = Path(sys.argv[0])
    name = path.name if shutil.which(path.name) == str(path.absolute()) else os.path.relpath(path)
    default = Settings.model_fields["home"].default.expanduser()
    return name if settings.home == default else f"PAYGENT_HOME={settings.home} {name}"


def _show_up(url: str, document: dict[str, Any], program: str) -> None:
    note()
    note(f"API            {url}  (/health, /docs, /redoc, /openapi.json)")
    if document["api_key"]:
        note(f"API key        {document['api_key']}  (shown this once; keep it)")
    note(f"Chain          {document['rpc_url']}  (id {document['chain_id']})")
    note(f"Database       {document['database']}")
    note(f"Facilitator    {document['facilitator_url']}")
    for service in document["services"]:
        note(f"Sample API     {service['url']}  ({service['price']} USDC.e a request)")
    note(f"Wallet         {document['wallet']}")
    note()
    note(f'Try, in another terminal:  {program} ask "Pay 0.10 USDC to access the market data API"')
    note("Ctrl-C stops everything; its state is kept.")
