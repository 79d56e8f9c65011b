"""`paygent contracts` as an operator meets it: on a devnet at once, on a public network looked at, asked about, resumed."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import pty
import sys
import tempfile
import termios
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest

from paygent.bootstrap import open_signer
from paygent.devnet import chain
from paygent.devnet.deploy import ARBITER, contract_addresses, contracts_plan, deploy_token
from paygent.evm import deployment
from paygent.evm.deployment import SINGLETON_FACTORY_ADDRESS, SINGLETON_FACTORY_CODE, Code
from paygent.evm.networks import CRONOS_TESTNET, DEVNET_USDC_ADDRESS
from paygent.evm.rpc import JsonRpc
from paygent.settings import Settings
from tests.support.chain import ROOT
from tests.support.commands import Commands
from tests.support.solidity import compile_input

CREATED = [step.key for step in contracts_plan() if step.creation]


@pytest.fixture
async def testnet(http: aiohttp.ClientSession) -> AsyncIterator[JsonRpc]:
    """A chain that is Cronos' testnet for all that a command can see: its id, its USDC, the singleton factory."""
    async with await chain.start(binary=chain.find_anvil(None), block_time_seconds=None) as node:
        rpc = JsonRpc(node.rpc_url, http)
        await deploy_token(rpc, chain_id=338)
        code = await rpc.call("eth_getCode", DEVNET_USDC_ADDRESS, "latest")
        await rpc.call("anvil_setCode", CRONOS_TESTNET.usdc_address, code)
        await rpc.call("anvil_setCode", SINGLETON_FACTORY_ADDRESS, SINGLETON_FACTORY_CODE)
        yield rpc


@pytest.fixture
def operator_home() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="paygent-") as folder:
        yield folder


@pytest.fixture
def own(testnet: JsonRpc, fresh_database_url: str, operator_home: str) -> dict[str, str]:
    """The settings of an operator on that testnet."""
    return {
        "PAYGENT_HOME": operator_home,
        "PAYGENT_DATABASE_URL": fresh_database_url,
        "PAYGENT_NETWORK": "cronos-testnet",
        "PAYGENT_RPC_URL": testnet.url,
    }


@pytest.fixture
def deployer(operator_home: str) -> str:
    return open_signer(Settings(_env_file=None, home=Path(operator_home)), "deployer").address


async def nonce(rpc: JsonRpc, address: str) -> int:
    return int(await rpc.call("eth_getTransactionCount", address, "latest"), 16)


def said(commands: Commands) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(commands.output.splitlines()[-1])
    return document


async def test_a_dry_run_says_what_it_would_cost_and_sends_nothing(
    commands: Commands, own: dict[str, str], deployer: str, testnet: JsonRpc
) -> None:
    head = await testnet.call("eth_blockNumber")
    assert await commands.run("contracts", "deploy", "--json", environment=own) == 0, commands.output
    report = said(commands)
    assert (report["dry_run"], report["network"], report["deployer"]) == (True, "cronos-testnet", deployer)
    assert report["balance"]["base_units"] == "0"
    assert int(report["cost"]["base_units"]) > 0
    assert [key for key, entry in report["contracts"].items() if entry["gas"] > 100_000] == CREATED
    assert {entry["code"] for entry in report["contracts"].values()} == {"absent"}
    assert await commands.run("contracts", "deploy", environment=own) == 0
    for words in ("PaymentRouter", "Nothing was sent (dry run)", "about 0.0", "by its factory"):
        assert words in commands.output
    assert await testnet.call("eth_blockNumber") == head
    assert not (Path(own["PAYGENT_HOME"]) / "contracts").exists()


async def test_nothing_is_sent_without_money_or_consent(
    commands: Commands, own: dict[str, str], deployer: str, testnet: JsonRpc
) -> None:
    execute = ("contracts", "deploy", "--execute")
    assert await commands.run(*execute, "--yes", environment=own) == 3
    assert "Send at least" in commands.output
    assert deployer in commands.output.lower()
    await testnet.call("anvil_setBalance", deployer, hex(10**18))
    assert await commands.run(*execute, environment=own) == 2
    assert "Add --yes" in commands.output
    assert await nonce(testnet, deployer) == 0


