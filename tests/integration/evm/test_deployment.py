"""Contracts land where they were predicted to, once, however often it is interrupted; what is not ours is said."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from eth_account import Account

from paygent.db.database import Database
from paygent.devnet import chain
from paygent.devnet.deploy import ARBITER, DEV_ACCOUNTS, UnlockedSender, contracts_plan, deploy_token
from paygent.devnet.deploy import deploy as deploy_devnet
from paygent.errors import InvalidInput, TransactionReverted
from paygent.evm import deployment
from paygent.evm.abi import to_bytes, to_hex
from paygent.evm.bindings.agent_wallet_factory import AgentWalletFactory
from paygent.evm.bindings.service_registry import ServiceRegistry
from paygent.evm.deployment import SALT, SINGLETON_FACTORY_ADDRESS, SINGLETON_FACTORY_CODE, Code, Step
from paygent.evm.networks import DEVNET_USDC_ADDRESS
from paygent.evm.rpc import JsonRpc
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.transactions import Mined, TransactionSender

STEPS = contracts_plan()
CREATED = [step.name for step in STEPS if step.creation]


def quiet(_: str) -> None:
    pass


@asynccontextmanager
async def fresh_chain(http: aiohttp.ClientSession, *, fork: str | None = None) -> AsyncIterator[JsonRpc]:
    """A chain of this test's own, with the token and the singleton factory."""
    if fork is None:
        async with await chain.start(binary=chain.find_anvil(None), block_time_seconds=None) as node:
            rpc = JsonRpc(node.rpc_url, http)
            await deploy_token(rpc, chain_id=338)
            await rpc.call("anvil_setCode", SINGLETON_FACTORY_ADDRESS, SINGLETON_FACTORY_CODE)
            yield rpc
        return
    process = await asyncio.create_subprocess_exec(
        chain.find_anvil(None), "--port", "0", "--hardfork", fork, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield JsonRpc("http://" + await chain._listening(process), http)
    finally:
        process.terminate()
        await process.communicate()


@pytest.fixture
async def empty(http: aiohttp.ClientSession) -> AsyncIterator[JsonRpc]:
    async with fresh_chain(http) as rpc:
        yield rpc


class Interrupted(Exception):
    pass


class Dying(UnlockedSender):
    """Ends when it has sent so many, as a process that is killed."""

    def __init__(self, rpc: JsonRpc, lives: int) -> None:
        super().__init__(rpc)
        self.lives = lives

    async def send(self, *, reference: str, to: str, data: bytes) -> Mined:
        if self.lives == 0:
            raise Interrupted
        self.lives -= 1
        return await super().send(reference=reference, to=to, data=data)


async def funded(rpc: JsonRpc) -> KeystoreSigner:
    account = Account.create()
    await rpc.call("anvil_setBalance", account.address, hex(10**20))
    return KeystoreSigner.from_private_key(account.key.hex())


async def nonce(rpc: JsonRpc, address: str = DEV_ACCOUNTS[0].address) -> int:
    return int(await rpc.call("eth_getTransactionCount", address, "latest"), 16)


async def test_each_contract_lands_where_it_was_predicted_to(empty: JsonRpc) -> None:
    """The singleton factory's own code says where; it answers with the address."""
    for step in STEPS:
        if step.creation:
            call = {"to": SINGLETON_FACTORY_ADDRESS, "data": to_hex(SALT + step.creation)}
            if not step.needs:
                assert await empty.call("eth_call", call, "latest") == step.address
    mined = await deployment.deploy(empty, UnlockedSender(empty), STEPS, chain_id=338, say=quiet)
    assert list(mined) == CREATED
    assert set((await deployment.look(empty, STEPS)).values()) == {Code.OURS}
    router, factory, wallet, registry = STEPS
    assert await AgentWalletFactory(empty, factory.address).implementation() == wallet.address
    deployed = ServiceRegistry(empty, registry.address)
    assert await deployed.token() == DEVNET_USDC_ADDRESS
    assert await deployed.router() == router.address
    assert await deployed.arbiter() == ARBITER
    assert (await deployed.min_stake(), await deployed.leave_delay()) == (10_000_000, 7 * 86_400)


@pytest.mark.parametrize("lives", range(len(CREATED) + 1))
async def test_what_was_interrupted_goes_on_and_deploys_each_once(empty: JsonRpc, lives: int) -> None:
    before = await nonce(empty)
    try:
        await deployment.deploy(empty, Dying(empty, lives), STEPS, chain_id=338, say=quiet)
    except Interrupted:
        assert [s.name for s in await deployment.missing(empty, STEPS) if s.creation] == CREATED[lives:]
    await deployment.deploy(empty, UnlockedSender(empty), STEPS, chain_id=338, say=quiet)
    assert await deployment.deploy(empty, UnlockedSender(empty), STEPS, chain_id=338, say=quiet) == {}
    assert await nonce(empty) - before == len(CREATED)


async def test_our_sender_deploys_with_a_gas_limit_that_is_enough(empty: JsonRpc, database: Database) -> None:
    signer = await funded(empty)
    estimate = await deployment.estimate(empty, STEPS, sender=signer.address)
    sender = TransactionSender(database, empty, signer, chain_id=338)
    mined = await deployment.deploy(empty, sender, STEPS, chain_id=338, say=quiet)
    used = {}
    for name, transaction in mined.items():
        receipt = await empty.call("eth_getTransactionReceipt", transaction.hash)
        used[name] = int(receipt["gasUsed"], 16)
    for name, gas in used.items():
        assert gas <= estimate.gas[name] <= gas * 1.1, "what was announced is what it took"
    spent = 10**20 - int(await empty.call("eth_getBalance", signer.address, "latest"), 16)
    assert spent <= estimate.reserve_wei
    for step in STEPS:
        again = await deployment.recall(sender, step, 338)
        assert (again and again.hash) == (mined[step.name].hash if step.name in mined else None)
    assert await nonce(empty, signer.address) == len(CREATED)


async def test_an_empty_account_is_told_what_it_would_take(empty: JsonRpc) -> None:
    stranger = Account.create().address
    estimate = await deployment.estimate(empty, STEPS, sender=stranger)
    assert list(estimate.gas) == CREATED
    assert estimate.cost_wei == sum(estimate.gas.values()) * estimate.price_wei > 0
    assert estimate.reserve_wei == estimate.cost_wei * 5 // 2
    assert await nonce(empty, stranger) == 0


async def test_two_accounts_at_once_deploy_each_contract_once(empty: JsonRpc, database: Database) -> None:
    signers = [await funded(empty) for _ in range(2)]
    both = await asyncio.gather(
        *(
            deployment.deploy(
                empty, TransactionSender(database, empty, signer, chain_id=338), STEPS, chain_id=338, say=quiet
            )
            for signer in signers
        )
    )
    assert set((await deployment.look(empty, STEPS)).values()) == {Code.OURS}
    assert sorted(name for one in both for name in one) == sorted(CREATED), "one of the two is each one's creator"


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
async def test_a_foreign_code_at_an_address_of_ours_is_reported(empty: JsonRpc, step: Step) -> None:
    await empty.call("anvil_setCode", step.address, "0x60016001")
    assert (await deployment.look(empty, STEPS))[step.name] is Code.FOREIGN
    before = await nonce(empty)
    with pytest.raises(InvalidInput, match=f"not that of {step.name}"):
        await deployment.deploy(empty, UnlockedSender(empty), STEPS, chain_id=338, say=quiet)
    assert await nonce(empty) == before


async def test_one_byte_beside_the_immutables_is_foreign(empty: JsonRpc) -> None:
    await deployment.deploy(empty, UnlockedSender(empty), STEPS, chain_id=338, say=quiet)
    for step in STEPS:
        code = bytearray(to_bytes(await empty.call("eth_getCode", step.address, "latest")))
        assert len(code) > 100
        code[40] ^= 1
        await empty.call("anvil_setCode", step.address, to_hex(bytes(code)))
        assert (await deployment.look(empty, STEPS))[step.name] is Code.FOREIGN


async def test_a_chain_without_cancun_is_refused_before_anything_is_sent(http: aiohttp.ClientSession) -> None:
    async with fresh_chain(http, fork="shanghai") as rpc:
        await rpc.call("anvil_setCode", SINGLETON_FACTORY_ADDRESS, SINGLETON_FACTORY_CODE)
        with pytest.raises(InvalidInput, match="Cancun"):
            await deployment.deploy(rpc, UnlockedSender(rpc), STEPS, chain_id=338, say=quiet)
        assert await nonce(rpc) == 0
    async with fresh_chain(http, fork="cancun") as rpc:
        await rpc.call("anvil_setCode", SINGLETON_FACTORY_ADDRESS, SINGLETON_FACTORY_CODE)
        await deployment.check_chain(rpc)


async def test_a_chain_without_the_singleton_factory_is_told_what_to_do(empty: JsonRpc) -> None:
    await empty.call("anvil_setCode", SINGLETON_FACTORY_ADDRESS, "0x")
    with pytest.raises(InvalidInput, match="safe-singleton-factory"):
        await deployment.check_chain(empty)
    await empty.call("anvil_setCode", SINGLETON_FACTORY_ADDRESS, "0x00")
    with pytest.raises(InvalidInput, match="not the Safe singleton factory"):
        await deployment.check_chain(empty)


async def test_a_constructor_that_refuses_says_why(empty: JsonRpc) -> None:
    """The registry wants a token that is there. The singleton factory would swallow the reason."""
    before = await nonce(empty)
    steps = deployment.plan(token="0x" + "12" * 20, arbiter=ARBITER)
    with pytest.raises(TransactionReverted, match=r"ServiceRegistry cannot be deployed: InvalidConfiguration\(\)"):
        await deployment.deploy(empty, UnlockedSender(empty), steps, chain_id=338, say=quiet)
    assert await nonce(empty) - before == len(CREATED) - 1
    with pytest.raises(TransactionReverted, match="InvalidConfiguration"):
        await deployment.estimate(empty, steps[-1:], sender=ARBITER)


async def test_a_devnet_of_before_gets_the_contracts_too(empty: JsonRpc) -> None:
    """Its token is there, the dev account has sent things since, and there is no singleton factory."""
    await empty.call("anvil_setCode", SINGLETON_FACTORY_ADDRESS, "0x")
    for _ in range(2):
        token = await deploy_devnet(empty, chain_id=338)
        assert token.asset.address == DEVNET_USDC_ADDRESS
        assert set((await deployment.look(empty, STEPS)).values()) == {Code.OURS}
