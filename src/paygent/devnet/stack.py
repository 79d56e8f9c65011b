"""The whole devnet: database, chain, contracts, funds, and a facilitator and a seller as processes of their own."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from pydantic import SecretStr

from paygent.bootstrap import devnet_file, devnet_lock, embedded_folder, open_signer, start_database
from paygent.devnet import chain, deploy
from paygent.errors import InvalidInput, Unavailable
from paygent.evm.abi import checksum_address
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.money import Amount
from paygent.settings import Settings

SAMPLE_PRICE = "0.10"
SAMPLE_SERVICE = "market data API"
# The seller's account: one of the chain's public development accounts, so that everyone can look at it.
_SELLER = 9
_WALLET_USDC = 100
# A wallet that is poorer than this when the devnet starts is filled up again.
_WALLET_USDC_LOW = 10
_START_SECONDS = 60
_LOCK_TRIES = 5


@dataclass(frozen=True, slots=True)
class Stack:
    """A running devnet. `settings` are those with which a Paygent uses it; `document` says where everything is."""

    settings: Settings
    document: dict[str, Any]
    database_note: str
    parts: Mapping[str, asyncio.subprocess.Process]

    async def ended(self) -> str:
        """Waits for a part to end by itself; says which one, and where to read why."""
        waiting = [asyncio.create_task(part.wait(), name=name) for name, part in self.parts.items()]
        try:
            done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        first = done.pop()
        logs = _logs(self.settings.home) / f"{first.get_name()}.log"
        where = f"; see {logs}" if logs.exists() else ""
        return f"The {first.get_name()} ended by itself (exit code {first.result()}){where}."


@asynccontextmanager
async def open_stack(settings: Settings, *, say: Callable[[str], None]) -> AsyncIterator[Stack]:
    """Start everything, telling `say` what is being done; stop it all at the end. State stays in the home."""
    home = settings.home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_only_one(home))
        say("Starting the database")
        configured = settings.database_url is not None
        url = await start_database(settings)
        settings = settings.model_copy(update={"database_url": SecretStr(url), "token_address": None})
        say(f"Starting the chain (id {settings.chain_id})")
        ports = _Ports(home / "ports.json")
        node = await stack.enter_async_context(
            await chain.start(
                binary=chain.find_anvil(settings.anvil),
                chain_id=settings.chain_id,
                port=ports.free("chain"),
                state=home / "chain.json",
            )
        )
        http = await stack.enter_async_context(aiohttp.ClientSession())
        rpc = JsonRpc(node.rpc_url, http)
        say("Deploying the contracts and funding the accounts")
        token = await deploy.deploy(rpc, chain_id=settings.chain_id)
        wallet = await _fund(settings, rpc, token)
        say("Starting the facilitator and the sample paid API")
        seller = checksum_address(deploy.DEV_ACCOUNTS[_SELLER].address)
        # Most of a start is Python's imports: they start side by side, each on a port that the other can be told.
        facilitator_port, sample_port = ports.free("facilitator"), ports.free("sample-api")
        facilitator_url = f"http://127.0.0.1:{facilitator_port}"
        sample_url = f"http://127.0.0.1:{sample_port}"
        secrets = {"database_url": settings.database_url, "keystore_password": settings.keystore_password}
        settling, selling = await _all(
            _start(
                stack, home, _environment(settings, node.rpc_url, **secrets),
                *("facilitator", "--rpc-url", node.rpc_url, "--port", str(facilitator_port)),
            ),
            _start(
                stack, home, _environment(settings, node.rpc_url),
                *("sample-api", "--price", SAMPLE_PRICE, "--pay-to", seller),
                *("--facilitator", facilitator_url, "--port", str(sample_port)),
            ),
        )  # fmt: skip
        ports.remember({"chain": node.rpc_url, "facilitator": facilitator_url, "sample-api": sample_url})
        service = {
            "name": SAMPLE_SERVICE,
            "url": sample_url + "/market-data",
            "description": "What this chain knows of its own market: blocks, gas, USDC.e supply and transfers",
            "price": SAMPLE_PRICE,
            "pay_to": seller,
        }
        document = {
            "rpc_url": node.rpc_url,
            "chain_id": settings.chain_id,
            "usdc": token.asset.address,
            "contracts": deploy.contract_addresses(),
            "wallet": checksum_address(wallet),
            "seller": seller,
            "facilitator_url": facilitator_url,
            "services": [service],
        }
        stack.enter_context(_written_down(devnet_file(settings), document))
        note = "yours" if configured else f"embedded, in {embedded_folder(settings)}"
        yield Stack(settings, document, note, {"chain": node.process, "facilitator": settling, "sample-api": selling})


async def _fund(settings: Settings, rpc: JsonRpc, token: Eip3009Token) -> str:
    """Give the wallet money, where it has little, and the facilitator gas; the wallet's address."""
    wallet = (await asyncio.to_thread(open_signer, settings, "pocket")).address
    settler = (await asyncio.to_thread(open_signer, settings, "facilitator")).address
    if await token.balance(wallet) < Amount.parse(str(_WALLET_USDC_LOW), token.asset):
        usdc = Amount.parse(str(_WALLET_USDC), token.asset)
        await deploy.fund(rpc, token, wallet, usdc_base_units=usdc.base_units, gas_wei=0)
    await deploy.fund(rpc, token, settler, usdc_base_units=0, gas_wei=deploy.GAS_WEI)
    return wallet


