"""Signers: whoever holds a key. Everything else asks for the small `Signer` protocol."""

from __future__ import annotations

from typing import Protocol


class Signer(Protocol):
    """Signs 32-byte digests with one secp256k1 key."""

    @property
    def address(self) -> str:
        """Lower-case address of the key."""
        ...

    async def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r‖s‖v, v 27 or 28, low s."""
        ...
