"""Why a contract refused, in words: `Error(string)`, `Panic(uint256)` and the custom errors of our contracts.

https://docs.soliditylang.org/en/latest/control-structures.html#error-handling-assert-require-revert-and-exceptions
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.exceptions import DecodingError

from paygent.errors import RpcError, TransactionReverted
from paygent.evm.abi import checksum_address, decode, to_bytes, to_hex
from paygent.evm.bindings.errors import ERRORS
from paygent.text import foreign

_ERROR = bytes.fromhex("08c379a0")
_PANIC = bytes.fromhex("4e487b71")
# As go-ethereum numbers it; others do, too, or say it in words.
_EXECUTION_REVERTED = 3
_REASON_SHOWN = 300
_PANICS = {
    0x01: "an assertion failed",
    0x11: "a number became too large or fell below zero",
    0x12: "a division by zero",
    0x21: "a value that its enumeration does not have",
    0x22: "damaged storage",
    0x31: "an element was taken from an empty list",
    0x32: "an index is beyond the end of its list",
    0x41: "too much memory was asked for",
    0x51: "a function that was never set was called",
}
# Where the name and the contract's own sentence do not say what to do.
_ADVICE = {
    "AlreadyCancelled": "This subscription has ended; nothing more can be charged.",
    "AlreadyLeft": "This service has left, and its stake was taken back: register another one.",
    "AlreadyRated": "Each payment is rated once, and this one was.",
    "ApprovalExpired": "The approvers' signatures are too old: let them sign again.",
    "ApprovalMissing": "So much needs the approvers' signatures: let them sign, or pay less.",
    "ApproversNotRising": "Give the signatures in the rising order of the approvers' addresses, each approver once.",
    "BatchNotSorted": "Sort the batch by its tokens' addresses.",
    "CallNotAllowed": "The owner has not allowed this function of this contract (allowCall).",
    "DailyLimitExceeded": "Today's limit is used up: pay less, wait for the next UTC day, or let the owner raise it (setLimit).",
    "EmptyBatch": "There is nothing in it: name at least one payment.",
    "EmptyShare": "Give each share at least one basis point, or leave it out.",
    "Ended": "All of this subscription's periods are over: subscribe again.",
    "ERC20InsufficientAllowance": "The spender may not take that much: approve more first.",
    "ERC20InsufficientBalance": "The sender has too little of the token: send it some, or pay less.",
    "ERC2612ExpiredSignature": "The permit is too old: sign another one.",
    "ERC2612InvalidSignature": "Somebody else than the owner signed, or something else was signed.",
    "ERC3009InvalidAuthorizationTime": "The authorization is not valid yet, or no longer: sign another one.",
    "ERC3009InvalidSignature": "Somebody else than the payer signed, or something else was signed.",
    "ERC3009UsedAuthorization": "This authorization was used or cancelled; it cannot be used again.",
    "EnforcedPause": "The wallet is paused: only its owner can let operators act again (unpause).",
    "ExpectedPause": "The wallet is not paused.",
    "ExpiryInThePast": "Give a unix time that is still to come, or revoke the operator (revokeOperator).",
    "FailedDeployment": "It is there already: choose another salt.",
    "ForbiddenSelector": "No operator may ever call this function: it could give money or rights away.",
    "GasTooLow": "Send the transaction with more gas, or fewer items.",
    "InsufficientBalance": "There is too little of the chain's own coin: send some, or pay less.",
    "IntentExecuted": "This intent was carried out already; nothing more was paid.",
    "InvalidApproverSignature": "This approver signed something else, or somebody else signed.",
    "InvalidApprovers": "Name each approver once, in rising order of their addresses, and no operator.",
    "InvalidConfiguration": "The token and the router must be contracts on this chain, and the arbiter an address.",
    "InvalidIntentId": "Zero is nobody's intent: give one an id of its own.",
    "InvalidOperator": "An operator is neither zero, nor the wallet itself, nor one of its approvers.",
    "InvalidPayee": "What is paid there is lost, or goes round in a circle: name another payee.",
    "InvalidQuorum": "At least one approver must be asked, and no more than there are.",
    "InvalidRecipient": "What is paid there could never be sent on: name somebody else.",
    "InvalidSchedule": "It needs a period, at least one payment, and a start that is not over.",
    "InvalidStars": "Give one to five stars.",
    "InvalidTarget": "No operator may call the wallet or its factory, or spend in a call of the router.",
    "InvalidWatched": "A balance has no id, and the chain's own coin is watched always.",
    "InvalidToken": "There is no token at this address on this chain.",
    "Leaving": "This service is about to leave: wait until that unix time, and take the stake back.",
    "MalformedItems": "The items are packed in 164 bytes each.",
    "NotApprover": "The owner has not named this approver (setApprovers).",
    "NotArbiter": "Only the registry's arbiter can do this.",
    "NotDue": "A subscription is charged once a period: try again at that unix time.",
    "NotFactory": "Only the factory begins a wallet, once.",
    "NotGuardian": "Only the wallet's guardian and its owner can pause it.",
    "NotLeavable": "Ask to leave first, and come back at that unix time.",
    "NotOperator": "The owner has not named this operator, or its time is over (setOperator).",
    "NotOurSubscription": "Another account pays this subscription.",
    "NotParty": "Only its payer and its merchant can do this.",
    "NotPayeeOfService": "This service was never paid there.",
    "NotPendingArbiter": "The arbiter has not offered its place to this account (offerArbitration).",
    "NotServiceOwner": "Only who registered the service can do this.",
    "NotWatched": "It is not watched; nothing has to be taken off the list.",
    "NothingToPay": "Name at least one payment, and an amount above zero.",
    "NothingToSpend": "Leave the token out, or say how much of it may be taken.",
    "NothingToRefill": "The operator's pocket is full, today's limit is used up, or the wallet is empty.",
    "OwnableUnauthorizedAccount": "Only the owner can do this.",
    "OwnershipIsKept": "A wallet always has an owner: hand it over (transferOwnership).",
    "PaymentAlreadyRecorded": "This very payment was made already: pay under another reference.",
    "PaymentNotRecorded": "The router has no such payment on record; only those can be rated.",
    "RaiseDelayTooLong": "A raise waits 30 days at most.",
    "ReceivedTooLittle": "The protocol gave less than was asked for: quote again.",
    "RecipientNotAllowed": "The owner has not put this recipient on the list (setRecipient).",
    "RecipientNotPinned": "What such a call brings must go to the wallet itself.",
    "SafeERC20FailedOperation": "The token refused to move: look at its balance, its blocklist, and whether it is paused.",
    "SelfTransfer": "Payer and payee are the same account: name another payee.",
    "SpentAndReceived": "A token stands in one of the two lists.",
    "SpentTooMuch": "The protocol took more than was allowed: quote again.",
    "StakeExceeded": "More than the service's stake cannot be taken.",
    "StakeTooSmall": "Stake at least what the registry asks for.",
    "TokensNotRising": "Name each token once, in the rising order of their addresses; the coin is spent by value.",
    "TooFewSignatures": "More approvers must sign.",
    "TooManyWatched": "Take something off the list first (unwatch).",
    "UndeclaredOutflow": "The call would take something that it was not said to take.",
    "UriTooLong": "At most 512 bytes are kept on chain: shorten it.",
    "WrongShareSum": "The shares must sum to 10000 basis points.",
    "WrongValue": "Send along exactly what is paid in the chain's own coin, and none where a token is paid.",
    "ZeroAmount": "Pay more than nothing.",
}


@dataclass(frozen=True, slots=True)
class Revert:
    """An error that a contract raised; `name` and the arguments' names are Solidity's, `advice` may be empty."""

    name: str
    arguments: dict[str, Any]
    advice: str = ""

    def __str__(self) -> str:
        if self.name == "Error":
            return f'"{self.arguments["reason"]}"'
        inner = ", ".join(f"{name}={_shown(value)}" for name, value in self.arguments.items())
        return f"{self.name}({inner})" + (f": {self.advice}" if self.advice else "")

    def as_dict(self) -> dict[str, Any]:
        """JSON-able, for an error's facts: integers are text, bytes are 0x-hex."""
        return {"name": self.name, "arguments": {name: _fact(value) for name, value in self.arguments.items()}}