def _environment(settings: Settings, rpc_url: str, **secrets: SecretStr | None) -> dict[str, str]:
    """What a child is told: where its chain is, and those secrets that it needs. Nothing else that is set here reaches it.

    Secrets are no arguments, which anyone can list.
    """
    told = {
        "PAYGENT_HOME": str(settings.home),
        "PAYGENT_NETWORK": "devnet",
        "PAYGENT_CHAIN_ID": str(settings.chain_id),
        "PAYGENT_RPC_URL": rpc_url,
        "PAYGENT_LOG_LEVEL": "info",
    }
    told |= {f"PAYGENT_{name.upper()}": secret.get_secret_value() for name, secret in secrets.items() if secret}
    return {name: value for name, value in os.environ.items() if not name.startswith("PAYGENT_")} | told


async def _all(*starts: Coroutine[Any, Any, asyncio.subprocess.Process]) -> list[asyncio.subprocess.Process]:
    """All of them; when one fails, the others are let come to their end before its error is raised."""
    done = await asyncio.gather(*starts, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException):
            raise one
    return [one for one in done if not isinstance(one, BaseException)]


async def _start(
    stack: AsyncExitStack, home: Path, environment: dict[str, str], command: str, *arguments: str
) -> asyncio.subprocess.Process:
    """Start `paygent COMMAND` as a process of its own; it is returned once it answers. Raises Unavailable."""
    logs = _logs(home)
    logs.mkdir(exist_ok=True, mode=0o700)
    log_path = logs / f"{command}.log"
    with log_path.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "paygent", command, *arguments, "--json",
            env=environment, cwd=home, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=log,
            start_new_session=True, preexec_fn=chain.die_with_parent,
        )  # fmt: skip
    stack.push_async_callback(_stop, process)
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
        document = json.loads(line)
    except (TimeoutError, ValueError):
        raise Unavailable(f"`paygent {command}` did not start; see {log_path}.") from None
    if "url" not in document:
        raise Unavailable(f"`paygent {command}` did not start: {document.get('error', {}).get('detail')}")
    return process


def _logs(home: Path) -> Path:
    return home / "logs"


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()


class _Ports:
    """The ports of the last time, so that the same URLs are good after a restart; others where those are taken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            known = json.loads(path.read_text())
        except (FileNotFoundError, ValueError):
            known = {}
        self._known: dict[str, Any] = known if isinstance(known, dict) else {}

    def free(self, name: str) -> int:
        """The port that `name` had, if it can be had again; else another that is free now."""
        known = self._known.get(name)
        port = known if isinstance(known, int) and 0 < known < 65536 else 0
        for wanted in (port, 0):
            with socket.socket() as probe, suppress(OSError):
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", wanted))
                return int(probe.getsockname()[1])
        raise Unavailable("No port of loopback is free.")

    def remember(self, urls: dict[str, str]) -> None:
        """Write down the ports of these URLs."""
        self._path.write_text(json.dumps({name: urlsplit(url).port for name, url in urls.items()}) + "\n")


@asynccontextmanager
async def _only_one(home: Path) -> AsyncIterator[None]:
    with devnet_lock(home).open("w") as lock:
        for _ in range(_LOCK_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            # Whoever only looks whether a devnet runs holds it for a moment.
            await asyncio.sleep(0.05)
        else:
            raise InvalidInput(f"A devnet runs in {home} already. Stop it, or set PAYGENT_HOME to another folder.")
        yield


@contextmanager
def _written_down(path: Path, document: dict[str, Any]) -> Iterator[None]:
    temporary = path.with_suffix(".new")
    temporary.write_text(json.dumps(document, indent=1) + "\n")
    temporary.replace(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
