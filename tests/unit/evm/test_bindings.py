"""Bindings are what the generator makes of the artifacts, and speak the ABI as eth_abi and the compiler do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from eth_abi.abi import encode

from contracts.bindings import declared_enums, errors_module, formatted, generate, module, signature_of, snake
from paygent.errors import ChainUnavailable
from paygent.evm.abi import encode_call, keccak, to_hex
from paygent.evm.bindings import bridged_usdc
from paygent.evm.bindings.agent_wallet import AgentWallet, LimitKind, LimitSet, Watched, WatchedKind
from tests.support.chain import ROOT
from tests.support.shapes import Figure, Kind, Point, Shapes
from tests.support.solidity import shapes

SOMEBODY = "0x" + "ab" * 20
FIGURE = Figure(
    SOMEBODY, (Point(-1, 2), Point(3, 4)), Point(5, 2**256 - 1), b"\x00data", (b"\x01" * 32, b"\x02" * 32), Kind.LARGE
)
FIGURE_TYPE = "(address,(int128,uint256)[],(int128,uint256),bytes,bytes32[2],uint8)"


def test_the_committed_bindings_are_those_of_the_artifacts() -> None:
    folder = ROOT / "src/paygent/evm"
    artifacts = {path.stem: json.loads(path.read_text()) for path in (folder / "artifacts").glob("*.json")}
    files = generate(dict(sorted(artifacts.items())))
    assert files == {path.name: path.read_text() for path in (folder / "bindings").glob("*.py")}


def test_the_example_that_the_types_are_checked_on_is_what_is_generated() -> None:
    enums = declared_enums([(ROOT / "tests/support/Shapes.sol").read_text()])
    assert (ROOT / "tests/support/shapes.py").read_text() == formatted(module("Shapes", shapes(), enums))


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


def test_the_members_of_an_enum_are_read_where_it_is_declared() -> None:
    source = "enum One { A, // a, b }\n TwoWords }\n/* enum No { X } */ library L { enum Other{Only} }"
    assert declared_enums([source]) == {"One": ("A", "TwoWords"), "Other": ("Only",)}
    with pytest.raises(ValueError, match="two enums One"):
        declared_enums([source, "enum One { B }"])


def test_an_enum_is_encoded_as_its_number_and_decoded_as_its_member() -> None:
    data = encode_call("setLimit(uint8,address,uint112)", 2, SOMEBODY, 5)
    assert AgentWallet.set_limit(LimitKind.POCKET_CEILING, SOMEBODY, 5) == data
    log = {
        "address": SOMEBODY,
        "topics": [LimitSet.topic, to_hex(encode(["uint8"], [1])), to_hex(encode(["address"], [SOMEBODY]))],
        "data": to_hex(encode(["uint112", "uint32"], [5, 6])),
    }
    found = LimitSet.decode(log)
    assert found == LimitSet(LimitKind.APPROVAL_THRESHOLD, SOMEBODY, 5, 6)
    assert isinstance(found.kind, LimitKind)


def test_a_number_that_is_no_member_is_another_contracts() -> None:
    log = {
        "address": SOMEBODY,
        "topics": [LimitSet.topic, to_hex(encode(["uint8"], [3])), to_hex(encode(["address"], [SOMEBODY]))],
        "data": to_hex(encode(["uint112", "uint32"], [5, 6])),
    }
    assert LimitSet.decode(log) is None
    assert Watched.of((SOMEBODY, 2, 7)) == Watched(SOMEBODY, WatchedKind.NFT, 7)
    with pytest.raises(ChainUnavailable, match="3 is no WatchedKind"):
        Watched.of((SOMEBODY, 3, 7))


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
