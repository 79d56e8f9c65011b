"""What an explorer is given compiles, with the compiler from npm and nothing else, to the very bytes that we deploy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from paygent.evm.contracts import artifact, standard_input
from tests.support.chain import ROOT
from tests.support.solidity import compile_input

SOURCES = json.loads((ROOT / "src/paygent/evm/artifacts/sources.json").read_text())


@pytest.mark.parametrize("name", SOURCES["contracts"])
def test_the_standard_json_input_gives_exactly_our_bytecode(name: str) -> None:
    wanted = standard_input(name)
    document: dict[str, Any] = json.loads(json.dumps(wanted.document))
    compiled = compile_input(document, wanted.name)["evm"]
    assert "0x" + compiled["bytecode"]["object"] == artifact(name).bytecode
    assert "0x" + compiled["deployedBytecode"]["object"] == artifact(name).runtime


@pytest.mark.parametrize("name", SOURCES["contracts"])
def test_the_input_holds_the_sources_that_are_needed_and_no_others(name: str) -> None:
    paths = standard_input(name).document["sources"].keys()
    assert paths < SOURCES["sources"].keys() or len(SOURCES["contracts"]) == 1
    assert not any(path.startswith(("/", "contracts/test")) for path in paths)


def test_nothing_of_this_machine_is_in_what_is_shipped() -> None:
    for path in (ROOT / "src/paygent/evm/artifacts").iterdir():
        assert str(ROOT) not in path.read_text()


def test_an_unknown_contract_has_neither() -> None:
    with pytest.raises(FileNotFoundError):
        artifact("Nothing")
    with pytest.raises(KeyError):
        standard_input("Multicall3")
