"""The format of encrypted keys that Ethereum wallets share: Web3 Secret Storage, version 3.

https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage. The key is under AES-128-CTR; the
cipher's key is the first half of what a key derivation makes of the password, the check (`mac`) is over the second.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import Any, cast

from Crypto.Cipher import AES
from Crypto.Protocol.KDF import scrypt

from paygent.evm.abi import keccak

_KEY_BYTES = 32
_SCRYPT_R = 8


def encrypt(key: bytes, password: bytes, *, scrypt_n: int) -> dict[str, Any]:
    """The document that holds `key`, JSON-able. `scrypt_n` (a power of two) is how dear each guess of a password is."""
    salt, iv = secrets.token_bytes(32), secrets.token_bytes(16)
    parameters = {"dklen": _KEY_BYTES, "n": scrypt_n, "r": _SCRYPT_R, "p": 1, "salt": salt.hex()}
    derived = _derive("scrypt", parameters, password)
    ciphertext = _apply_aes(derived, iv, key)
    return {
        "version": 3,
        "id": str(uuid.uuid4()),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": iv.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": parameters,
            "mac": _mac(derived, ciphertext).hex(),
        },
    }


def decrypt(document: Mapping[str, Any], password: bytes) -> bytes:
    """The key. Raises ValueError, KeyError or TypeError for a wrong password or a document that is none."""
    crypto = document["crypto"]
    if document["version"] != 3 or crypto["cipher"] != "aes-128-ctr":
        raise ValueError("only version 3 with aes-128-ctr is read")
    derived = _derive(crypto["kdf"], crypto["kdfparams"], password)
    ciphertext = bytes.fromhex(crypto["ciphertext"])
    if not hmac.compare_digest(_mac(derived, ciphertext), bytes.fromhex(crypto["mac"])):
        raise ValueError("wrong password, or a damaged document")
    return _apply_aes(derived, bytes.fromhex(crypto["cipherparams"]["iv"]), ciphertext)


def _derive(kdf: str, parameters: Mapping[str, Any], password: bytes) -> bytes:
    salt, length = bytes.fromhex(parameters["salt"]), parameters["dklen"]
    if length < _KEY_BYTES:
        raise ValueError("the derived key is too short")
    match kdf:
        case "scrypt":
            # Not hashlib's: OpenSSL refuses the specification's own example (n = 2^18 with r = 1).
            n, r, p = parameters["n"], parameters["r"], parameters["p"]
            # Its stubs say str; it takes bytes, and makes one key of them.
            return cast("bytes", scrypt(cast("str", password), cast("str", salt), length, n, r, p))
        case "pbkdf2" if parameters["prf"] == "hmac-sha256":
            return hashlib.pbkdf2_hmac("sha256", password, salt, parameters["c"], dklen=length)
    raise ValueError(f"the key derivation {kdf!r} is not known")


def _mac(derived: bytes, ciphertext: bytes) -> bytes:
    return keccak(derived[16:32] + ciphertext)


def _apply_aes(derived: bytes, iv: bytes, text: bytes) -> bytes:
    """CTR mode: the same operation encrypts and decrypts."""
    return bytes(AES.new(derived[:16], AES.MODE_CTR, nonce=b"", initial_value=iv).encrypt(text))
