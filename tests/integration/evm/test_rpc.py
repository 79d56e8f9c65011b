"""JSON-RPC against a real node, and against servers that are none."""

from __future__ import annotations

import aiohttp
import pytest
from aiohttp import web

from paygent.errors import ChainUnavailable, RpcError, UnknownAsset
from paygent.evm.rpc import Call, JsonRpc
from paygent.evm.tokens import Eip3009Token


async def test_a_call_answers(rpc: JsonRpc) -> None:
    assert await rpc.call("eth_chainId") == hex(338)


async def test_a_batch_keeps_its_order_and_one_bad_item_sinks_no_other(rpc: JsonRpc) -> None:
    chain_id, problem, block = await rpc.batch(
        [Call("eth_chainId"), Call("eth_nonsense"), Call("eth_getBlockByNumber", ("0x0", False))]
    )
    assert chain_id == hex(338)
    assert isinstance(problem, RpcError)
    assert problem.facts["rpc_code"] == -32601
    assert block["number"] == "0x0"


async def test_an_address_without_code_is_no_token(rpc: JsonRpc) -> None:
    with pytest.raises(UnknownAsset, match="no contract"):
        await Eip3009Token.open(rpc, chain_id=338, address="0x" + "42" * 20)


async def test_a_dead_node_is_said_to_be_dead(http: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    with pytest.raises(ChainUnavailable, match="PAYGENT_RPC_URL"):
        await JsonRpc(f"http://127.0.0.1:{unused_tcp_port}/v1/secret-key", http).call("eth_chainId")


@pytest.mark.parametrize("body", ["<html>", "[]", "7", "null", '{"message": "rate limited"}'])
async def test_a_server_that_speaks_no_json_rpc_is_said_to_be_none(http: aiohttp.ClientSession, body: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(text=body)

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        with pytest.raises(ChainUnavailable):
            await JsonRpc(f"http://127.0.0.1:{port}", http).call("eth_chainId")
    finally:
        await runner.cleanup()
