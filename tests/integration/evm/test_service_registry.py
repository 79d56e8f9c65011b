"""Every function of the ServiceRegistry on a chain: stakes, ratings of recorded payments, and the arbiter."""

from __future__ import annotations

import pytest
from eth_account import Account

from paygent.evm.abi import keccak
from paygent.evm.bindings.payment_router import PaymentRouter
from paygent.evm.bindings.service_registry import (
    ArbiterChanged,
    ArbitrationOffered,
    LeaveRequested,
    Service,
    ServiceLeft,
    ServiceRated,
    ServiceRegistered,
    ServiceRegistry,
    ServiceSlashed,
    ServicesResult,
    ServiceUpdated,
    StakeAdded,
)
from paygent.evm.deployment import LEAVE_DELAY_SECONDS, MIN_STAKE_BASE_UNITS
from tests.support.vault import (
    NATIVE,
    USDC,
    Actor,
    Devnet,
    approve,
    one_event,
    skip_unless_whole,
    some_id,
    undriven,
)

URI = "https://seller.example/terms"
NEUTRAL = 3 * 10**18


@pytest.fixture
async def seller(devnet: Devnet) -> Actor:
    """With 100 USDC, all of which the registry may take."""
    actor = await devnet.actor(usdc=100 * USDC)
    await approve(devnet, devnet.usdc, actor, devnet.registry.address, 100 * USDC)
    return actor


async def registered(devnet: Devnet, seller: Actor, stake: int = MIN_STAKE_BASE_UNITS) -> int:
    data = ServiceRegistry.register(seller.address, URI, stake)
    number: int = one_event(ServiceRegistered, await seller.do(devnet.registry, data), devnet.registry).id
    return number


async def paid(devnet: Devnet, payer: Actor, payee: str, amount: int) -> bytes:
    """A recorded payment; its reference."""
    reference = some_id()
    await approve(devnet, devnet.usdc, payer, devnet.router.address, amount)
    await payer.do(devnet.router, PaymentRouter.pay_recorded(devnet.usdc.address, payee, amount, reference))
    return reference


async def test_what_the_registry_is_can_be_read(devnet: Devnet) -> None:
    registry = devnet.registry
    assert (await registry.token(), await registry.router()) == (devnet.usdc.address, devnet.router.address)
    assert (await registry.min_stake(), await registry.leave_delay()) == (MIN_STAKE_BASE_UNITS, LEAVE_DELAY_SECONDS)
    assert (await registry.stars_max(), await registry.stars_neutral()) == (5, 3)
    assert (await registry.max_uri_bytes(), await registry.prior()) == (512, 100 * USDC)
    assert (await registry.arbiter(), await registry.pending_arbiter()) == (devnet.arbiter.address, NATIVE)


async def test_a_service_is_registered_with_a_stake(devnet: Devnet, seller: Actor) -> None:
    registry, number, stake = devnet.registry, await devnet.registry.service_count() + 1, 20 * USDC
    payee = Account.create().address.lower()
    mined = await seller.do(registry, ServiceRegistry.register(payee, URI, stake))
    expected = ServiceRegistered(number, seller.address, payee, URI, stake)
    assert one_event(ServiceRegistered, mined, registry) == expected
    service = Service(number, seller.address, payee, URI, stake, 0, False, True, 0, 0, NEUTRAL)
    assert await registry.service(number) == service
    assert await registry.services(number - 1, 10) == ServicesResult((service,), number)
    assert await registry.service_count() == number
    assert (await registry.is_active(number), await registry.score_e18(number)) == (True, NEUTRAL)
    assert await registry.is_payee_of(number, payee)
    assert not await registry.is_payee_of(number, seller.address)


