"""Every function of the PaymentRouter on a chain: batches, shares, signed payments and subscriptions."""

from __future__ import annotations

import pytest
from eth_account import Account

from paygent.evm.abi import keccak, selector
from paygent.evm.bindings.payment_router import (
    BatchPaid,
    BatchSettled,
    ItemFailed,
    Payment,
    PaymentMade,
    PaymentRecorded,
    PaymentRouter,
    Share,
    SplitPaid,
    Subscribed,
    Subscription,
    SubscriptionCancelled,
    SubscriptionCharged,
)
from paygent.evm.eip3009 import TransferAuthorization
from paygent.evm.signers.keystore import KeystoreSigner
from paygent.evm.tokens import Eip3009Token
from tests.bench.settle_batch import ITEM_GAS, pack_item
from tests.support.vault import (
    CHAIN_ID,
    CRO,
    DAY,
    NATIVE,
    PAYEE,
    USDC,
    Actor,
    Devnet,
    approve,
    events,
    one_event,
    skip_unless_whole,
    some_id,
    undriven,
)

WEEK = 7 * DAY


@pytest.fixture
async def payer(devnet: Devnet) -> Actor:
    """With 1,000 USDC, all of which the router may take."""
    actor = await devnet.actor(usdc=1_000 * USDC)
    await approve(devnet, devnet.usdc, actor, devnet.router.address, 1_000 * USDC)
    return actor


async def test_many_are_paid_at_once_in_a_token(devnet: Devnet, payer: Actor) -> None:
    router, token, payees = devnet.router, devnet.usdc.address, [(await devnet.actor()).address for _ in range(3)]
    payments = [Payment(payee, amount * USDC) for amount, payee in enumerate(payees, 1)]
    mined = await payer.do(router, PaymentRouter.batch_pay(token, payments))
    assert events(PaymentMade, mined, router) == [
        PaymentMade(token, payer.address, one.to, one.amount) for one in payments
    ]
    assert one_event(BatchPaid, mined, router) == BatchPaid(token, payer.address, 3, 6 * USDC)
    assert [await devnet.usdc.balance_of(payee) for payee in payees] == [USDC, 2 * USDC, 3 * USDC]


async def test_many_are_paid_at_once_in_cro(devnet: Devnet, payer: Actor) -> None:
    router, payee = devnet.router, Account.create().address.lower()
    payments = [Payment(payee, CRO), Payment(payee, 2)]
    mined = await payer.do(router, PaymentRouter.batch_pay(NATIVE, payments), value=CRO + 2)
    assert one_event(BatchPaid, mined, router) == BatchPaid(NATIVE, payer.address, 2, CRO + 2)
    assert await devnet.coins(payee) == CRO + 2
    data = PaymentRouter.batch_pay(NATIVE, payments)
    await payer.cannot(router, data, "WrongValue", "Send along exactly", value=CRO, expected=CRO + 2, sent=CRO)
    token = PaymentRouter.batch_pay(devnet.usdc.address, payments)
    await payer.cannot(router, token, "WrongValue", "none where a token is paid", value=1, expected=0, sent=1)


async def test_one_bad_item_and_nobody_is_paid(devnet: Devnet, payer: Actor) -> None:
    router, token, good = devnet.router, devnet.usdc.address, Payment(PAYEE, USDC)
    before = await devnet.usdc.balance_of(PAYEE)

    def pay(*payments: Payment) -> bytes:
        return PaymentRouter.batch_pay(token, payments)

    await payer.cannot(router, pay(), "EmptyBatch", "at least one payment")
    await payer.cannot(router, pay(good, Payment(PAYEE, 0)), "ZeroAmount", "more than nothing")
    for lost in (NATIVE, router.address):
        await payer.cannot(router, pay(good, Payment(lost, 1)), "InvalidPayee", "another payee", payee=lost)
    await payer.cannot(
        router, pay(good, Payment(payer.address, 1)), "SelfTransfer", "another payee", account=payer.address
    )
    stranger = await devnet.actor(usdc=USDC)
    await stranger.cannot(
        router,
        pay(good),
        "ERC20InsufficientAllowance",
        "approve more",
        spender=router.address,
        allowance=0,
        needed=USDC,
    )
    await approve(devnet, devnet.usdc, stranger, router.address, 2 * USDC)
    await stranger.cannot(
        router,
        pay(good, good),
        "ERC20InsufficientBalance",
        "pay less",
        sender=stranger.address,
        balance=0,
        needed=USDC,
    )
    assert await devnet.usdc.balance_of(PAYEE) == before


