"""The two documents that the specification of Web3 Secret Storage prints, and what is none."""

from __future__ import annotations

from typing import Any

import pytest

from paygent.evm.signers import secret_storage

SECRET = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")
PASSWORD = b"testpassword"
PBKDF2 = {
    "version": 3,
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
}
SCRYPT = {
    "version": 3,
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "83dbcc02d8ccb40e466191a123791e0e"},
        "ciphertext": "d172bf743a674da9cdad04534d56926ef8358534d458fffccd4e6ad2fbde479c",
        "kdf": "scrypt",
        "kdfparams": {
            "dklen": 32,
            "n": 262144,
            "r": 1,
            "p": 8,
            "salt": "ab0c7876052600dd703518d6fc3fe8984592145b591fc8fb5c6d43190334ba19",
        },
        "mac": "2103ac29920d71da29f15d75b4a16dbe95cfd7ff8faea1056c33131d846e3097",
    },
}


@pytest.mark.parametrize("document", [PBKDF2, SCRYPT], ids=["pbkdf2", "scrypt"])
def test_the_specifications_documents_are_read(document: dict[str, Any]) -> None:
    assert secret_storage.decrypt(document, PASSWORD) == SECRET
    with pytest.raises(ValueError, match="wrong password"):
        secret_storage.decrypt(document, b"testpasswore")


def test_what_is_written_is_read_and_never_the_same_twice() -> None:
    first, second = (secret_storage.encrypt(SECRET, PASSWORD, scrypt_n=2) for _ in range(2))
    assert secret_storage.decrypt(first, PASSWORD) == secret_storage.decrypt(second, PASSWORD) == SECRET
    assert first["crypto"]["ciphertext"] != second["crypto"]["ciphertext"]


@pytest.mark.parametrize(
    "change",
    [
        {"cipher": "aes-128-cbc"},
        {"kdf": "md5"},
        {"ciphertext": "00" + SCRYPT["crypto"]["ciphertext"][2:]},  # type: ignore[index]
        {"kdfparams": {**SCRYPT["crypto"]["kdfparams"], "dklen": 16}},  # type: ignore[index]
    ],
)
def test_another_document_is_refused(change: dict[str, Any]) -> None:
    document = {"version": 3, "crypto": {**SCRYPT["crypto"], **change}}  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"aes-128-ctr|not known|damaged|too short"):
        secret_storage.decrypt(document, PASSWORD)
