"""Compiles Solidity with the compiler from npm, as an explorer does: from a standard-json input."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import PurePosixPath
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
    return _artifact("Shapes.sol:Shapes")


@cache
def protocol(name: str) -> dict[str, Any]:
    """One of the contracts of `Protocols.sol`, in the same form."""
    return _artifact(f"Protocols.sol:{name}")


def _artifact(name: str) -> dict[str, Any]:
    document = {
        "language": "Solidity",
        "sources": _with_imports(name.partition(":")[0]),
        "settings": {
            "evmVersion": "cancun",
            "metadata": {"bytecodeHash": "none", "appendCBOR": False},
            "outputSelection": {"*": {"*": ["abi", "evm.bytecode", "evm.deployedBytecode", "userdoc"]}},
        },
    }
    compiled = compile_input(document, name)
    runtime = compiled["evm"]["deployedBytecode"]
    places = [place for places in runtime["immutableReferences"].values() for place in places]
    return {
        "abi": compiled["abi"],
        "bytecode": "0x" + compiled["evm"]["bytecode"]["object"],
        "runtime": "0x" + runtime["object"],
        "immutables": sorted([place["start"], place["length"]] for place in places),
        "userdoc": compiled["userdoc"],
    }


def _with_imports(first: str) -> dict[str, dict[str, str]]:
    """A file of this folder, and all that it imports, from npm packages too: the compiler reads no files by itself."""
    found: dict[str, dict[str, str]] = {}
    wanted = [first]
    while wanted:
        name = wanted.pop()
        if name in found:
            continue
        folder = ROOT / ("node_modules" if name.startswith("@") else "tests/support")
        text = (folder / name).read_text()
        found[name] = {"content": text}
        wanted += [_beside(name, path) for path in re.findall(r'^import [^"]*"([^"]+)";', text, re.MULTILINE)]
    return found


def _beside(importer: str, path: str) -> str:
    """How the compiler calls what `importer` imports as `path`."""
    if not path.startswith("."):
        return path
    parts: list[str] = list(PurePosixPath(importer).parent.parts)
    for part in path.split("/"):
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)