async def test_a_service_that_cannot_be_is_refused(devnet: Devnet, seller: Actor) -> None:
    registry, least = devnet.registry, MIN_STAKE_BASE_UNITS
    await seller.cannot(
        registry,
        ServiceRegistry.register(seller.address, URI, least - 1),
        "StakeTooSmall",
        "what the registry asks for",
        stake=least - 1,
        stakeMin=least,
    )
    await seller.cannot(
        registry, ServiceRegistry.register(NATIVE, URI, least), "InvalidPayee", "another payee", payee=NATIVE
    )
    await seller.cannot(
        registry, ServiceRegistry.register(seller.address, "u" * 513, least), "UriTooLong", "shorten it", length=513
    )
    poor = await devnet.actor(usdc=least)
    await poor.cannot(
        registry,
        ServiceRegistry.register(poor.address, URI, least),
        "ERC20InsufficientAllowance",
        "approve more",
        spender=registry.address,
        allowance=0,
        needed=least,
    )


async def test_its_owner_adds_to_the_stake_and_changes_where_it_is_paid(devnet: Devnet, seller: Actor) -> None:
    registry, number, payee = devnet.registry, await registered(devnet, seller), Account.create().address.lower()
    mined = await seller.do(registry, ServiceRegistry.add_stake(number, USDC))
    total = MIN_STAKE_BASE_UNITS + USDC
    assert one_event(StakeAdded, mined, registry) == StakeAdded(number, USDC, total)
    mined = await seller.do(registry, ServiceRegistry.update(number, payee, "ipfs://terms"))
    assert one_event(ServiceUpdated, mined, registry) == ServiceUpdated(number, payee, "ipfs://terms")
    service = await registry.service(number)
    assert (service.stake, service.payee, service.uri) == (total, payee, "ipfs://terms")
    assert await registry.is_payee_of(number, seller.address), "what it earned before stays its own"
    await seller.cannot(registry, ServiceRegistry.add_stake(number, 0), "ZeroAmount", "more than nothing")
    stranger = await devnet.actor()
    for data in (
        ServiceRegistry.add_stake(number, 1),
        ServiceRegistry.update(number, payee, URI),
        ServiceRegistry.request_leave(number),
        ServiceRegistry.take_stake_back(number),
    ):
        await stranger.cannot(
            registry, data, "NotServiceOwner", "who registered the service", id=number, caller=stranger.address
        )


async def test_who_leaves_waits_for_the_stake(devnet: Devnet, seller: Actor) -> None:
    registry, number = devnet.registry, await registered(devnet, seller)
    take = ServiceRegistry.take_stake_back(number)
    await seller.cannot(registry, take, "NotLeavable", "Ask to leave first", id=number, leavableAt=0)
    mined = await seller.do(registry, ServiceRegistry.request_leave(number))
    leavable_at = await devnet.now() + LEAVE_DELAY_SECONDS
    assert one_event(LeaveRequested, mined, registry) == LeaveRequested(number, leavable_at)
    assert not await registry.is_active(number)
    await seller.cannot(registry, take, "NotLeavable", "come back", id=number, leavableAt=leavable_at)
    for data in (ServiceRegistry.add_stake(number, 1), ServiceRegistry.request_leave(number)):
        await seller.cannot(registry, data, "Leaving", "about to leave", id=number, leavableAt=leavable_at)
    await devnet.wait(LEAVE_DELAY_SECONDS)
    before = await devnet.usdc.balance_of(seller.address)
    mined = await seller.do(registry, take)
    stake = MIN_STAKE_BASE_UNITS
    assert one_event(ServiceLeft, mined, registry) == ServiceLeft(number, seller.address, stake)
    assert await devnet.usdc.balance_of(seller.address) == before + stake
    service = await registry.service(number)
    assert (service.has_left, service.stake, service.leavable_at) == (True, 0, leavable_at)
    await seller.cannot(registry, take, "AlreadyLeft", "register another one", id=number)


