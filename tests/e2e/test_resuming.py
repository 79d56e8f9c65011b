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


def _read_all(terminal: int) -> str:
    said = b""
    try:
        while chunk := os.read(terminal, 65_536):
            said += chunk
    except OSError:  # how a terminal says that nobody holds its other end any more
        pass
    return said.decode()
