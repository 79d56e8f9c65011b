"""Bindings against a contract on a real EVM: structs there and back, events from receipts, reasons of reverts."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode

from paygent.db.database import Database
from paygent.errors import ChainUnavailable, RpcError, TransactionReverted
from paygent.evm.abi import keccak, to_bytes
from paygent.evm.bindings.bridged_usdc import Approval, BridgedUSDC, Transfer
from paygent.evm.bindings.errors import ERRORS, CustomError
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.evm.transactions import TransactionSender
from tests.support.chain import send
from tests.support.shapes import (
    EchoResult,
    Figure,
    Indexed,
    Kind,
    Moved,
    NamedStringString,
    NamedUint256,
    Nothing,
    Point,
    Shapes,
)
from tests.support.solidity import shapes as compiled_shapes

MAKER = "0x" + "ab" * 20
FIGURE = Figure(
    MAKER, (Point(-1, 2), Point(3, 4)), Point(-5, 2**256 - 1), b"\x00data", (b"\x01" * 32, b"\x02" * 32), Kind.LARGE
)


@pytest.fixture
async def shapes(rpc: JsonRpc) -> Shapes:
    code = to_bytes(compiled_shapes()["bytecode"]) + encode(["address", "uint256"], [MAKER, 7])
    return Shapes(rpc, (await send(rpc, None, code))["contractAddress"])


async def test_structs_and_arrays_of_them_go_there_and_back(shapes: Shapes) -> None:
    grid = ((Point(1, 2),), (), (Point(3, 4), Point(5, 6)))
    assert await shapes.echo(FIGURE, grid) == EchoResult(FIGURE, grid)
    assert await shapes.figures([FIGURE, FIGURE]) == (FIGURE, FIGURE)
    assert await shapes.figures([]) == ()


async def test_elementary_answers_have_their_types(shapes: Shapes) -> None:
    assert (await shapes.maker(), await shapes.factor(), await shapes.address_()) == (MAKER, 7, MAKER)
    assert await shapes.unnamed(9, True) == (9, (False, False), Point(-1, 2))
    assert await shapes.kinds([Kind.LARGE, Kind.SMALL]) == ((Kind.LARGE, Kind.SMALL), Kind.SMALL)
    await shapes.nothing()


async def test_a_block_of_the_past_can_be_asked(shapes: Shapes) -> None:
    head = int(await shapes.rpc.call("eth_blockNumber"), 16)
    await shapes.rpc.call("evm_mine")
    assert await shapes.block_number(at=head) == head
    assert await shapes.block_number() == head + 1


async def test_events_are_read_from_a_receipt(shapes: Shapes) -> None:
    receipt = await send(shapes.rpc, shapes.address, Shapes.emit_all(Point(-7, 8), b"\x01\x02", "näme"))
    moved, named, counted, nothing, indexed = receipt["logs"]
    sender = receipt["from"].lower()
    assert Moved.decode(moved) == Moved(sender, Point(-7, 8), b"\x01\x02", keccak(b"\x01\x02"), True)
    assert NamedStringString.decode(named) == NamedStringString(keccak("näme".encode()), "näme")
    assert NamedUint256.decode(counted) == NamedUint256(7)
    assert Nothing.decode(nothing) == Nothing()
    found = Indexed.decode(indexed)
    assert found is not None
    # The chain keeps the hash of an indexed struct: its words, one after the other.
    assert found.point == keccak(encode(["int128", "uint256"], [-7, 8]))
    assert [point.z for point in found.points] == [8]


async def test_another_event_is_no_such_event(shapes: Shapes) -> None:
    logs = (await send(shapes.rpc, shapes.address, Shapes.emit_all(Point(1, 2), b"", "name")))["logs"]
    kinds: tuple[Any, ...] = (Moved, NamedStringString, NamedUint256, Nothing, Indexed)
    for at, kind in enumerate(kinds):
        assert [place for place, log in enumerate(logs) if kind.decode(log) is not None] == [at]
        assert kind.decode(logs[at], emitter=shapes.address.upper().replace("X", "x")) is not None
        assert kind.decode(logs[at], emitter=MAKER) is None


async def test_what_only_looks_like_an_event_is_none(rpc: JsonRpc, token: Eip3009Token) -> None:
    """An ERC-721 has the Transfer of an ERC-20, with one more indexed value; a contract may emit any bytes it likes."""
    usdc = BridgedUSDC(rpc, token.asset.address)
    [log] = (await send(rpc, usdc.address, usdc.mint(MAKER, 5)))["logs"]
    assert Transfer.decode(log) == Transfer("0x" + "00" * 20, MAKER, 5)
    assert Approval.decode(log) is None
    assert Transfer.decode({**log, "topics": [*log["topics"], "0x" + "00" * 32], "data": "0x"}) is None
    assert Transfer.decode({**log, "topics": [*log["topics"], "0x" + "00" * 32]}) is None
    assert Transfer.decode({**log, "topics": log["topics"][:2]}) is None
    for data in ("0x", "0x" + "00" * 31, "nothing"):
        assert Transfer.decode({**log, "data": data}) is None
    assert Transfer.decode({**log, "topics": [log["topics"][0], "0x" + "ff" * 32, log["topics"][2]]}) is None
    assert Transfer.decode({**log, "topics": []}) is None


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (2, 'fail of 0x… fails: "in words"'),
        (3, "Panic(code=1): an assertion failed."),
        (4, "Panic(code=18): a division by zero."),
        (5, "Panic(code=17): a number became too large or fell below zero."),
        (7, "Panic(code=50): an index is beyond the end of its list."),
        (8, "0xdeadbeef"),
        (9, "execution reverted"),
    ],
)
async def test_a_view_that_reverts_says_why(shapes: Shapes, how: int, words: str) -> None:
    with pytest.raises(TransactionReverted) as caught:
        await shapes.fail(how)
    assert words in caught.value.detail.replace(shapes.address, "0x…")


@pytest.mark.parametrize(
    ("how", "error", "said"),
    [
        (0, CustomError("Forbidden", (), ""), "Forbidden()"),
        (
            1,
            CustomError("NameTaken", (("name", "string"), ("selector", "bytes4")), "Choose another one."),
            "NameTaken(name=unicode ü, selector=0xf6e0f6a8): Choose another one.",
        ),
        (
            6,
            CustomError("TooFar", (("point", "(int128,uint256)"), ("limit", "uint256"), ("visited", "address[]")), ""),
            "TooFar(point=[-5, 6], limit=6, visited=[0xABaBaBaBABabABabAbAbABAbABabababaBaBABaB])",
        ),
    ],
)
async def test_custom_errors_are_decoded_with_their_structs(
    shapes: Shapes, monkeypatch: pytest.MonkeyPatch, how: int, error: CustomError, said: str
) -> None:
    signature = f"{error.name}({','.join(kind for _, kind in error.parameters)})"
    monkeypatch.setitem(ERRORS, "0x" + keccak(signature.encode())[:4].hex(), error)
    with pytest.raises(TransactionReverted) as caught:
        await shapes.fail(how)
    selector = "0x" + keccak(b"fail(uint256)")[:4].hex()
    assert said.replace("0xf6e0f6a8", selector) in caught.value.detail
    assert caught.value.facts["revert"]["name"] == error.name


async def test_a_transaction_that_would_revert_says_why_and_is_not_sent(
    rpc: JsonRpc, token: Eip3009Token, operator: KeystoreSigner, database: Database
) -> None:
    sender = TransactionSender(database, rpc, operator, chain_id=338)
    usdc = BridgedUSDC(rpc, token.asset.address)
    with pytest.raises(TransactionReverted, match=r"refuses this transaction: NotMinter\(caller=0x") as caught:
        await sender.send(reference=f"mint:{operator.address}", to=usdc.address, data=usdc.mint(operator.address, 5))
    assert caught.value.facts["revert"] == {"name": "NotMinter", "arguments": {"caller": operator.address}}
    with pytest.raises(TransactionReverted, match="send it some, or pay less"):
        await sender.send(reference=f"pay:{operator.address}", to=usdc.address, data=usdc.transfer(MAKER, 5))
    assert int(await rpc.call("eth_getTransactionCount", operator.address, "latest"), 16) == 0


async def test_where_there_is_no_contract_nothing_is_answered(rpc: JsonRpc) -> None:
    with pytest.raises(ChainUnavailable, match="is that contract deployed there"):
        await Shapes(rpc, "0x" + "99" * 20).factor()


async def test_an_error_of_the_node_is_no_revert(shapes: Shapes) -> None:
    with pytest.raises(RpcError):
        await shapes.factor(at="no tag")
