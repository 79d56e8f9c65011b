"""`paygent facilitator` and `paygent sell`, and the sample API that the devnet starts."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import aiohttp

from paygent.bootstrap import open_database, open_rpc, open_signer, open_token
from paygent.cli.output import note
from paygent.cli.server import listen, serve, tell
from paygent.devnet import deploy
from paygent.devnet.sample_api import create_paid_app
from paygent.errors import UnknownAsset
from paygent.evm.abi import checksum_address, parse_address
from paygent.evm.identity import check_identity
from paygent.evm.networks import known_usdc
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.evm.transactions import TransactionSender
from paygent.money import Amount
from paygent.outbound import check_url
from paygent.settings import Settings
from paygent.x402.facilitator.app import create_app
from paygent.x402.facilitator.client import FacilitatorClient
from paygent.x402.facilitator.service import Facilitator
from paygent.x402.proxy import ReverseProxy
from paygent.x402.seller import Offer, PaymentGuard


async def facilitator(settings: Settings, *, rpc_url: str, assets: Sequence[str], port: int, as_json: bool) -> int:
    """A facilitator on the node at `rpc_url`."""
    check_url(rpc_url)
    with listen(port) as listener:
        await _settle(settings, rpc_url, assets, listener, as_json=as_json)
    return 0


async def _settle(
    settings: Settings, rpc_url: str, assets: Sequence[str], listener: socket.socket, *, as_json: bool
) -> None:
    async with aiohttp.ClientSession() as http, open_database(settings) as database:
        rpc = JsonRpc(rpc_url, http)
        chain_id = int(await rpc.call("eth_chainId"), 16)
        is_development = await check_identity(database, rpc, chain_id=chain_id)
        tokens = await _served_tokens(rpc, chain_id, assets)
        signer = await asyncio.to_thread(open_signer, settings, "facilitator")
        if is_development:
            await deploy.fund(rpc, tokens[0], signer.address, usdc_base_units=0, gas_wei=deploy.GAS_WEI)
        elif int(await rpc.call("eth_getBalance", signer.address, "latest"), 16) == 0:
            note(f"Warning: {signer.address} has no gas on chain {chain_id}; send it some, or nothing can be settled.")
        sender = TransactionSender(database, rpc, signer, chain_id=chain_id)
        await sender.recover()
        served = [token.asset.id for token in tokens]
        told = tell("Facilitator", as_json=as_json, signer=checksum_address(signer.address), assets=served)
        await serve(create_app(Facilitator(tokens, sender)), listener, ready=told)


async def sell(
    settings: Settings, *, upstream: str, price: str, pay_to: str, facilitator_url: str, port: int, as_json: bool
) -> int:
    """A reverse proxy that asks `price` for every request."""
    async with _selling(settings, price, pay_to, facilitator_url, port) as (offer, facilitates, http, token, listener):
        await _warn_without(facilitator_url, http)
        guarded = PaymentGuard(
            ReverseProxy(check_url(upstream), http),
            facilitator=facilitates,
            offer_for=lambda _m, _p: offer,
            chain=token,
        )
        told = tell(
            "Selling", as_json=as_json, upstream=upstream, price=str(offer.price), pay_to=checksum_address(offer.pay_to)
        )
        await serve(guarded, listener, ready=told)
    return 0


async def sample_api(
    settings: Settings, *, price: str, pay_to: str, facilitator_url: str, port: int, as_json: bool
) -> int:
    """The sample market-data API."""
    async with _selling(settings, price, pay_to, facilitator_url, port) as (offer, facilitates, _, token, listener):
        app = create_paid_app(token.rpc, token, facilitator=facilitates, price=offer.price, pay_to=offer.pay_to)
        await serve(app, listener, ready=tell("Sample API", as_json=as_json, price=str(offer.price)))
    return 0


async def _warn_without(facilitator_url: str, http: aiohttp.ClientSession) -> None:
    """It may come later; but whoever mistyped its address should not learn it from the first buyer."""
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        async with http.get(facilitator_url.rstrip("/") + "/supported", timeout=timeout) as answer:
            if answer.status == 200:
                return
            said = f"answers /supported with HTTP {answer.status}"
    except (aiohttp.ClientError, TimeoutError):
        said = "does not answer"
    note(f"Warning: the facilitator at {facilitator_url} {said}. Nothing can be sold until it does.")


def upstream_session() -> aiohttp.ClientSession:
    """For the reverse proxy: bytes pass as they are, and no buyer's cookie is another's."""
    return aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())


@asynccontextmanager
async def _selling(
    settings: Settings, price: str, pay_to: str, facilitator_url: str, port: int
) -> AsyncIterator[tuple[Offer, FacilitatorClient, aiohttp.ClientSession, Eip3009Token, socket.socket]]:
    """What every seller needs; the token's domain is read from the chain, never assumed."""
    check_url(facilitator_url)
    with listen(port) as listener:
        async with (
            open_rpc(settings) as rpc,
            upstream_session() as http,
            aiohttp.ClientSession() as facilitator_http,
        ):
            token = await open_token(settings, rpc)
            offer = Offer(
                Amount.parse_positive(price, token.asset),
                parse_address(pay_to),
                token.domain.name,
                token.domain.version,
            )
            yield offer, FacilitatorClient(facilitator_url, facilitator_http), http, token, listener


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
