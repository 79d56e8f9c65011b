"""A command that was interrupted offers to go on with its payment instead of paying again."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from typing import Any

import aiohttp
import psutil
import pytest

from paygent.evm.tokens import Eip3009Token
from tests.support.books import transfers_on_chain
from tests.support.buying import SELLER, Seller
from tests.support.chain import ROOT
from tests.support.commands import Commands


@pytest.fixture
async def interrupted(commands: Commands, environment: dict[str, str], seller: Seller) -> tuple[str, ...]:
    """`paygent pay` without a key, killed when the paid answer had arrived and nothing of it was stored."""
    command = ("pay", seller.url + "/data", "--json")
    assert await commands.run(*command, environment=environment) == 0, commands.output
    requests = [n for n, point in enumerate(commands.trace, start=1) if point == "after GET data"]
    assert len(requests) == 2, "one to ask, one to pay"
    assert await commands.run(*command, environment=environment, kill_at=requests[1]) == -signal.SIGKILL
    return command


@pytest.fixture
def paid(http: aiohttp.ClientSession, environment: dict[str, str], token: Eip3009Token) -> Any:
    """How many payments the chain shows."""

    async def count() -> int:
        found = await transfers_on_chain(http, token.rpc.url, token.asset.address, environment["PAYER"], SELLER)
        return len(found)

    return count


async def test_the_same_command_goes_on_with_what_was_interrupted(
    interrupted: tuple[str, ...], commands: Commands, environment: dict[str, str], seller: Seller, paid: Any
) -> None:
    assert await paid() == 2
    assert await commands.run(*interrupted, environment=environment) == 0, commands.output
    assert "Resuming the identical payment" in commands.output
    assert json.loads(commands.output.splitlines()[-1])["answer"]["text"] == '{"data":"bought"}'
    assert await paid() == 2
    assert seller.runs == 2
    # What was delivered is done: the same command is a new purchase.
    assert await commands.run(*interrupted, environment=environment) == 0
    assert "Resuming" not in commands.output
    assert await paid() == 3


async def test_new_pays_anew(
    interrupted: tuple[str, ...], commands: Commands, environment: dict[str, str], paid: Any
) -> None:
    assert await commands.run(*interrupted, "--new", environment=environment) == 0, commands.output
    assert await paid() == 3


@pytest.mark.parametrize(("answer", "payments"), [("y", 2), ("", 2), ("n", 3)])
async def test_a_person_is_asked(
    interrupted: tuple[str, ...],
    environment: dict[str, str],
    paid: Any,
    answer: str,
    payments: int,
) -> None:
    command = [sys.executable, "-m", "paygent", *(word for word in interrupted if word != "--json")]
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *command, env={**os.environ, **environment}, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    os.write(ours, f"{answer}\n".encode())
    said = await asyncio.to_thread(_read_all, ours)
    assert await process.wait() == 0, said
    os.close(ours)
    assert "Resume it instead of paying again? [Y/n]" in said
    assert '{"data":"bought"}' in said
    assert await paid() == payments


@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
async def test_a_person_may_leave_the_question(
    interrupted: tuple[str, ...], environment: dict[str, str], paid: Any, key: bytes
) -> None:
    command = [sys.executable, "-m", "paygent", *(word for word in interrupted if word != "--json")]
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _IN_A_TERMINAL, *command,
        env={**os.environ, **environment}, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    said = ""
    while "[Y/n]" not in said:
        said += (await asyncio.wait_for(asyncio.to_thread(os.read, ours, 65_536), 30)).decode()
    os.write(ours, key)
    said += await asyncio.to_thread(_read_all, ours)
    assert await asyncio.wait_for(process.wait(), 10) == 130, said
    os.close(ours)
    assert "Interrupted." in said
    assert await paid() == 2


# The terminal's keys go to whoever has it as controlling terminal.
_IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


async def test_a_payment_under_way_in_another_process_is_waited_for(
    commands: Commands, environment: dict[str, str], seller: Seller, paid: Any
) -> None:
    """The same command twice at once is taken for the same payment; whoever wants two says --new."""
    environment["PAYGENT_LEASE_SECONDS"] = "5"
    seller.open.clear()
    pay = ("pay", seller.url + "/data", "--json")
    pid = await commands.spawn(*pay, environment=environment)
    await asyncio.wait_for(seller.entered.wait(), 30)
    second = asyncio.create_task(commands.run(*pay, environment=environment))
    async with asyncio.timeout(30):
        while "may still be at the identical payment" not in commands.output:
            await asyncio.sleep(0.05)
    seller.open.set()
    assert await second == 0, commands.output
    assert json.loads(commands.output.splitlines()[-1])["answer"]["text"] == '{"data":"bought"}'
    async with asyncio.timeout(30):
        while psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.05)
    assert await paid() == 1


async def test_what_an_earlier_command_left_undecided_is_looked_at_first(
    interrupted: tuple[str, ...], commands: Commands, environment: dict[str, str], seller: Seller, paid: Any
) -> None:
    other = ("pay", seller.url + "/free", "--json")
    assert await commands.run(*other, "--idempotency-key", "1", environment=environment) == 0, commands.output
    async with asyncio.timeout(30):
        while await commands.run("intents", "list", "--json", environment=environment) == 0:
            states = {intent["state"] for intent in json.loads(commands.output)}
            if states == {"settled"}:
                break
            await commands.run(*other, environment=environment)
    assert await paid() == 2


def _read_all(terminal: int) -> str:
    said = b""
    try:
        while chunk := os.read(terminal, 65_536):
            said += chunk
    except OSError:  # how a terminal says that nobody holds its other end any more
        pass
    return said.decode()