async def test_an_amount_is_divided_and_the_last_one_gets_what_rounding_leaves(devnet: Devnet, payer: Actor) -> None:
    router, token = devnet.router, devnet.usdc.address
    one, two = (Account.create().address.lower() for _ in range(2))
    shares = [Share(one, 3_333), Share(two, 6_667)]
    mined = await payer.do(router, PaymentRouter.split_pay(token, 100, shares))
    assert [made.amount for made in events(PaymentMade, mined, router)] == [33, 67]
    assert one_event(SplitPaid, mined, router) == SplitPaid(token, payer.address, 2, 100)
    assert (await devnet.usdc.balance_of(one), await devnet.usdc.balance_of(two)) == (33, 67)
    mined = await payer.do(router, PaymentRouter.split_pay(NATIVE, 100, shares), value=100)
    assert one_event(SplitPaid, mined, router) == SplitPaid(NATIVE, payer.address, 2, 100)
    assert (await devnet.coins(one), await devnet.coins(two)) == (33, 67)
    assert await router.basis_points() == 10_000

    def split(*parts: int, amount: int = 100) -> bytes:
        return PaymentRouter.split_pay(token, amount, [Share(one, part) for part in parts])

    await payer.cannot(router, split(), "EmptyBatch", "at least one")
    await payer.cannot(router, split(10_000, amount=0), "ZeroAmount", "more than nothing")
    await payer.cannot(router, split(5_000, 5_001), "WrongShareSum", "must sum to 10000", basisPoints=10_001)
    await payer.cannot(router, split(10_000, 0), "EmptyShare", "at least one basis point", index=1)
    await payer.cannot(
        router,
        PaymentRouter.split_pay(NATIVE, 100, shares),
        "WrongValue",
        "Send along exactly",
        value=99,
        expected=100,
        sent=99,
    )


async def test_a_recorded_payment_is_made_once(devnet: Devnet, payer: Actor) -> None:
    router, token, reference = devnet.router, devnet.usdc.address, some_id()
    payee = Account.create().address.lower()
    payment_id = await router.payment_id_of(token, payer.address, payee, USDC, reference)
    assert not await router.is_recorded(payment_id)
    data = PaymentRouter.pay_recorded(token, payee, USDC, reference)
    mined = await payer.do(router, data)
    expected = PaymentRecorded(payment_id, payer.address, payee, token, USDC, reference)
    assert one_event(PaymentRecorded, mined, router) == expected
    assert await router.is_recorded(payment_id)
    assert await devnet.usdc.balance_of(payee) == USDC
    await payer.cannot(router, data, "PaymentAlreadyRecorded", "another reference", paymentId=payment_id)
    await payer.cannot(
        router, PaymentRouter.pay_recorded(token, payee, 0, some_id()), "ZeroAmount", "more than nothing"
    )
    await payer.cannot(
        router, PaymentRouter.pay_recorded(token, NATIVE, 1, some_id()), "InvalidPayee", "is lost", payee=NATIVE
    )


async def signed_items(
    devnet: Devnet, payee: str, amounts: list[int]
) -> tuple[list[bytes], list[TransferAuthorization]]:
    """Payments that somebody signed who has 5 USDC and no gas."""
    token = await Eip3009Token.open(devnet.rpc, chain_id=CHAIN_ID, address=devnet.usdc.address)
    signer = KeystoreSigner.from_private_key(Account.create().key.hex())
    await devnet.mint(signer.address, 5 * USDC)
    authorizations = [
        TransferAuthorization(signer.address, payee, amount, 0, 2**40, keccak(some_id())) for amount in amounts
    ]
    items = [pack_item(one, await signer.sign_digest(one.digest(token.domain))) for one in authorizations]
    return items, authorizations


async def test_signed_payments_are_settled_together_and_a_bad_one_alone_fails(devnet: Devnet, payer: Actor) -> None:
    router, token, payee = devnet.router, devnet.usdc.address, Account.create().address.lower()
    items, signed = await signed_items(devnet, payee, [USDC, 5 * USDC, 2 * USDC])
    mined = await payer.do(router, PaymentRouter.settle_batch(token, ITEM_GAS, b"".join(items)))
    assert one_event(BatchSettled, mined, router) == BatchSettled(token, ITEM_GAS, 3, (0b101,))
    reason = selector("ERC20InsufficientBalance(address,uint256,uint256)")
    assert one_event(ItemFailed, mined, router) == ItemFailed(token, signed[1].payer, signed[1].nonce, 1, reason)
    assert await devnet.usdc.balance_of(payee) == 3 * USDC
    mined = await payer.do(router, PaymentRouter.settle_batch(token, ITEM_GAS, items[0]))
    assert one_event(BatchSettled, mined, router).settled == (0,)
    reason = selector("ERC3009UsedAuthorization(address,bytes32)")
    assert one_event(ItemFailed, mined, router).reason == reason
    assert await router.item_bytes() == len(items[0])
    await payer.cannot(router, PaymentRouter.settle_batch(token, ITEM_GAS, b""), "EmptyBatch", "nothing in it")
    await payer.cannot(
        router, PaymentRouter.settle_batch(token, ITEM_GAS, b"short"), "MalformedItems", "164 bytes each", length=5
    )


