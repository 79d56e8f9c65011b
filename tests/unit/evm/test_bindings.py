"""Bindings are what the generator makes of the artifacts, and speak the ABI as eth_abi and the compiler do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_abi.abi import encode

from contracts.bindings import errors_module, formatted, generate, module, signature_of, snake
from paygent.evm.abi import encode_call, keccak
from paygent.evm.bindings import bridged_usdc
from tests.support.chain import ROOT
from tests.support.shapes import Figure, Point, Shapes
from tests.support.solidity import shapes

SOMEBODY = "0x" + "ab" * 20
FIGURE = Figure(
    SOMEBODY, (Point(-1, 2), Point(3, 4)), Point(5, 2**256 - 1), b"\x00data", (b"\x01" * 32, b"\x02" * 32), 1
)
FIGURE_TYPE = "(address,(int128,uint256)[],(int128,uint256),bytes,bytes32[2],uint8)"


def test_the_committed_bindings_are_those_of_the_artifacts() -> None:
    folder = ROOT / "src/paygent/evm"
    artifacts = {path.stem: json.loads(path.read_text()) for path in (folder / "artifacts").glob("*.json")}
    files = generate(dict(sorted(artifacts.items())))
    assert files == {path.name: path.read_text() for path in (folder / "bindings").glob("*.py")}


def test_the_example_that_the_types_are_checked_on_is_what_is_generated() -> None:
    assert (ROOT / "tests/support/shapes.py").read_text() == formatted(module("Shapes", shapes()))


def test_call_data_is_what_eth_abi_encodes() -> None:
    data = Shapes.emit_all(Point(-7, 8), b"\xff", "name")
    head = keccak(b"emitAll((int128,uint256),bytes,string)")[:4]
    assert data == head + encode(["(int128,uint256)", "bytes", "string"], [(-7, 8), b"\xff", "name"])
    assert bridged_usdc.BridgedUSDC.transfer(SOMEBODY, 5) == encode_call("transfer(address,uint256)", SOMEBODY, 5)


def test_every_selector_is_the_compilers() -> None:
    """Also of signatures with structs in arrays in structs, which are split into lines."""
    for entry in shapes()["abi"]:
        if entry["type"] == "function":
            assert signature_of(entry) in (ROOT / "tests/support/shapes.py").read_text()


def test_overloads_have_names_of_their_own() -> None:
    assert {Shapes.move(SOMEBODY, 1)[:4], Shapes.move_data(SOMEBODY, 1, b"")[:4]} == {
        keccak(b"move(address,uint256)")[:4],
        keccak(b"move(address,uint256,bytes)")[:4],
    }
    assert Shapes.convert_uint256(1)[:4] == keccak(b"convert(uint256)")[:4]
    assert Shapes.convert_int256(-1)[:4] == keccak(b"convert(int256)")[:4]
    assert hasattr(bridged_usdc.BridgedUSDC, "transfer_with_authorization_v_r_s")
    assert hasattr(bridged_usdc.BridgedUSDC, "transfer_with_authorization_signature")


def test_two_errors_of_one_selector_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    errors: list[dict[str, Any]] = [{"type": "error", "name": name, "inputs": []} for name in ("One", "Two")]
    errors_module([{"abi": errors}])
    monkeypatch.setattr("contracts.bindings.selector", lambda _: b"same")
    with pytest.raises(ValueError, match="same selector"):
        errors_module([{"abi": errors}])


@pytest.mark.parametrize(
    ("solidity", "python"),
    [
        ("remainingToday", "remaining_today"),
        ("DOMAIN_SEPARATOR", "domain_separator"),
        ("isERC1271Owner", "is_erc1271_owner"),
        ("eip712Domain", "eip712_domain"),
        ("_spender", "spender"),
        ("scoreE18", "score_e18"),
        ("", ""),
    ],
)
def test_names_are_pythons(solidity: str, python: str) -> None:
    assert snake(solidity) == python
