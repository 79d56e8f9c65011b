"""Contracts and money on a devnet. Everything here may be done again: what is there already stays as it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from paygent.errors import ChainUnavailable
from paygent.evm import deployment
from paygent.evm.abi import encode_call, to_bytes, to_hex
from paygent.evm.contracts import artifact
from paygent.evm.networks import DEVNET_USDC_ADDRESS, MULTICALL3_ADDRESS
from paygent.evm.rpc import JsonRpc
from paygent.evm.tokens import Eip3009Token
from paygent.evm.transactions import Mined


@dataclass(frozen=True, slots=True)
class DevAccount:
    """A development account. Its key is public, the same on everybody's devnet: worthless anywhere else."""

    address: str
    private_key: str


# The ten accounts of the mnemonic "test test test test test test test test test test test junk", which anvil unlocks.
DEV_ACCOUNTS = tuple(
    DevAccount(address, private_key)
    for address, private_key in (
        (
            "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266",
            "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        ),
        (
            "0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
            "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
        ),
        (
            "0x3c44cdddb6a900fa2b585dd299e03d12fa4293bc",
            "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a",
        ),
        (
            "0x90f79bf6eb2c4f870365e785982e1f101e93b906",
            "0x7c852118294e51e653712a81e05800f419141751be58f605c371e15141b007a6",
        ),
        (
            "0x15d34aaf54267db7d7c367839aaf71a00a2c6a65",
            "0x47e179ec197488593b187f80a00eb0da91f1b9d0b13f8733639f19c30a34926a",
        ),
        (
            "0x9965507d1a55bcc2695c58ba16fb37d819b0a4dc",
            "0x8b3a350cf5c34c9194ca85829a2df0ec3153be0318b5e2d3348e872092edffba",
        ),
        (
            "0x976ea74026e726554db657fa54763abd0c3a0aa9",
            "0x92db14e403b83dfe3df233f83dfa3a0d7096f21ca9b0d6d6b8d88b2b4ec1564e",
        ),
        (
            "0x14dc79964da2c08b23698b3d3cc7ca32193d9955",
            "0x4bbbf85ce3377467afe5d46f804f221813b2bb87f24d81f60f1fcdbf7cbf4356",
        ),
        (
            "0x23618e81e3f5cdf7f54c3d65f7fbc0abf5b21e8f",
            "0xdbda1821b80551c9d65939329250298aa3472ba22feea921c0cf5d620ea67b97",
        ),
        (
            "0xa0ee7a142d267c1f36714e4a8f75612f20a79720",
            "0x2a871d0798f97d79848a013d4936a73bf4cc922c825d33c1cf7073dff6d409c6",
        ),
    )
)
GAS_WEI = 100 * 10**18
"""What a development account that sends transactions is given."""
_DEPLOYER = DEV_ACCOUNTS[0].address
ARBITER = DEV_ACCOUNTS[8].address
"""Who decides over stakes in the devnet's registry."""


class UnlockedSender:
    """Sends from the first dev account, which the chain has unlocked; what was sent before is nowhere written down."""

    address = _DEPLOYER

    def __init__(self, rpc: JsonRpc) -> None:
        self._rpc = rpc

    async def send(self, *, reference: str, to: str, data: bytes) -> Mined:
        """The transaction, mined; `reference` is for senders that remember."""
        receipt = await _receipt(self._rpc, {"to": to, "data": to_hex(data)})
        succeeded = int(receipt["status"], 16) == 1
        return Mined(receipt["transactionHash"], int(receipt["blockNumber"], 16), succeeded, receipt["logs"])


def contracts_plan() -> tuple[deployment.Step, ...]:
    """Paygent's contracts, which have the same addresses on every devnet."""
    return deployment.plan(token=DEVNET_USDC_ADDRESS, arbiter=ARBITER)


def contract_addresses() -> dict[str, str]:
    """Everything that is deployed on a devnet, by its name in documents."""
    ours = {step.key: step.address for step in contracts_plan()}
    return {"usdc": DEVNET_USDC_ADDRESS, "multicall3": MULTICALL3_ADDRESS, **ours}


async def deploy(rpc: JsonRpc, *, chain_id: int) -> Eip3009Token:
    """Multicall3 at its canonical address, the token at the devnet's, and Paygent's contracts at theirs; the token.

    The first dev account mints it and deploys everything. Raises ChainUnavailable when this is no devnet of ours, nor a
    fresh one.
    """
    token = await deploy_token(rpc, chain_id=chain_id)
    await deploy_contracts(rpc, chain_id=chain_id, say=lambda _: None)
    return token


async def deploy_contracts(rpc: JsonRpc, *, chain_id: int, say: Callable[[str], None]) -> dict[str, Mined]:
    """Paygent's contracts, those that are missing, from the unlocked account; their transactions by name."""
    if await rpc.call("eth_getCode", deployment.SINGLETON_FACTORY_ADDRESS, "latest") == "0x":
        await rpc.call("anvil_setCode", deployment.SINGLETON_FACTORY_ADDRESS, deployment.SINGLETON_FACTORY_CODE)
    sender = UnlockedSender(rpc)
    return await deployment.deploy(rpc, sender, contracts_plan(), chain_id=chain_id, say=say)


async def deploy_token(rpc: JsonRpc, *, chain_id: int) -> Eip3009Token:
    """Multicall3 and the token, those that are missing. Raises ChainUnavailable when this is no devnet of ours."""
    if await rpc.call("eth_getCode", MULTICALL3_ADDRESS, "latest") == "0x":
        # A call that creates nothing answers with the code that a creation would leave behind.
        runtime = await rpc.call("eth_call", {"data": artifact("Multicall3").bytecode}, "latest")
        await rpc.call("anvil_setCode", MULTICALL3_ADDRESS, runtime)
    if await rpc.call("eth_getCode", DEVNET_USDC_ADDRESS, "latest") == "0x":
        creation = to_bytes(artifact("BridgedUSDC").bytecode) + encode(["address"], [_DEPLOYER])
        receipt = await _send(rpc, {"data": to_hex(creation)})
        if receipt["contractAddress"].lower() != DEVNET_USDC_ADDRESS:
            raise ChainUnavailable(
                f"The token landed at {receipt['contractAddress']}: something else was sent on this devnet first. "
                "Start with a fresh one."
            )
    return await Eip3009Token.open(rpc, chain_id=chain_id, address=DEVNET_USDC_ADDRESS)


async def fund(rpc: JsonRpc, token: Eip3009Token, address: str, *, usdc_base_units: int, gas_wei: int) -> None:
    """See that `address` has at least this much; what is missing is minted, and gas is given."""
    missing = usdc_base_units - (await token.balance(address)).base_units
    if missing > 0:
        data = encode_call("mint(address,uint256)", address, missing)
        await _send(rpc, {"to": token.asset.address, "data": to_hex(data)})
    if int(await rpc.call("eth_getBalance", address, "latest"), 16) < gas_wei:
        await rpc.call("anvil_setBalance", address, hex(gas_wei))


async def _receipt(rpc: JsonRpc, transaction: dict[str, str]) -> dict[str, Any]:
    """From the deployer, which the chain has unlocked. The answer comes when it is mined (EIP-7966)."""
    receipt: dict[str, Any] = await rpc.call("eth_sendTransactionSync", {"from": _DEPLOYER, **transaction})
    return receipt


async def _send(rpc: JsonRpc, transaction: dict[str, str]) -> dict[str, Any]:
    receipt = await _receipt(rpc, transaction)
    if int(receipt["status"], 16) != 1:
        raise ChainUnavailable(f"The devnet refused transaction {receipt['transactionHash']}.")
    return receipt
