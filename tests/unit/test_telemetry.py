"""Logs carry ids, never secrets."""

from __future__ import annotations

import json

import pytest

from paygent.telemetry import configure_logging, get_logger


def test_secrets_are_replaced_and_ids_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(json=True)
    get_logger("test").info(
        "payment.signed",
        intent_id="int_1",
        private_key="0xabc",
        note="sig 0x" + "ab" * 65,
        transaction="0x" + "cd" * 32,
    )
    line = json.loads(capsys.readouterr().err)
    assert line["intent_id"] == "int_1"
    assert line["transaction"] == "0x" + "cd" * 32
    assert line["private_key"] == "[redacted]"
    assert "abab" not in line["note"]


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError])
def test_a_log_that_cannot_be_written_stops_nothing(monkeypatch: pytest.MonkeyPatch, error: type[Exception]) -> None:
    class Gone:
        asked = 0

        def write(self, _: str) -> None:
            self.asked += 1
            raise error

        def flush(self) -> None:
            raise error

    gone = Gone()
    configure_logging(json=True)
    with monkeypatch.context() as patch:
        patch.setattr("sys.stderr", gone)
        get_logger("test").info("payment.settled")
    assert gone.asked > 0
