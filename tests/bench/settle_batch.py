"""What a payment costs when 100 signed ones share a transaction, beside 100 transactions: `python -m tests.bench.settle_batch`.

Gas of real transactions, call data and the 21,000 of each included, on a chain of its own. Keys, nonces and times are fixed.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import aiohttp
from eth_abi.abi import encode

from paygent.devnet import chain
from paygent.evm.abi import encode_call, keccak, to_bytes, to_hex, topic
from paygent.evm.contracts import artifact
from paygent.evm.eip3009 import TransferAuthorization
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token

COUNT = 100
PRICE = 100_000  # 0.10 USDC
FUNDS = 1_000_000_000
# What one item's calls may use: a new payee's balance and a new nonce are two fresh storage slots, 22,100 each.
ITEM_GAS = 120_000
GAS_LIMIT = 15_000_000
SETTLED_TOPIC = topic("BatchSettled(address,uint256,uint256,uint256[])")


@dataclass(frozen=True, slots=True)
class Mix:
    """Who pays whom: `payers` and `sellers` are 1 or COUNT; a known seller has a balance before."""

    payers: int
    sellers: int
    known: bool

    def __str__(self) -> str:
        payers = "1 payer" if self.payers == 1 else f"{self.payers} payers"
        kind = "known" if self.known else "new"
        return f"{payers}, {self.sellers} {kind} seller{'s' if self.sellers > 1 else ''}"


MIXES = [
    Mix(payers, sellers, known)
    for payers in (1, COUNT)
    for sellers, known in ((1, True), (1, False), (COUNT, True), (COUNT, False))
]


@dataclass(frozen=True, slots=True)
class Measured:
    """Gas of all COUNT payments together."""

    batch: int
    singles: int

    @property
    def ratio(self) -> float:
        return self.batch / self.singles


def pack_item(authorization: TransferAuthorization, signature: bytes) -> bytes:
    """An item of `settleBatch`: 164 bytes, the signature in its short form (ERC-2098)."""
    s_and_parity = int.from_bytes(signature[32:64], "big") | (signature[64] - 27) << 255
    return (
        to_bytes(authorization.payer)
        + to_bytes(authorization.payee)
        + authorization.value.to_bytes(16, "big")
        + authorization.valid_after.to_bytes(6, "big")
        + authorization.valid_before.to_bytes(6, "big")
        + authorization.nonce
        + signature[:32]
        + s_and_parity.to_bytes(32, "big")
    )


def batch_call(token: str, items: list[bytes]) -> bytes:
    """Call data of `settleBatch`."""
    return encode_call("settleBatch(address,uint256,bytes)", token, ITEM_GAS, b"".join(items))


async def measure(rpc: JsonRpc, token: Eip3009Token, router: str, mix: Mix) -> Measured:
    """The same payments twice, between other parties of the same kind: in one transaction, and in one each."""
    signed = await _signed(rpc, token, mix, "batch")
    receipt = await _send(rpc, router, batch_call(token.asset.address, [pack_item(*one) for one in signed]))
    (settled,) = [log for log in receipt["logs"] if log["topics"][0] == SETTLED_TOPIC]
    assert int(settled["data"][-64:], 16) == 2**COUNT - 1, "every item must settle"
    singles = 0
    for authorization, signature in await _signed(rpc, token, mix, "singles"):
        single = await _send(rpc, token.asset.address, authorization.call_data(signature))
        singles += int(single["gasUsed"], 16)
    return Measured(int(receipt["gasUsed"], 16), singles)


async def deploy_router(rpc: JsonRpc) -> str:
    """A PaymentRouter's address."""
    receipt = await _send(rpc, None, to_bytes(artifact("PaymentRouter").bytecode))
    address: str = receipt["contractAddress"]
    return address


async def _signed(
    rpc: JsonRpc, token: Eip3009Token, mix: Mix, purpose: str
) -> list[tuple[TransferAuthorization, bytes]]:
    payers = [_signer(f"{mix} {purpose} payer {i}") for i in range(mix.payers)]
    sellers = [_signer(f"{mix} {purpose} seller {i}").address for i in range(mix.sellers)]
    for holder in [payer.address for payer in payers] + (sellers if mix.known else []):
        await _send(rpc, token.asset.address, encode_call("mint(address,uint256)", holder, FUNDS))
    signed = []
    for i in range(COUNT):
        payer = payers[i % mix.payers]
        nonce = keccak(f"{mix} {purpose} {i}".encode())
        authorization = TransferAuthorization(
            payer.address, sellers[i % mix.sellers], PRICE, valid_after=0, valid_before=4_000_000_000, nonce=nonce
        )
        signed.append((authorization, await payer.sign_digest(authorization.digest(token.domain))))
    return signed


def _signer(name: str) -> KeystoreSigner:
    return KeystoreSigner.from_private_key(keccak(name.encode()).hex())


async def _send(rpc: JsonRpc, to: str | None, data: bytes) -> dict:
    sender = (await rpc.call("eth_accounts"))[0]
    transaction = {"from": sender, "data": to_hex(data), "gas": hex(GAS_LIMIT), **({"to": to} if to else {})}
    receipt: dict = await rpc.call("eth_sendTransactionSync", transaction)
    assert receipt["status"] == "0x1", receipt
    return receipt


async def main() -> None:
    async with (
        aiohttp.ClientSession() as session,
        await chain.start(binary=chain.find_anvil(None), block_time_seconds=None) as node,
    ):
        rpc = JsonRpc(node.rpc_url, session)
        minter = (await rpc.call("eth_accounts"))[0]
        code = to_bytes(artifact("BridgedUSDC").bytecode) + encode(["address"], [minter])
        deployed = (await _send(rpc, None, code))["contractAddress"]
        token = await Eip3009Token.open(rpc, chain_id=node.chain_id, address=deployed)
        router = await deploy_router(rpc)
        print(f"{f'gas per payment of {COUNT}':<32}{'batch':>10}{'singles':>10}{'ratio':>8}")
        for mix in MIXES:
            measured = await measure(rpc, token, router, mix)
            print(f"{mix!s:<32}{measured.batch / COUNT:>10.0f}{measured.singles / COUNT:>10.0f}{measured.ratio:>8.1%}")


if __name__ == "__main__":
    asyncio.run(main())
