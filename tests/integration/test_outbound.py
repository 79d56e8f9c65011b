"""Only public hosts are reached; the check is made on the address that is connected to."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from paygent.errors import UnsafeDestination
from paygent.outbound import check_url, is_allowed_address, open_session, refused_destination


@pytest.fixture
async def server() -> AsyncIterator[tuple[int, list[str]]]:
    """A server on loopback and the list of requests that reached it."""
    seen: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.path)
        return web.Response(text="inside")

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1], seen
    await runner.cleanup()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0x7f.1"])
async def test_loopback_is_not_reached_outside_the_devnet(server: tuple[int, list[str]], host: str) -> None:
    port, seen = server
    url = f"http://{host}:{port}/"
    async with open_session(allow_loopback=False) as session:
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.get(url)
    refused = refused_destination(caught.value, url)
    assert isinstance(refused, UnsafeDestination)
    assert "private address" in refused.detail
    assert seen == []


async def test_loopback_is_reached_on_the_devnet(server: tuple[int, list[str]]) -> None:
    port, seen = server
    async with open_session(allow_loopback=True) as session, session.get(f"http://localhost:{port}/") as response:
        assert await response.text() == "inside"
    assert seen == ["/"]


async def test_a_closed_port_is_not_called_unsafe(unused_tcp_port: int) -> None:
    url = f"http://127.0.0.1:{unused_tcp_port}/"
    async with open_session(allow_loopback=True) as session:
        with pytest.raises(aiohttp.ClientError) as caught:
            await session.get(url)
    assert refused_destination(caught.value, url) is None


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::",
        "fe80::1%eth0",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "::10.0.0.1",
        "::127.0.0.1",
        "::ffff:0:7f00:1",
        "64:ff9b:1::7f00:1",
        "fec0::1",
        "2001:db8::1",
    ],
)
@pytest.mark.parametrize("allow_loopback", [True, False])
def test_private_addresses_are_refused_everywhere(address: str, allow_loopback: bool) -> None:
    assert not is_allowed_address(address, allow_loopback=allow_loopback)


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_loopback_belongs_to_the_devnet(address: str) -> None:
    assert is_allowed_address(address, allow_loopback=True)
    assert not is_allowed_address(address, allow_loopback=False)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101", "2002:101:101::"])
def test_public_addresses_are_allowed(address: str) -> None:
    assert is_allowed_address(address, allow_loopback=False)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host/",
        "file:///etc/passwd",
        "host/path",
        "http://",
        "https://u:p@host/",
        "http://h:99999/",
        "",
        "http://h/a b",
        "http://h/\n",
        "http://h/\0",
    ],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(UnsafeDestination):
        check_url(url)


def test_a_plain_url_is_kept() -> None:
    assert check_url("https://api.example.com:8443/a?b=c") == "https://api.example.com:8443/a?b=c"


async def test_no_cookie_is_kept(unused_tcp_port: int) -> None:
    """By name, since an IP address's cookies would not be kept anyway."""
    seen: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        seen.append(request.headers.get("cookie"))
        return web.Response(headers={"set-cookie": "sid=of-one-intent"})

    app = web.Application()
    app.router.add_get("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", unused_tcp_port).start()
    async with open_session(allow_loopback=True) as session:
        for _ in range(2):
            await (await session.get(f"http://localhost:{unused_tcp_port}/")).read()
    await runner.cleanup()
    assert seen == [None, None]


async def test_no_proxy_of_the_environment_is_used(
    server: tuple[int, list[str]], unused_tcp_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would connect for us, and the address that is checked would be its own."""
    port, seen = server
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{unused_tcp_port}")
    async with open_session(allow_loopback=True) as session, session.get(f"http://localhost:{port}/") as response:
        assert await response.text() == "inside"
    assert seen == ["/"]
