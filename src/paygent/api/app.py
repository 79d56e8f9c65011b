"""Routes of the API. Every one but /health and the documentation wants a key; errors are RFC 9457 problems."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from paygent import __version__, errors
from paygent.agent import tools
from paygent.agent.runtime import propose
from paygent.api import keys
from paygent.api.schemas import AskIn, EventOut, IntentOut, PaymentIn, PlanOut
from paygent.bootstrap import Paygent
from paygent.errors import InvalidInput, PaygentError, Unauthorized
from paygent.intents import repository
from paygent.intents.model import Intent, IntentRequest, State
from paygent.telemetry import get_logger
from paygent.x402.client import HttpRequest

log = get_logger(__name__)

_RECOVERY_SECONDS = 2.0
_STOP_SECONDS = 5.0
_STATUS_OF_CODE = {
    error.code: error.status
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, PaygentError)
}
Credentials = Annotated[
    HTTPAuthorizationCredentials | None,
    Depends(HTTPBearer(auto_error=False, description="The key that the first start showed.")),
]
IdempotencyKey = Annotated[str | None, Header(max_length=128, description="Any text of yours, new for each payment.")]


def create_app(paygent: Paygent) -> FastAPI:
    """The ASGI application; while it runs, it also drives the intents that were left."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        stopped = asyncio.Event()
        worker = asyncio.create_task(_recover_until(stopped, paygent))
        yield
        stopped.set()
        # What it is in the midst of is stored; a slow seller does not hold up the end.
        await asyncio.wait({worker}, timeout=_STOP_SECONDS)

    app = FastAPIOffline(
        title="Paygent", version=__version__, description="AI agents spend money safely.", lifespan=lifespan
    )
    app.add_exception_handler(PaygentError, _problem)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unexpected)

    async def key_holder(credentials: Credentials) -> None:
        if credentials is not None:
            async with paygent.database.transaction() as connection:
                if await keys.is_known(connection, credentials.credentials):
                    return
        raise Unauthorized(
            "Send the API key as `Authorization: Bearer paygent_…`. The first start showed it; --new-key makes another."
        )

    app.include_router(_open_routes(paygent))
    for router in (_paying_routes(paygent), _reading_routes(paygent)):
        app.include_router(router, prefix="/v1", dependencies=[Depends(key_holder)])
    return app


def _open_routes(paygent: Paygent) -> APIRouter:
    router = APIRouter(tags=["operation"])

    @router.get("/health")
    async def health(response: Response) -> dict[str, str]:
        """Whether the database and the chain answer."""
        parts = {"database": "ok", "chain": "ok"}
        try:
            async with paygent.database.transaction() as connection:
                await connection.execute("SELECT 1")
        except PaygentError as error:
            parts["database"] = error.code
        try:
            await paygent.rpc.call("eth_blockNumber")
        except PaygentError as error:
            parts["chain"] = error.code
        healthy = set(parts.values()) == {"ok"}
        response.status_code = 200 if healthy else 503
        return {"status": "ok" if healthy else "degraded", **parts}

    return router


