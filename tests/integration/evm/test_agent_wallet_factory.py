"""Every function of the AgentWalletFactory on a chain: a wallet that is known before it is, and ready once it is."""

from __future__ import annotations

import pytest

from paygent.evm.abi import selector
from paygent.evm.bindings.agent_wallet import AgentWallet, LimitKind
from paygent.evm.bindings.agent_wallet_factory import AgentWalletFactory, Setup, TokenLimits, WalletCreated
from tests.support.vault import (
    CRO,
    DAY,
    NATIVE,
    PAYEE,
    USDC,
    Devnet,
    Vault,
    one_event,
    skip_unless_whole,
    some_id,
    undriven,
)

EMPTY = Setup(NATIVE, NATIVE, 0, 0, (), 0, ())


async def test_a_wallet_is_made_ready_where_it_was_predicted_and_paid_before(devnet: Devnet) -> None:
    factory, owner, salt, token = devnet.factory, await devnet.actor(), some_id(), devnet.usdc.address
    operator, guardian, approver = [(await devnet.actor()).address for _ in range(3)]
    address = await factory.wallet_of(owner.address, salt)
    await devnet.mint(address, USDC)
    until = await devnet.now() + DAY
    limits = (TokenLimits(NATIVE, 3 * CRO, 2 * CRO, CRO), TokenLimits(token, 30, 20, 10))
    setup = Setup(guardian, operator, until, DAY, (approver,), 1, limits)
    mined = await owner.do(factory, AgentWalletFactory.create_wallet(salt, setup))
    assert one_event(WalletCreated, mined, factory) == WalletCreated(owner.address, address, salt)
    wallet = AgentWallet(devnet.rpc, address)
    assert (await wallet.owner(), await wallet.pending_owner()) == (owner.address, NATIVE)
    assert (await wallet.guardian(), await wallet.operator_expires_at(operator)) == (guardian, until)
    assert (await wallet.is_approver(approver), await wallet.quorum(), await wallet.raise_delay()) == (True, 1, DAY)
    for one in limits:
        written = [await wallet.limit_of(kind, one.token) for kind in LimitKind]
        assert written == [one.daily, one.approval_threshold, one.pocket_ceiling]
    await owner.do(wallet, AgentWallet.withdraw(token, owner.address, USDC))
    assert await devnet.usdc.balance_of(owner.address) == USDC


async def test_a_salt_is_each_owners_own_and_good_once(devnet: Devnet) -> None:
    factory, salt, one, other = devnet.factory, some_id(), await devnet.actor(), await devnet.actor()
    data = AgentWalletFactory.create_wallet(salt, EMPTY)
    wallets = [one_event(WalletCreated, await actor.do(factory, data), factory).wallet for actor in (one, other)]
    assert wallets == [await factory.wallet_of(actor.address, salt) for actor in (one, other)]
    assert wallets[0] != wallets[1]
    await one.cannot(factory, data, "FailedDeployment", "choose another salt")


async def test_what_the_wallet_would_refuse_no_wallet_begins_with(devnet: Devnet) -> None:
    factory, owner = devnet.factory, await devnet.actor()

    def create(operator: str = NATIVE, until: int = 0, approvers: tuple[str, ...] = (), quorum: int = 0) -> bytes:
        return AgentWalletFactory.create_wallet(some_id(), Setup(NATIVE, operator, until, 0, approvers, quorum, ()))

    await owner.cannot(factory, create(operator=PAYEE, until=1), "ExpiryInThePast", "still to come", expiresAt=1)
    await owner.cannot(
        factory, create(approvers=(PAYEE,), quorum=2), "InvalidQuorum", "no more than there are", quorum=2, approvers=1
    )
    await owner.cannot(
        factory, create(approvers=(PAYEE, PAYEE), quorum=1), "InvalidApprovers", "rising order", approver=PAYEE
    )
    await owner.cannot(
        factory,
        create(operator=PAYEE, until=2**40, approvers=(PAYEE,), quorum=1),
        "InvalidOperator",
        "one of its approvers",
        operator=PAYEE,
    )


async def test_what_no_operator_may_call_can_be_asked(devnet: Devnet) -> None:
    for signature, forbidden in (
        ("transfer(address,uint256)", True),
        ("setApprovalForAll(address,bool)", True),
        ("multicall(bytes[])", True),
        ("balanceOf(address)", False),
    ):
        assert await devnet.factory.is_forbidden(selector(signature)) is forbidden


async def test_what_all_wallets_are_copies_of_is_nobodys(devnet: Devnet, vault: Vault) -> None:
    implementation = AgentWallet(devnet.rpc, await devnet.factory.implementation())
    assert await implementation.owner() == await implementation.factory() == devnet.factory.address
    code = await devnet.rpc.call("eth_getCode", vault.wallet.address, "latest")
    assert code == f"0x363d3d373d3d3d363d73{implementation.address[2:]}5af43d82803e903d91602b57fd5bf3"
    stranger = await devnet.actor()
    await stranger.cannot(
        implementation,
        AgentWallet.initialize(stranger.address),
        "NotFactory",
        "Only the factory begins a wallet",
        caller=stranger.address,
    )


def test_every_function_of_the_factory_was_driven(request: pytest.FixtureRequest) -> None:
    skip_unless_whole(request)
    assert undriven("AgentWalletFactory") == []
