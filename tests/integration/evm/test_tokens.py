"""What the chain says of an authorization, on a real chain with the real token."""

from __future__ import annotations

from typing import Any

import pytest

from paygent.errors import ChainUnavailable, RpcError, UnknownAsset
from paygent.evm import tokens
from paygent.evm.abi import encode_call, keccak
from paygent.evm.eip712 import address_word
from paygent.evm.eip3009 import TransferAuthorization
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from tests.support.chain import send

SELLER = "0x" + "5e" * 20
FOREVER = 2**40


@pytest.fixture
async def payer(rpc: JsonRpc, token: Eip3009Token) -> KeystoreSigner:
    signer = KeystoreSigner.from_private_key("0x" + "07" * 32)
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 1_000_000))
    return signer


def authorization(payer: KeystoreSigner, nonce: bytes = b"\x01" * 32) -> TransferAuthorization:
    return TransferAuthorization(payer.address, SELLER, 100_000, 0, FOREVER, nonce)


async def test_the_token_tells_what_it_is(token: Eip3009Token) -> None:
    assert (token.asset.symbol, token.asset.decimals) == ("USDC.e", 6)
    assert (token.domain.name, token.domain.version) == ("Bridged USDC (Stargate)", "1")


async def test_a_domain_that_the_token_does_not_prove_is_refused(rpc: JsonRpc, token: Eip3009Token) -> None:
    with pytest.raises(UnknownAsset, match="would be a guess"):
        await Eip3009Token.open(rpc, chain_id=338, address=token.asset.address, versions=("2",))
    with pytest.raises(UnknownAsset, match="would be a guess"):
        await Eip3009Token.open(rpc, chain_id=25, address=token.asset.address)


@pytest.mark.parametrize("bytes_form", [False, True])
async def test_a_used_authorization_is_found_with_what_it_moved(
    rpc: JsonRpc, token: Eip3009Token, payer: KeystoreSigner, bytes_form: bool
) -> None:
    paid = authorization(payer)
    before = await token.outcome(paid, from_block=0, confirmations=1)
    assert (before.transfer, before.is_cancelled) == (None, False)
    signature = await payer.sign_digest(paid.digest(token.domain))
    data = paid.call_data(signature)
    if bytes_form:
        arguments = (payer.address, SELLER, 100_000, 0, FOREVER, paid.nonce, signature)
        data = encode_call(
            "transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,bytes)", *arguments
        )
    receipt = await send(rpc, token.asset.address, data)
    assert receipt["status"] == "0x1"
    after = await token.outcome(paid, from_block=before.block_number, confirmations=1)
    assert after.transfer is not None
    assert after.transfer.transaction == receipt["transactionHash"]
    assert (await token.balance(payer.address)).base_units == 900_000
    assert (await token.balance(SELLER)).base_units == 100_000
    received = await token.transfers(from_block=0, to_block=after.block_number, recipient=SELLER)
    assert received == [after.transfer]


async def test_depth_decides_what_is_final(rpc: JsonRpc, token: Eip3009Token, payer: KeystoreSigner) -> None:
    paid = authorization(payer)
    signature = await payer.sign_digest(paid.digest(token.domain))
    await send(rpc, token.asset.address, paid.call_data(signature))
    assert (await token.outcome(paid, from_block=0, confirmations=2)).transfer is None
    await rpc.call("evm_mine")
    assert (await token.outcome(paid, from_block=0, confirmations=2)).transfer is not None


async def test_a_cancelled_authorization_is_used_and_moved_nothing(
    rpc: JsonRpc, token: Eip3009Token, payer: KeystoreSigner
) -> None:
    cancelled = authorization(payer)
    typehash = keccak(b"CancelAuthorization(address authorizer,bytes32 nonce)")
    digest = token.domain.digest(keccak(typehash + address_word(payer.address) + cancelled.nonce))
    signature = await payer.sign_digest(digest)
    data = encode_call("cancelAuthorization(address,bytes32,bytes)", payer.address, cancelled.nonce, signature)
    assert (await send(rpc, token.asset.address, data))["status"] == "0x1"
    outcome = await token.outcome(cancelled, from_block=0, confirmations=1)
    assert outcome.is_cancelled
    assert outcome.transfer is None


async def test_a_log_that_cannot_be_seen_proves_nothing(
    rpc: JsonRpc, token: Eip3009Token, payer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that lags behind the one that knew the nonce to be used: no cancellation may be read out of that."""
    paid = authorization(payer, b"\x02" * 32)
    await send(rpc, token.asset.address, paid.call_data(await payer.sign_digest(paid.digest(token.domain))))
    call = JsonRpc.call

    async def lagging(self: JsonRpc, method: str, *params: object) -> object:
        return [] if method == "eth_getLogs" else await call(self, method, *params)

    with monkeypatch.context() as patch:
        patch.setattr(JsonRpc, "call", lagging)
        with pytest.raises(ChainUnavailable, match="ask again"):
            await token.outcome(paid, from_block=0, confirmations=1)
    assert (await token.outcome(paid, from_block=0, confirmations=1)).transfer is not None


async def test_logs_are_looked_for_in_ranges_that_nodes_allow(
    rpc: JsonRpc, token: Eip3009Token, payer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    paid = authorization(payer, b"\x03" * 32)
    start = int(await rpc.call("eth_blockNumber"), 16)
    for _ in range(12):
        await rpc.call("evm_mine")
    await send(rpc, token.asset.address, paid.call_data(await payer.sign_digest(paid.digest(token.domain))))
    for _ in range(12):
        await rpc.call("evm_mine")
    call = JsonRpc.call

    async def limited(self: JsonRpc, method: str, *params: Any) -> object:
        if method == "eth_getLogs" and int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) >= 5:
            raise RpcError("block range too wide")
        return await call(self, method, *params)

    monkeypatch.setattr(JsonRpc, "call", limited)
    monkeypatch.setattr(tokens, "BLOCKS_PER_QUERY", 5)
    assert (await token.outcome(paid, from_block=start, confirmations=1)).transfer is not None
