"""Our compiled contracts: ABI and creation bytecode, built by `make artifacts` and shipped with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Artifact:
    """A contract as compiled; `bytecode` is 0x-hex and takes the constructor's encoded arguments behind it."""

    abi: list[dict[str, Any]]
    bytecode: str


@cache
def artifact(name: str) -> Artifact:
    """The artifact of `BridgedUSDC` or `Multicall3`. Raises FileNotFoundError for any other name."""
    text = resources.files("paygent.evm").joinpath(f"artifacts/{name}.json").read_text()
    return Artifact(**json.loads(text))
