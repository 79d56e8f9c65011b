"""A wallet as its owner sets it up, on a chain of its own whose time a test moves, and a record of what was driven."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount

from paygent.db.database import Database
from paygent.devnet import chain
from paygent.devnet.deploy import UnlockedSender, deploy_token
from paygent.errors import TransactionReverted
from paygent.evm import deployment
from paygent.evm.abi import checksum_address, encode_call, selector, to_bytes, to_hex
from paygent.evm.bindings.agent_wallet import AgentWallet, Approval, ApproverSignature
from paygent.evm.bindings.agent_wallet_factory import AgentWalletFactory, Setup, TokenLimits, WalletCreated
from paygent.evm.bindings.bridged_usdc import BridgedUSDC
from paygent.evm.bindings.payment_router import PaymentRouter
from paygent.evm.bindings.service_registry import ServiceRegistry
from paygent.evm.calls import Contract
from paygent.evm.contracts import artifact
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.transactions import Mined, TransactionSender
from tests.support.chain import send
from tests.support.solidity import protocol

CHAIN_ID = 338
NATIVE = "0x" + "00" * 20
USDC = 10**6
CRO = 10**18
DAY = 86_400
DAILY, THRESHOLD, CEILING = 100 * USDC, 50 * USDC, 20 * USDC
NONE = Approval(0, ())
PAYEE = "0x" + "b0" * 20

# What a contract calls of another one, and nobody sends: it counts as driven where it stands inside of a transaction.
_CALLED_BY_CONTRACTS = {
    selector("initialize(address)"),
    selector("onERC721Received(address,address,uint256,bytes)"),
    selector("onERC1155Received(address,address,uint256,uint256,bytes)"),
    selector("onERC1155BatchReceived(address,address,uint256[],uint256[],bytes)"),
}
_numbers = itertools.count(1)
_driven: set[tuple[str, bytes]] = set()


def undriven(contract: str) -> list[str]:
    """The functions of a contract that succeeded in no transaction, or were not read, so far in this run."""
    signatures = [
        f"{entry['name']}({','.join(_type(parameter) for parameter in entry['inputs'])})"
        for entry in artifact(contract).abi
        if entry["type"] == "function"
    ]
    return [signature for signature in signatures if (contract, selector(signature)) not in _driven]


def _type(parameter: dict[str, Any]) -> str:
    if "components" not in parameter:
        return str(parameter["type"])
    return f"({','.join(map(_type, parameter['components']))}){parameter['type'].removeprefix('tuple')}"


def skip_unless_whole(request: pytest.FixtureRequest) -> None:
    """A test that looks back on its module says nothing where only some of the module's tests run."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    run = {item.originalname for item in items if item.module is request.module}
    if run != {name for name in vars(request.module) if name.startswith("test_")}:
        pytest.skip("only some of this module's tests run")


def some_id() -> bytes:
    """An intent's id, or a reference, that was never used."""
    return next(_numbers).to_bytes(32, "big")


@dataclass(frozen=True)
class Actor:
    """Somebody with an account and coins; sends through `TransactionSender`."""

    sender: TransactionSender
    rpc: JsonRpc

    @property
    def address(self) -> str:
        return self.sender.address

    async def do(self, contract: Contract, data: bytes, *, value: int = 0) -> Mined:
        """The transaction, which succeeded."""
        reference = f"drive:{self.address}:{next(_numbers)}"
        mined = await self.sender.send(reference=reference, to=contract.address, data=data, value=value)
        assert mined.succeeded
        _driven.add((type(contract).__name__, data[:4]))
        return mined

    async def cannot(
        self, contract: Contract, data: bytes, name: str, words: str, *, value: int = 0, **arguments: Any
    ) -> None:
        """What is refused, nothing sent: by the error's name, what it tells people and what it tells programs."""
        before = await self.rpc.call("eth_getTransactionCount", self.address, "latest")
        with pytest.raises(TransactionReverted) as caught:
            await self.sender.send(
                reference=f"refused:{self.address}:{next(_numbers)}", to=contract.address, data=data, value=value
            )
        assert caught.value.detail.startswith(f"The chain refuses this transaction: {name}(")
        assert words in caught.value.detail
        assert words
        assert caught.value.facts["revert"] == {
            "name": name,
            "arguments": {key: to_hex(v) if isinstance(v, bytes) else str(v) for key, v in arguments.items()},
        }
        for key, argument in arguments.items():
            is_address = isinstance(argument, str) and len(argument) == 42
            shown = checksum_address(argument) if is_address else argument
            assert f"{key}={to_hex(shown) if isinstance(shown, bytes) else shown}" in caught.value.detail
        assert await self.rpc.call("eth_getTransactionCount", self.address, "latest") == before


