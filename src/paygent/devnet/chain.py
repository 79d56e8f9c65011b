"""The embedded chain: anvil, as a child process that ends with us and keeps its state in a file."""

from __future__ import annotations

import asyncio
import ctypes
import json
import os
import re
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from paygent.errors import ChainUnavailable, InvalidInput
from paygent.text import foreign

_START_SECONDS = 30
_STOP_SECONDS = 10
_PR_SET_PDEATHSIG = 1
_LISTENING = re.compile(rb"Listening on (127\.0\.0\.1:\d+)")
# Loaded before any fork: between fork and exec only the call itself is safe.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def find_anvil(configured: str | None) -> Path:
    """The chain's binary: the configured one, else this checkout's own, else the one on PATH. Raises InvalidInput."""
    if configured is not None:
        path = Path(configured).expanduser()
        if not os.access(path, os.X_OK):
            raise InvalidInput(f"PAYGENT_ANVIL names {path}, and there is no such program.")
        return path
    for folder in (*Path(__file__).resolve().parents, *Path.cwd().resolve().parents, Path.cwd()):
        candidate = folder / "node_modules" / ".bin" / "anvil"
        if os.access(candidate, os.X_OK):
            return candidate
    found = shutil.which("anvil")
    if found is None:
        raise InvalidInput("The devnet's chain (anvil) is not installed. Run `make setup`, or set PAYGENT_ANVIL.")
    return Path(found)


def die_with_parent() -> None:
    """In a child, before exec: end when the parent ends, even by SIGKILL (Linux; elsewhere the parent must stop it).

    The signal comes when the thread that forked ends: asyncio forks in the thread of its loop, our main one.
    """
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Chain:
    """A running chain; an async context manager that stops it."""

    def __init__(self, process: asyncio.subprocess.Process, *, rpc_url: str, chain_id: int) -> None:
        self.process = process
        self.rpc_url = rpc_url
        self.chain_id = chain_id
        # Its chatter is read for ever: a full pipe would block the chain.
        self._drain = asyncio.create_task(_discard(process))

    async def __aenter__(self) -> Chain:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def ended(self) -> str:
        """Waits for it to end by itself; says so."""
        return f"The devnet's chain ended by itself (exit code {await self.process.wait()})."

    async def stop(self) -> None:
        """Stop it so that it writes its state."""
        if self.process.returncode is None:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGINT)
            try:
                await asyncio.wait_for(self.process.wait(), _STOP_SECONDS)
            except TimeoutError:
                self.process.kill()
                await self.process.wait()
        await self._drain


async def start(
    *,
    binary: Path,
    chain_id: int = 338,
    port: int = 0,
    state: Path | None = None,
    block_time_seconds: int | None = 5,
) -> Chain:
    """Start a chain on loopback. With `state` it goes on where that file ended; after a SIGKILL up to a second is lost.

    A transaction is mined at once, and a block comes every `block_time_seconds` all the same, so that time passes on
    chain. Raises ChainUnavailable when it does not start, InvalidInput when its port is taken or its state damaged.
    """
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain_id)]
    if state is not None:
        await asyncio.to_thread(_make_whole, state)
        # The chain id is not in the state file; it is always given.
        arguments += ["--state", str(state), "--state-interval", "1"]
    if block_time_seconds is not None:
        arguments += ["--block-time", str(block_time_seconds), "--mixed-mining"]
    process = await asyncio.create_subprocess_exec(
        str(binary),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        # Ctrl-C is for us: we stop the chain when nothing needs it any more.
        start_new_session=True,
        preexec_fn=die_with_parent,
    )
    try:
        address = await asyncio.wait_for(_listening(process), _START_SECONDS)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise ChainUnavailable(f"The devnet's chain did not start within {_START_SECONDS} seconds.") from None
    return Chain(process, rpc_url=f"http://{address}", chain_id=chain_id)


def _make_whole(state: Path) -> None:
    """Anvil writes over its state in place: killed meanwhile, it leaves half of it. Then the last whole one is taken.

    Raises InvalidInput when there is none.
    """
    kept = state.with_name(f"{state.name}.kept")
    if not state.exists():
        return
    try:
        json.loads(state.read_bytes())
    except ValueError:
        if not kept.exists():
            raise InvalidInput(f"{state} is no state of a devnet, or a damaged one. Name another file.") from None
        shutil.copyfile(kept, state)
        return
    temporary = state.with_name(f"{state.name}.new")
    shutil.copyfile(state, temporary)
    temporary.replace(kept)


async def _listening(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    lines: list[bytes] = []
    while line := await process.stdout.readline():
        if found := _LISTENING.search(line):
            return found[1].decode()
        lines = [*lines[-50:], line.strip()]
    code = await process.wait()
    errors = [line for line in lines if line.lower().startswith(b"error")] or [line for line in lines if line][-1:]
    said = foreign(b" ".join(errors).decode(errors="replace"), 300)
    if "in use" in said.lower():
        raise InvalidInput("The devnet's port is taken; choose another.")
    raise ChainUnavailable(f"The devnet's chain ended at once (exit code {code}): {said or 'it said nothing'}")


async def _discard(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    while await process.stdout.read(65_536):
        pass
