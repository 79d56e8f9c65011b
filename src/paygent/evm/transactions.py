"""Sending transactions with nonces that survive a crash (EIP-1559, https://eips.ethereum.org/EIPS/eip-1559).

Order: simulate, then allocate the nonce, sign and store in one database transaction, commit, and only then broadcast.
After a crash the same raw bytes are broadcast again. A stored transaction is given up only when its nonce is used and the
node, asked three times, knows nothing of it: then another one used the nonce, and it can never take effect any more.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, LiteralString

import rlp

from paygent.db.database import Connection, Database
from paygent.errors import AlreadySent, ChainUnavailable, RpcError, TransactionReverted
from paygent.evm.abi import keccak, to_bytes, to_hex
from paygent.evm.reverts import reverted
from paygent.evm.rpc import Call, JsonRpc
from paygent.evm.signers import Signer
from paygent.telemetry import get_logger

log = get_logger(__name__)

# Of the gas that the estimate says, and of the price that the node names: blocks may get fuller meanwhile.
GAS_HEADROOM_PERCENT = 125
FEE_HEADROOM_PERCENT = 200
_POLL_SECONDS_FIRST = 0.005
_POLL_SECONDS_LAST = 0.5
_ABSENCES_MIN = 2
# Behind a load balancer one node may lag.
_LAG_PAUSES_SECONDS = (0.5, 2.0)
# Mined within a second or two, on every chain that we know; later than this something before it may be missing.
_HEAL_SECONDS = 2.0
_PENDING_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block. `logs` are JSON-RPC's."""

    hash: str
    block_number: int
    succeeded: bool
    logs: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class _Stored:
    hash: str
    nonce: int
    raw: bytes
    claim: str


