"""A signer whose key lies encrypted on disk (Web3 Secret Storage v3, https://ethereum.org/developers/docs/data-structures-and-encoding/web3-secret-storage)."""

from __future__ import annotations

import json
import os
import secrets
from pathlib import Path

from coincurve import PrivateKey

from paygent.errors import InvalidInput
from paygent.evm.eip712 import public_key_address
from paygent.evm.signers import secret_storage

_PASSWORD_BYTES = 32
# Stretching protects passwords that people think up. One of 256 random bits needs none, and commands should start fast.
_SCRYPT_N_GENERATED = 2**10
_SCRYPT_N_CHOSEN = 2**18


class KeystoreSigner:
    """Signs 32-byte digests with one secp256k1 key. `address` is lower-case."""

    def __init__(self, key: PrivateKey) -> None:
        self._key = key
        self.address = public_key_address(key.public_key.format(compressed=False))

    def __repr__(self) -> str:
        return f"KeystoreSigner({self.address})"

    async def sign_digest(self, digest: bytes) -> bytes:
        """65 bytes r‖s‖v with v 27 or 28 and s in the lower half."""
        raw = self._key.sign_recoverable(digest, hasher=None)
        return bytes(raw[:64]) + bytes([raw[64] + 27])

    @classmethod
    def from_private_key(cls, private_key_hex: str) -> KeystoreSigner:
        """A signer of a key in hex. Raises InvalidInput; the key is never part of the message."""
        try:
            return cls(PrivateKey(bytes.fromhex(private_key_hex.removeprefix("0x"))))
        except ValueError:
            raise InvalidInput("That is no private key: it must be 32 bytes in hex.") from None

    @classmethod
    def open(cls, path: Path, password: str | None = None) -> KeystoreSigner:
        """Open the keystore at `path`, creating it with a fresh key when there is none.

        Without `password`, a random one is kept in `path` + `.password` (mode 0600).
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not path.exists():
            _create(path, password)
        secret = password if password is not None else _read_password(path)
        try:
            return cls(PrivateKey(secret_storage.decrypt(json.loads(path.read_bytes()), secret.encode())))
        except (ValueError, KeyError, TypeError):
            advice = "Check PAYGENT_KEYSTORE_PASSWORD."
            if password is not None and _password_path(path).exists():
                advice = (
                    "It was made without a password: run `paygent wallet encrypt` to give it yours, "
                    "or unset PAYGENT_KEYSTORE_PASSWORD."
                )
            raise InvalidInput(
                f"The keystore {path.name} cannot be opened: wrong password or a damaged file. {advice}"
            ) from None


def encrypt_all(folder: Path, password: str) -> list[str]:
    """Encrypt with `password` every key in `folder` that was made without one; their names. Blocks.

    May be interrupted and run again: a key's generated password goes only when the key no longer needs it.
    Raises InvalidInput for a key that opens with neither.
    """
    names = []
    for path in sorted(folder.glob("*.json")):
        if not _password_path(path).exists():
            KeystoreSigner.open(path, password)
            continue
        content = json.loads(path.read_bytes())
        try:
            key = secret_storage.decrypt(content, _read_password(path).encode())
        except ValueError:
            # Interrupted between the two steps below: it is encrypted already.
            KeystoreSigner.open(path, password)
        else:
            replacement = path.with_suffix(".new")
            replacement.unlink(missing_ok=True)
            keystore = secret_storage.encrypt(key, password.encode(), scrypt_n=_SCRYPT_N_CHOSEN)
            _write_private(replacement, json.dumps(keystore).encode())
            replacement.replace(path)
        _drop_password(path)
        names.append(path.stem)
    return names


def _drop_password(path: Path) -> None:
    _password_path(path).unlink()


def _create(path: Path, password: str | None) -> None:
    chosen = password is not None
    if password is None:
        password_path = _password_path(path)
        if not password_path.exists():
            _write_private(password_path, secrets.token_urlsafe(_PASSWORD_BYTES).encode())
        password = password_path.read_text()
    keystore = secret_storage.encrypt(
        secrets.token_bytes(32), password.encode(), scrypt_n=_SCRYPT_N_CHOSEN if chosen else _SCRYPT_N_GENERATED
    )
    _write_private(path, json.dumps(keystore).encode())


def _read_password(path: Path) -> str:
    try:
        return _password_path(path).read_text()
    except FileNotFoundError:
        raise InvalidInput(
            f"Set PAYGENT_KEYSTORE_PASSWORD: {path.name} was encrypted with a password of yours."
        ) from None


def _password_path(path: Path) -> Path:
    return path.with_suffix(".password")


def _write_private(path: Path, content: bytes) -> None:
    """Write once, whole, mode 0600; the first of two processes wins, the other uses what it wrote."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        temporary.unlink()
