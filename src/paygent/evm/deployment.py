"""Our contracts on a chain, at addresses that follow from their code and arguments alone (EIP-1014, CREATE2).

Everything is created by the Safe singleton factory (https://github.com/safe-global/safe-singleton-factory), which takes
salt ‖ creation code. What is deployed is found by looking at the chain; so deploying again goes on where it stopped.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import rlp
from eth_abi.abi import encode

from paygent.errors import ChainUnavailable, InvalidInput, RpcError, TransactionReverted
from paygent.evm.abi import checksum_address, encode_call, keccak, to_bytes, to_hex
from paygent.evm.contracts import Artifact, artifact
from paygent.evm.networks import MULTICALL3_ADDRESS
from paygent.evm.reverts import reverted
from paygent.evm.rpc import Call, JsonRpc
from paygent.evm.transactions import FEE_HEADROOM_PERCENT, GAS_HEADROOM_PERCENT, Mined, TransactionSender

SINGLETON_FACTORY_ADDRESS = "0x914d7fec6aac8cd542e72bca78b30650d45643d7"
SINGLETON_FACTORY_CODE = (
    "0x7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)
SALT = keccak(b"paygent")
MIN_STAKE_BASE_UNITS = 10_000_000
LEAVE_DELAY_SECONDS = 7 * 24 * 60 * 60

# Creation code that works only where PUSH0 (Shanghai), TSTORE and MCOPY (Cancun) do; it leaves one byte, 01.
_CANCUN_PROBE = "0x" + "5f5f5d" + "5f5f5f5e" + "60015f53" + "60015ff3"
_TRANSACTION_GAS = 21_000
_ATTEMPTS = 3
# Behind a load balancer the next node that answers may lag.
_LAG_PAUSES_SECONDS = (0.0, 0.5, 2.0)


class Code(StrEnum):
    """What lies at an address: nothing, our contract, or something else."""

    ABSENT = "absent"
    OURS = "ours"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Step:
    """A contract and where it belongs. `arguments` are its constructor's, encoded.

    `creation` is its creation code with them; it is empty for what another contract's constructor makes. Its constructor
    looks at the contracts that it `needs`.
    """

    name: str
    address: str
    arguments: bytes
    creation: bytes = b""
    needs: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Its name in JSON documents, `payment_router`."""
        return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", self.name).lower()

    @property
    def call_data(self) -> bytes:
        """What the singleton factory is sent."""
        return SALT + self.creation


@dataclass(frozen=True, slots=True)
class Estimate:
    """What deploying would take: gas by contract, and wei per gas as the node sees it now."""

    gas: dict[str, int]
    price_wei: int

    @property
    def cost_wei(self) -> int:
        """What it will cost, about."""
        return sum(self.gas.values()) * self.price_wei

    @property
    def reserve_wei(self) -> int:
        """What the account should have: a sender reserves more gas, at a higher price, than it then pays for."""
        return self.cost_wei * GAS_HEADROOM_PERCENT * FEE_HEADROOM_PERCENT // 100**2


class Sends(Protocol):
    """Whoever sends transactions, once per reference: `TransactionSender`, or a devnet's unlocked account."""

    @property
    def address(self) -> str:
        """The account that sends."""
        ...

    async def send(self, *, reference: str, to: str, data: bytes) -> Mined:
        """The transaction, mined."""
        ...


def plan(*, token: str, arbiter: str) -> tuple[Step, ...]:
    """Paygent's contracts in the order in which they are deployed; `token` is what the registry's stakes are in."""
    router = create2("PaymentRouter")
    factory = create2("AgentWalletFactory", router.address, needs=(router.name,))
    wallet = created_by(factory, "AgentWallet", router.address)
    terms = (arbiter, MIN_STAKE_BASE_UNITS, LEAVE_DELAY_SECONDS)
    registry = create2("ServiceRegistry", token, router.address, *terms, needs=(router.name,))
    return router, factory, wallet, registry


def create2(name: str, *arguments: Any, needs: tuple[str, ...] = ()) -> Step:
    """A contract that the singleton factory creates."""
    encoded = _encoded(artifact(name), arguments)
    creation = to_bytes(artifact(name).bytecode) + encoded
    digest = keccak(b"\xff" + to_bytes(SINGLETON_FACTORY_ADDRESS) + SALT + keccak(creation))
    return Step(name, to_hex(digest[-20:]), encoded, creation, needs)


