"""Runs `paygent …` commands in forked processes that kill themselves (SIGKILL) at one chosen point.

Points lie before and after every commit, RPC and HTTP call; they are found by wrapping the driver's commit and aiohttp's
request, so that no call of ours can be forgotten. One JSON line in, one JSON line out:

    {"arguments": [...], "environment": {...}, "kill_at": 7, "trace": "file"}  ->  {"status": -9}

Forking from a process that has everything imported makes hundreds of crashes affordable.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import psycopg

import paygent.cli.main
import paygent.cli.paying
import paygent.cli.selling
import paygent.cli.serving
import paygent.db.migrate


class Points:
    """Counts the points that are passed, writes them down, and dies at `kill_at`."""

    def __init__(self, kill_at: int, trace_path: str) -> None:
        self._kill_at = kill_at
        self._trace = os.open(trace_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        self._passed = 0

    def reach(self, name: str) -> None:
        self._passed += 1
        os.write(self._trace, f"{name}\n".encode())
        if self._passed == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any], name: Callable[..., str]) -> Callable[..., Any]:
        async def wrapped(*args: Any, **kwargs: Any) -> Any:
            label = name(*args, **kwargs)
            self.reach(f"before {label}")
            result = await call(*args, **kwargs)
            self.reach(f"after {label}")
            return result

        return wrapped


def _request_name(_: Any, method: str, url: Any, **kwargs: Any) -> str:
    body = kwargs.get("json")
    if isinstance(body, dict) and "jsonrpc" in body:
        return f"rpc {body['method']}"
    if isinstance(body, list):
        return f"rpc batch {','.join(call['method'] for call in body)}"
    return f"{method} {str(url).rpartition('/')[2]}"


def run(command: dict[str, Any]) -> None:
    """In the child: wrap, then be `paygent`."""
    points = Points(command["kill_at"], command["trace"])
    psycopg.AsyncConnection.commit = points.around(  # type: ignore[method-assign]
        psycopg.AsyncConnection.commit, lambda *_: "commit"
    )
    aiohttp.ClientSession._request = points.around(  # type: ignore[method-assign]
        aiohttp.ClientSession._request, _request_name
    )
    os.environ.update(command["environment"])
    out = os.open(command["output"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    sys.argv = ["paygent", *command["arguments"]]
    paygent.cli.main.main()


def main() -> None:
    """Fork for each line."""
    for line in sys.stdin:
        command = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            code = 1
            try:
                run(command)
                code = 0
            except SystemExit as leaving:
                code = leaving.code if isinstance(leaving.code, int) else 1
            finally:
                sys.stdout.flush()
                os._exit(code)
        if command.get("background"):
            print(json.dumps({"pid": child}), flush=True)
            continue
        _, status = os.waitpid(child, 0)
        print(json.dumps({"status": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
