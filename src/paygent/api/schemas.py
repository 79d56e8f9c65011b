"""What the API takes and gives. Amounts are decimal text; base units are integers as text."""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from paygent.intents.model import Event, Intent, Quote
from paygent.policy.rules import Allow, Deny, Verdict


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PaymentIn(_Strict):
    """Buy one HTTP request."""

    url: str = Field(max_length=4096, examples=["http://127.0.0.1:4021/market-data"])
    method: str = "GET"
    headers: dict[str, str] = Field(default_factory=dict)
    data: str = Field("", max_length=1_000_000, description="The request's body.")
    amount_max: str | None = Field(None, examples=["0.10"], description="The most that it may cost.")


class AskIn(_Strict):
    """A command in plain words."""

    text: str = Field(max_length=2_000, examples=["Pay 0.10 USDC to access the market data API"])
    dry_run: bool = Field(False, description="Only say what would be done.")


class AnswerOut(BaseModel):
    """What was bought. `text` is the body where it is UTF-8, `base64` always."""

    status: int
    headers: dict[str, str]
    is_whole: bool
    text: str | None
    base64: str


class IntentOut(BaseModel):
    """An intent as it stands."""

    id: str
    kind: str
    session: str
    state: str
    amount: dict[str, Any] | None
    payee: str | None
    url: str | None
    transaction: str | None
    reason: dict[str, Any] | None
    answer: AnswerOut | None
    created_at: datetime

    @classmethod
    def of(cls, intent: Intent, *, with_answer: bool = True) -> IntentOut:
        """The intent without what is secret or only ours: request headers, body and signed artefact."""
        answer = intent.answer if with_answer else None
        return cls(
            id=intent.id,
            kind=intent.request.kind,
            session=intent.request.session_id,
            state=intent.state,
            amount=(intent.quote or {}).get("amount"),
            payee=(intent.quote or {}).get("payee") or None,
            url=intent.request.arguments.get("http", {}).get("url"),
            transaction=intent.transaction,
            reason=dict(intent.reason) if intent.reason else None,
            answer=None
            if answer is None
            else AnswerOut(
                status=answer.status,
                headers=dict(answer.headers),
                is_whole=answer.is_whole,
                text=_text(answer.body),
                base64=base64.b64encode(answer.body).decode(),
            ),
            created_at=intent.created_at,
        )


class PlanOut(BaseModel):
    """What a command would do now; nothing is stored and nothing is paid."""

    plan: str
    amount: dict[str, Any] | None
    payee: str | None
    allowed: bool
    reason: str | None

    @classmethod
    def of(cls, plan: str, quote: Quote, verdict: Verdict) -> PlanOut:
        """The plan with what it would cost and what the policy says to it."""
        return cls(
            plan=plan,
            amount=None if quote.amount is None else quote.amount.as_dict(),
            payee=quote.payee or None,
            allowed=isinstance(verdict, Allow),
            reason=verdict.reason if isinstance(verdict, Deny) else None,
        )


class EventOut(BaseModel):
    """One arrow of an intent's history."""

    version: int
    from_state: str | None
    to_state: str
    detail: dict[str, Any]
    at: datetime

    @classmethod
    def of(cls, event: Event) -> EventOut:
        """The event as stored."""
        return cls(
            version=event.version,
            from_state=event.from_state,
            to_state=event.to_state,
            detail=dict(event.detail),
            at=event.at,
        )


def _text(body: bytes) -> str | None:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
