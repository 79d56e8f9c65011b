"""Runs `paygent` commands in forks of a process that has everything imported: tenths of a second instead of seconds."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.support.chain import ROOT


@dataclass
class Commands:
    """Runs commands and kills them at a point; see `crashing.py`."""

    process: asyncio.subprocess.Process
    folder: Path

    async def run(self, *arguments: str, environment: dict[str, str], kill_at: int = 0) -> int:
        """The exit status, -9 when it was killed."""
        answer = await self._send(arguments, environment, kill_at)
        status = answer["status"]
        assert isinstance(status, int)
        return status

    async def spawn(self, *arguments: str, environment: dict[str, str], kill_at: int = 0) -> int:
        """Start it in the background; its pid."""
        pid = (await self._send(arguments, environment, kill_at, background=True))["pid"]
        assert isinstance(pid, int)
        return pid

    async def _send(
        self, arguments: tuple[str, ...], environment: dict[str, str], kill_at: int, *, background: bool = False
    ) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        command = {
            "arguments": arguments,
            "environment": environment,
            "kill_at": kill_at,
            "background": background,
            "trace": str(self.folder / "trace"),
            "output": str(self.folder / "output"),
        }
        self.process.stdin.write(json.dumps(command).encode() + b"\n")
        await self.process.stdin.drain()
        answer: dict[str, Any] = json.loads(await asyncio.wait_for(self.process.stdout.readline(), 120))
        return answer

    @property
    def trace(self) -> list[str]:
        """The points that the last command passed."""
        return (self.folder / "trace").read_text().splitlines()

    @property
    def output(self) -> str:
        """What the last command printed so far; one in the background may not have opened its file yet."""
        path = self.folder / "output"
        return path.read_text() if path.exists() else ""


@pytest.fixture(scope="session")
async def commands(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Commands]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.support.crashing",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    yield Commands(process, tmp_path_factory.mktemp("crash"))
    assert process.stdin is not None
    process.stdin.close()
    await process.wait()