def explain(data: bytes | str | None) -> str | None:
    """One sentence for what a call reverted with; None when it is nothing that we know."""
    revert = decode_revert(data)
    return None if revert is None else str(revert)


def decode_revert(data: bytes | str | None) -> Revert | None:
    """The error in revert data, bytes or 0x-hex; None when there is none, or none that we know."""
    raw = _raw(data)
    head, body = raw[:4], raw[4:]
    try:
        if head == _ERROR:
            return Revert("Error", {"reason": foreign(decode(("string",), body)[0], _REASON_SHOWN)})
        if head == _PANIC:
            [code] = decode(("uint256",), body)
            return Revert("Panic", {"code": code}, _PANICS.get(code, "the contract met what it never expected") + ".")
        known = ERRORS.get(to_hex(head))
        if known is None:
            return None
        values = decode(tuple(kind for _, kind in known.parameters), body)
    except (DecodingError, ValueError):
        return None
    names = [name for name, _ in known.parameters]
    return Revert(known.name, dict(zip(names, values, strict=True)), _ADVICE.get(known.name, known.notice))


def is_revert(error: RpcError) -> bool:
    """Whether the contract refused the call, and not the node."""
    return error.facts.get("rpc_code") == _EXECUTION_REVERTED or "revert" in error.detail.lower()


def reverted(error: RpcError, what: str) -> TransactionReverted:
    """The error for a node's refusal of a call: `what` was refused, and why, as far as the node says so."""
    revert = decode_revert(error.facts.get("data"))
    if revert is None:
        return TransactionReverted(f"{what}: {error.detail}", **error.facts)
    return TransactionReverted(f"{what}: {revert}", **error.facts, revert=revert.as_dict())


def _raw(data: bytes | str | None) -> bytes:
    if not isinstance(data, str):
        # Nodes put other things into an error's data, too.
        return data if isinstance(data, bytes) else b""
    try:
        return to_bytes(data)
    except ValueError:
        return b""


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_shown, value))}]"
    if isinstance(value, bytes):
        return to_hex(value)
    if isinstance(value, str) and value.startswith("0x") and len(value) == 42:
        return checksum_address(value)
    return foreign(value, _REASON_SHOWN)


def _fact(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_fact(item) for item in value]
    if isinstance(value, bytes):
        return to_hex(value)
    return value if isinstance(value, bool) else str(value)
