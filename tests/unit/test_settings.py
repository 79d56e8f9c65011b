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
        ("PAYGENT_SESSION_BUDGET", "-1", "PAYGENT_SESSION_BUDGET is wrong"),
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


def test_an_empty_one_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGENT_PAYMENT_MAX", "")
    assert load_settings().payment_max == "1.00"
