"""Only the two logs that an authorization leaves behind, in one transaction, honour it."""

from __future__ import annotations

from typing import Any

import pytest

from paygent.evm.abi import to_hex, to_word
from paygent.evm.eip3009 import CANCELED_TOPIC, TRANSFER_TOPIC, USED_TOPIC, TransferAuthorization, transfer_of
from paygent.money import Asset

USDC = Asset(338, "0x" + "11" * 20, "USDC", 6)
PAYER, PAYEE, OTHER = "0x" + "aa" * 20, "0x" + "bb" * 20, "0x" + "cc" * 20
PAID = TransferAuthorization(PAYER, PAYEE, 100, 0, 2**40, b"\x07" * 32)


def log(*topics: str, address: str = USDC.address, data: str = "0x") -> dict[str, Any]:
    return {
        "address": address, "topics": list(topics), "data": data,
        "blockNumber": "0x1", "transactionHash": "0x" + "ab" * 32, "logIndex": "0x0",
    }  # fmt: skip


USED = log(USED_TOPIC, to_word(PAYER), to_hex(PAID.nonce))
MOVED = log(TRANSFER_TOPIC, to_word(PAYER), to_word(PAYEE), data=hex(100))


def test_the_pair_honours_it_among_others_and_in_any_order() -> None:
    other = log(TRANSFER_TOPIC, to_word(PAYER), to_word(OTHER), data=hex(100))
    for logs in ([USED, MOVED], [MOVED, USED], [other, USED, other, MOVED]):
        found = transfer_of(PAID, USDC, logs)
        assert found is not None
        assert (found.sender, found.recipient, found.value) == (PAYER, PAYEE, 100)


@pytest.mark.parametrize(
    "logs",
    [
        [],
        [USED],
        [MOVED],
        [log(USED_TOPIC, to_word(PAYER), to_hex(b"\x08" * 32)), MOVED],
        [log(USED_TOPIC, to_word(OTHER), to_hex(PAID.nonce)), MOVED],
        [log(CANCELED_TOPIC, to_word(PAYER), to_hex(PAID.nonce)), MOVED],
        [{**USED, "address": OTHER}, MOVED],
        [USED, {**MOVED, "address": OTHER}],
        [USED, {**MOVED, "data": hex(99)}],
        [USED, log(TRANSFER_TOPIC, to_word(OTHER), to_word(PAYEE), data=hex(100))],
        [USED, log(TRANSFER_TOPIC, to_word(PAYER), to_word(OTHER), data=hex(100))],
    ],
)
def test_anything_else_does_not(logs: list[dict[str, Any]]) -> None:
    assert transfer_of(PAID, USDC, logs) is None
