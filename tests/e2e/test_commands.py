"""The commands as a user meets them: processes, exit codes, JSON on stdout."""

from __future__ import annotations

import asyncio
import io
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import psutil
import pytest
from eth_account import Account
from fastapi import FastAPI, Request
from rich.console import Console
from typer.main import get_command
from x402.http.clients.httpx import x402HttpxClient

from paygent.bootstrap import open_database
from paygent.cli.main import app
from paygent.cli.tables import intents_table
from paygent.devnet.deploy import contract_addresses
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.intents.repository import recent
from paygent.settings import Settings
from paygent.x402.client import ANSWER_BYTES_MAX
from tests.support.chain import ROOT
from tests.support.commands import Commands
from tests.support.paying import official_client
from tests.support.servers import serving


def clean(environment: dict[str, str]) -> dict[str, str]:
    """The environment of a user who has set nothing else."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PAYGENT_")} | environment


async def paygent(*arguments: str, **environment: str) -> tuple[int, str, str]:
    """Run a command to its end: exit code, stdout, stderr."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paygent", *arguments,
        env=clean(environment), cwd=ROOT, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, err = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


@asynccontextmanager
async def staying(*arguments: str, **environment: str) -> AsyncIterator[dict[str, Any]]:
    """A command that stays up, from its JSON line to a Ctrl-C that it must answer with 0."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paygent", *arguments, "--json",
        env=clean(environment), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        yield json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 30) == 0
        assert await process.stdout.read() == b"", "one line is all that it says"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.fixture
def home() -> Iterator[str]:
    """A home whose path is short enough for a database socket."""
    with tempfile.TemporaryDirectory(prefix="paygent-") as folder:
        yield folder


def all_commands() -> list[tuple[str, Any]]:
    """Every visible command by its words."""
    found, groups = [], [("", get_command(app))]
    while groups:
        words, group = groups.pop()
        for name, command in group.commands.items():  # type: ignore[attr-defined]
            whole = f"{words} {name}".strip()
            if hasattr(command, "commands"):
                groups.append((whole, command))
            elif not command.hidden:
                found.append((whole, command))
    return sorted(found, key=lambda item: item[0])


def test_every_command_of_the_manual_exists_and_speaks_json() -> None:
    names = [name for name, _ in all_commands()]
    assert names == [
        "api", "ask", "contracts deploy", "contracts show", "contracts verify", "demo", "devnet", "doctor", "facilitator",
        "intents list", "intents show", "pay", "sell", "up", "wallet balance", "wallet encrypt",
    ]  # fmt: skip
    for name, command in all_commands():
        assert "--json" in [option for parameter in command.params for option in parameter.opts], name
        assert command.help, name
        for parameter in command.params:
            assert getattr(parameter, "help", None), f"{name}: {parameter.name} explains nothing"


async def test_the_demo_pays_shows_its_books_and_leaves_nothing(home: str) -> None:
    code, out, err = await paygent("demo", "--json", TMPDIR=home)
    assert code == 0, err
    report = json.loads(out)
    assert report["ok"] is True
    assert report["state"] == "settled"
    assert report["data"]["chain_id"] == 338
    assert report["transaction"].startswith("0x")
    units = {who: [int(report[when][who]["base_units"]) for when in ("before", "after")] for who in ("payer", "seller")}
    assert units == {"payer": [100_000_000, 99_900_000], "seller": [0, 100_000]}
    assert [event["to_state"] for event in report["history"]][-1] == "settled"
    assert len(report["ledger"]) == 4
    assert list(Path(home).glob("paygent*")) == []


async def test_up_serves_keeps_its_state_and_its_urls(home: str) -> None:
    ask = ("ask", "Pay 0.10 USDC to access the market data API", "--json")
    async with staying("up", "--port", "0", PAYGENT_HOME=home) as first, httpx.AsyncClient() as client:
        assert (await client.get(first["url"] + "/health")).json() == {"status": "ok", "database": "ok", "chain": "ok"}
        for path in ("/docs", "/redoc", "/openapi.json"):
            assert (await client.get(first["url"] + path)).status_code == 200
        assert (await client.get(first["services"][0]["url"])).status_code == 402
        assert (await client.post(first["url"] + "/v1/ask", json={"text": ask[1]})).status_code == 401
        head = {"authorization": f"Bearer {first['api_key']}", "idempotency-key": "one"}
        paid = await client.post(first["url"] + "/v1/ask", json={"text": ask[1]}, headers=head, timeout=30)
        assert (paid.status_code, paid.json()["state"]) == (200, "settled")
        code, out, err = await paygent(*ask, PAYGENT_HOME=home)
        assert code == 0, err
        code, _, err = await paygent("up", PAYGENT_HOME=home)
        assert (code, "runs in" in err) == (2, True)
    async with staying("up", "--port", "0", PAYGENT_HOME=home) as second:
        assert "api_key" not in second
        for name in ("rpc_url", "facilitator_url", "services", "wallet", "contracts"):
            assert second[name] == first[name], name
        code, out, _ = await paygent("wallet", "balance", "--json", PAYGENT_HOME=home)
        wallet = json.loads(out)
        assert wallet["on_chain"]["text"] == wallet["ledger"]["text"] == "99.80"
    code, out, _ = await paygent("intents", "list", "--json", PAYGENT_HOME=home)
    assert [intent["state"] for intent in json.loads(out)] == ["settled", "settled"]
    code, out, err = await paygent(*ask, PAYGENT_HOME=home)
    assert (code, json.loads(out)["error"]["code"]) == (6, "chain_unavailable")


async def test_up_ends_and_says_why_when_a_part_of_it_does(home: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paygent", "up", "--port", "0", "--json",
        env=clean({"PAYGENT_HOME": home}), cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        first = json.loads(await asyncio.wait_for(process.stdout.readline(), 60))
        port = int(first["facilitator_url"].rpartition(":")[2])
        [facilitator] = [child for child in psutil.Process(process.pid).children() if "facilitator" in child.cmdline()]
        assert port in {connection.laddr.port for connection in facilitator.net_connections()}
        facilitator.kill()
        assert await asyncio.wait_for(process.wait(), 30) == 6
        error = json.loads(await process.stdout.read())["error"]
        assert error["code"] == "unavailable"
        assert f"The facilitator ended by itself (exit code -9); see {home}/logs/facilitator.log." == error["detail"]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_taken_port_costs_nobody_the_key(home: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        code, out, _ = await paygent("up", "--port", port, "--json", PAYGENT_HOME=home)
        assert (code, "is taken" in json.loads(out)["error"]["detail"]) == (2, True)
    assert list(Path(home).iterdir()) == [], "nothing was begun"
    async with staying("up", "--port", "0", PAYGENT_HOME=home) as first:
        assert first["api_key"].startswith("paygent_")
    async with staying("up", "--port", "0", "--new-key", PAYGENT_HOME=home) as second:
        assert second["api_key"] not in {None, first["api_key"]}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_whatever_stops_the_demo_nothing_of_it_stays(home: str, number: signal.Signals) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paygent", "demo",
        env=clean({"TMPDIR": home}), cwd=ROOT, stderr=asyncio.subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    assert process.stderr is not None
    while b"Starting the facilitator" not in (line := await asyncio.wait_for(process.stderr.readline(), 60)):
        assert line, "it ended before it was stopped"
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    process.send_signal(number)
    assert await asyncio.wait_for(process.wait(), 30) == 130
    gone, alive = await asyncio.to_thread(psutil.wait_procs, started, 10)
    assert (len(gone), alive) == (len(started), [])
    assert list(Path(home).glob("paygent*")) == []
    assert b"Interrupted." in await process.stderr.read()


async def test_a_devnet_that_was_killed_is_not_taken_for_a_running_one(home: str) -> None:
    Path(home, "up.lock").touch()
    Path(home, "devnet.json").write_text(json.dumps({"rpc_url": "http://127.0.0.1:1", "services": []}))
    code, out, _ = await paygent("wallet", "balance", "--json", PAYGENT_HOME=home)
    error = json.loads(out)["error"]
    assert (code, error["detail"].startswith("No devnet is running here")) == (6, True)


async def test_sell_puts_any_api_behind_a_price(home: str, http: aiohttp.ClientSession) -> None:
    """Chain, facilitator and seller are the commands; the buyer is the official client; the API knows of nothing."""
    upstream = FastAPI()

    @upstream.post("/echo/{name:path}")
    async def echo(name: str, request: Request) -> dict[str, Any]:
        return {"name": name, "q": request.query_params["q"], "body": (await request.body()).decode()}

    pay_to = Account.create().address
    async with serving(upstream) as url, staying("devnet", "--chain-id", "1337") as devnet:
        assert devnet["chain_id"] == 1337
        assert devnet["contracts"] == contract_addresses()
        settings = {"PAYGENT_HOME": home, "PAYGENT_CHAIN_ID": "1337", "PAYGENT_RPC_URL": devnet["rpc_url"]}
        async with staying("facilitator", "--rpc-url", devnet["rpc_url"], **settings) as facilitator:
            terms = ("--upstream", url, "--price", "0.01", "--pay-to", pay_to, "--facilitator", facilitator["url"])
            async with staying("sell", *terms, **settings) as shop:
                rpc = JsonRpc(devnet["rpc_url"], http)
                token = await Eip3009Token.open(rpc, chain_id=1337, address=devnet["contracts"]["usdc"])
                buyer = Account.from_key(devnet["accounts"][1]["private_key"])
                async with x402HttpxClient(official_client(buyer, token)) as client:
                    answer = await client.post(shop["url"] + "/echo/a%2Fb?q=x%20y", content=b"hello", timeout=60)
        assert (answer.status_code, answer.json()) == (200, {"name": "a/b", "q": "x y", "body": "hello"})
        assert "payment-response" in answer.headers
        assert str(await token.balance(pay_to)) == "0.01 USDC.e"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--price", "0"), "more than zero"),
        (("--price", "free"), "not an amount"),
        (("--pay-to", "0x12"), "no address"),
        (("--upstream", "file:///etc/passwd"), "no http or https URL"),
        (("--facilitator", "nowhere"), "no http or https URL"),
    ],
)
async def test_sell_says_what_is_wrong(
    environment: dict[str, str], commands: Commands, arguments: tuple[str, str], words: str
) -> None:
    good = {"--upstream": "http://127.0.0.1:9", "--price": "0.01", "--pay-to": "0x" + "11" * 20}
    good |= {"--facilitator": "http://127.0.0.1:9", arguments[0]: arguments[1]}
    given = tuple(word for pair in good.items() for word in pair)
    code = await commands.run("sell", *given, environment=environment)
    assert (code, words in commands.output) == (2, True), commands.output


async def test_sell_warns_of_a_facilitator_that_does_not_answer(
    environment: dict[str, str], commands: Commands, unused_tcp_port: int
) -> None:
    facilitator = f"http://127.0.0.1:{unused_tcp_port}"
    terms = ("--upstream", "http://127.0.0.1:9", "--price", "0.01", "--pay-to", "0x" + "11" * 20)
    pid = await commands.spawn("sell", *terms, "--facilitator", facilitator, environment=environment)
    async with asyncio.timeout(30):
        while "Ctrl-C stops it." not in commands.output:
            await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGINT)
    assert f"Warning: the facilitator at {facilitator} does not answer." in commands.output
    async with asyncio.timeout(30):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.05)


async def test_doctor_finds_what_is_wrong_and_says_what_to_do(
    environment: dict[str, str], commands: Commands, unused_tcp_port: int
) -> None:
    assert await commands.run("doctor", "--json", environment=environment) == 0, commands.output
    assert {finding["name"] for finding in json.loads(commands.output)} >= {"database", "chain", "wallet", "services"}
    wrong: dict[str, tuple[str, str]] = {
        "PAYGENT_RPC_URL": (f"http://127.0.0.1:{unused_tcp_port}", "does not answer"),
        "PAYGENT_CHAIN_ID": ("25", "is chain 338"),
        "PAYGENT_TOKEN_ADDRESS": ("0x" + "12" * 20, "no contract"),
        "PAYGENT_DATABASE_URL": (f"postgresql://u:hunter2@127.0.0.1:{unused_tcp_port}/x", "PostgreSQL does not answer"),
        "PAYGENT_KEYSTORE_PASSWORD": ("wrong", "PAYGENT_KEYSTORE_PASSWORD"),
        "PAYGENT_ANVIL": ("/nowhere/anvil", "no such program"),
        "PAYGENT_SERVICES": ("/nowhere/services.toml", "no such file"),
        "PAYGENT_LEASE_SECONDS": ("soon", "PAYGENT_LEASE_SECONDS"),
    }
    for name, (value, words) in wrong.items():
        code = await commands.run("doctor", environment={**environment, name: value})
        assert (code, words in commands.output) == (1, True), (name, commands.output)
        assert "hunter2" not in commands.output


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("ask", "Pay for the market data API"), 2, "How much at most?"),
        (("ask", "Pay 0.1 USDC to access the weather API"), 2, "No service is called"),
        (("ask", "Pay 1,000 USDC for https://a.example/x"), 2, "no plain amount"),
        (("pay", "SELLER/data", "--max-amount", "0.000099"), 3, "more than your maximum"),
        (("pay", "SELLER/data", "--max-amount", "1e3"), 2, "not an amount"),
        (("pay", "SELLER/data", "--header", "nonsense"), 2, "Name: value"),
        (("pay", "SELLER/data", "--method", "TRACE"), 2, "TRACE"),
        (("pay", "SELLER/data", "--idempotency-key", ""), 2, "1 to 128 printable characters"),
        (("pay", "SELLER/redirect"), 4, "redirects to"),
        (("pay", "http://192.168.1.1/"), 2, "private address"),
        (("pay", "http://elsewhere.example/"), 3, "PAYGENT_ALLOWED_HOSTS"),
        (("pay", "gopher://a/b"), 2, "no http or https URL"),
        (("pay", "http://127.0.0.1:1/"), 6, "does not answer"),
        (("pay", "SELLER/data", "--method", "DELETE"), 4, "HTTP 405"),
        (("intents", "show", "int_nope"), 2, "no intent"),
    ],
)
async def test_what_cannot_be_done_is_told_with_its_exit_code(
    environment: dict[str, str],
    commands: Commands,
    seller: Any,
    arguments: tuple[str, ...],
    code: int,
    words: str,
) -> None:
    given = [argument.replace("SELLER", seller.url) for argument in arguments]
    environment["PAYGENT_ALLOWED_HOSTS"] += ",192.168.1.1,127.0.0.1:1"
    assert await commands.run(*given, environment=environment) == code, commands.output
    assert words in commands.output
    assert "Traceback" not in commands.output
    assert await commands.run(*given, "--json", environment=environment) == code
    document = json.loads(commands.output.splitlines()[-1])
    assert words in json.dumps(document, ensure_ascii=False)


async def test_a_setting_that_is_none_stops_every_command(environment: dict[str, str], commands: Commands) -> None:
    wrong = {**environment, "PAYGENT_PAYMENT_MAXIMUM": "0.01"}
    for command in (("wallet", "balance"), ("intents", "list"), ("pay", "http://127.0.0.1:1/")):
        assert await commands.run(*command, environment=wrong) == 2
        assert "PAYGENT_PAYMENT_MAXIMUM is no setting: did you mean PAYGENT_PAYMENT_MAX?" in commands.output


async def test_what_was_bought_is_shown_again(environment: dict[str, str], commands: Commands, seller: Any) -> None:
    seller.answer = {"data": "bought \x1b[2J"}
    assert await commands.run("pay", seller.url + "/data", "--json", environment=environment) == 0, commands.output
    intent = json.loads(commands.output.splitlines()[-1])
    assert await commands.run("intents", "show", intent["id"], environment=environment) == 0
    for words in (f"GET {seller.url}/data", intent["transaction"], "HTTP 200, application/json", "0.0001 USDC.e"):
        assert words in commands.output
    assert "bought" in commands.output
    assert "\x1b" not in commands.output


async def test_a_key_without_a_password_is_encrypted_later(environment: dict[str, str], commands: Commands) -> None:
    assert await commands.run("wallet", "encrypt", environment=environment) == 2
    assert "PAYGENT_KEYSTORE_PASSWORD" in commands.output
    chosen = {**environment, "PAYGENT_KEYSTORE_PASSWORD": "correct horse"}
    assert await commands.run("wallet", "balance", environment=chosen) == 2
    assert "paygent wallet encrypt" in commands.output
    assert await commands.run("wallet", "encrypt", "--json", environment=chosen) == 0
    assert json.loads(commands.output) == {"encrypted": ["pocket"]}
    assert await commands.run("wallet", "balance", environment=chosen) == 0
    assert environment["PAYER"] in commands.output.lower()
    assert "correct horse" not in commands.output


async def test_a_home_that_cannot_be_used_is_said(environment: dict[str, str], commands: Commands) -> None:
    file = Path(environment["PAYGENT_HOME"]) / "keystore" / "pocket.json"
    assert await commands.run("wallet", "balance", environment={**environment, "PAYGENT_HOME": str(file)}) == 2
    assert f"Error: {file}" in commands.output
    assert "Traceback" not in commands.output


async def test_a_dry_run_says_why_not(environment: dict[str, str], commands: Commands, seller: Any) -> None:
    ask = ("ask", f"Buy {seller.url}/data for at most 0.00009 USDC", "--dry-run")
    assert await commands.run(*ask, environment=environment) == 3
    assert "Not allowed: The seller asks 0.0001 USDC.e, more than your maximum" in commands.output
    assert "without asking for a payment" not in commands.output
    assert (
        await commands.run(
            "ask", "Buy http://elsewhere.example/ for at most 1 USDC", "--dry-run", environment=environment
        )
        == 3
    )
    assert "PAYGENT_ALLOWED_HOSTS" in commands.output
    assert "without asking for a payment" not in commands.output


@pytest.mark.parametrize(
    "arguments", [("pay", "--json"), ("intents", "list", "--count", "0", "--json"), ("nope", "--json")]
)
async def test_wrong_usage_is_json_too(
    environment: dict[str, str], commands: Commands, arguments: tuple[str, ...]
) -> None:
    assert await commands.run(*arguments, environment=environment) == 2
    assert json.loads(commands.output)["error"]["code"] == "invalid_input"


async def test_ids_are_whole_on_a_terminal_of_80_columns(
    environment: dict[str, str], commands: Commands, seller: Any
) -> None:
    assert await commands.run("pay", seller.url + "/data?" + "x" * 200, "--json", environment=environment) == 0
    intent = json.loads(commands.output.splitlines()[-1])
    lines = io.StringIO()
    settings = Settings(_env_file=None, database_url=environment["PAYGENT_DATABASE_URL"])
    async with open_database(settings) as database, database.transaction() as connection:
        Console(file=lines, width=80).print(intents_table(await recent(connection, count=1), width=80))
    [line] = [line for line in lines.getvalue().splitlines() if "int_" in line]
    for words in (intent["id"], "settled", "0.0001 USDC.e"):
        assert words in line


async def test_an_answer_that_is_cut_off_is_no_success(
    environment: dict[str, str], commands: Commands, seller: Any
) -> None:
    seller.answer = "x" * (ANSWER_BYTES_MAX + 1)
    assert await commands.run("pay", seller.url + "/data", environment=environment) == 4
    assert "it was cut off" in commands.output[-200:]


async def test_whatever_goes_wrong_is_one_sentence(environment: dict[str, str], commands: Commands) -> None:
    """A disk that is full, bytes that are no text: what was begun is stored, and nobody reads a traceback."""
    full = await asyncio.create_subprocess_shell(
        f"{sys.executable} -m paygent intents list --json > /dev/full",
        env=clean(environment) | {"PYTHONUNBUFFERED": ""}, cwd=ROOT, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await asyncio.wait_for(full.communicate(), 60)
    assert err == b"Error: No space left on device.\n"
    assert full.returncode == 2


async def test_a_signal_to_end_counts_where_ctrl_c_is_ignored(home: str) -> None:
    """As in a script that runs it with `&`."""
    process = await asyncio.create_subprocess_exec(
        "sh", "-c", f"trap '' INT; exec {sys.executable} -m paygent demo",
        env=clean({"TMPDIR": home}), cwd=ROOT, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stderr is not None
    while b"Starting the chain" not in (line := await asyncio.wait_for(process.stderr.readline(), 60)):
        assert line, "it ended before it was stopped"
    process.terminate()
    assert await asyncio.wait_for(process.wait(), 30) == 130
    assert list(Path(home).glob("paygent*")) == []
