"""The custom errors of our contracts, by selector; `make artifacts` writes this file from their ABIs."""

from __future__ import annotations

from typing import NamedTuple


class CustomError(NamedTuple):
    """An error's Solidity name, its parameters (name, type), and what its contract says of it."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    notice: str


ERRORS = {
    "0xfb8f41b2": CustomError(
        "ERC20InsufficientAllowance", (("spender", "address"), ("allowance", "uint256"), ("needed", "uint256")), ""
    ),
    "0xe450d38c": CustomError(
        "ERC20InsufficientBalance", (("sender", "address"), ("balance", "uint256"), ("needed", "uint256")), ""
    ),
    "0xe602df05": CustomError("ERC20InvalidApprover", (("approver", "address"),), ""),
    "0xec442f05": CustomError("ERC20InvalidReceiver", (("receiver", "address"),), ""),
    "0x96c6fd1e": CustomError("ERC20InvalidSender", (("sender", "address"),), ""),
    "0x94280d62": CustomError("ERC20InvalidSpender", (("spender", "address"),), ""),
    "0x62791302": CustomError("ERC2612ExpiredSignature", (("deadline", "uint256"),), ""),
    "0xa4012f7a": CustomError("ERC2612InvalidSignature", (("owner", "address"),), ""),
    "0x4a931c17": CustomError(
        "ERC3009InvalidAuthorizationTime", (("validAfter", "uint256"), ("validBefore", "uint256")), ""
    ),
    "0x77c207f4": CustomError("ERC3009InvalidSignature", (), ""),
    "0x8f7808c1": CustomError("ERC3009UsedAuthorization", (("authorizer", "address"), ("nonce", "bytes32")), ""),
    "0x752d88c0": CustomError("InvalidAccountNonce", (("account", "address"), ("currentNonce", "uint256")), ""),
    "0xb3512b0c": CustomError("InvalidShortString", (), ""),
    "0x361c31f2": CustomError("NotMinter", (("caller", "address"),), ""),
    "0xabf2cc76": CustomError("NotPayee", (("caller", "address"), ("payee", "address")), ""),
    "0x305a27a9": CustomError("StringTooLong", (("str", "string"),), ""),
}
