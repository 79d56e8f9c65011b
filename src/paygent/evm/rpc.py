"""Ethereum JSON-RPC over HTTP (https://ethereum.org/developers/docs/apis/json-rpc): single calls and batches.

Plain aiohttp, because a hot path of 1,000 calls a second is out of reach for the usual client libraries.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import aiohttp

from paygent.errors import ChainUnavailable, RpcError

MAX_RESPONSE_BYTES = 32 * 1024 * 1024


class Call(NamedTuple):
    """One JSON-RPC call of a batch."""

    method: str
    params: Sequence[Any] = ()


class JsonRpc:
    """A node at `url`. Every call is bounded by `timeout_seconds`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, *, timeout_seconds: float = 10) -> None:
        self.url = url
        # A node's URL often carries an API key in its path: people are shown the host only.
        self.host = urlsplit(url).netloc.rpartition("@")[2] or url
        self._session = session
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._ids = itertools.count(1)

    async def call(self, method: str, *params: Any) -> Any:
        """The result of one call. Raises ChainUnavailable when there is no answer, RpcError when it is an error."""
        answer = await self._post(self._request(method, params))
        if not isinstance(answer, dict):
            raise ChainUnavailable(f"{self.host} did not answer in JSON-RPC; is this the URL of an EVM node?")
        return self._result(method, answer)

    async def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Results in the order of `calls`, in one round trip; an item that failed is its RpcError, not raised."""
        if not calls:
            return []
        requests = [self._request(call.method, call.params) for call in calls]
        answers = await self._post(requests)
        if not isinstance(answers, list):
            raise ChainUnavailable(f"{self.host} does not answer JSON-RPC batches.")
        by_id = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        results: list[Any] = []
        for call, request in zip(calls, requests, strict=True):
            answer = by_id.get(request["id"])
            if answer is None:
                raise ChainUnavailable(f"{self.host} left {call.method} of a batch unanswered.")
            try:
                results.append(self._result(call.method, answer))
            except RpcError as error:
                results.append(error)
        return results

    def _request(self, method: str, params: Sequence[Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}

    async def _post(self, body: Any) -> Any:
        try:
            async with self._session.post(
                self.url, json=body, timeout=self._timeout, allow_redirects=False
            ) as response:
                raw = await response.content.read(MAX_RESPONSE_BYTES + 1)
                while not response.content.at_eof() and len(raw) <= MAX_RESPONSE_BYTES:
                    raw += await response.content.read(MAX_RESPONSE_BYTES + 1 - len(raw))
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise ChainUnavailable(
                f"The chain at {self.host} does not answer ({type(error).__name__}). "
                "Check PAYGENT_RPC_URL and that the node runs."
            ) from error
        if len(raw) > MAX_RESPONSE_BYTES:
            raise ChainUnavailable(f"{self.host} answered with more than {MAX_RESPONSE_BYTES} bytes.")
        try:
            return json.loads(raw)
        except ValueError as error:
            raise ChainUnavailable(f"{self.host} answered HTTP {response.status} with no JSON.") from error

    def _result(self, method: str, answer: dict[str, Any]) -> Any:
        problem = answer.get("error")
        if problem is None:
            if "result" not in answer:
                # A rate limiter's own JSON, say. Taken for "nothing there" it would be read as a fact about the chain.
                raise ChainUnavailable(f"{self.host} answered {method} with neither a result nor an error.")
            return answer["result"]
        if not isinstance(problem, dict):
            problem = {"message": str(problem)}
        raise RpcError(
            f"{method}: {problem.get('message', 'error without a message')}",
            rpc_code=problem.get("code"),
            data=problem.get("data"),
        )