class TransactionSender:
    """The way by which one account of ours sends on one chain; any number of processes may share the account."""

    def __init__(self, database: Database, rpc: JsonRpc, signer: Signer, *, chain_id: int) -> None:
        self._database = database
        self._rpc = rpc
        self._signer = signer
        self._chain_id = chain_id
        self._healed_at = 0.0

    @property
    def address(self) -> str:
        """The account that sends, lower-case."""
        return self._signer.address

    async def claim_of(self, reference: str) -> str | None:
        """Under which claim a transaction of this reference was ever sent; None when none was."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                "SELECT claim FROM transactions WHERE reference = %s ORDER BY id LIMIT 1", (reference,)
            )
            row = await cursor.fetchone()
        return None if row is None else row["claim"]

    async def send(
        self,
        *,
        reference: str,
        to: str,
        data: bytes,
        value: int = 0,
        claim: str = "",
        gas_max: int | None = None,
        timeout_seconds: float = 60,
    ) -> Mined:
        """Send a call once per `reference`, and wait until it is mined; again with the same `claim`: the same one.

        `value` is the chain's own coin that goes along, in wei.
        Raises AlreadySent when it was sent under another claim; TransactionReverted when it would fail or need more than
        `gas_max` (nothing is sent; its `facts` hold the contract's `revert`, if that is known); ChainUnavailable when the
        outcome is not known in time: it stays stored, and the next call or `recover` finds it.
        """
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while True:
            stored = await self._stored(reference) or await self._store(reference, claim, to, data, gas_max, value)
            if stored.claim != claim:
                raise AlreadySent("This transaction was sent for somebody else.", transaction=stored.hash)
            await self._broadcast(stored)
            mined = await self._wait(stored, deadline)
            if mined is not None:
                await self._record(mined)
                return mined
            await self._give_up(stored.hash)

    async def recover(self) -> int:
        """Note what was mined, and broadcast what the node has not, in the order of nonces; how many it took.

        What the node refuses is logged, and holds up nothing. Raises ChainUnavailable.
        """
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                "SELECT raw, hash, nonce, claim FROM transactions"
                " WHERE chain_id = %s AND sender = %s AND state = 'pending' ORDER BY nonce LIMIT %s",
                (self._chain_id, self._signer.address, _PENDING_AT_ONCE),
            )
            pending = [_from_row(row) for row in await cursor.fetchall()]
        looks = [
            Call(method, (stored.hash,))
            for stored in pending
            for method in ("eth_getTransactionReceipt", "eth_getTransactionByHash")
        ]
        answers = await self._rpc.batch(looks)
        taken = 0
        for stored, receipt, known in zip(pending, answers[::2], answers[1::2], strict=True):
            if isinstance(receipt, dict):
                await self._record(_mined(stored.hash, receipt))
            elif known is None:
                try:
                    await self._broadcast(stored)
                    taken += 1
                except RpcError as error:
                    log.warning("transaction.refused", transaction=stored.hash, reason=error.detail)
        return taken

    async def _stored(self, reference: str) -> _Stored | None:
        async with self._database.transaction() as connection:
            return await self._find(connection, reference)

    async def _find(self, connection: Connection, reference: str) -> _Stored | None:
        cursor = await connection.execute(
            "SELECT raw, hash, nonce, claim FROM transactions WHERE reference = %s AND state <> 'superseded'",
            (reference,),
        )
        row = await cursor.fetchone()
        return None if row is None else _from_row(row)

    async def _store(
        self, reference: str, claim: str, to: str, data: bytes, gas_max: int | None, value: int = 0
    ) -> _Stored:
        """Raises ChainUnavailable when the node, asked three times, has not even seen what was mined already."""
        for pause in (0.0, *_LAG_PAUSES_SECONDS):
            await asyncio.sleep(pause)
            async with self._database.transaction() as connection:
                mined = await self._next_nonce(connection, "state = 'mined'")
            try:
                prepared = await self._prepare(to, data, gas_max, value)
            except TransactionReverted:
                # Another process may have sent this very call meanwhile, which is why it cannot succeed twice.
                found = await self._stored(reference)
                if found is None:
                    raise
                return found
            if prepared[-1] >= mined:
                return await self._allocate(reference, claim, to, data, value, prepared)
        raise ChainUnavailable(
            f"The node knows fewer transactions of {self.address} than were mined: it lags behind, or its chain lost some. "
            "Nothing was sent."
        )

    async def _next_nonce(self, connection: Connection, condition: LiteralString) -> int:
        """One more than the highest nonce of ours that fulfils `condition`."""
        # A literal, so that the index of those that are not superseded is used.
        cursor = await connection.execute(
            "SELECT coalesce(max(nonce) + 1, 0) AS next FROM transactions"  # noqa: S608 - literals of this module
            " WHERE chain_id = %s AND sender = %s AND " + condition,
            (self._chain_id, self._signer.address),
        )
        row = await cursor.fetchone()
        assert row is not None
        return int(row["next"])

    async def _allocate(
        self, reference: str, claim: str, to: str, data: bytes, value: int, prepared: tuple[int, int, int, int]
    ) -> _Stored:
        """Nonce, signature and row in one commit."""
        gas, fee_max, tip, count = prepared
        async with self._database.transaction() as connection:
            # One nonce at a time per account, over all processes; released by the commit.
            lane = f"{self._chain_id}:{self._signer.address}"
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (lane,))
            found = await self._find(connection, reference)
            if found is not None:
                return found
            nonce = max(count, await self._next_nonce(connection, "state <> 'superseded'"))
            fields: list[Any] = [self._chain_id, nonce, tip, fee_max, gas, to_bytes(to), value, data, []]
            raw = await _sign(self._signer, fields)
            stored = _Stored(to_hex(keccak(raw)), nonce, raw, claim)
            await connection.execute(
                "INSERT INTO transactions (reference, claim, chain_id, sender, nonce, raw, hash)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                (reference, claim, self._chain_id, self._signer.address, nonce, raw, stored.hash),
            )
        return stored

    async def _prepare(self, to: str, data: bytes, gas_max: int | None, value: int) -> tuple[int, int, int, int]:
        """Gas limit, fee cap and tip per gas, and the account's nonce on chain; the estimate is the simulation."""
        call = {"from": self._signer.address, "to": to, "data": to_hex(data), "value": hex(value)}
        gas, price, tip, count = await self._rpc.batch(
            [
                Call("eth_estimateGas", (call,)),
                Call("eth_gasPrice"),
                Call("eth_maxPriorityFeePerGas"),
                self._count(),
            ]
        )
        if isinstance(gas, RpcError):
            raise reverted(gas, "The chain refuses this transaction")
        for answer in (price, count):
            if isinstance(answer, RpcError):
                raise answer
        gas_limit = int(gas, 16) * GAS_HEADROOM_PERCENT // 100
        if gas_max is not None and gas_limit > gas_max:
            raise TransactionReverted(f"This transaction would need {gas_limit} gas; at most {gas_max} is given.")
        # Chains without tips do not know the call.
        tip_per_gas = 0 if isinstance(tip, RpcError) else int(tip, 16)
        fee_max = max(int(price, 16) * FEE_HEADROOM_PERCENT // 100, tip_per_gas)
        return gas_limit, fee_max, tip_per_gas, int(count, 16)

    async def _broadcast(self, stored: _Stored) -> None:
        """Hand it to the node. Raises RpcError when the node refuses it although its turn has come."""
        try:
            await self._rpc.call("eth_sendRawTransaction", to_hex(stored.raw))
        except RpcError:
            # Nodes word it in many ways that they have a transaction already, or that its nonce is used or too far ahead.
            # What is so, the account tells; `_wait` sees to each of these.
            count, known = await self._rpc.batch(
                [self._count(), Call("eth_getTransactionByHash", (stored.hash,))],
            )
            if isinstance(count, RpcError):
                raise count from None
            if isinstance(known, dict) or int(count, 16) != stored.nonce:
                return
            raise

    async def _wait(self, stored: _Stored, deadline: float) -> Mined | None:
        """The mined transaction, or None when another one used its nonce."""
        pause = _POLL_SECONDS_FIRST
        absences = 0
        now = asyncio.get_running_loop().time
        heal_at = now() + _HEAL_SECONDS
        while True:
            # One after the other, the count first: a receipt that is missing afterwards was not there before. In a batch
            # a node may look for the receipt first, and we would send twice.
            count = int(await self._rpc.call("eth_getTransactionCount", self._signer.address, "latest"), 16)
            receipt = await self._rpc.call("eth_getTransactionReceipt", stored.hash)
            if receipt is not None:
                return _mined(stored.hash, receipt)
            if count > stored.nonce and await self._rpc.call("eth_getTransactionByHash", stored.hash) is None:
                # Behind a load balancer these answers may come from a node that lags: look again, later.
                if absences == _ABSENCES_MIN:
                    return None
                absences += 1
                pause = _POLL_SECONDS_LAST
            if now() + pause > deadline:
                raise ChainUnavailable(
                    f"Transaction {stored.hash} is not mined yet. It stays stored and will be looked for again.",
                    transaction=stored.hash,
                )
            if now() > heal_at:
                heal_at = now() + _HEAL_SECONDS
                await self._heal()
            await asyncio.sleep(pause)
            pause = min(pause * 2, _POLL_SECONDS_LAST)

    async def _heal(self) -> None:
        """Whoever stored an earlier nonce may have failed to broadcast it, and nothing behind the gap is mined.

        However many wait, one of them looks.
        """
        now = asyncio.get_running_loop().time()
        if now - self._healed_at >= _HEAL_SECONDS:
            self._healed_at = now
            await self.recover()

    def _count(self) -> Call:
        return Call("eth_getTransactionCount", (self._signer.address, "latest"))

    async def _record(self, mined: Mined) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE transactions SET state = 'mined', block_number = %s, succeeded = %s"
                " WHERE hash = %s AND state = 'pending'",
                (mined.block_number, mined.succeeded, mined.hash),
            )

    async def _give_up(self, transaction_hash: str) -> None:
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE transactions SET state = 'superseded' WHERE hash = %s AND state = 'pending'",
                (transaction_hash,),
            )


def _from_row(row: dict[str, Any]) -> _Stored:
    return _Stored(row["hash"], row["nonce"], bytes(row["raw"]), row["claim"])


def _mined(transaction_hash: str, receipt: dict[str, Any]) -> Mined:
    succeeded = int(receipt["status"], 16) == 1
    return Mined(transaction_hash, int(receipt["blockNumber"], 16), succeeded, receipt["logs"])


async def _sign(signer: Signer, fields: list[Any]) -> bytes:
    """A type-2 transaction, signed: 0x02 ‖ rlp(fields ‖ y parity, r, s)."""
    signature = await signer.sign_digest(keccak(b"\x02" + rlp.encode(fields)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return b"\x02" + bytes(rlp.encode([*fields, signature[64] - 27, r, s]))
