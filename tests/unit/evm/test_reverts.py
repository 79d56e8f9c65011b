"""Why a contract refused, in words; what is no error of ours explains nothing, and never fails."""

from __future__ import annotations

import json

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from paygent.errors import RpcError
from paygent.evm.abi import keccak, to_hex
from paygent.evm.bindings.errors import ERRORS
from paygent.evm.reverts import _ADVICE, decode_revert, explain, is_revert, reverted

SOMEBODY = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"


def custom(signature: str, *values: object) -> bytes:
    kinds = signature[signature.index("(") + 1 : -1].split(",")
    return keccak(signature.encode())[:4] + encode(kinds, values)


def test_a_custom_error_is_named_with_its_arguments_and_says_what_to_do() -> None:
    data = custom("ERC20InsufficientBalance(address,uint256,uint256)", SOMEBODY, 5, 7)
    sentence = (
        "ERC20InsufficientBalance(sender=0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed, balance=5, needed=7): "
        "The sender has too little of the token: send it some, or pay less."
    )
    assert explain(data) == explain(to_hex(data)) == sentence


def test_bytes_are_shown_as_hex() -> None:
    data = custom("ERC3009UsedAuthorization(address,bytes32)", SOMEBODY, b"\x01" * 32)
    assert f"nonce=0x{'01' * 32}" in (explain(data) or "")


def test_words_of_the_contract_are_shown_as_one_line() -> None:
    assert explain(custom("Error(string)", "no\nway\x1b[2J")) == '"no\ufffdway\ufffd[2J"'
    assert len(explain(custom("Error(string)", "x" * 10_000)) or "") < 400


@pytest.mark.parametrize(
    ("code", "words"),
    [(0x01, "an assertion failed"), (0x11, "below zero"), (0x12, "by zero"), (0x99, "never expected")],
)
def test_a_panic_is_explained(code: int, words: str) -> None:
    said = explain(custom("Panic(uint256)", code)) or ""
    assert said.startswith(f"Panic(code={code}): ")
    assert words in said


@pytest.mark.parametrize(
    "data", [None, "", "0x", b"", "0xdeadbeef", "execution reverted", "0x08c379a0", "0x4e487b71ff", {}]
)
def test_what_is_unknown_explains_nothing(data: object) -> None:
    assert explain(data) is None  # type: ignore[arg-type]


def test_bytes_that_are_no_text_explain_nothing() -> None:
    assert explain(keccak(b"Error(string)")[:4] + encode(["bytes"], [b"\xff\xfe"])) is None


@given(st.sampled_from(["08c379a0", "4e487b71", *(key[2:] for key in ERRORS)]), st.binary(max_size=200))
def test_whatever_a_contract_answers_is_no_error_of_ours(head: str, body: bytes) -> None:
    explain(bytes.fromhex(head) + body)


def test_every_selector_is_that_of_its_signature() -> None:
    assert ERRORS
    for key, error in ERRORS.items():
        signature = f"{error.name}({','.join(kind for _, kind in error.parameters)})"
        assert to_hex(keccak(signature.encode())[:4]) == key


def test_advice_is_given_for_errors_that_there_are() -> None:
    assert _ADVICE.keys() <= {error.name for error in ERRORS.values()}


def test_the_facts_are_json_and_exact() -> None:
    data = custom("ERC20InsufficientBalance(address,uint256,uint256)", SOMEBODY, 2**256 - 1, 7)
    error = reverted(RpcError("eth_call: execution reverted", rpc_code=3, data=to_hex(data)), "The call fails")
    assert error.detail.startswith("The call fails: ERC20InsufficientBalance(sender=0x5aAe")
    facts = json.loads(json.dumps(error.facts))
    assert facts["revert"] == {
        "name": "ERC20InsufficientBalance",
        "arguments": {"sender": SOMEBODY, "balance": str(2**256 - 1), "needed": "7"},
    }
    unknown = reverted(RpcError("eth_call: out of gas", rpc_code=-32000, data=None), "The call fails")
    assert unknown.detail == "The call fails: eth_call: out of gas"
    assert "revert" not in unknown.facts


def test_a_node_that_is_overloaded_is_no_revert() -> None:
    assert not is_revert(RpcError("eth_call: too many requests", rpc_code=-32005, data=None))
    assert is_revert(RpcError("eth_call: execution reverted", rpc_code=-32000, data=None))
    assert is_revert(RpcError("eth_call: it does not like it", rpc_code=3, data="0x"))


def test_arguments_in_a_list_are_shown_too() -> None:
    revert = decode_revert(custom("Error(string)", "x"))
    assert revert is not None
    assert str(type(revert)("TooFar", {"visited": (SOMEBODY,), "point": (1, b"\x02")})) == (
        "TooFar(visited=[0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed], point=[1, 0x02])"
    )
