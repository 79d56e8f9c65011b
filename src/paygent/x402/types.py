"""The protocol's messages, as the official package defines them, and the `exact` payload decoded strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from x402.schemas import (
    PaymentPayload,
    PaymentRequired,
    PaymentRequirements,
    ResourceInfo,
    SettleResponse,
    SupportedKind,
    SupportedResponse,
    VerifyResponse,
)

from paygent.evm.abi import checksum_address, to_bytes, to_hex
from paygent.evm.eip3009 import TransferAuthorization
from paygent.money import UINT256_MAX

__all__ = [
    "PaymentPayload",
    "PaymentRequired",
    "PaymentRequirements",
    "ResourceInfo",
    "SettleResponse",
    "SupportedKind",
    "SupportedResponse",
    "VerifyResponse",
    "authorization_of",
    "exact_payload",
]

X402_VERSION = 2
SCHEME_EXACT = "exact"
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_NONCE = re.compile(r"0x[0-9a-fA-F]{64}")
_UINT = re.compile(r"(?a:\d{1,78})")
_SIGNATURE = re.compile(r"0x([0-9a-fA-F]{2}){65,4096}")


def exact_payload(authorization: TransferAuthorization, signature: bytes) -> dict[str, Any]:
    """The `payload` of an `exact` payment: signature and authorization, numbers as decimal text.

    Addresses are in their ERC-55 form here and wherever they leave us: peers built on web3.py refuse any other.
    """
    return {
        "signature": to_hex(signature),
        "authorization": {
            "from": checksum_address(authorization.payer),
            "to": checksum_address(authorization.payee),
            "value": str(authorization.value),
            "validAfter": str(authorization.valid_after),
            "validBefore": str(authorization.valid_before),
            "nonce": to_hex(authorization.nonce),
        },
    }


def authorization_of(payload: Mapping[str, Any]) -> tuple[TransferAuthorization, bytes]:
    """The authorization and signature in an `exact` payload. Raises ValueError, naming the malformed field."""
    authorization = payload.get("authorization")
    if not isinstance(authorization, dict):
        raise ValueError("payload.authorization is missing")  # noqa: TRY004 - one error for every malformed payload
    signature = _match(_SIGNATURE, payload, "signature")
    return (
        TransferAuthorization(
            payer=_match(_ADDRESS, authorization, "from").lower(),
            payee=_match(_ADDRESS, authorization, "to").lower(),
            value=_uint(authorization, "value"),
            valid_after=_uint(authorization, "validAfter"),
            valid_before=_uint(authorization, "validBefore"),
            nonce=to_bytes(_match(_NONCE, authorization, "nonce")),
        ),
        to_bytes(signature),
    )


def _match(pattern: re.Pattern[str], fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ValueError(f"{name} is missing or malformed")
    return value


def _uint(fields: Mapping[str, Any], name: str) -> int:
    number = int(_match(_UINT, fields, name))
    if number > UINT256_MAX:
        raise ValueError(f"{name} does not fit a uint256")
    return number