def created_by(creator: Step, name: str, *arguments: Any) -> Step:
    """The contract that the constructor of `creator` creates first (a contract's nonces begin at 1, EIP-161)."""
    digest = keccak(bytes(rlp.encode([to_bytes(creator.address), 1])))
    return Step(name, to_hex(digest[-20:]), _encoded(artifact(name), arguments), needs=(creator.name,))


def _encoded(of: Artifact, arguments: Sequence[Any]) -> bytes:
    constructor: dict[str, Any] = next((entry for entry in of.abi if entry["type"] == "constructor"), {"inputs": []})
    return encode([parameter["type"] for parameter in constructor["inputs"]], arguments)


async def look(rpc: JsonRpc, steps: Sequence[Step]) -> dict[str, Code]:
    """What lies where each contract belongs, by name."""
    codes = await rpc.batch([Call("eth_getCode", (step.address, "latest")) for step in steps])
    for code in codes:
        if isinstance(code, RpcError):
            raise code
    return {step.name: _compare(code, artifact(step.name)) for step, code in zip(steps, codes, strict=True)}


def _compare(code: str, with_artifact: Artifact) -> Code:
    if code == "0x":
        return Code.ABSENT
    found, ours = bytearray(to_bytes(code)), to_bytes(with_artifact.runtime)
    for start, length in with_artifact.immutables:
        # They follow from the arguments, and those are part of the address.
        found[start : start + length] = bytes(length)
    return Code.OURS if bytes(found) == ours else Code.FOREIGN


async def missing(rpc: JsonRpc, steps: Sequence[Step]) -> list[Step]:
    """What is not deployed yet. Raises InvalidInput when something else lies at an address of ours."""
    found = await look(rpc, steps)
    for step in steps:
        if found[step.name] is Code.FOREIGN:
            raise InvalidInput(
                f"The code at {checksum_address(step.address)} on this chain is not that of {step.name}. "
                "No chain where others could not put it there has that: is PAYGENT_RPC_URL an honest node?"
            )
    return [step for step in steps if found[step.name] is Code.ABSENT]


async def check_chain(rpc: JsonRpc) -> None:
    """Raises InvalidInput when our contracts cannot be deployed, or would not work, on this chain."""
    probe, singleton = await rpc.batch(
        [
            Call("eth_call", ({"data": _CANCUN_PROBE}, "latest")),
            Call("eth_getCode", (SINGLETON_FACTORY_ADDRESS, "latest")),
        ]
    )
    if isinstance(singleton, RpcError):
        raise singleton
    if probe != "0x01":
        said = probe.detail if isinstance(probe, RpcError) else probe
        raise InvalidInput(
            "This chain does not know the instructions of Ethereum's Cancun upgrade (PUSH0, TSTORE, MCOPY), which the "
            f"contracts are compiled for: {said}. They can be deployed once it does."
        )
    if singleton == "0x":
        raise InvalidInput(
            f"The Safe singleton factory is not on this chain ({checksum_address(SINGLETON_FACTORY_ADDRESS)}). Ask for it at "
            "https://github.com/safe-global/safe-singleton-factory, and deploy again when it is there."
        )
    if singleton != SINGLETON_FACTORY_CODE:
        raise InvalidInput(
            f"The code at {checksum_address(SINGLETON_FACTORY_ADDRESS)} is not the Safe singleton factory."
        )


async def estimate(rpc: JsonRpc, steps: Sequence[Step], *, sender: str) -> Estimate:
    """What deploying all of `steps` would take, for an account that may be empty still.

    Raises TransactionReverted with the reason of a constructor that refuses.
    """
    created = [step for step in steps if step.creation]
    gas = {}
    for step in created:
        needed = [other for other in created if other.name in step.needs]
        gas[step.name] = await _gas_of(rpc, step, needed, sender)
    return Estimate(gas, int(await rpc.call("eth_gasPrice"), 16))


async def _gas_of(rpc: JsonRpc, step: Step, needed: Sequence[Step], sender: str) -> int:
    call = {"from": sender, "to": SINGLETON_FACTORY_ADDRESS, "data": to_hex(step.call_data)}
    try:
        return int(await rpc.call("eth_estimateGas", call), 16)
    except RpcError as error:
        if needed:
            return await _gas_after(rpc, needed, step, sender)
        await _simulate(rpc, step)
        raise reverted(error, f"{step.name} cannot be deployed") from error