def _paying_routes(paygent: Paygent) -> APIRouter:
    router = APIRouter(tags=["paying"])

    @router.post("/payments")
    async def pay(body: PaymentIn, response: Response, idempotency_key: IdempotencyKey = None) -> IntentOut:
        """Buy one HTTP request. 200 settled and delivered, 202 not yet, else why not; the same key never pays twice."""
        asset = paygent.pocket.token.asset
        http = HttpRequest(body.url, body.method, body.headers, body.data.encode())
        purchase = tools.purchase(http, amount_max=body.amount_max, catalogue=paygent.catalogue, asset=asset)
        return await submit(purchase.intent_request(paygent.session_id), idempotency_key, response)

    @router.post("/ask")
    async def ask(body: AskIn, response: Response, idempotency_key: IdempotencyKey = None) -> IntentOut | PlanOut:
        """Do what a sentence says, or ask back (422) where it is unclear."""
        asset = paygent.pocket.token.asset
        proposal = propose(body.text, session_id=paygent.session_id, catalogue=paygent.catalogue, asset=asset)
        if body.dry_run:
            quote, verdict = await paygent.engine.preview(proposal.request)
            return PlanOut.of(proposal.plan.summary, quote, verdict)
        return await submit(proposal.request, idempotency_key, response)

    async def submit(request: IntentRequest, idempotency_key: str | None, response: Response) -> IntentOut:
        if not idempotency_key:
            raise InvalidInput("Send an Idempotency-Key header: any text of yours, new for each payment.")
        intent = await paygent.engine.submit(request, idempotency_key=idempotency_key)
        if intent.state is State.SETTLED and not intent.is_owed:
            # Whoever loses this answer gets it again by the same key.
            async with paygent.database.transaction() as connection:
                await repository.mark_delivered(connection, intent.id)
        response.status_code = status_of(intent)
        return IntentOut.of(intent)

    return router


def _reading_routes(paygent: Paygent) -> APIRouter:
    router = APIRouter(tags=["reading"])

    @router.get("/intents")
    async def intents(count: Annotated[int, Query(ge=1, le=200)] = 50) -> list[IntentOut]:
        """The newest intents, without their answers."""
        async with paygent.database.transaction() as connection:
            found = await repository.recent(connection, count=count)
        return [IntentOut.of(intent, with_answer=False) for intent in found]

    @router.get("/intents/{intent_id}")
    async def intent(intent_id: str) -> IntentOut:
        """One intent with what it bought."""
        async with paygent.database.transaction() as connection:
            return IntentOut.of(await repository.get(connection, intent_id))

    @router.get("/intents/{intent_id}/history")
    async def history(intent_id: str) -> list[EventOut]:
        """Every arrow that the intent went along."""
        async with paygent.database.transaction() as connection:
            await repository.get(connection, intent_id)
            return [EventOut.of(event) for event in await repository.history(connection, intent_id)]

    @router.get("/wallet")
    async def wallet() -> dict[str, Any]:
        """The wallet on chain and in the ledger."""
        return await paygent.pocket.view()

    return router


def status_of(intent: Intent) -> int:
    """The HTTP status that tells what became of `intent`."""
    if intent.state is State.SETTLED:
        return 202 if intent.is_owed else 200
    if not intent.state.is_final:
        return 202
    return _STATUS_OF_CODE.get((intent.reason or {}).get("code", ""), 502)


async def _recover_until(stopped: asyncio.Event, paygent: Paygent) -> None:
    while not stopped.is_set():
        try:
            await paygent.engine.recover(stopped=stopped)
        except PaygentError as error:
            log.warning("recovery.failed", code=error.code, detail=error.detail)
        except Exception:  # whatever it is, recovery goes on
            log.exception("recovery.failed")
        with suppress(TimeoutError):
            await asyncio.wait_for(stopped.wait(), _RECOVERY_SECONDS)


async def _problem(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, PaygentError)
    head = {"www-authenticate": "Bearer"} if error.status == 401 else None
    return _response(error.status, error.as_dict(), head)


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    """No such route, or none with this method."""
    assert isinstance(error, HTTPException)
    code = HTTPStatus(error.status_code).name.lower()
    return _response(error.status_code, {"code": code, "detail": f"{error.detail}. See /docs."}, error.headers)


async def _unexpected(_: Request, error: Exception) -> JSONResponse:
    # The server logs it; whoever asked learns nothing of our insides.
    unexpected = PaygentError("Something went wrong here. Ask again with the same Idempotency-Key; the log says more.")
    return _response(unexpected.status, unexpected.as_dict())


def _response(status: int, error: dict[str, Any], head: Mapping[str, str] | None = None) -> JSONResponse:
    body = {"type": "about:blank", "status": status, "title": error["code"].replace("_", " "), **error}
    return JSONResponse(body, status, head, media_type="application/problem+json")


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return await _problem(request, InvalidInput(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"))
