"""Sending transactions with nonces that survive a crash (EIP-1559, https://eips.ethereum.org/EIPS/eip-1559).

Order: simulate, then allocate the nonce, sign and store in one database transaction, commit, and only then broadcast.
After a crash the same raw bytes are broadcast again. A stored transaction is given up only when the chain shows that
another one used its nonce, so that it can never take effect any more.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import rlp

from paygent.db.database import Connection, Database
from paygent.errors import ChainUnavailable, RpcError, TransactionReverted
from paygent.evm.abi import keccak, to_bytes, to_hex
from paygent.evm.rpc import Call, JsonRpc
from paygent.evm.signers import Signer

_GAS_HEADROOM_PERCENT = 125
_POLL_SECONDS_FIRST = 0.005
_POLL_SECONDS_LAST = 0.5
_ABSENCES_MIN = 2
# Mined within a second or two, on every chain that we know; later than this something before it may be missing.
_HEAL_SECONDS = 2.0
# What nodes say of a transaction that they have already: geth, anvil, cosmos-based chains.
_ALREADY_THERE = ("already known", "already imported", "nonce too low", "already in mempool", "tx already in")


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction in a block. `logs` are JSON-RPC's."""

    hash: str
    block_number: int
    succeeded: bool
    logs: list[dict[str, Any]]


