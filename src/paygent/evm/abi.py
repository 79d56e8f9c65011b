"""Solidity ABI calls and logs (https://docs.soliditylang.org/en/latest/abi-spec.html), typed by signature text."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import sha3
from eth_abi.abi import decode as abi_decode
from eth_abi.abi import encode as abi_encode

from paygent.errors import InvalidInput

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def keccak(data: bytes) -> bytes:
    """Keccak-256 as Ethereum uses it (not NIST SHA3-256)."""
    return bytes(sha3.keccak_256(data).digest())


@cache
def selector(signature: str) -> bytes:
    """The four bytes that select `signature`, e.g. `balanceOf(address)`."""
    return keccak(signature.encode())[:4]


@cache
def topic(signature: str) -> str:
    """The first topic of an event, 0x-hex."""
    return "0x" + keccak(signature.encode()).hex()


@cache
def _argument_types(signature: str) -> tuple[str, ...]:
    """What stands between the outer parentheses; a tuple, with whatever is in it, is one type."""
    inner = signature[signature.index("(") + 1 : -1]
    types, depth, start = [], 0, 0
    for at, character in enumerate(inner):
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            types.append(inner[start:at])
            start = at + 1
    return (*types, inner[start:]) if inner else ()


def encode_call(signature: str, *arguments: Any) -> bytes:
    """Call data of a function; `signature` names canonical types only, a struct is the tuple of its fields' types."""
    return selector(signature) + abi_encode(_argument_types(signature), arguments)


def decode(types: tuple[str, ...], data: bytes) -> tuple[Any, ...]:
    """Decode returned or logged data. Raises eth_abi's DecodingError when it does not fit."""
    return tuple(abi_decode(types, data))


def to_bytes(hex_text: str) -> bytes:
    """Bytes of 0x-hex text. Raises ValueError."""
    return bytes.fromhex(hex_text.removeprefix("0x"))


def to_hex(data: bytes) -> str:
    """0x-hex of bytes."""
    return "0x" + data.hex()


def to_address(word: str) -> str:
    """The lower-case address in the last 20 bytes of a 32-byte topic."""
    return "0x" + word[-40:].lower()


def to_word(address: str) -> str:
    """A lower-case address as a 32-byte topic."""
    return "0x" + address.removeprefix("0x").lower().rjust(64, "0")


def checksum_address(address: str) -> str:
    """ERC-55 mixed-case form, which people and other libraries expect."""
    digits = address.removeprefix("0x").lower()
    digest = keccak(digits.encode()).hex()
    return "0x" + "".join(c.upper() if c > "9" and d >= "8" else c for c, d in zip(digits, digest, strict=False))


def parse_address(text: str) -> str:
    """The lower-case form of an address that a person or a peer wrote.

    Raises InvalidInput for what is none, for zero, and for a mixed-case one with a wrong ERC-55 checksum (a typing slip).
    """
    if not _ADDRESS.fullmatch(text):
        raise InvalidInput(f"{text[:80]!r} is no address: write 0x and 40 hex digits.")
    if int(text, 16) == 0:
        raise InvalidInput("The zero address belongs to nobody; what is paid to it is lost.")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and checksum_address(text) != text:
        raise InvalidInput(f"The checksum of the address {text} is wrong: look for a mistyped character.")
    return text.lower()
