"""The reverse proxy behind `paygent sell`: any HTTP API, as an ASGI application that the seller's guard can protect."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from urllib.parse import unquote, urlsplit

import aiohttp
from starlette.datastructures import Headers
from starlette.types import Message, Receive, Scope, Send
from yarl import URL

from paygent.errors import InvalidInput, PaygentError, SellerUnavailable
from paygent.x402 import headers

_REQUEST_BYTES_MAX = 16 * 1024 * 1024
_TIMEOUT = aiohttp.ClientTimeout(total=300, sock_connect=10, sock_read=60)
# RFC 9110, section 7.6.1: these speak of one connection and end with it.
_HOP_BY_HOP = frozenset(
    {
        "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_PAYMENT = frozenset({headers.PAYMENT_REQUIRED, headers.PAYMENT_SIGNATURE, headers.PAYMENT_RESPONSE})


class ReverseProxy:
    """Passes requests on to `upstream` through `session`, which must not decompress: bytes go through as they are.

    The seller chose the upstream, so it may be anywhere; a request can reach nothing but paths below it.
    """

    def __init__(self, upstream: str, session: aiohttp.ClientSession) -> None:
        self._upstream = upstream.rstrip("/")
        self._host = urlsplit(upstream).netloc
        self._session = session

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI entry."""
        if scope["type"] != "http":
            raise RuntimeError("only HTTP passes through this proxy")
        try:
            await self._pass_on(scope, receive, send)
        except PaygentError as error:
            content = json.dumps(error.as_dict()).encode()
            status = 502 if isinstance(error, SellerUnavailable) else error.status
            await send(_start(status, [(b"content-type", b"application/json")]))
            await send({"type": "http.response.body", "body": content})

    async def _pass_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        url = self._url(scope)
        try:
            response = await self._session.request(
                scope["method"],
                url,
                headers=self._request_headers(scope),
                data=_body(receive) if _has_body(scope) else None,
                allow_redirects=False,
                timeout=_TIMEOUT,
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
            )
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            if isinstance(error.__cause__, PaygentError):
                raise error.__cause__ from None
            raise SellerUnavailable(f"The API behind this proxy does not answer ({type(error).__name__}).") from error
        async with response:
            dropped = _HOP_BY_HOP | _PAYMENT | _named_by_connection(response.headers.get("connection", ""))
            kept = [(n.lower(), v) for n, v in response.raw_headers if n.lower().decode("latin-1") not in dropped]
            await send(_start(response.status, kept))
            async for chunk in response.content.iter_any():
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b""})

    def _url(self, scope: Scope) -> URL:
        raw = scope.get("raw_path") or scope["path"].encode()
        path = raw.decode("ascii", errors="replace")
        if not path.startswith("/"):
            # `@host`, say, or another server's whole URL: behind the upstream it would name another host.
            raise InvalidInput("A request's path begins with a slash.")
        if ".." in unquote(path).replace("\\", "/").split("/"):
            raise InvalidInput("A path with .. in it is refused.")
        query = scope["query_string"].decode("latin-1")
        # Already encoded by the client; encoded again it would be another path.
        return URL(f"{self._upstream}{path}" + (f"?{query}" if query else ""), encoded=True)

    def _request_headers(self, scope: Scope) -> list[tuple[str, str]]:
        incoming = Headers(scope=scope)
        dropped = _HOP_BY_HOP | _PAYMENT | _named_by_connection(incoming.get("connection", ""))
        dropped |= {"host", "content-length", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"}
        passed = [(name, value) for name, value in incoming.items() if name not in dropped]
        if "content-length" in incoming:
            passed.append(("content-length", incoming["content-length"]))
        client = scope.get("client")
        return [
            *passed,
            ("host", self._host),
            ("x-forwarded-for", client[0] if client else "unknown"),
            ("x-forwarded-host", incoming.get("host", "")),
            ("x-forwarded-proto", scope["scheme"]),
        ]


def _has_body(scope: Scope) -> bool:
    incoming = Headers(scope=scope)
    return incoming.get("content-length", "0") != "0" or "transfer-encoding" in incoming


async def _body(receive: Receive) -> AsyncIterator[bytes]:
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > _REQUEST_BYTES_MAX:
            raise InvalidInput(f"A request of more than {_REQUEST_BYTES_MAX} bytes is refused.")
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return


def _named_by_connection(value: str) -> frozenset[str]:
    """Headers that the Connection header declares to be hop-by-hop too."""
    return frozenset(name.strip().lower() for name in value.split(",") if name.strip())


def _start(status: int, raw_headers: list[tuple[bytes, bytes]]) -> Message:
    return {"type": "http.response.start", "status": status, "headers": raw_headers}
