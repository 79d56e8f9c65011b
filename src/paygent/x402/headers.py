"""The three HTTP headers of x402 v2 (transports-v2/http.md): base64 of JSON, by the official package's codecs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, TypeVar

from x402.http.utils import (
    decode_payment_required_header,
    decode_payment_response_header,
    decode_payment_signature_header,
    encode_payment_required_header,
    encode_payment_response_header,
    encode_payment_signature_header,
)

from paygent.errors import InvalidInput
from paygent.x402.types import PaymentPayload, PaymentRequired, SettleResponse

PAYMENT_REQUIRED = "payment-required"
PAYMENT_SIGNATURE = "payment-signature"
PAYMENT_RESPONSE = "payment-response"

_Wanted = TypeVar("_Wanted")

__all__ = [
    "PAYMENT_REQUIRED",
    "PAYMENT_RESPONSE",
    "PAYMENT_SIGNATURE",
    "decode_payment",
    "decode_required",
    "decode_settlement",
    "encode_payment_required_header",
    "encode_payment_response_header",
    "encode_payment_signature_header",
]


def decode_payment(text: str) -> PaymentPayload:
    """The payment in PAYMENT-SIGNATURE. Raises InvalidInput."""
    return _decoded(PAYMENT_SIGNATURE, decode_payment_signature_header, text, PaymentPayload)


def decode_required(text: str) -> PaymentRequired:
    """The challenge in PAYMENT-REQUIRED. Raises InvalidInput."""
    return _decoded(PAYMENT_REQUIRED, decode_payment_required_header, text, PaymentRequired)


def decode_settlement(text: str) -> SettleResponse:
    """The receipt in PAYMENT-RESPONSE. Raises InvalidInput."""
    return _decoded(PAYMENT_RESPONSE, decode_payment_response_header, text, SettleResponse)


def _decoded(header: str, decode: Callable[[str], Any], text: str, wanted: type[_Wanted]) -> _Wanted:
    try:
        message = decode(text)
        is_plain = _is_plain(message.model_dump(mode="json"))
    except Exception:  # whatever a stranger's bytes make base64, json or pydantic raise
        raise InvalidInput(f"The header {header.upper()} is not base64 of the JSON that x402 v2 defines.") from None
    if not is_plain:
        raise InvalidInput(f"The header {header.upper()} holds a NUL character, which no text needs.")
    if not isinstance(message, wanted):
        raise InvalidInput(f"The header {header.upper()} speaks another version of x402 than 2.")
    return message


def _is_plain(document: Any) -> bool:
    """Whether every reader can store it. Raises ValueError for NaN and for halves of surrogate pairs."""
    text = json.dumps(document, allow_nan=False, ensure_ascii=False).encode()
    return b"\\u0000" not in text
