"""What a buyer may ask for, and by which name its host is known to the policy."""

from __future__ import annotations

import pytest

from paygent.errors import InvalidInput
from paygent.x402.client import HttpRequest


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://API.example.com/x", "api.example.com"),
        ("https://api.example.com:443/x", "api.example.com"),
        ("http://api.example.com:443/x", "api.example.com:443"),
        ("http://[2606:4700::1]/x", "[2606:4700::1]"),
        ("http://[2606:4700::1]:5/x", "[2606:4700::1]:5"),
    ],
)
def test_a_host_has_its_port_where_that_is_not_the_schemes_own(url: str, host: str) -> None:
    assert HttpRequest(url).host == host


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "TRACE"},
        {"method": "get"},
        {"headers": {"Host": "other.example"}},
        {"headers": {"PAYMENT-SIGNATURE": "x"}},
        {"headers": {"transfer-encoding": "chunked"}},
        {"headers": {"x": "a\r\nhost: b"}},
        {"headers": {"x": "caf\u00e9"}},
        {"headers": {"": "x"}},
    ],
)
def test_what_belongs_to_the_connection_or_the_protocol_is_refused(changes: dict) -> None:
    with pytest.raises(InvalidInput):
        HttpRequest("https://api.example.com/", **changes)


def test_a_request_is_stored_and_read_as_it_was() -> None:
    request = HttpRequest("https://api.example.com/", "POST", {"x-a": "1"}, b"\x00\xff")
    assert HttpRequest.from_dict(request.as_dict()) == request