async def test_signed_payments_are_settled_and_recorded(devnet: Devnet, payer: Actor) -> None:
    router, token, payee = devnet.router, devnet.usdc.address, Account.create().address.lower()
    [item], [signed] = await signed_items(devnet, payee, [USDC])
    mined = await payer.do(router, PaymentRouter.settle_batch_recorded(token, ITEM_GAS, item))
    assert one_event(BatchSettled, mined, router).settled == (1,)
    payment_id = await router.payment_id_of(token, signed.payer, payee, USDC, signed.nonce)
    expected = PaymentRecorded(payment_id, signed.payer, payee, token, USDC, signed.nonce)
    assert one_event(PaymentRecorded, mined, router) == expected
    assert await router.is_recorded(payment_id)


async def test_a_merchant_charges_once_in_each_period_until_it_ends(devnet: Devnet, payer: Actor) -> None:
    router, token, merchant, stranger = devnet.router, devnet.usdc.address, await devnet.actor(), await devnet.actor()
    count = await router.subscription_count()
    mined = await payer.do(router, PaymentRouter.subscribe(merchant.address, token, USDC, WEEK, 2, 0))
    number, starts = count + 1, await devnet.now()
    assert await router.subscription_count() == number
    expected = Subscribed(number, payer.address, merchant.address, token, USDC, WEEK, 2, starts)
    assert one_event(Subscribed, mined, router) == expected
    assert await router.subscription(number) == Subscription(
        payer.address, merchant.address, token, USDC, WEEK, 2, starts, 0, starts, False
    )
    assert await router.is_due(number)
    charge = PaymentRouter.charge(number)
    await stranger.cannot(
        router, charge, "NotParty", "Only its payer and its merchant", id=number, caller=stranger.address
    )
    mined = await merchant.do(router, charge)
    charged = SubscriptionCharged(number, payer.address, merchant.address, token, USDC, 1, starts + WEEK)
    assert one_event(SubscriptionCharged, mined, router) == charged
    assert not await router.is_due(number)
    assert await devnet.usdc.balance_of(merchant.address) == USDC
    await merchant.cannot(router, charge, "NotDue", "once a period", id=number, nextChargeAt=starts + WEEK)
    await devnet.wait(WEEK)
    await payer.do(router, charge)
    assert (await router.subscription(number)).charged == 2
    await devnet.wait(WEEK)
    await merchant.cannot(router, charge, "Ended", "subscribe again", id=number, endedAt=starts + 2 * WEEK)


async def test_a_subscription_is_cancelled_by_a_party_and_for_good(devnet: Devnet, payer: Actor) -> None:
    router, token, merchant, stranger = devnet.router, devnet.usdc.address, await devnet.actor(), await devnet.actor()
    mined = await payer.do(router, PaymentRouter.subscribe(merchant.address, token, USDC, WEEK, 2, 0))
    number = one_event(Subscribed, mined, router).id
    cancel = PaymentRouter.cancel(number)
    await stranger.cannot(
        router, cancel, "NotParty", "Only its payer and its merchant", id=number, caller=stranger.address
    )
    mined = await merchant.do(router, cancel)
    expected = SubscriptionCancelled(number, payer.address, merchant.address, merchant.address)
    assert one_event(SubscriptionCancelled, mined, router) == expected
    assert (await router.subscription(number)).cancelled
    for data in (cancel, PaymentRouter.charge(number)):
        await payer.cannot(router, data, "AlreadyCancelled", "nothing more can be charged", id=number)


async def test_a_subscription_that_could_not_be_charged_is_refused(devnet: Devnet, payer: Actor) -> None:
    router, token, merchant = devnet.router, devnet.usdc.address, await devnet.actor()

    def subscribe(payee: str = merchant.address, asset: str = token, amount: int = 1, period: int = WEEK) -> bytes:
        return PaymentRouter.subscribe(payee, asset, amount, period, 2, 2**40)

    await payer.cannot(router, subscribe(payee=NATIVE), "InvalidPayee", "another payee", payee=NATIVE)
    await payer.cannot(router, subscribe(payee=payer.address), "InvalidPayee", "in a circle", payee=payer.address)
    await payer.cannot(router, subscribe(asset=PAYEE), "InvalidToken", "no token at this address", token=PAYEE)
    await payer.cannot(router, subscribe(amount=0), "ZeroAmount", "more than nothing")
    await payer.cannot(
        router, subscribe(period=0), "InvalidSchedule", "It needs a period", period=0, count=2, startsAt=2**40
    )
    await payer.cannot(
        router,
        PaymentRouter.subscribe(merchant.address, token, 1, WEEK, 2, 1),
        "InvalidSchedule",
        "a start that is not over",
        period=WEEK,
        count=2,
        startsAt=1,
    )
    number = await router.subscription_count()
    await payer.do(router, subscribe())
    await payer.cannot(
        router, PaymentRouter.charge(number + 1), "NotDue", "try again", id=number + 1, nextChargeAt=2**40
    )


def test_every_function_of_the_router_was_driven(request: pytest.FixtureRequest) -> None:
    skip_unless_whole(request)
    assert undriven("PaymentRouter") == []
