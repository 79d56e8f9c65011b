"""A seller and a facilitator made of nothing but the official `x402` package, each run as a process of its own.

    python -m tests.support.official facilitator --rpc-url … --key …
    python -m tests.support.official seller --facilitator … --asset … --pay-to … --amount 100

Each prints its URL on one line once it answers. It calls web3 and its facilitator synchronously, so that it must not
share the event loop of whom it calls.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from x402 import x402Facilitator, x402ResourceServer
from x402.http import FacilitatorConfig, HTTPFacilitatorClient
from x402.http.middleware.fastapi import payment_middleware
from x402.http.types import PaymentOption, RouteConfig
from x402.mechanisms.evm.exact.register import register_exact_evm_facilitator, register_exact_evm_server
from x402.mechanisms.evm.signers import FacilitatorWeb3Signer
from x402.schemas import AssetAmount, PaymentPayload, PaymentRequirements

NETWORK = "eip155:338"


def facilitator_app(rpc_url: str, key: str) -> FastAPI:
    """The package's facilitator behind the three routes of the specification."""
    facilitator = x402Facilitator()
    register_exact_evm_facilitator(facilitator, FacilitatorWeb3Signer(key, rpc_url), NETWORK)
    app = FastAPI()

    @app.get("/supported")
    async def supported() -> Any:
        return facilitator.get_supported().model_dump(by_alias=True, exclude_none=True)

    @app.post("/verify")
    async def verify(request: Request) -> Any:
        return (await facilitator.verify(*await _parsed(request))).model_dump(by_alias=True, exclude_none=True)

    @app.post("/settle")
    async def settle(request: Request) -> Any:
        return (await facilitator.settle(*await _parsed(request))).model_dump(by_alias=True, exclude_none=True)

    return app


async def _parsed(request: Request) -> tuple[PaymentPayload, PaymentRequirements]:
    body = await request.json()
    return (
        PaymentPayload.model_validate(body["paymentPayload"]),
        PaymentRequirements.model_validate(body["paymentRequirements"]),
    )


def seller_app(facilitator_url: str, asset: str, pay_to: str, amount: str) -> FastAPI:
    """A FastAPI server whose /data costs `amount`, by the package's middleware."""
    server = x402ResourceServer(HTTPFacilitatorClient(FacilitatorConfig(url=facilitator_url)))
    register_exact_evm_server(server, NETWORK)
    price = AssetAmount(amount=amount, asset=asset, extra={"name": "Bridged USDC (Stargate)", "version": "1"})
    option = PaymentOption(scheme="exact", pay_to=pay_to, price=price, network=NETWORK, max_timeout_seconds=60)
    guard = payment_middleware({"GET /data": RouteConfig(accepts=option)}, server)
    app = FastAPI()

    @app.middleware("http")
    async def x402(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        return await guard(request, call_next)

    @app.get("/data")
    async def data() -> dict[str, str]:
        return {"data": "official"}

    return app


@asynccontextmanager
async def official(*arguments: str) -> AsyncIterator[str]:
    """Run one of the two until the block ends; its URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.support.official", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert line.startswith(b"http"), line
        yield line.decode().strip()
    finally:
        process.kill()
        await process.wait()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=["facilitator", "seller"])
    for name in ("rpc-url", "key", "facilitator", "asset", "pay-to", "amount"):
        parser.add_argument(f"--{name}")
    given = parser.parse_args()
    if given.role == "facilitator":
        app = facilitator_app(given.rpc_url, given.key)
    else:
        app = seller_app(given.facilitator, given.asset, given.pay_to, given.amount)
    # Connections queue from here on, so the URL is good before the server has its first turn.
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run(sockets=[listener])


if __name__ == "__main__":
    main()
