"""What arrives on chain is booked once, whoever looks and however often."""

from __future__ import annotations

import asyncio

import pytest

from paygent.db.database import Database
from paygent.evm.abi import encode_call, to_hex
from paygent.evm.eip3009 import TransferLog
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
    monkeypatch.setattr(pocket_module, "BLOCKS_PER_QUERY", 3)
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


async def test_what_a_wallet_had_before_is_its_opening_balance(
    database: Database, rpc: JsonRpc, token: Eip3009Token
) -> None:
    """An imported key, or a new database: the money is there, its history need not be read."""
    signer = KeystoreSigner.from_private_key("0x" + "0e" * 32)
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 9))
    head = int(await rpc.call("eth_blockNumber"), 16)
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 2))
    pocket = Pocket(database, token, signer, first_block=head + 1)
    await asyncio.gather(*(pocket.open() for _ in range(4)))
    assert (await pocket.balance()).posted == 9
    await pocket.sync()
    assert (await pocket.balance()).posted == 11 == (await token.balance(signer.address)).base_units


async def test_a_deposit_that_a_lagging_node_left_out_is_found_later(
    database: Database, rpc: JsonRpc, token: Eip3009Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = KeystoreSigner.from_private_key("0x" + "0f" * 32)
    pocket = Pocket(database, token, signer, first_block=0)
    await pocket.open()
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 5))

    async def lagging(*_: object, **__: object) -> list[object]:
        return []

    with monkeypatch.context() as patch:
        patch.setattr(Eip3009Token, "transfers", lagging)
        await pocket.sync()
    assert (await pocket.balance()).posted == 0
    await pocket.sync()
    assert (await pocket.balance()).posted == 5


async def test_a_transfer_of_nothing_holds_up_no_deposit(database: Database, rpc: JsonRpc, token: Eip3009Token) -> None:
    """Anybody may send one to anybody."""
    signer = KeystoreSigner.from_private_key("0x" + "1a" * 32)
    pocket = Pocket(database, token, signer, first_block=0)
    await pocket.open()
    await send(rpc, token.asset.address, encode_call("transfer(address,uint256)", signer.address, 0))
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 5))
    await pocket.sync()
    assert (await pocket.balance()).posted == 5


async def test_what_a_wallet_sends_itself_is_no_deposit(database: Database, rpc: JsonRpc, token: Eip3009Token) -> None:
    signer = KeystoreSigner.from_private_key("0x" + "1b" * 32)
    pocket = Pocket(database, token, signer, first_block=0)
    await pocket.open()
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", signer.address, 5))
    await rpc.call("anvil_setBalance", signer.address, hex(10**18))
    await rpc.call("anvil_impersonateAccount", signer.address)
    data = to_hex(encode_call("transfer(address,uint256)", signer.address, 3))
    receipt = await rpc.call(
        "eth_sendTransactionSync", {"from": signer.address, "to": token.asset.address, "data": data}
    )
    assert receipt["status"] == "0x1"
    await pocket.sync()
    assert (await pocket.balance()).posted == 5 == (await token.balance(signer.address)).base_units


async def test_two_deposits_of_one_transaction_are_both_booked(
    database: Database, rpc: JsonRpc, token: Eip3009Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = KeystoreSigner.from_private_key("0x" + "1c" * 32)
    pocket = Pocket(database, token, signer, first_block=0)
    await pocket.open()

    async def both(*_: object, **__: object) -> list[TransferLog]:
        sides = (token.asset.address, "0x" + "5e" * 20, signer.address)
        return [TransferLog(*sides, units, 1, "0x" + "ab" * 32, index) for index, units in enumerate((5, 7))]

    monkeypatch.setattr(Eip3009Token, "transfers", both)
    await pocket.sync()
    await pocket.sync()
    assert (await pocket.balance()).posted == 12
