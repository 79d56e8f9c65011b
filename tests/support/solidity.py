"""Compiles Solidity with the compiler from npm, as an explorer does: from a standard-json input."""

from __future__ import annotations

import json
import subprocess
from functools import cache
from typing import Any

from tests.support.chain import ROOT


def compile_input(document: dict[str, Any], name: str) -> dict[str, Any]:
    """The compiler's output for `name`, `file:contract`."""
    command = [str(ROOT / "contracts/bin/solc"), "--standard-json"]
    answer = subprocess.run(
        command, input=json.dumps(document), capture_output=True, text=True, check=True, timeout=120
    )
    output = json.loads(answer.stdout)
    errors = [error["formattedMessage"] for error in output.get("errors", []) if error["severity"] == "error"]
    assert not errors, errors
    file, _, contract = name.rpartition(":")
    compiled: dict[str, Any] = output["contracts"][file][contract]
    return compiled


@cache
def shapes() -> dict[str, Any]:
    """`Shapes.sol` as `contracts/artifacts.mjs` writes an artifact."""
    document = {
        "language": "Solidity",
        "sources": {"Shapes.sol": {"content": (ROOT / "tests/support/Shapes.sol").read_text()}},
        "settings": {
            "evmVersion": "cancun",
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode", "userdoc"]}},
        },
    }
    compiled = compile_input(document, "Shapes.sol:Shapes")
    runtime = compiled["evm"]["deployedBytecode"]
    places = [place for places in runtime["immutableReferences"].values() for place in places]
    return {
        "abi": compiled["abi"],
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "runtime": "0x" + runtime["object"],
        "immutables": sorted([place["start"], place["length"]] for place in places),
        "userdoc": compiled["userdoc"],
    }
