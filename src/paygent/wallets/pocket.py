"""The pocket's ledger account. Money that arrives on chain is booked from a durable cursor, each log once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from paygent.db.database import Database
from paygent.evm.abi import checksum_address
from paygent.evm.signers import Signer
from paygent.evm.tokens import BLOCKS_PER_QUERY, Eip3009Token
from paygent.ledger import transfers
from paygent.ledger.transfers import Balance

# Each look goes back this far: behind a load balancer a node that lags may have left out the newest blocks' logs.
_OVERLAP_BLOCKS = 50


@dataclass(frozen=True, slots=True)
class Pocket:
    """The account of `signer` in `token`. What it had before `first_block` is booked as one opening balance."""

    database: Database
    token: Eip3009Token
    signer: Signer
    first_block: int
    confirmations: int = 1

    @property
    def account(self) -> str:
        """The limited ledger account that mirrors the balance on chain."""
        return f"pocket:{self.signer.address}:{self.token.asset.id}"

    async def open(self) -> None:
        """Open the ledger accounts and the cursor, unless they are there. Raises ChainUnavailable."""
        if await self._next_block() is not None:
            return
        before = self.first_block - 1
        opening = await self.token.balance(self.signer.address, block_number=before) if before >= 0 else None
        async with self.database.transaction() as connection:
            await transfers.open_account(connection, self._chain_account, self.token.asset, limited=False)
            await transfers.open_account(connection, self.account, self.token.asset, limited=True)
            inserted = await connection.execute(
                "INSERT INTO transfer_cursors (account, next_block) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (self.account, self.first_block),
            )
            if inserted.rowcount == 1 and opening is not None and opening.base_units > 0:
                await transfers.post(
                    connection,
                    reference=f"opening:{self.account}",
                    debit=self._chain_account,
                    credit=self.account,
                    amount=opening,
                )

    async def balance(self) -> Balance:
        """What the ledger says."""
        async with self.database.transaction() as connection:
            return await transfers.balance(connection, self.account)

    async def view(self) -> dict[str, Any]:
        """Address and balances for people and programs: on chain, in the ledger, reserved. Books what arrived first."""
        await self.sync()
        on_chain = await self.token.balance(self.signer.address)
        ledger = await self.balance()
        return {
            "address": checksum_address(self.signer.address),
            "network": self.token.asset.network,
            "on_chain": on_chain.as_dict(),
            "ledger": self.token.amount(ledger.posted).as_dict(),
            "reserved": self.token.amount(ledger.debits_pending).as_dict(),
        }

    async def sync(self) -> None:
        """Book the transfers that arrived since the cursor, up to the newest final block. Raises ChainUnavailable."""
        head = int(await self.token.rpc.call("eth_blockNumber"), 16)
        final = head - (self.confirmations - 1)
        start = await self._next_block()
        while start is not None and start <= final:
            end = min(start + BLOCKS_PER_QUERY - 1, final)
            await self._book(start, end)
            start = end + 1

    async def _next_block(self) -> int | None:
        async with self.database.transaction() as connection:
            cursor = await connection.execute(
                "SELECT next_block FROM transfer_cursors WHERE account = %s", (self.account,)
            )
            row = await cursor.fetchone()
        return None if row is None else row["next_block"]

    async def _book(self, start: int, end: int) -> None:
        arrived = await self.token.transfers(from_block=start, to_block=end, recipient=self.signer.address)
        async with self.database.transaction() as connection:
            for log in arrived:
                if log.value == 0 or log.sender == self.signer.address:
                    continue
                await transfers.post(
                    connection,
                    reference=f"log:{self.token.asset.id}:{log.transaction}:{log.log_index}",
                    debit=self._chain_account,
                    credit=self.account,
                    amount=self.token.amount(log.value),
                )
            await connection.execute(
                "UPDATE transfer_cursors SET next_block = greatest(next_block, %s) WHERE account = %s",
                (max(end + 1 - _OVERLAP_BLOCKS, self.first_block), self.account),
            )

    @property
    def _chain_account(self) -> str:
        return f"chain:{self.token.asset.id}"
