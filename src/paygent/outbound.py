"""HTTP to hosts that an agent, a seller or a catalogue named. (An operator's own node, upstream and facilitator are theirs.)

Text that an agent or a catalogue supplies must not reach the operator's own network (SSRF). The check sits where the
socket is made, so that the address checked is the address connected to, whatever the name resolves to by then.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from paygent.errors import UnsafeDestination

_HEADER_BYTES_MAX = 64 * 1024


class _RefusedAddress(OSError):
    """An OSError, so that the connector tries the name's other addresses before it gives up."""


def open_session(*, allow_loopback: bool, timeout_seconds: float = 30) -> aiohttp.ClientSession:
    """A session that connects to public addresses only, and to loopback where `allow_loopback` (the devnet).

    It follows no redirect unless told to, keeps no cookies and reads no proxy settings from the environment.
    """

    def guarded_socket(address_info: Any) -> socket.socket:
        family, kind, protocol, _, address = address_info
        if not is_allowed_address(address[0], allow_loopback=allow_loopback):
            raise _RefusedAddress(f"{address[0]} is not a public address")
        return socket.socket(family, kind, protocol)

    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(socket_factory=guarded_socket, limit=256),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=timeout_seconds),
        # Terms of payment travel in headers, and may be longer than what web pages need.
        max_line_size=_HEADER_BYTES_MAX,
        max_field_size=_HEADER_BYTES_MAX,
        trust_env=False,
    )


def is_allowed_address(address: str, *, allow_loopback: bool) -> bool:
    """Whether `address` (an IP, perhaps with a scope) may be connected to."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        # An IPv4 address in IPv6 clothes reaches the IPv4 host.
        embedded = ip.ipv4_mapped or ip.sixtofour
        if embedded is not None:
            ip = embedded
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip not in _GLOBAL_UNICAST and not ip.is_loopback:
            # Other forms that hold an IPv4 address, and ranges that no route should lead to.
            return False
    if ip.is_loopback:
        return allow_loopback
    return ip.is_global and not ip.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")


def check_url(url: str) -> str:
    """`url` as it goes out, when it is plain http(s) with a host and no credentials. Raises UnsafeDestination.

    One request has many spellings (`/%77`, `/x/../w`); whatever is compared, shown or sent is this one.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise UnsafeDestination(f"{url[:200]!r} is no URL.") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not url.isprintable() or " " in url:
        raise UnsafeDestination(f"{url[:200]!r} is no http or https URL. Write it as https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise UnsafeDestination("A URL with a user name or password in it is refused; send credentials as a header.")
    try:
        return str(URL(url).with_fragment(None))
    except ValueError:
        raise UnsafeDestination(f"{url[:200]!r} is no URL that can be called.") from None


def refused_destination(error: aiohttp.ClientError, url: str) -> UnsafeDestination | None:
    """The typed error when `error` came of a refused address, else None."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, _RefusedAddress):
            return UnsafeDestination(
                f"{urlsplit(url).hostname} leads to a private address ({cause}); only public hosts may be paid.",
            )
        cause = getattr(cause, "os_error", None) or cause.__cause__
    return None
