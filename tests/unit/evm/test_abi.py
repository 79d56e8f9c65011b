"""Addresses as people and peers write them; the checksums are EIP-55's own examples."""

from __future__ import annotations

import pytest

from paygent.errors import InvalidInput
from paygent.evm.abi import checksum_address, parse_address

EIP_55 = [
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
]


@pytest.mark.parametrize("address", EIP_55)
def test_a_checksummed_address_is_read_and_written(address: str) -> None:
    assert parse_address(address) == address.lower() == parse_address("0x" + address[2:].upper())
    assert checksum_address(address.lower()) == address


@pytest.mark.parametrize(
    "text",
    ["", "0x", "0x" + "00" * 20, "0x" + "1" * 39, "0x" + "1" * 41, "1" * 42, "0x" + "g" * 40, "0x" + "１" * 40]
    + [address.swapcase().replace("X", "x", 1) for address in EIP_55[:2]],
)
def test_what_is_no_address_is_told(text: str) -> None:
    with pytest.raises(InvalidInput, match="address"):
        parse_address(text)
