"""The facilitator over HTTP: POST /verify, POST /settle, GET /supported (x402-specification-v2.md, section 7)."""

from __future__ import annotations

from typing import Annotated

from fastapi import FastAPI, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from paygent.errors import PaygentError
from paygent.x402.facilitator.service import Facilitator
from paygent.x402.types import (
    PaymentPayload,
    PaymentRequirements,
    SettleResponse,
    SupportedResponse,
    VerifyResponse,
)

IdempotencyKey = Annotated[
    str | None,
    Header(
        max_length=128,
        description="Any text that nobody else knows: who repeats a settlement with it gets the same answer. Without it"
        " a repeated settlement is a duplicate.",
    ),
]


class FacilitatorRequest(BaseModel):
    """The body of /verify and of /settle."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    x402_version: int
    payment_payload: PaymentPayload
    payment_requirements: PaymentRequirements


def create_app(facilitator: Facilitator) -> FastAPI:
    """The ASGI application of `facilitator`."""
    app = FastAPI(title="Paygent facilitator")

    @app.exception_handler(PaygentError)
    async def unavailable(_: Request, error: PaygentError) -> JSONResponse:
        return JSONResponse(error.as_dict(), status_code=error.status)

    @app.get("/supported", response_model_exclude_none=True)
    async def supported() -> SupportedResponse:
        return facilitator.supported()

    @app.post("/verify", response_model_exclude_none=True)
    async def verify(request: FacilitatorRequest) -> VerifyResponse:
        return await facilitator.verify(request.payment_payload, request.payment_requirements)

    @app.post("/settle", response_model_exclude_none=True)
    async def settle(request: FacilitatorRequest, idempotency_key: IdempotencyKey = None) -> SettleResponse:
        return await facilitator.settle(
            request.payment_payload, request.payment_requirements, claim=idempotency_key or None
        )

    return app
