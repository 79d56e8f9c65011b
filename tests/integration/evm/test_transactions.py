"""Transactions are stored before they are sent, sent once, and never stuck behind a foreign nonce."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from eth_account import Account

from paygent.db.database import Database
from paygent.errors import AlreadySent, ChainUnavailable, RpcError, TransactionReverted
from paygent.evm.abi import encode_call, to_hex
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from paygent.evm.transactions import Mined, TransactionSender
from tests.support.chain import send

SELLER = "0x" + "5e" * 20


@pytest.fixture
async def signer(rpc: JsonRpc, token: Eip3009Token) -> KeystoreSigner:
    """A fresh account with gas and 1,000 base units."""
    account = Account.create()
    await rpc.call("anvil_setBalance", account.address, hex(10**18))
    await send(rpc, token.asset.address, encode_call("mint(address,uint256)", account.address, 1_000))
    return KeystoreSigner.from_private_key(account.key.hex())


def transfer(units: int) -> bytes:
    return encode_call("transfer(address,uint256)", SELLER, units)


async def nonce_of(rpc: JsonRpc, signer: KeystoreSigner) -> int:
    return int(await rpc.call("eth_getTransactionCount", signer.address, "latest"), 16)


async def test_the_same_reference_is_sent_once(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    to, reference = token.asset.address, f"once:{signer.address}"
    results = await asyncio.gather(*(sender.send(reference=reference, to=to, data=transfer(5)) for _ in range(8)))
    assert len({mined.hash for mined in results}) == 1
    assert results[0].succeeded
    assert (await token.balance(SELLER)).base_units == 5


async def test_many_at_once_over_two_senders_leave_no_gap(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    senders = [TransactionSender(database, rpc, signer, chain_id=338) for _ in range(2)]
    results = await asyncio.gather(
        *(
            senders[n % 2].send(reference=f"many:{signer.address}:{n}", to=token.asset.address, data=transfer(1))
            for n in range(20)
        )
    )
    assert all(mined.succeeded for mined in results)
    assert await nonce_of(rpc, signer) == 20
    assert (await token.balance(SELLER)).base_units == 20


async def test_the_coin_that_goes_along_arrives_and_is_part_of_the_estimate(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    """A token takes none, which only an estimate with the value can tell."""
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    payee = Account.create().address.lower()
    mined = await sender.send(reference=f"coin:{signer.address}", to=payee, data=b"", value=7)
    assert mined.succeeded
    assert int(await rpc.call("eth_getBalance", payee, "latest"), 16) == 7
    with pytest.raises(TransactionReverted):
        await sender.send(reference=f"both:{signer.address}", to=token.asset.address, data=transfer(1), value=7)
    assert await nonce_of(rpc, signer) == 1


async def test_what_would_revert_is_not_sent(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    with pytest.raises(TransactionReverted):
        await sender.send(reference=f"no:{signer.address}", to=token.asset.address, data=transfer(1_001))
    assert await nonce_of(rpc, signer) == 0
    assert await sender.recover() == 0


async def test_what_needs_more_gas_than_is_given_is_not_sent(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    reference, to = f"dear:{signer.address}", token.asset.address
    with pytest.raises(TransactionReverted, match="at most 30000"):
        await sender.send(reference=reference, to=to, data=transfer(1), gas_max=30_000)
    assert await nonce_of(rpc, signer) == 0
    assert (await sender.send(reference=reference, to=to, data=transfer(1), gas_max=100_000)).succeeded


async def test_a_crash_before_the_broadcast_is_recovered_with_the_same_bytes(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def crash(_: object, __: object) -> None:
        raise ConnectionResetError

    reference = f"crash:{signer.address}"
    before = TransactionSender(database, rpc, signer, chain_id=338)
    with monkeypatch.context() as patch:
        patch.setattr(TransactionSender, "_broadcast", crash)
        with pytest.raises(ConnectionResetError):
            await before.send(reference=reference, to=token.asset.address, data=transfer(5))
    assert await nonce_of(rpc, signer) == 0
    after = TransactionSender(database, rpc, signer, chain_id=338)
    assert await after.recover() == 1
    mined = await after.send(reference=reference, to=token.asset.address, data=transfer(5))
    assert mined.succeeded
    assert (await token.balance(SELLER)).base_units == 5
    assert await after.recover() == 0


async def test_a_broadcast_that_failed_holds_up_no_later_transaction(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object, __: object) -> None:
        raise ChainUnavailable("the node was away")

    sender = TransactionSender(database, rpc, signer, chain_id=338)
    with monkeypatch.context() as patch:
        patch.setattr(TransactionSender, "_broadcast", lost)
        with pytest.raises(ChainUnavailable):
            await sender.send(reference=f"gap:{signer.address}:0", to=token.asset.address, data=transfer(5))
    later = await sender.send(
        reference=f"gap:{signer.address}:1", to=token.asset.address, data=transfer(7), timeout_seconds=20
    )
    assert later.succeeded
    assert (await token.balance(SELLER)).base_units == 12
    assert await nonce_of(rpc, signer) == 2


async def test_a_nonce_that_somebody_else_used_is_replaced(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(_: object, __: object) -> None:
        raise ConnectionResetError

    reference = f"foreign:{signer.address}"
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    with monkeypatch.context() as patch:
        patch.setattr(TransactionSender, "_broadcast", lost)
        with pytest.raises(ConnectionResetError):
            await sender.send(reference=reference, to=token.asset.address, data=transfer(5))
    await rpc.call("anvil_impersonateAccount", signer.address)
    foreign = {"from": signer.address, "to": SELLER, "value": "0x1"}
    await rpc.call("eth_sendTransactionSync", foreign)
    mined = await sender.send(reference=reference, to=token.asset.address, data=transfer(5))
    assert mined.succeeded
    assert await nonce_of(rpc, signer) == 2
    assert (await token.balance(SELLER)).base_units == 5


async def test_another_claim_is_told_that_it_was_sent_already(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    reference = f"claim:{signer.address}"

    async def send_for(claim: str) -> Mined:
        return await sender.send(reference=reference, to=token.asset.address, data=transfer(5), claim=claim)

    mined = await send_for("mine")
    with pytest.raises(AlreadySent):
        await send_for("another")
    assert (await send_for("mine")).hash == mined.hash
    assert await sender.claim_of(reference) == "mine"
    assert await nonce_of(rpc, signer) == 1


@pytest.mark.parametrize("words", ["invalid nonce; got 0, expected 1: invalid sequence", "already known", "what?"])
async def test_how_a_node_words_that_it_has_it_already_does_not_matter(
    database: Database,
    rpc: JsonRpc,
    token: Eip3009Token,
    signer: KeystoreSigner,
    monkeypatch: pytest.MonkeyPatch,
    words: str,
) -> None:
    call = JsonRpc.call

    async def reworded(self: JsonRpc, method: str, *params: object) -> object:
        try:
            return await call(self, method, *params)
        except RpcError:
            raise RpcError(words) from None

    reference = f"words:{signer.address}"
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    mined = await sender.send(reference=reference, to=token.asset.address, data=transfer(5))
    async with database.transaction() as connection:  # as a crash before the mined state was noted leaves it
        await connection.execute(
            "UPDATE transactions SET state = 'pending', succeeded = NULL, block_number = NULL WHERE hash = %s",
            (mined.hash,),
        )
    monkeypatch.setattr(JsonRpc, "call", reworded)
    again = await TransactionSender(database, rpc, signer, chain_id=338).send(
        reference=reference, to=token.asset.address, data=transfer(5)
    )
    assert again.hash == mined.hash
    assert (await token.balance(SELLER)).base_units == 5


async def test_what_the_node_refuses_in_its_turn_is_said_at_once(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    await rpc.call("anvil_setBalance", signer.address, hex(10_000))
    sender = TransactionSender(database, rpc, signer, chain_id=338)

    async def pay() -> Mined:
        return await sender.send(reference=f"poor:{signer.address}", to=token.asset.address, data=transfer(5))

    with pytest.raises(RpcError, match=r"(?i)insufficient funds"):
        await pay()
    assert await sender.recover() == 0
    await rpc.call("anvil_setBalance", signer.address, hex(10**18))
    assert await sender.recover() == 1
    # The same one again: this waits until it is mined.
    assert (await pay()).succeeded
    assert (await token.balance(SELLER)).base_units == 5


async def test_a_receipt_that_comes_late_is_waited_for(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node that indexes slowly: the nonce is used, the transaction is known, its receipt is not there yet."""
    call, asked = JsonRpc.call, []

    async def late(self: JsonRpc, method: str, *params: object) -> object:
        if method == "eth_getTransactionReceipt":
            asked.append(params)
            if len(asked) < 6:
                return None
        return await call(self, method, *params)

    monkeypatch.setattr(JsonRpc, "call", late)
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    mined = await sender.send(reference=f"late:{signer.address}", to=token.asset.address, data=transfer(5))
    assert mined.succeeded
    assert await nonce_of(rpc, signer) == 1


