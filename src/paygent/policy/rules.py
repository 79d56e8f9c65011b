"""The rules, pure: a policy and a spend in, a verdict out. The budget is a limited ledger account, not a rule."""

from __future__ import annotations

from dataclasses import dataclass

from paygent.money import Amount


@dataclass(frozen=True, slots=True)
class Policy:
    """`allowed_hosts` are `host` (any port) or `host:port`, lower-case."""

    payment_max: Amount
    allowed_hosts: frozenset[str]


@dataclass(frozen=True, slots=True)
class Spend:
    """What an intent would spend at worst, and where: `host` has its port where that is not the scheme's own."""

    amount: Amount
    host: str


@dataclass(frozen=True, slots=True)
class Allow:
    """Every rule agreed."""


@dataclass(frozen=True, slots=True)
class Deny:
    """`rule` said no; `reason` tells a person why and what to change."""

    rule: str
    reason: str


Verdict = Allow | Deny


def evaluate(policy: Policy, spend: Spend) -> Verdict:
    """The first rule that says no, in a fixed order; Allow when none does."""
    if spend.amount.asset != policy.payment_max.asset:
        return Deny(
            "asset", f"This session pays in {policy.payment_max.asset.symbol} ({policy.payment_max.asset.id}) only."
        )
    if (denied := check_host(policy.allowed_hosts, spend.host)) is not None:
        return denied
    if policy.payment_max < spend.amount:
        return Deny(
            "payment_max",
            f"{spend.amount} is above the session's maximum of {policy.payment_max} per payment (PAYGENT_PAYMENT_MAX).",
        )
    return Allow()


def check_host(allowed_hosts: frozenset[str], host: str) -> Deny | None:
    """Why `host` must not even be spoken to; None when it may."""
    host = host.lower()
    if host in allowed_hosts or host.rpartition(":")[0] in allowed_hosts:
        return None
    return Deny("allowed_hosts", f"{host} is not among this session's allowed hosts. Add it to PAYGENT_ALLOWED_HOSTS.")
