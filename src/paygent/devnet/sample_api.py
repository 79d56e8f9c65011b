"""The sample API of the devnet. It sells what its chain knows of itself: real figures, read when they are asked for."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from paygent.errors import PaygentError, RpcError
from paygent.evm.abi import encode_call, to_hex
from paygent.evm.rpc import Call, JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.money import Amount
from paygent.x402.seller import Facilitates, Offer, PaymentGuard, fixed_offers

_WINDOW_BLOCKS = 100
PATH = "/market-data"


def create_app(rpc: JsonRpc, token: Eip3009Token) -> FastAPI:
    """The API itself, without a price."""
    app = FastAPI(title="Sample market data")

    @app.exception_handler(PaygentError)
    async def problem(_: Request, error: PaygentError) -> JSONResponse:
        return JSONResponse(error.as_dict(), error.status)

    @app.get(PATH)
    async def market_data() -> dict[str, Any]:
        """The newest block, gas, and the token's supply and transfers in the last blocks."""
        return await read_market(rpc, token)

    return app


def create_paid_app(
    rpc: JsonRpc, token: Eip3009Token, *, facilitator: Facilitates, price: Amount, pay_to: str
) -> FastAPI:
    """The API at `price` a request."""
    app = create_app(rpc, token)
    offer = Offer(price, pay_to, token.domain.name, token.domain.version, "What this chain knows of its own market")
    offers = fixed_offers({("GET", PATH): offer})
    app.add_middleware(PaymentGuard, facilitator=facilitator, offer_for=offers, chain=token)
    return app


async def read_market(rpc: JsonRpc, token: Eip3009Token) -> dict[str, Any]:
    """What is sold; amounts are integers as text, in base units. Raises ChainUnavailable."""
    supply_call = {"to": token.asset.address, "data": to_hex(encode_call("totalSupply()"))}
    answers = await rpc.batch(
        [
            Call("eth_getBlockByNumber", ("latest", False)),
            Call("eth_gasPrice"),
            Call("eth_call", (supply_call, "latest")),
        ]
    )
    for answer in answers:
        if isinstance(answer, RpcError):
            raise answer
    block, gas_price, supply = answers
    number = int(block["number"], 16)
    first = max(number - _WINDOW_BLOCKS + 1, 0)
    transfers = await token.transfers(from_block=first, to_block=number)
    return {
        "chain_id": token.asset.chain_id,
        "block_number": number,
        "block_timestamp": int(block["timestamp"], 16),
        "gas_price_wei": str(int(gas_price, 16)),
        "token": {
            "symbol": token.asset.symbol,
            "address": token.asset.address,
            "decimals": token.asset.decimals,
            "total_supply_base_units": str(int(supply, 16)),
        },
        "transfers": {
            "from_block": first,
            "to_block": number,
            "count": len(transfers),
            "volume_base_units": str(sum(transfer.value for transfer in transfers)),
            "largest_base_units": str(max((transfer.value for transfer in transfers), default=0)),
        },
    }
