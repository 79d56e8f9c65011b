"""Typed errors: each has a stable `code`, the HTTP `status` it maps to, a sentence for people and facts for programs.

PaygentError
├── InvalidInput                 400  what was asked cannot be understood; says what to do
│   ├── InvalidAmount
│   ├── UnknownAsset
│   ├── UnknownService
│   └── Unclear                  422  a command that is asked back about; `facts` say `about` what
├── Unauthorized                 401
├── NotFound                     404
├── IdempotencyConflict          409  same key, another body
├── PolicyDenied                 403  a rule said no
│   └── BudgetExceeded
├── QuoteMismatch                409  the seller asks for something else than was quoted
├── InsufficientBalance          402
├── OverLimit                    402  a limited ledger account has too little left
├── LedgerConflict               409  an account or hold is not what the caller believes
├── UnsafeDestination            400  a URL that must not be called
├── TransactionReverted          422  the chain would refuse, or refused, a transaction
├── AlreadySent                  409  somebody else asked for this transaction
├── PaymentRefused               502  the seller would not take the payment
├── LeaseLost                    409  another process drives this intent now
└── Unavailable                  503  something outside did not answer; nothing is invented in its place
    ├── ChainUnavailable
    │   └── RpcError             502  the node answered, with an error
    ├── SellerUnavailable
    ├── FacilitatorUnavailable
    └── DatabaseUnavailable
"""

from __future__ import annotations

from typing import Any, ClassVar


class PaygentError(Exception):
    """Base of every error that Paygent raises on purpose.

    `detail` is a sentence for a person that says what to do; `facts` are JSON-able values for a program.
    """

    code: ClassVar[str] = "paygent_error"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts

    def as_dict(self) -> dict[str, Any]:
        """The error as stored with an intent and shown with `--json`."""
        return {"code": self.code, "detail": self.detail, **({"facts": self.facts} if self.facts else {})}


class InvalidInput(PaygentError):
    code = "invalid_input"
    status = 400


class InvalidAmount(InvalidInput):
    code = "invalid_amount"


class UnknownAsset(InvalidInput):
    code = "unknown_asset"


class UnknownService(InvalidInput):
    code = "unknown_service"


class Unclear(InvalidInput):
    code = "unclear"
    status = 422


class UnsafeDestination(InvalidInput):
    code = "unsafe_destination"


class Unauthorized(PaygentError):
    code = "unauthorized"
    status = 401


class NotFound(PaygentError):
    code = "not_found"
    status = 404


class IdempotencyConflict(PaygentError):
    code = "idempotency_conflict"
    status = 409


class PolicyDenied(PaygentError):
    code = "policy_denied"
    status = 403


class BudgetExceeded(PolicyDenied):
    code = "budget_exceeded"


class QuoteMismatch(PaygentError):
    code = "quote_mismatch"
    status = 409


class InsufficientBalance(PaygentError):
    code = "insufficient_balance"
    status = 402


class OverLimit(PaygentError):
    code = "over_limit"
    status = 402


class LedgerConflict(PaygentError):
    code = "ledger_conflict"
    status = 409


class TransactionReverted(PaygentError):
    code = "transaction_reverted"
    status = 422


class AlreadySent(PaygentError):
    code = "already_sent"
    status = 409


class PaymentRefused(PaygentError):
    code = "payment_refused"
    status = 502


class LeaseLost(PaygentError):
    code = "lease_lost"
    status = 409


class Unavailable(PaygentError):
    code = "unavailable"
    status = 503


class ChainUnavailable(Unavailable):
    code = "chain_unavailable"


class RpcError(ChainUnavailable):
    """The node answered with a JSON-RPC error; `facts` hold its `rpc_code` and `data`."""

    code = "rpc_error"
    status = 502


class SellerUnavailable(Unavailable):
    code = "seller_unavailable"


class FacilitatorUnavailable(Unavailable):
    code = "facilitator_unavailable"


class DatabaseUnavailable(Unavailable):
    code = "database_unavailable"
