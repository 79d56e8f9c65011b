"""What arrives on chain is booked once, whoever looks and however often."""

from __future__ import annotations

import asyncio

import pytest

from paygent.db.database import Database
from paygent.evm.abi import encode_call
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.wallets import pocket as pocket_module
from paygent.wallets.pocket import Pocket
from tests.support.chain import send


async def test_deposits_are_booked_once(
    database: Database, rpc: JsonRpc, token: Eip3009Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = KeystoreSigner.from_private_key("0x" + "0c" * 32)
    pocket = Pocket(database, token, signer, first_block=0)
    monkeypatch.setattr(pocket_module, "_BLOCKS_PER_QUERY", 3)
    await pocket.open()
    for units in (5, 7):
        await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, units))
    await asyncio.gather(*(pocket.sync() for _ in range(5)))
    assert (await pocket.balance()).posted == 12
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 1))
    await pocket.sync()
    await pocket.sync()
    assert (await pocket.balance()).posted == 13 == (await token.balance(signer.address)).base_units


async def test_a_block_is_booked_when_it_is_deep_enough(database: Database, rpc: JsonRpc, token: Eip3009Token) -> None:
    signer = KeystoreSigner.from_private_key("0x" + "0d" * 32)
    pocket = Pocket(database, token, signer, first_block=0, confirmations=3)
    await pocket.open()
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 5))
    await rpc.call("evm_mine")
    await pocket.sync()
    assert (await pocket.balance()).posted == 0
    await rpc.call("evm_mine")
    await pocket.sync()
    assert (await pocket.balance()).posted == 5