async def test_a_node_that_lags_for_two_looks_makes_us_send_nothing_twice(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a load balancer: the nonce is used, and the next node that answers knows nothing of the transaction yet."""
    monkeypatch.setattr("paygent.evm.transactions._POLL_SECONDS_LAST", 0.01)
    call, receipts = JsonRpc.call, []

    async def lagging(self: JsonRpc, method: str, *params: object) -> object:
        if method == "eth_getTransactionReceipt":
            receipts.append(params)
        if method in {"eth_getTransactionReceipt", "eth_getTransactionByHash"} and len(receipts) <= 2:
            return None
        return await call(self, method, *params)

    with monkeypatch.context() as patch:
        patch.setattr(JsonRpc, "call", lagging)
        sender = TransactionSender(database, rpc, signer, chain_id=338)
        mined = await sender.send(reference=f"lags:{signer.address}", to=token.asset.address, data=transfer(5))
    assert mined.succeeded
    assert len(receipts) > 2
    assert await nonce_of(rpc, signer) == 1
    assert (await token.balance(signer.address)).base_units == 995


async def test_an_account_counts_its_nonces_on_each_chain(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO transactions (reference, claim, chain_id, sender, nonce, raw, hash, state, succeeded,"
            " block_number) VALUES (%s, '', 25, %s, 7, '', %s, 'mined', true, 1)",
            (f"elsewhere:{signer.address}", signer.address, f"0xelsewhere{signer.address}"),
        )
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    mined = await sender.send(reference=f"here:{signer.address}", to=token.asset.address, data=transfer(5))
    assert mined.succeeded
    assert await nonce_of(rpc, signer) == 1


async def test_however_many_wait_one_of_them_heals(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    post, sent = JsonRpc._post, []

    async def count(self: JsonRpc, body: Any) -> object:
        if isinstance(body, dict) and body["method"] == "eth_sendRawTransaction":
            sent.append(body)
        return await post(self, body)

    recover, looks, looked_thrice = TransactionSender.recover, [], asyncio.Event()

    async def look(self: TransactionSender) -> int:
        looks.append(asyncio.get_running_loop().time())
        if len(looks) == 3:
            looked_thrice.set()
        return await recover(self)

    monkeypatch.setattr("paygent.evm.transactions._HEAL_SECONDS", 0.5)
    monkeypatch.setattr(JsonRpc, "_post", count)
    monkeypatch.setattr(TransactionSender, "recover", look)
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    await rpc.call("evm_setAutomine", False)
    try:
        waiting = [
            asyncio.create_task(
                sender.send(reference=f"slow:{signer.address}:{n}", to=token.asset.address, data=transfer(1))
            )
            for n in range(20)
        ]
        await asyncio.wait_for(looked_thrice.wait(), 30)
        await rpc.call("evm_mine")
        assert all(mined.succeeded for mined in await asyncio.gather(*waiting))
    finally:
        await rpc.call("evm_setAutomine", True)
    assert len(sent) == 20
    assert all(later - earlier >= 0.5 for earlier, later in pairwise(looks)), "one of the twenty looks at a time"


async def test_eth_account_reads_our_signed_transaction(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner
) -> None:
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    mined = await sender.send(reference=f"peer:{signer.address}", to=token.asset.address, data=transfer(1))
    async with database.transaction() as connection:
        cursor = await connection.execute("SELECT raw, state FROM transactions WHERE hash = %s", (mined.hash,))
        row = await cursor.fetchone()
    assert row is not None
    assert row["state"] == "mined"
    assert Account.recover_transaction(to_hex(bytes(row["raw"]))).lower() == signer.address


async def test_nothing_is_sent_on_a_chain_that_lost_what_was_mined(
    database: Database, rpc: JsonRpc, token: Eip3009Token, signer: KeystoreSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would wait behind a gap of nonces for ever. A node that lags for a moment is asked again."""
    monkeypatch.setattr("paygent.evm.transactions._LAG_PAUSES_SECONDS", (0.01, 0.01))
    sender = TransactionSender(database, rpc, signer, chain_id=338)
    to = token.asset.address
    await sender.send(reference=f"first:{signer.address}", to=to, data=transfer(1))
    async with database.transaction() as connection:
        await connection.execute(
            "INSERT INTO transactions (reference, claim, chain_id, sender, nonce, raw, hash, state, succeeded,"
            " block_number) VALUES (%s, '', 338, %s, 1, '', %s, 'mined', true, 1)",
            (f"lost:{signer.address}", signer.address, f"0xlost{signer.address}"),
        )
    with pytest.raises(ChainUnavailable, match="lost some"):
        await sender.send(reference=f"second:{signer.address}", to=to, data=transfer(1))
    assert await sender.claim_of(f"second:{signer.address}") is None
    assert await nonce_of(rpc, signer) == 1

    prepare = TransactionSender._prepare
    asked: list[None] = []

    async def lagging(self: TransactionSender, *arguments: Any) -> Any:
        gas, fee, tip, _ = await prepare(self, *arguments)
        asked.append(None)
        return gas, fee, tip, len(asked)

    with monkeypatch.context() as patch:
        patch.setattr(TransactionSender, "_prepare", lagging)
        stored = await sender._store(f"third:{signer.address}", "", to, transfer(1), None)
    assert (stored.nonce, len(asked)) == (2, 2)