async def _gas_after(rpc: JsonRpc, needed: Sequence[Step], step: Step, sender: str) -> int:
    """Its constructor looks at contracts that are not there yet: with them in one transaction, less what they take."""
    if await rpc.call("eth_getCode", MULTICALL3_ADDRESS, "latest") == "0x":
        raise InvalidInput(f"Multicall3 is not on this chain ({checksum_address(MULTICALL3_ADDRESS)}): is it Cronos?")
    alone, together = await rpc.batch([_estimate_together(needed, sender), _estimate_together([*needed, step], sender)])
    for answer in (alone, together):
        if isinstance(answer, RpcError):
            raise reverted(answer, f"{step.name} cannot be deployed")
    # A call inside is given all but a 64th of the gas (EIP-150), so `alone` may be that much too high.
    return int(together, 16) - int(alone, 16) * 63 // 64 + _TRANSACTION_GAS


def _estimate_together(steps: Sequence[Step], sender: str) -> Call:
    calls = [(SINGLETON_FACTORY_ADDRESS, False, step.call_data) for step in steps]
    data = encode_call("aggregate3((address,bool,bytes)[])", calls)
    return Call("eth_estimateGas", ({"from": sender, "to": MULTICALL3_ADDRESS, "data": to_hex(data)},))


async def deploy(
    rpc: JsonRpc, sender: Sends, steps: Sequence[Step], *, chain_id: int, say: Callable[[str], None]
) -> dict[str, Mined]:
    """Deploy what is missing, one after the other, each checked when it is there; the transactions of this time, by name.

    Raises InvalidInput before anything is sent when this chain cannot have them, TransactionReverted when a constructor
    refuses, ChainUnavailable when the outcome is not known in time.
    """
    await check_chain(rpc)
    sent = {}
    for step in await missing(rpc, steps):
        if step.creation:
            say(f"Deploying {step.name} at {checksum_address(step.address)}")
            await _simulate(rpc, step)
            if (mined := await _create(rpc, sender, step, chain_id)) is not None:
                sent[step.name] = mined
        elif await _settled(rpc, step) is not Code.OURS:
            raise ChainUnavailable(f"{step.needs[0]} was deployed, and its {step.name} is not there; ask again.")
    return sent


async def recall(sender: TransactionSender, step: Step, chain_id: int) -> Mined | None:
    """The transaction by which this account deployed a step at an earlier time; None when it was another."""
    for attempt in range(_ATTEMPTS):
        reference = _reference(sender, step, chain_id, attempt)
        if await sender.claim_of(reference) is None:
            return None
        # Sent again under its reference, it is the same transaction.
        mined = await sender.send(reference=reference, to=SINGLETON_FACTORY_ADDRESS, data=step.call_data)
        if mined.succeeded:
            return mined
    return None


def _reference(sender: Sends, step: Step, chain_id: int, attempt: int) -> str:
    return f"deploy:{chain_id}:{step.address}:{sender.address}:{attempt}"


async def _create(rpc: JsonRpc, sender: Sends, step: Step, chain_id: int) -> Mined | None:
    """The transaction; None when somebody else was faster, and what they created is the same."""
    for attempt in range(_ATTEMPTS):
        reference = _reference(sender, step, chain_id, attempt)
        try:
            mined = await sender.send(reference=reference, to=SINGLETON_FACTORY_ADDRESS, data=step.call_data)
        except TransactionReverted:
            if await _settled(rpc, step) is Code.OURS:
                return None
            raise
        if await _settled(rpc, step) is Code.OURS:
            return mined if mined.succeeded else None
        if mined.succeeded:
            raise ChainUnavailable(
                f"Transaction {mined.hash} succeeded, and {step.name} is not at {step.address}; ask again.",
                transaction=mined.hash,
            )
    raise TransactionReverted(f"{step.name} was sent {_ATTEMPTS} times, and each failed.", transaction=mined.hash)


async def _settled(rpc: JsonRpc, step: Step) -> Code:
    """What lies there; a node that lags is given a moment."""
    for pause in _LAG_PAUSES_SECONDS:
        await asyncio.sleep(pause)
        code = (await look(rpc, [step]))[step.name]
        if code is not Code.ABSENT:
            return code
    return Code.ABSENT


async def _simulate(rpc: JsonRpc, step: Step) -> None:
    """Raises TransactionReverted with the constructor's reason, which the singleton factory would swallow."""
    try:
        await rpc.call("eth_call", {"data": to_hex(step.creation)}, "latest")
    except RpcError as error:
        raise reverted(error, f"{step.name} cannot be deployed") from error
