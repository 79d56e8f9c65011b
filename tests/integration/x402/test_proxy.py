"""The reverse proxy passes everything on, and reaches nothing but its upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from fastapi import FastAPI, Request, Response
from yarl import URL

from paygent.x402.proxy import ReverseProxy
from tests.support.servers import serving


@pytest.fixture
async def upstream() -> AsyncIterator[str]:
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST"])
    async def echo(path: str, request: Request, response: Response) -> dict[str, Any]:
        response.headers["set-cookie"] = "sid=of-one-buyer"
        response.headers["connection"] = "x-hop"
        response.headers["x-hop"] = "1"
        response.headers["payment-response"] = "forged"
        return {
            "raw": request.scope["raw_path"].decode(),
            "query": request.url.query,
            "headers": dict(request.headers),
            "body": (await request.body()).decode(),
        }

    async with serving(app) as url:
        yield url


@pytest.fixture
async def proxy(upstream: str) -> AsyncIterator[ReverseProxy]:
    async with aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar()) as session:
        yield ReverseProxy(upstream + "/base", session)


async def request(proxy: ReverseProxy, raw_path: bytes, **changes: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """One ASGI request with exactly this target, which no HTTP client would send for us."""
    scope = {
        "type": "http", "method": "GET", "path": raw_path.decode("latin-1"), "raw_path": raw_path, "query_string": b"",
        "headers": [(b"host", b"shop.example")], "client": ("203.0.113.9", 1), "scheme": "http", **changes,
    }  # fmt: skip
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": changes.get("body", b""), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await proxy(scope, receive, send)
    return sent[0]["status"], sent[0]["headers"], b"".join(message.get("body", b"") for message in sent[1:])


async def test_a_request_passes_as_it_is(proxy: ReverseProxy) -> None:
    async with serving(proxy) as url, aiohttp.ClientSession() as client:
        target = url + "/a%2Fb?q=x%20y"
        head = {"x-kept": "yes", "payment-signature": "secret", "connection": "x-named", "x-named": "1"}
        async with client.post(URL(target, encoded=True), data=b"hello", headers=head) as response:
            seen = await response.json()
    assert (seen["raw"], seen["query"], seen["body"]) == ("/base/a%2Fb", "q=x%20y", "hello")
    assert seen["headers"]["x-kept"] == "yes"
    assert seen["headers"]["x-forwarded-for"] == "127.0.0.1"
    assert not {"payment-signature", "x-named"} & seen["headers"].keys()


async def test_a_redirect_is_the_buyers_to_follow() -> None:
    app, asked = FastAPI(), []

    @app.get("/{path:path}")
    async def move(path: str) -> Response:
        asked.append(path)
        return Response(status_code=302, headers={"location": "/inside"})

    async with serving(app) as url, aiohttp.ClientSession() as session:
        status, head, _ = await request(ReverseProxy(url, session), b"/moved")
    assert (status, dict(head)[b"location"]) == (302, b"/inside")
    assert asked == ["moved"]


@pytest.mark.parametrize(
    "target",
    [b"@127.0.0.1:1/x", b"http://127.0.0.1:1/x", b"*", b"", b"/../x", b"/a/..%2f..%2fx", b"/a/%2e%2e/x", b"/..\\x"],
)
async def test_no_target_leads_anywhere_else(proxy: ReverseProxy, target: bytes) -> None:
    status, _, body = await request(proxy, target)
    assert status == 400, body


async def test_what_the_upstream_says_of_payments_and_connections_stays_there(proxy: ReverseProxy) -> None:
    status, raw_headers, _ = await request(proxy, b"/x")
    names = {name for name, _ in raw_headers}
    assert status == 200
    assert not {b"payment-response", b"x-hop", b"connection"} & names


async def test_no_buyers_cookie_is_anothers(upstream: str) -> None:
    """By name, since an IP address's cookies would not be kept anyway."""
    from paygent.cli.selling import upstream_session

    async with upstream_session() as session:
        proxy = ReverseProxy(upstream.replace("127.0.0.1", "localhost"), session)
        for _ in range(2):
            _, _, body = await request(proxy, b"/x")
    assert b"of-one-buyer" not in body


async def test_a_dead_upstream_is_a_bad_gateway(unused_tcp_port: int) -> None:
    async with aiohttp.ClientSession() as session:
        status, _, body = await request(ReverseProxy(f"http://127.0.0.1:{unused_tcp_port}", session), b"/x")
    assert status == 502
    assert b"does not answer" in body


async def test_a_request_that_is_too_long_is_refused(proxy: ReverseProxy) -> None:
    headers = [(b"host", b"shop.example"), (b"transfer-encoding", b"chunked")]
    status, _, body = await request(proxy, b"/x", method="POST", headers=headers, body=b"x" * (16 * 1024 * 1024 + 1))
    assert status == 400
    assert b"refused" in body
