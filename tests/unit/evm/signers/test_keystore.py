"""Keystores: created once, private, readable by other wallets, silent about their secret."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import pytest
from eth_account import Account

from paygent.errors import InvalidInput
from paygent.evm.signers.keystore import KeystoreSigner


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
