"""Our compiled contracts, built by `make artifacts` and shipped with the package: ABI, bytecodes, and what an explorer needs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Artifact:
    """A contract as compiled; `bytecode` is 0x-hex and takes the constructor's encoded arguments behind it.

    `runtime` is what then lies on chain, but for the `immutables`: (start, length) in bytes, zero here. `userdoc` is the
    compiler's NatSpec. Multicall3, which others compiled, has none of these three.
    """

    abi: list[dict[str, Any]]
    bytecode: str
    runtime: str = "0x"
    immutables: Sequence[tuple[int, int]] = ()
    userdoc: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StandardInput:
    """What the compiler `compiler` reads to build a contract (https://docs.soliditylang.org/en/latest/using-the-compiler.html).

    `name` is how an explorer asks for the contract, `file:contract`; `document` is the standard-json input.
    """

    compiler: str
    name: str
    document: dict[str, Any]


@cache
def artifact(name: str) -> Artifact:
    """The artifact of one of our contracts, or of Multicall3. Raises FileNotFoundError for any other name."""
    return Artifact(**_read(name))


def standard_input(name: str) -> StandardInput:
    """The sources and settings from which the bytecode of one of our contracts comes. Raises KeyError for any other name."""
    known = _read("sources")
    recipe = known["contracts"][name]
    outputs = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object"]
    document = {
        "language": "Solidity",
        "sources": {path: {"content": known["sources"][path]} for path in recipe["sources"]},
        "settings": {**recipe["settings"], "outputSelection": {"*": {"*": outputs}}},
    }
    return StandardInput(recipe["compiler"], recipe["name"], document)


def _read(name: str) -> dict[str, Any]:
    text = resources.files("paygent.evm").joinpath(f"artifacts/{name}.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document
