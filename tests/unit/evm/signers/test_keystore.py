"""Keystores: created once, private, readable by other wallets, silent about their secret."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from eth_account import Account

from paygent.errors import InvalidInput
from paygent.evm.signers.keystore import KeystoreSigner, encrypt_all


def test_a_keystore_is_created_once_and_reopened(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "pocket.json"
    created = KeystoreSigner.open(path)
    assert KeystoreSigner.open(path).address == created.address
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.with_suffix(".password").stat().st_mode & 0o777 == 0o600


def test_eth_account_opens_our_keystore(tmp_path: Path) -> None:
    path = tmp_path / "pocket.json"
    signer = KeystoreSigner.open(path)
    key = Account.decrypt(json.loads(path.read_text()), path.with_suffix(".password").read_text())
    assert Account.from_key(key).address.lower() == signer.address


@pytest.mark.parametrize("kdf", ["scrypt", "pbkdf2"])
def test_we_open_a_keystore_of_eth_account(tmp_path: Path, kdf: Literal["scrypt", "pbkdf2"]) -> None:
    account = Account.create()
    path = tmp_path / "pocket.json"
    path.write_text(json.dumps(Account.encrypt(account.key, "their password", kdf=kdf, iterations=2**12)))
    assert KeystoreSigner.open(path, "their password").address == account.address.lower()


def test_many_starters_agree_on_one_key(tmp_path: Path) -> None:
    path = tmp_path / "pocket.json"
    with ThreadPoolExecutor(8) as pool:
        addresses = set(pool.map(lambda _: KeystoreSigner.open(path).address, range(8)))
    assert len(addresses) == 1


def test_a_wrong_password_says_what_to_check(tmp_path: Path) -> None:
    path = tmp_path / "pocket.json"
    KeystoreSigner.open(path)
    with pytest.raises(InvalidInput, match="PAYGENT_KEYSTORE_PASSWORD"):
        KeystoreSigner.open(path, "wrong")


def test_a_bad_key_is_never_part_of_the_message() -> None:
    with pytest.raises(InvalidInput) as caught:
        KeystoreSigner.from_private_key("0xdeadbeef-not-a-key")
    assert "deadbeef" not in caught.value.detail
    assert "secret" not in repr(KeystoreSigner.from_private_key("01" * 32))


def test_a_key_that_was_made_without_a_password_gets_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paygent.evm.signers.keystore._SCRYPT_N_CHOSEN", 2**10)
    path = tmp_path / "pocket.json"
    address = KeystoreSigner.open(path).address
    KeystoreSigner.open(tmp_path / "other.json", "chosen")
    with pytest.raises(InvalidInput, match="paygent wallet encrypt"):
        KeystoreSigner.open(path, "chosen")

    def die(_: Path) -> None:
        raise KeyboardInterrupt

    # Interrupted between its two steps, and run again.
    with monkeypatch.context() as patch:
        patch.setattr("paygent.evm.signers.keystore._drop_password", die)
        with pytest.raises(KeyboardInterrupt):
            encrypt_all(tmp_path, "chosen")
    assert path.with_suffix(".password").exists()
    assert encrypt_all(tmp_path, "chosen") == ["pocket"]
    assert not path.with_suffix(".password").exists()
    assert path.stat().st_mode & 0o777 == 0o600
    assert KeystoreSigner.open(path, "chosen").address == address
    assert encrypt_all(tmp_path, "chosen") == []
    with pytest.raises(InvalidInput, match="PAYGENT_KEYSTORE_PASSWORD"):
        KeystoreSigner.open(path)
    with pytest.raises(InvalidInput, match="wrong password"):
        encrypt_all(tmp_path, "another")