async def test_it_deploys_records_shows_and_verifies(
    commands: Commands, own: dict[str, str], deployer: str, testnet: JsonRpc, tmp_path: Path
) -> None:
    await testnet.call("anvil_setBalance", deployer, hex(10**18))
    execute = ("contracts", "deploy", "--execute", "--yes", "--json")
    assert await commands.run(*execute, environment=own) == 0, commands.output
    record = said(commands)
    path = Path(own["PAYGENT_HOME"]) / "contracts" / "338.json"
    assert json.loads(path.read_text()) == record
    for key in CREATED:
        receipt = await testnet.call("eth_getTransactionReceipt", record["contracts"][key]["transaction"])
        assert int(receipt["blockNumber"], 16) == record["contracts"][key]["block_number"]
    assert (record["deployer"], record["arbiter"]) == (deployer, deployer)
    assert await commands.run(*execute, environment=own) == 0
    assert said(commands) == record, "what is known of it is kept"
    assert await nonce(testnet, deployer) == len(CREATED)

    assert await commands.run("contracts", "show", environment=own) == 0
    assert commands.output.count("ours, byte for byte") == len(record["contracts"])
    assert await commands.run("contracts", "show", "--arbiter", ARBITER, "--json", environment=own) == 0
    other = said(commands)["contracts"]["service_registry"]
    assert (other["code"], other["transaction"]) == (Code.ABSENT, None), "what is recorded is of another registry"
    assert await commands.run("contracts", "verify", "--out", str(tmp_path), "--json", environment=own) == 0
    for key, entry in said(commands)["contracts"].items():
        document = json.loads(Path(entry["standard_json_input"]).read_text())
        bytecode = compile_input(document, entry["contract"])["evm"]["bytecode"]["object"]
        step = next(
            step for step in deployment.plan(token=CRONOS_TESTNET.usdc_address, arbiter=deployer) if step.key == key
        )
        assert entry["address"] == step.address
        if step.creation:
            assert bytes.fromhex(bytecode + entry["constructor_arguments"]) == step.creation
    assert await commands.run("contracts", "verify", "--out", str(tmp_path), environment=own) == 0
    assert "https://explorer.cronos.org/testnet/address/0x" in commands.output

    # Another arbiter is another registry; the one of before is not forgotten, and the rest stays.
    assert await commands.run(*execute, "--arbiter", ARBITER, environment=own) == 0
    second = said(commands)
    assert [entry["name"] for entry in second["earlier"]] == ["ServiceRegistry"]
    assert second["contracts"]["payment_router"] == record["contracts"]["payment_router"]
    assert await nonce(testnet, deployer) == len(CREATED) + 1
    assert await commands.run(*execute, environment=own) == 0
    assert (said(commands)["arbiter"], await nonce(testnet, deployer)) == (ARBITER, len(CREATED) + 1)

    # With another database, only the record knows of the transactions.
    with psycopg.connect(own["PAYGENT_DATABASE_URL"], autocommit=True) as connection:
        connection.execute("DELETE FROM transactions")
    assert await commands.run(*execute, environment=own) == 0
    assert said(commands)["contracts"] == second["contracts"]

    await testnet.call("anvil_setCode", record["contracts"]["payment_router"]["address"], "0x00")
    assert await commands.run("contracts", "verify", "--out", str(tmp_path), "--json", environment=own) == 1
    assert said(commands)["contracts"]["payment_router"]["code"] == Code.FOREIGN
    assert await commands.run("contracts", "deploy", environment=own) == 2
    assert "not that of PaymentRouter" in commands.output


async def test_killed_again_and_again_it_goes_on_and_deploys_each_once(
    commands: Commands, own: dict[str, str], deployer: str, testnet: JsonRpc
) -> None:
    await testnet.call("anvil_setBalance", deployer, hex(10**18))
    execute = ("contracts", "deploy", "--execute", "--yes", "--json")
    kills, status = 0, -9
    while status == -9:
        kills += 1
        status = await commands.run(*execute, environment=own, kill_at=kills)
    assert (status, kills > 30) == (0, True), commands.output
    assert await nonce(testnet, deployer) == len(CREATED)
    contracts = said(commands)["contracts"]
    assert all(contracts[key]["transaction"] for key in CREATED), "also of those that were sent before it was killed"


async def test_a_devnet_has_them_and_gets_them_at_once(
    commands: Commands, operator_home: str, http: aiohttp.ClientSession, unused_tcp_port: int
) -> None:
    async with await chain.start(binary=chain.find_anvil(None), port=unused_tcp_port) as node:
        own = {"PAYGENT_HOME": operator_home, "PAYGENT_RPC_URL": node.rpc_url}
        assert await commands.run("contracts", "verify", "--network", "devnet", "--json", environment=own) == 1
        assert await commands.run("contracts", "deploy", "--network", "devnet", "--json", environment=own) == 0
        contracts = said(commands)["contracts"]
        assert all(contracts[key]["transaction"] for key in CREATED)
        addresses = contract_addresses()
        assert {key: entry["address"] for key, entry in contracts.items()}.items() <= addresses.items()
        assert await commands.run("contracts", "show", "--json", environment=own) == 0
        assert {entry["code"] for entry in said(commands)["contracts"].values()} == {"ours"}
        assert await commands.run("contracts", "deploy", "--arbiter", ARBITER, environment=own) == 2
        # The same chain id, and another network: what is written down of one is not the other's.
        assert await commands.run("contracts", "show", "--network", "cronos-testnet", environment=own) == 2
        assert "PAYGENT_HOME" in commands.output
        assert await commands.run("contracts", "show", "--network", "cronos", environment=own) == 2


async def test_without_a_deployment_show_asks_for_the_arbiter(commands: Commands, own: dict[str, str]) -> None:
    assert await commands.run("contracts", "show", environment=own) == 2
    assert "--arbiter" in commands.output
    assert await commands.run("contracts", "show", "--arbiter", ARBITER, environment=own) == 0
    assert commands.output.count("not deployed") == len(contracts_plan())


@pytest.mark.parametrize(("answer", "code", "sent"), [(b"\n", 3, 0), (b"n\n", 3, 0), (b"\x03", 130, 0), (b"y\n", 0, 3)])
async def test_at_a_terminal_it_asks_and_no_is_the_default(
    own: dict[str, str], deployer: str, testnet: JsonRpc, answer: bytes, code: int, sent: int
) -> None:
    await testnet.call("anvil_setBalance", deployer, hex(10**18))
    terminal, its_side = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "paygent", "contracts", "deploy", "--execute",
        env={**os.environ, **own}, cwd=ROOT, stdin=its_side, stdout=its_side, stderr=its_side,
        # Ctrl-C reaches whoever has the terminal.
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(its_side)
    shown = b""
    while b"[y/N]" not in shown:
        shown += await asyncio.wait_for(asyncio.to_thread(os.read, terminal, 1_000), 60)
    assert b"Deploy 3 contracts on cronos-testnet for about 0.0" in shown
    os.write(terminal, answer)
    assert await asyncio.wait_for(process.wait(), 60) == code
    os.close(terminal)
    assert await nonce(testnet, deployer) == sent
