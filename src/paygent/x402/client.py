"""The buyer's side of x402 over HTTP (transports-v2/http.md): ask, read the terms, present a payment."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from paygent.errors import InvalidInput, PaymentRefused, SellerUnavailable, UnsafeDestination
from paygent.outbound import check_url, refused_destination
from paygent.text import foreign
from paygent.x402 import headers
from paygent.x402.types import PaymentPayload, PaymentRequired

ANSWER_BYTES_MAX = 4 * 1024 * 1024
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
# A buyer does not speak these for the user: they belong to the connection or to the protocol.
_RESERVED_HEADERS = frozenset(
    {"host", "connection", "content-length", "transfer-encoding", "expect", "upgrade", headers.PAYMENT_SIGNATURE}
)


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """The request that is paid for, sent the same way each time. Building it raises InvalidInput, UnsafeDestination."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def __post_init__(self) -> None:
        object.__setattr__(self, "url", check_url(self.url))
        if self.method not in _METHODS:
            raise InvalidInput(f"The method {self.method!r} is none of {', '.join(_METHODS)}.")
        for name, value in self.headers.items():
            if name.lower() in _RESERVED_HEADERS:
                raise InvalidInput(f"The header {name} is set by Paygent itself; leave it out.")
            if not name or not (name + value).isprintable() or not (name + value).isascii():
                raise InvalidInput(f"The header {name!r} is no HTTP header.")

    @property
    def host(self) -> str:
        """Host and, where it is not the scheme's own, port; lower-case, an IPv6 address in its brackets."""
        parts = urlsplit(self.url)
        default = {"http": 80, "https": 443}[parts.scheme]
        name = (parts.hostname or "").lower()
        if ":" in name:
            name = f"[{name}]"
        return name if parts.port in (None, default) else f"{name}:{parts.port}"

    def as_dict(self) -> dict[str, Any]:
        """JSON-able; the inverse of `from_dict`."""
        return {
            "url": self.url,
            "method": self.method,
            "headers": dict(self.headers),
            "body": base64.b64encode(self.body).decode(),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> HttpRequest:
        """The request that `as_dict` wrote."""
        return cls(data["url"], data["method"], data["headers"], base64.b64decode(data["body"]))


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """An answer, its body cut off at `ANSWER_BYTES_MAX` (`is_whole` tells)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    is_whole: bool

    @property
    def says_paid(self) -> bool:
        """Whether it carries a receipt that says that the payment was settled. (What is so, the chain says.)"""
        header = self.headers.get(headers.PAYMENT_RESPONSE)
        try:
            return header is not None and headers.decode_settlement(header).success
        except InvalidInput:
            return False

    def terms(self) -> PaymentRequired:
        """What a 402 asks for. Raises PaymentRefused when it is not the x402 v2 that we speak."""
        header = self.headers.get(headers.PAYMENT_REQUIRED)
        if header is None:
            raise PaymentRefused("The seller answers 402 without the PAYMENT-REQUIRED header of x402 version 2.")
        try:
            return headers.decode_required(header)
        except InvalidInput as error:
            raise PaymentRefused(error.detail) from error


class BuyerClient:
    """Sends requests through `session`, which decides which addresses may be reached (`outbound.open_session`)."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def send(
        self, request: HttpRequest, payment: PaymentPayload | None = None, *, retry_key: str | None = None
    ) -> HttpAnswer:
        """One request, with a payment or without; no redirect is followed, so that no other host sees the payment.

        `retry_key` goes along as `Idempotency-Key`, unless the request has one: only who knows it can have asked before.
        Raises UnsafeDestination for an address that may not be reached, SellerUnavailable when there is no answer.
        """
        head = dict(request.headers)
        if payment is not None:
            head[headers.PAYMENT_SIGNATURE] = headers.encode_payment_signature_header(payment)
        if retry_key is not None and "idempotency-key" not in {name.lower() for name in head}:
            head["idempotency-key"] = retry_key
        try:
            async with self._session.request(
                request.method, request.url, headers=head, data=request.body or None, allow_redirects=False
            ) as response:
                body = await _read(response)
                answer_headers = {name.lower(): _plain(value) for name, value in response.headers.items()}
                return HttpAnswer(
                    response.status, answer_headers, body[:ANSWER_BYTES_MAX], len(body) <= ANSWER_BYTES_MAX
                )
        except (aiohttp.InvalidURL, UnicodeError) as error:
            raise UnsafeDestination(f"{request.url[:200]} is no URL that can be called.") from error
        except aiohttp.ClientResponseError as error:
            raise SellerUnavailable(f"{request.host} answers with what is no HTTP: {foreign(error.message)}") from error
        except aiohttp.ClientPayloadError as error:
            raise SellerUnavailable(f"The answer of {request.host} broke off.") from error
        except TimeoutError as error:
            raise SellerUnavailable(f"{request.host} does not answer in time.") from error
        except (aiohttp.ClientError, OSError) as error:
            refused = refused_destination(error, request.url) if isinstance(error, aiohttp.ClientError) else None
            raise refused or SellerUnavailable(f"{request.host} does not answer ({type(error).__name__}).") from error


def _plain(value: str) -> str:
    """A header's value as text: what is no UTF-8 is Latin-1 (RFC 9110, section 5.5), and control characters are blanks."""
    if not value.isprintable():
        value = value.encode("utf-8", "surrogateescape").decode("latin-1")
        value = "".join(character if character.isprintable() else " " for character in value)
    return value


async def _read(response: aiohttp.ClientResponse) -> bytes:
    """At most one byte more than is kept."""
    body = bytearray()
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            return bytes(body[: ANSWER_BYTES_MAX + 1])
    return bytes(body)