@dataclass(frozen=True)
class Devnet:
    """Paygent's contracts, and who does what. Each test has actors and a wallet of its own."""

    rpc: JsonRpc
    database: Database
    usdc: BridgedUSDC
    router: PaymentRouter
    factory: AgentWalletFactory
    registry: ServiceRegistry
    arbiter: Actor

    async def actor(self, *, usdc: int = 0) -> Actor:
        return await _actor(self.rpc, self.database, Account.create(), self.usdc, usdc)

    async def deploy(self, name: str, *arguments: Any) -> str:
        """One of `Protocols.sol`; its address, lower-case."""
        compiled = protocol(name)
        inputs: list[dict[str, Any]] = next(
            (entry["inputs"] for entry in compiled["abi"] if entry["type"] == "constructor"), []
        )
        code = to_bytes(compiled["bytecode"]) + encode([one["type"] for one in inputs], arguments)
        address: str = (await send(self.rpc, None, code))["contractAddress"]
        return address.lower()

    async def mint(self, to: str, amount: int) -> None:
        await send(self.rpc, self.usdc.address, self.usdc.mint(to, amount))

    async def coins(self, address: str) -> int:
        return int(await self.rpc.call("eth_getBalance", address, "latest"), 16)

    async def now(self) -> int:
        block = await self.rpc.call("eth_getBlockByNumber", "latest", False)
        return int(block["timestamp"], 16)

    async def wait(self, seconds: int) -> None:
        """Let time pass."""
        await self.rpc.call("evm_increaseTime", hex(seconds))
        await self.rpc.call("evm_mine")

    async def morning(self) -> None:
        """Go on at eight o'clock of another UTC day, so that no day ends in the midst of a test."""
        then = (await self.now() // DAY + 1) * DAY + 8 * 3600
        await self.rpc.call("evm_setNextBlockTimestamp", hex(then))
        await self.rpc.call("evm_mine")

    async def note_inner_calls(self, mined: Mined) -> None:
        """Record what contracts called of `mined`'s contracts and nobody can send."""
        trace = await self.rpc.call("debug_traceTransaction", mined.hash, {"tracer": "callTracer"})
        _driven.update(("AgentWallet", data) for data in _inner(trace) if data in _CALLED_BY_CONTRACTS)


def _inner(trace: dict[str, Any]) -> Iterator[bytes]:
    for call in trace.get("calls", ()):
        if "error" not in call:
            yield to_bytes(call["input"])[:4]
            yield from _inner(call)


@dataclass(frozen=True)
class Vault:
    """A wallet with 1,000 USDC and 100 CRO in it; the limits of USDC are those above, those of CRO 10, 5 and 1."""

    wallet: AgentWallet
    owner: Actor
    operator: Actor
    guardian: Actor
    approvers: tuple[LocalAccount, ...]

    def approval(self, deadline: int, signed: Sequence[tuple[str, bytes]]) -> Approval:
        ordered = sorted(signed, key=lambda one: int(one[0], 16))
        return Approval(deadline, tuple(ApproverSignature(*one) for one in ordered))

    async def pay(self, devnet: Devnet, amount: int, *, to: str = PAYEE, approval: Approval = NONE) -> Mined:
        data = AgentWallet.execute_payment(devnet.usdc.address, to, amount, some_id(), approval)
        return await self.operator.do(self.wallet, data)


async def _actor(rpc: JsonRpc, database: Database, account: LocalAccount, usdc: BridgedUSDC, amount: int) -> Actor:
    await rpc.call("anvil_setBalance", account.address, hex(1_000 * CRO))
    if amount:
        await send(rpc, usdc.address, usdc.mint(account.address, amount))
    signer = KeystoreSigner.from_private_key(account.key.hex())
    return Actor(TransactionSender(database, rpc, signer, chain_id=CHAIN_ID), rpc)


@pytest.fixture(scope="module")
async def devnet(http: aiohttp.ClientSession, database: Database) -> AsyncIterator[Devnet]:
    """A chain of this module's own: its time is moved."""
    start = chain.start(binary=chain.find_anvil(None), block_time_seconds=None)
    async with await start as node:
        rpc = JsonRpc(node.rpc_url, http)
        token = await deploy_token(rpc, chain_id=CHAIN_ID)
        usdc = BridgedUSDC(rpc, token.asset.address)
        await rpc.call("anvil_setCode", deployment.SINGLETON_FACTORY_ADDRESS, deployment.SINGLETON_FACTORY_CODE)
        arbiter = await _actor(rpc, database, Account.create(), usdc, 0)
        steps = deployment.plan(token=usdc.address, arbiter=arbiter.address)
        await deployment.deploy(rpc, UnlockedSender(rpc), steps, chain_id=CHAIN_ID, say=lambda _: None)
        router, factory, _, registry = (step.address for step in steps)
        with pytest.MonkeyPatch.context() as patch:
            _record_reads(patch)
            yield Devnet(
                rpc,
                database,
                usdc,
                PaymentRouter(rpc, router),
                AgentWalletFactory(rpc, factory),
                ServiceRegistry(rpc, registry),
                arbiter,
            )


def _record_reads(patch: pytest.MonkeyPatch) -> None:
    """Note each view that answers, and the one whose only answer is its refusal."""
    read = Contract._read

    async def noting(self: Contract, signature: str, *arguments: Any) -> tuple[Any, ...]:
        seen = (type(self).__name__, selector(signature))
        try:
            answer = await read(self, signature, *arguments)
        except TransactionReverted as error:
            if error.facts["revert"]["name"] == "OwnershipIsKept":
                _driven.add(seen)
            raise
        _driven.add(seen)
        return answer

    patch.setattr(Contract, "_read", noting)


@pytest.fixture
async def vault(devnet: Devnet) -> Vault:
    await devnet.morning()
    owner, operator, guardian = [await devnet.actor() for _ in range(3)]
    approvers = tuple(sorted((Account.create() for _ in range(3)), key=lambda one: int(one.address, 16)))
    setup = Setup(
        guardian.address,
        operator.address,
        await devnet.now() + 30 * DAY,
        0,
        tuple(one.address for one in approvers),
        2,
        (
            TokenLimits(NATIVE, 10 * CRO, 5 * CRO, CRO),
            TokenLimits(devnet.usdc.address, DAILY, THRESHOLD, CEILING),
        ),
    )
    mined = await owner.do(devnet.factory, AgentWalletFactory.create_wallet(some_id(), setup))
    await devnet.note_inner_calls(mined)
    created = one_event(WalletCreated, mined, devnet.factory)
    await devnet.mint(created.wallet, 1_000 * USDC)
    await devnet.rpc.call("anvil_setBalance", created.wallet, hex(100 * CRO))
    return Vault(AgentWallet(devnet.rpc, created.wallet), owner, operator, guardian, approvers)


def one_event(kind: Any, mined: Mined, emitter: Contract) -> Any:
    """The one event of this kind that `emitter` emitted."""
    [event] = events(kind, mined, emitter)
    return event


def events(kind: Any, mined: Mined, emitter: Contract) -> list[Any]:
    """All events of this kind that `emitter` emitted, in their order."""
    found = [kind.decode(log, emitter=emitter.address) for log in mined.logs]
    return [event for event in found if event is not None]


# What approvers sign, as a wallet app is given it; written from the guide, and signed by a library that knows nothing of us.

_DOMAIN_FIELDS = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]


