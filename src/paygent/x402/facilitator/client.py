"""Asking a facilitator, ours or another, over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import aiohttp
from pydantic import BaseModel, ValidationError

from paygent.errors import FacilitatorUnavailable
from paygent.x402.types import X402_VERSION, PaymentPayload, PaymentRequirements, SettleResponse, VerifyResponse

_MAX_ANSWER_BYTES = 1024 * 1024
_Answer = TypeVar("_Answer", bound=BaseModel)


class FacilitatorClient:
    """The facilitator at `url`. Settling waits for the chain and may take as long as `settle_timeout_seconds`."""

    def __init__(self, url: str, session: aiohttp.ClientSession, *, settle_timeout_seconds: float = 90) -> None:
        self._url = url.rstrip("/")
        self._session = session
        self._settle_timeout_seconds = settle_timeout_seconds

    async def verify(self, payment: PaymentPayload, requirements: PaymentRequirements) -> VerifyResponse:
        """Raises FacilitatorUnavailable."""
        return await self._post("verify", payment, requirements, VerifyResponse, timeout_seconds=30)

    async def settle(self, payment: PaymentPayload, requirements: PaymentRequirements, *, claim: str) -> SettleResponse:
        """Raises FacilitatorUnavailable: the outcome is then unknown, and the same payment and claim may be asked again.

        The claim travels as `Idempotency-Key`; a facilitator that does not know of it ignores it.
        """
        return await self._post(
            "settle",
            payment,
            requirements,
            SettleResponse,
            timeout_seconds=self._settle_timeout_seconds,
            headers={"idempotency-key": claim},
        )

    async def _post(
        self,
        operation: str,
        payment: PaymentPayload,
        requirements: PaymentRequirements,
        answer: type[_Answer],
        *,
        timeout_seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> _Answer:
        body: dict[str, Any] = {
            "x402Version": X402_VERSION,
            "paymentPayload": payment.model_dump(mode="json", by_alias=True, exclude_none=True),
            "paymentRequirements": requirements.model_dump(mode="json", by_alias=True, exclude_none=True),
        }
        timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        try:
            async with self._session.post(
                f"{self._url}/{operation}", json=body, headers=headers, timeout=timeout, allow_redirects=False
            ) as response:
                raw = await response.content.read(_MAX_ANSWER_BYTES)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise FacilitatorUnavailable(
                f"The facilitator at {self._url} does not answer ({type(error).__name__})."
            ) from error
        if response.status != 200:
            raise FacilitatorUnavailable(f"The facilitator at {self._url} answered {operation} with {response.status}.")
        try:
            return answer.model_validate_json(raw)
        except ValidationError as error:
            raise FacilitatorUnavailable(
                f"The facilitator at {self._url} answered {operation} in no known form."
            ) from error
