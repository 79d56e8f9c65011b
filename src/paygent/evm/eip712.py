"""EIP-712 domains and ECDSA over secp256k1 (https://eips.ethereum.org/EIPS/eip-712).

The domain separator is computed once, and compared with the token's own `DOMAIN_SEPARATOR()` before anything is signed:
tables of names and versions disagree with each other, the contract does not.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from coincurve import PublicKey

from paygent.evm.abi import keccak, to_bytes

_DOMAIN_TYPE = keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")
_HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0


def word(value: int) -> bytes:
    """A uint256 as 32 big-endian bytes."""
    return value.to_bytes(32, "big")


def address_word(address: str) -> bytes:
    """An address, left-padded to 32 bytes."""
    return to_bytes(address).rjust(32, b"\0")


@dataclass(frozen=True, slots=True)
class Domain:
    """An EIP-712 domain with all four usual fields; `separator` is precomputed."""

    name: str
    version: str
    chain_id: int
    verifying_contract: str
    separator: bytes = field(init=False)

    def __post_init__(self) -> None:
        separator = keccak(
            _DOMAIN_TYPE
            + keccak(self.name.encode())
            + keccak(self.version.encode())
            + word(self.chain_id)
            + address_word(self.verifying_contract)
        )
        object.__setattr__(self, "separator", separator)

    def digest(self, struct_hash: bytes) -> bytes:
        """The 32 bytes that are signed for a struct in this domain."""
        return keccak(b"\x19\x01" + self.separator + struct_hash)


def recover(digest: bytes, signature: bytes) -> str | None:
    """The lower-case address that signed `digest`, or None when the signature is not a canonical one.

    Canonical: 65 bytes r‖s‖v, v 27 or 28, s in the lower half (EIP-2), as OpenZeppelin's ECDSA demands.
    """
    if len(signature) != 65 or signature[64] not in (27, 28):
        return None
    if int.from_bytes(signature[32:64], "big") > _HALF_ORDER:
        return None
    try:
        key = PublicKey.from_signature_and_message(signature[:64] + bytes([signature[64] - 27]), digest, hasher=None)
    except Exception:  # coincurve raises bare Exception for points off the curve
        return None
    return public_key_address(key.format(compressed=False))


def public_key_address(uncompressed: bytes) -> str:
    """The lower-case address of a 65-byte uncompressed public key."""
    return "0x" + keccak(uncompressed[1:])[-20:].hex()