class TransactionSender:
    """The way by which one account of ours sends on one chain; any number of processes may share the account."""

    def __init__(self, database: Database, rpc: JsonRpc, signer: Signer, *, chain_id: int) -> None:
        self._database = database
        self._rpc = rpc
        self._signer = signer
        self._chain_id = chain_id

    @property
    def address(self) -> str:
        """The account that sends, lower-case."""
        return self._signer.address

    async def has_stored(self, reference: str) -> bool:
        """Whether a transaction of this reference exists that can take effect, or has."""
        return await self._stored(reference) is not None

    async def send(
        self, *, reference: str, to: str, data: bytes, gas_max: int | None = None, timeout_seconds: float = 60
    ) -> Mined:
        """Send a call once per `reference`, and wait until it is mined; again with the same reference: the same one.

        Raises TransactionReverted when it would fail or need more than `gas_max` (nothing is sent), ChainUnavailable
        when the outcome is not known in time: it stays stored, and the next call or `recover` finds it.
        """
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        while True:
            raw, transaction_hash, nonce = await self._stored(reference) or await self._store(
                reference, to, data, gas_max
            )
            await self._broadcast(raw)
            mined = await self._wait(transaction_hash, nonce, deadline)
            if mined is not None:
                await self._record(mined)
                return mined
            await self._give_up(transaction_hash)

    async def recover(self) -> int:
        """Broadcast every stored transaction that is not known to be mined, in the order of nonces; how many."""
        async with self._database.transaction() as connection:
            cursor = await connection.execute(
                "SELECT raw FROM transactions WHERE chain_id = %s AND sender = %s AND state = 'pending' ORDER BY nonce",
                (self._chain_id, self._signer.address),
            )
            rows = await cursor.fetchall()
        for row in rows:
            await self._broadcast(bytes(row["raw"]))
        return len(rows)

    async def _stored(self, reference: str) -> tuple[bytes, str, int] | None:
        async with self._database.transaction() as connection:
            return await self._find(connection, reference)

    async def _find(self, connection: Connection, reference: str) -> tuple[bytes, str, int] | None:
        cursor = await connection.execute(
            "SELECT raw, hash, nonce FROM transactions WHERE reference = %s AND state <> 'superseded'", (reference,)
        )
        row = await cursor.fetchone()
        return None if row is None else (bytes(row["raw"]), row["hash"], row["nonce"])

    async def _store(self, reference: str, to: str, data: bytes, gas_max: int | None) -> tuple[bytes, str, int]:
        try:
            gas, fee_max, tip, count = await self._prepare(to, data, gas_max)
        except TransactionReverted:
            # Another process may have sent this very call meanwhile, which is why it cannot succeed twice.
            found = await self._stored(reference)
            if found is None:
                raise
            return found
        async with self._database.transaction() as connection:
            # One nonce at a time per account, over all processes; released by the commit.
            lane = f"{self._chain_id}:{self._signer.address}"
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (lane,))
            found = await self._find(connection, reference)
            if found is not None:
                return found
            cursor = await connection.execute(
                "SELECT max(nonce) + 1 AS next FROM transactions"
                " WHERE chain_id = %s AND sender = %s AND state <> 'superseded'",
                (self._chain_id, self._signer.address),
            )
            row = await cursor.fetchone()
            nonce = max(count, (row and row["next"]) or 0)
            fields: list[Any] = [self._chain_id, nonce, tip, fee_max, gas, to_bytes(to), 0, data, []]
            raw = await _sign(self._signer, fields)
            transaction_hash = to_hex(keccak(raw))
            await connection.execute(
                "INSERT INTO transactions (reference, chain_id, sender, nonce, raw, hash)"
                " VALUES (%s, %s, %s, %s, %s, %s)",
                (reference, self._chain_id, self._signer.address, nonce, raw, transaction_hash),
            )
        return raw, transaction_hash, nonce

    async def _prepare(self, to: str, data: bytes, gas_max: int | None) -> tuple[int, int, int, int]:
        """Gas limit, fee cap and tip per gas, and the account's nonce on chain; the estimate is the simulation."""
        call = {"from": self._signer.address, "to": to, "data": to_hex(data)}
        gas, price, tip, count = await self._rpc.batch(
            [
                Call("eth_estimateGas", (call,)),
                Call("eth_gasPrice"),
                Call("eth_maxPriorityFeePerGas"),
                Call("eth_getTransactionCount", (self._signer.address, "latest")),
            ]
        )
        if isinstance(gas, RpcError):
            raise TransactionReverted(f"The chain refuses this transaction: {gas.detail}", **gas.facts)
        for answer in (price, count):
            if isinstance(answer, RpcError):
                raise answer
        gas_limit = int(gas, 16) * _GAS_HEADROOM_PERCENT // 100
        if gas_max is not None and gas_limit > gas_max:
            raise TransactionReverted(f"This transaction would need {gas_limit} gas; at most {gas_max} is given.")
        # Chains without tips do not know the call.
        tip_per_gas = 0 if isinstance(tip, RpcError) else int(tip, 16)
        fee_max = max(2 * int(price, 16), tip_per_gas)
        return gas_limit, fee_max, tip_per_gas, int(count, 16)

    async def _broadcast(self, raw: bytes) -> None:
        try:
            await self._rpc.call("eth_sendRawTransaction", to_hex(raw))
        except RpcError as error:
            if not any(words in error.detail.lower() for words in _ALREADY_THERE):
                raise

    async def _wait(self, transaction_hash: str, nonce: int, deadline: float) -> Mined | None:
        """The mined transaction, or None when another one used its nonce."""
        pause = _POLL_SECONDS_FIRST
        absences = 0
        now = asyncio.get_running_loop().time
        heal_at = now() + _HEAL_SECONDS
        while True:
            # One after the other, the count first: when it has passed the nonce and there is no receipt afterwards,
            # there never will be one. In a batch a node may look for the receipt first, and we would send twice.
            count = int(await self._rpc.call("eth_getTransactionCount", self._signer.address, "latest"), 16)
            receipt = await self._rpc.call("eth_getTransactionReceipt", transaction_hash)
            if receipt is not None:
                return Mined(
                    transaction_hash,
                    int(receipt["blockNumber"], 16),
                    int(receipt["status"], 16) == 1,
                    receipt["logs"],
                )
            if count > nonce:
                # Behind a load balancer the second answer may come from a node that lags: look again, later.
                if absences == _ABSENCES_MIN:
                    return None
                absences += 1
                pause = _POLL_SECONDS_LAST
            if now() + pause > deadline:
                raise ChainUnavailable(
                    f"Transaction {transaction_hash} is not mined yet. It stays stored and will be looked for again.",
                    transaction=transaction_hash,
                )
            if now() > heal_at:
                # Whoever stored an earlier nonce may have failed to broadcast it; nothing behind the gap is mined.
                await self.recover()
                heal_at = now() + _HEAL_SECONDS
            await asyncio.sleep(pause)
            pause = min(pause * 2, _POLL_SECONDS_LAST)

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


async def _sign(signer: Signer, fields: list[Any]) -> bytes:
    """A type-2 transaction, signed: 0x02 ‖ rlp(fields ‖ y parity, r, s)."""
    signature = await signer.sign_digest(keccak(b"\x02" + rlp.encode(fields)))
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    return b"\x02" + bytes(rlp.encode([*fields, signature[64] - 27, r, s]))
