"""Settings: a wrong one is named, a mistyped one is not passed over, and no value is quoted."""

from __future__ import annotations

from pathlib import Path

import pytest

from paygent.errors import InvalidInput
from paygent.settings import load_settings, wrong_settings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without an `.env`, and an environment without settings."""
    monkeypatch.chdir(tmp_path)
    for name in wrong_settings():
        monkeypatch.delenv(name)
    return tmp_path


def test_without_any_they_are_those_of_the_devnet() -> None:
    assert load_settings().network == "devnet"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("PAYGENT_PAYMENT_MAXX", "0.10", "is no setting: did you mean PAYGENT_PAYMENT_MAX?"),
        ("paygent_budget", "0.10", "is no setting"),
        ("PAYGENT_PAYMENT_MAX", "ten", "PAYGENT_PAYMENT_MAX is wrong"),
        ("PAYGENT_PAYMENT_MAX", "0.00", "write an amount of more than zero"),
        ("PAYGENT_SESSION_BUDGET", "-1", "PAYGENT_SESSION_BUDGET is wrong"),
        ("PAYGENT_ALLOWED_HOSTS", "a.example,http://b.example/", "and no http://"),
        ("PAYGENT_RPC_URL", "nonsense", "it must begin with http"),
        ("PAYGENT_CHAIN_ID", str(2**63), "PAYGENT_CHAIN_ID is wrong"),
        ("PAYGENT_DATABASE_URL", "mysql://u:hunter2@h/x", "it must begin with postgresql://"),
        ("PAYGENT_TOKEN_ADDRESS", "0x12", "PAYGENT_TOKEN_ADDRESS is wrong"),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(InvalidInput) as caught:
        load_settings()
    assert words in caught.value.detail
    assert "hunter2" not in caught.value.detail


def test_a_line_of_the_env_file_is_looked_at_too(folder: Path) -> None:
    (folder / ".env").write_text("OTHER=1\nPAYGENT_PAYMENT_MAX=0.5\nPAYGENT_HOSTS=a.example\n")
    assert list(wrong_settings()) == ["PAYGENT_HOSTS"]


@pytest.mark.parametrize(
    "line", ["PAYGENT_PAYMENT_MAX: 0.05", "PAYGENT_PAYMENT_MAX 0.05", "PAYGENT_PAYMENT_MAX", "'PAYGENT_PAYMENT_MAX"]
)
def test_a_line_that_cannot_be_read_is_not_passed_over(folder: Path, line: str) -> None:
    (folder / ".env").write_text(f"# ours\nOTHER=1\n{line}\n")
    assert wrong_settings() == {"Line 3 of .env": "is none of the form NAME=value."}


def test_an_env_file_that_is_no_text_is_said(folder: Path) -> None:
    (folder / ".env").write_bytes(b"PAYGENT_PAYMENT_MAX=\xff")
    with pytest.raises(InvalidInput, match="UTF-8"):
        load_settings()


@pytest.mark.parametrize("hosts", ["a.example,127.0.0.1:9000", "[::1]:8080", "localhost"])
def test_hosts_are_read(monkeypatch: pytest.MonkeyPatch, hosts: str) -> None:
    monkeypatch.setenv("PAYGENT_ALLOWED_HOSTS", hosts)
    assert load_settings().allowed_hosts == tuple(hosts.split(","))


def test_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGENT_PAYMENT_MAX", "")
    assert load_settings().payment_max == "1.00"
