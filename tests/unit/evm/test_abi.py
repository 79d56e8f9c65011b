"""Addresses as people and peers write them (the checksums are EIP-55's own examples), and call data."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from paygent.errors import InvalidInput
from paygent.evm.abi import checksum_address, encode_call, keccak, parse_address

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


@pytest.mark.parametrize(
    ("signature", "types", "arguments"),
    [
        ("f()", [], []),
        ("f(uint256,address)", ["uint256", "address"], [1, EIP_55[0]]),
        ("f((address,uint256))", ["(address,uint256)"], [(EIP_55[0], 1)]),
        (
            "f((bytes,(uint8,int8[2])[])[],bool)",
            ["(bytes,(uint8,int8[2])[])[]", "bool"],
            [[(b"x", [(1, [2, -3])])], True],
        ),
        ("f(bool,(uint8),((uint8)))", ["bool", "(uint8)", "((uint8))"], [True, (1,), ((2,),)]),
    ],
)
def test_structs_are_encoded_as_eth_abi_does(signature: str, types: list[str], arguments: list[Any]) -> None:
    assert encode_call(signature, *arguments) == keccak(signature.encode())[:4] + encode(types, arguments)