async def test_a_recorded_payment_is_rated_once_by_its_payer(devnet: Devnet, seller: Actor) -> None:
    registry, number, amount = devnet.registry, await registered(devnet, seller), 100 * USDC
    payer, stranger = await devnet.actor(usdc=amount), await devnet.actor()
    reference = await paid(devnet, payer, seller.address, amount)
    payment_id = await devnet.router.payment_id_of(
        devnet.usdc.address, payer.address, seller.address, amount, reference
    )

    def rate(stars: int = 5, payee: str = seller.address) -> bytes:
        return ServiceRegistry.rate(number, payee, amount, reference, stars)

    for stars in (0, 6):
        await payer.cannot(registry, rate(stars), "InvalidStars", "one to five", stars=stars)
    await payer.cannot(
        registry, rate(payee=payer.address), "NotPayeeOfService", "never paid there", id=number, payee=payer.address
    )
    others = await devnet.router.payment_id_of(devnet.usdc.address, stranger.address, seller.address, amount, reference)
    await stranger.cannot(registry, rate(), "PaymentNotRecorded", "only those can be rated", paymentId=others)
    assert not await registry.is_rated(payment_id)
    mined = await payer.do(registry, rate())
    expected = ServiceRated(number, payer.address, payment_id, amount, 5)
    assert one_event(ServiceRated, mined, registry) == expected
    assert await registry.is_rated(payment_id)
    # 100 USDC at the neutral 3 stars, and as much at 5.
    assert await registry.score_e18(number) == 4 * 10**18
    service = await registry.service(number)
    assert (service.ratings, service.weight) == (1, amount)
    await payer.cannot(registry, rate(1), "AlreadyRated", "rated once", paymentId=payment_id)


async def test_the_arbiter_takes_of_the_stake_and_nobody_else(devnet: Devnet, seller: Actor) -> None:
    registry, number, wronged = devnet.registry, await registered(devnet, seller), Account.create().address.lower()
    reason = keccak(b"decision 1")
    data = ServiceRegistry.slash(number, USDC, wronged, reason)
    await seller.cannot(registry, data, "NotArbiter", "the registry's arbiter", caller=seller.address)
    mined = await devnet.arbiter.do(registry, data)
    left = MIN_STAKE_BASE_UNITS - USDC
    assert one_event(ServiceSlashed, mined, registry) == ServiceSlashed(number, wronged, reason, USDC, left)
    assert await devnet.usdc.balance_of(wronged) == USDC
    assert not await registry.is_active(number)
    await devnet.arbiter.cannot(
        registry,
        ServiceRegistry.slash(number, left + 1, wronged, reason),
        "StakeExceeded",
        "More than the service's stake",
        id=number,
        amount=left + 1,
        stake=left,
    )
    await devnet.arbiter.cannot(
        registry, ServiceRegistry.slash(number, 0, wronged, reason), "ZeroAmount", "more than nothing"
    )


async def test_the_arbiters_place_is_offered_and_taken(devnet: Devnet) -> None:
    registry, arbiter, heir = devnet.registry, devnet.arbiter, await devnet.actor()
    offer, accept = ServiceRegistry.offer_arbitration(heir.address), ServiceRegistry.accept_arbitration()
    await heir.cannot(registry, offer, "NotArbiter", "the registry's arbiter", caller=heir.address)
    await heir.cannot(registry, accept, "NotPendingArbiter", "(offerArbitration)", caller=heir.address)
    mined = await arbiter.do(registry, offer)
    assert one_event(ArbitrationOffered, mined, registry) == ArbitrationOffered(arbiter.address, heir.address)
    assert (await registry.arbiter(), await registry.pending_arbiter()) == (arbiter.address, heir.address)
    mined = await heir.do(registry, accept)
    assert one_event(ArbiterChanged, mined, registry) == ArbiterChanged(arbiter.address, heir.address)
    assert (await registry.arbiter(), await registry.pending_arbiter()) == (heir.address, NATIVE)
    await heir.do(registry, ServiceRegistry.offer_arbitration(arbiter.address))
    await arbiter.do(registry, accept)


def test_every_function_of_the_registry_was_driven(request: pytest.FixtureRequest) -> None:
    skip_unless_whole(request)
    assert undriven("ServiceRegistry") == []
