"""The custom errors of our contracts, by selector; `make artifacts` writes this file from their ABIs."""

from __future__ import annotations

from typing import NamedTuple


class CustomError(NamedTuple):
    """An error's Solidity name, its parameters (name, type), and what its contract says of it."""

    name: str
    parameters: tuple[tuple[str, str], ...]
    notice: str


ERRORS = {
    "0x9996b315": CustomError("AddressEmptyCode", (("target", "address"),), ""),
    "0x4cf07488": CustomError("AllowanceLeft", (("token", "address"), ("spender", "address")), ""),
    "0xf8702447": CustomError("AlreadyCancelled", (("id", "uint256"),), ""),
    "0x481e882b": CustomError("AlreadyLeft", (("id", "uint256"),), ""),
    "0xec850056": CustomError("AlreadyRated", (("paymentId", "bytes32"),), ""),
    "0x2e29e1fd": CustomError("ApprovalExpired", (("deadline", "uint256"),), ""),
    "0xa60d8536": CustomError(
        "ApprovalMissing", (("token", "address"), ("amount", "uint256"), ("threshold", "uint256")), ""
    ),
    "0x59ad9125": CustomError("ApproversNotRising", (("approver", "address"),), ""),
    "0x1afa0fef": CustomError("BalanceUnreadable", (), ""),
    "0x6e584d8e": CustomError("BatchNotSorted", (("token", "address"),), ""),
    "0x805043f9": CustomError("CallNotAllowed", (("target", "address"), ("selector", "bytes4")), ""),
    "0x357d8e0a": CustomError(
        "DailyLimitExceeded", (("token", "address"), ("amount", "uint256"), ("remaining", "uint256")), ""
    ),
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
    "0xc2e5347d": CustomError("EmptyBatch", (), ""),
    "0xc5b4001b": CustomError("EmptyShare", (("index", "uint256"),), ""),
    "0xeadd714b": CustomError("Ended", (("id", "uint256"), ("endedAt", "uint256")), ""),
    "0xd93c0665": CustomError("EnforcedPause", (), ""),
    "0x8dfc202b": CustomError("ExpectedPause", (), ""),
    "0x8dd8ff0e": CustomError("ExpiryInThePast", (("expiresAt", "uint64"),), ""),
    "0xd6bda275": CustomError("FailedCall", (), ""),
    "0xb06ebf3d": CustomError("FailedDeployment", (), ""),
    "0x9ff8cd94": CustomError("ForbiddenSelector", (("selector", "bytes4"),), ""),
    "0xfe336aa7": CustomError("GasTooLow", (("gasNeeded", "uint256"), ("gasLeft", "uint256")), ""),
    "0xcf479181": CustomError("InsufficientBalance", (("balance", "uint256"), ("needed", "uint256")), ""),
    "0x5454591a": CustomError("IntentExecuted", (("intentId", "bytes32"),), ""),
    "0x752d88c0": CustomError("InvalidAccountNonce", (("account", "address"), ("currentNonce", "uint256")), ""),
    "0x37852163": CustomError("InvalidApproverSignature", (("approver", "address"),), ""),
    "0xf3a131f0": CustomError("InvalidApprovers", (("approver", "address"),), ""),
    "0xc52a9bd3": CustomError("InvalidConfiguration", (), ""),
    "0x189373d7": CustomError("InvalidIntentId", (), ""),
    "0x3eaa03e3": CustomError("InvalidOperator", (("operator", "address"),), ""),
    "0x52d9c6c8": CustomError("InvalidPayee", (("payee", "address"),), ""),
    "0x2b0b138a": CustomError("InvalidQuorum", (("quorum", "uint256"), ("approvers", "uint256")), ""),
    "0x17858bbe": CustomError("InvalidRecipient", (("recipient", "address"),), ""),
    "0x0ba9848a": CustomError(
        "InvalidSchedule", (("period", "uint32"), ("count", "uint32"), ("startsAt", "uint64")), ""
    ),
    "0xb3512b0c": CustomError("InvalidShortString", (), ""),
    "0x4cfd415b": CustomError("InvalidStars", (("stars", "uint8"),), ""),
    "0xd08525e9": CustomError("InvalidTarget", (("target", "address"),), ""),
    "0x961c9a4f": CustomError("InvalidToken", (("token", "address"),), ""),
    "0x6d6d2c50": CustomError("InvalidWatched", (("token", "address"), ("kind", "uint8"), ("id", "uint256")), ""),
    "0xd6357b2e": CustomError("Leaving", (("id", "uint256"), ("leavableAt", "uint256")), ""),
    "0xfc30fc8c": CustomError("MalformedItems", (("length", "uint256"),), ""),
    "0xec37f146": CustomError("NotApprover", (("account", "address"),), ""),
    "0x720c75c2": CustomError("NotArbiter", (("caller", "address"),), ""),
    "0x4bcf1861": CustomError("NotArrived", (), ""),
    "0x39c32aeb": CustomError("NotDue", (("id", "uint256"), ("nextChargeAt", "uint256")), ""),
    "0xb550282e": CustomError("NotFactory", (("caller", "address"),), ""),
    "0xa252c151": CustomError("NotGuardian", (("caller", "address"),), ""),
    "0x666bd834": CustomError("NotLeavable", (("id", "uint256"), ("leavableAt", "uint256")), ""),
    "0x361c31f2": CustomError("NotMinter", (("caller", "address"),), ""),
    "0x76c6c93a": CustomError("NotOperator", (("caller", "address"),), ""),
    "0xa2f7d434": CustomError("NotOurSubscription", (("subscriptionId", "uint256"),), ""),
    "0xdfa9fe56": CustomError("NotParty", (("id", "uint256"), ("caller", "address")), ""),
    "0xabf2cc76": CustomError("NotPayee", (("caller", "address"), ("payee", "address")), ""),
    "0xb6d6a0a3": CustomError("NotPayeeOfService", (("id", "uint256"), ("payee", "address")), ""),
    "0xbb312ce7": CustomError("NotPendingArbiter", (("caller", "address"),), ""),
    "0xd20d7eea": CustomError("NotServiceOwner", (("id", "uint256"), ("caller", "address")), ""),
    "0x33414e9f": CustomError("NotWatched", (("token", "address"), ("id", "uint256")), ""),
    "0x4d63c252": CustomError("NothingToPay", (), ""),
    "0xf71d6da6": CustomError("NothingToRefill", (("token", "address"),), ""),
    "0x0bc778a8": CustomError("NothingToSpend", (("token", "address"),), ""),
    "0x1e4fbdf7": CustomError("OwnableInvalidOwner", (("owner", "address"),), ""),
    "0x118cdaa7": CustomError("OwnableUnauthorizedAccount", (("account", "address"),), ""),
    "0x7f2f30c9": CustomError("OwnershipIsKept", (), ""),
    "0xf7d897f5": CustomError("PaymentAlreadyRecorded", (("paymentId", "bytes32"),), ""),
    "0xe79ee4f9": CustomError("PaymentNotRecorded", (("paymentId", "bytes32"),), ""),
    "0xde46bbe8": CustomError("RaiseDelayTooLong", (("delay", "uint32"),), ""),
    "0x6101c53a": CustomError(
        "ReceivedTooLittle", (("token", "address"), ("amount", "uint256"), ("amountMin", "uint256")), ""
    ),
    "0x6ee9124e": CustomError("RecipientNotAllowed", (("recipient", "address"),), ""),
    "0xbdd3702b": CustomError("RecipientNotPinned", (("offset", "uint256"),), ""),
    "0x3ee5aeb5": CustomError("ReentrancyGuardReentrantCall", (), ""),
    "0x5e8d6668": CustomError("RevertedSilently", (), ""),
    "0x6dfcc650": CustomError("SafeCastOverflowedUintDowncast", (("bits", "uint8"), ("value", "uint256")), ""),
    "0x5274afe7": CustomError("SafeERC20FailedOperation", (("token", "address"),), ""),
    "0x82987a24": CustomError("SelfPayment", (), ""),
    "0x514ae315": CustomError("SelfTransfer", (("account", "address"),), ""),
    "0xfcbf3e38": CustomError("SpentAndReceived", (("token", "address"),), ""),
    "0xab314e12": CustomError(
        "SpentTooMuch", (("token", "address"), ("amount", "uint256"), ("amountMax", "uint256")), ""
    ),
    "0xc18fb745": CustomError("StakeExceeded", (("id", "uint256"), ("amount", "uint256"), ("stake", "uint256")), ""),
    "0xf74c0f33": CustomError("StakeTooSmall", (("stake", "uint256"), ("stakeMin", "uint256")), ""),
    "0x305a27a9": CustomError("StringTooLong", (("str", "string"),), ""),
    "0x9afdc4ec": CustomError("TokensNotRising", (("token", "address"),), ""),
    "0x59b8466f": CustomError("TooFewSignatures", (("given", "uint256"), ("quorum", "uint256")), ""),
    "0x0af052fa": CustomError("TooManyWatched", (), ""),
    "0x89971614": CustomError("UndeclaredOutflow", (("token", "address"), ("id", "uint256")), ""),
    "0xaef205a3": CustomError("UnexpectedOutflow", (("token", "address"), ("amount", "uint256")), ""),
    "0x462dac9f": CustomError("UriTooLong", (("length", "uint256"),), ""),
    "0x618106c9": CustomError(
        "WrongArrival",
        (
            ("token", "address"),
            ("recipient", "address"),
            ("expected", "uint256"),
            ("balanceBefore", "uint256"),
            ("balanceAfter", "uint256"),
        ),
        "",
    ),
    "0xeb10bdee": CustomError(
        "WrongOutflow",
        (
            ("token", "address"),
            ("sender", "address"),
            ("expected", "uint256"),
            ("balanceBefore", "uint256"),
            ("balanceAfter", "uint256"),
        ),
        "",
    ),
    "0x72816d3d": CustomError("WrongShareSum", (("basisPoints", "uint256"),), ""),
    "0x195a3ca1": CustomError("WrongValue", (("expected", "uint256"), ("sent", "uint256")), ""),
    "0x1f2a2005": CustomError("ZeroAmount", (), ""),
}
