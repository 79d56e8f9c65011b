"""What every command that stays up does: listen on loopback, say where, serve until a signal, put everything away."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from paygent.cli.output import emit, note, stop_signals
from paygent.errors import InvalidInput, Unavailable


def listen(port: int) -> socket.socket:
    """A socket bound to loopback; 0 takes a free port. Raises InvalidInput when the port is taken.

    Whatever takes long or leaves a trace comes after it.
    """
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise InvalidInput(f"Port {port} is taken; choose another with --port.") from error
    return listener


class _Server(uvicorn.Server):
    """Uvicorn without its own signals: it raises them again at its end, before what stands around it is put away."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(
    app: Any,
    listener: socket.socket,
    *,
    ready: Callable[[str], None],
    ended: Callable[[], Awaitable[str]] | None = None,
) -> None:
    """Serve until a signal stops it; `ready` is told the URL once it answers.

    `ended` tells when something that it needs has ended by itself: then it stops too, and raises Unavailable.
    """
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5, server_header=False)
    server = _Server(config)
    stopped = on_stop()
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    deadline = time.monotonic() + 30
    while not server.started and not serving.done() and time.monotonic() < deadline:  # noqa: ASYNC110 - uvicorn has no event
        await asyncio.sleep(0.005)
    if server.started:
        ready(f"http://127.0.0.1:{listener.getsockname()[1]}")
    try:
        await until(stopped, serving, ended=ended)
    finally:
        server.should_exit = True
        await serving


def on_stop() -> asyncio.Event:
    """Set, from now on, by Ctrl-C or another signal to end. To be had before anybody is told that we are up."""
    stopped = asyncio.Event()
    for number in stop_signals():
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    return stopped


async def until(
    stopped: asyncio.Event, *running: asyncio.Task[Any], ended: Callable[[], Awaitable[str]] | None = None
) -> None:
    """Until `stopped`, or the end of what runs. Raises Unavailable with what `ended` says."""
    signalled = asyncio.create_task(stopped.wait())
    failed = None if ended is None else asyncio.ensure_future(ended())
    waiting = {signalled, *running, *([] if failed is None else [failed])}
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    note("Stopping…")
    signalled.cancel()
    if failed is not None and failed.done():
        raise Unavailable(failed.result())
    if failed is not None:
        failed.cancel()


def tell(what: str, *, as_json: bool, **facts: Any) -> Callable[[str], None]:
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