def _fields(text: str) -> list[dict[str, str]]:
    return [{"name": part.split()[1], "type": part.split()[0]} for part in text.split(", ")]


_TERMS = "bytes32 intentId, uint256 deadline, uint256 approverSet"
_TYPES = {
    "Payment": _fields(f"address token, address to, uint256 amount, {_TERMS}"),
    "Batch": _fields(f"Transfer[] transfers, {_TERMS}"),
    "Call": _fields(f"address target, uint256 value, bytes data, Spend[] spends, Receive[] receives, {_TERMS}"),
    "SubscriptionCharge": _fields(f"uint256 subscriptionId, address token, address merchant, uint256 amount, {_TERMS}"),
    "Transfer": _fields("address token, address to, uint256 amount"),
    "Spend": _fields("address token, uint256 amountMax"),
    "Receive": _fields("address token, uint256 amountMin"),
}
_PARTS = {"Batch": ("Transfer",), "Call": ("Spend", "Receive")}


def sign(account: LocalAccount, wallet: str, kind: str, message: dict[str, Any]) -> bytes:
    """65 bytes under the whole document: types, domain and message."""
    kinds = (kind, *_PARTS.get(kind, ()))
    document = {
        "types": {"EIP712Domain": _DOMAIN_FIELDS, **{name: _TYPES[name] for name in kinds}},
        "primaryType": kind,
        "domain": {
            "name": "Paygent AgentWallet",
            "version": "1",
            "chainId": CHAIN_ID,
            "verifyingContract": checksum_address(wallet),
        },
        "message": message,
    }
    return bytes(account.sign_typed_data(full_message=document).signature)


async def approve(devnet: Devnet, token: Contract, owner: Actor, spender: str, amount: int) -> None:
    """An ERC-20 allowance."""
    await owner.do(token, encode_call("approve(address,uint256)", spender, amount))
