"""Every function of an AgentWallet on a chain: what it does and tells, and in which words it refuses."""

from __future__ import annotations

import pytest
from eth_account import Account

from paygent.errors import TransactionReverted
from paygent.evm.abi import checksum_address, encode_call, selector, to_address, to_bytes
from paygent.evm.bindings import payment_router as router_bindings
from paygent.evm.bindings.agent_wallet import (
    AgentWallet,
    AllowlistSet,
    Approval,
    ApproversSet,
    Call,
    CallAllowed,
    CallDisallowed,
    Called,
    CallRule,
    Eip712DomainResult,
    GuardianSet,
    Limit,
    LimitKind,
    LimitSet,
    NftWithdrawn,
    OperatorSet,
    OwnershipTransferred,
    OwnershipTransferStarted,
    Paid,
    Paused,
    RaiseDelaySet,
    Receive,
    Received,
    RecipientSet,
    Refilled,
    Spend,
    Spent,
    SubscriptionCharged,
    Transfer,
    Unpaused,
    Watched,
    WatchedKind,
    WatchedSet,
    Withdrawn,
)
from paygent.evm.bindings.payment_router import PaymentRouter
from paygent.evm.calls import Contract
from tests.support.vault import (
    CEILING,
    CRO,
    DAILY,
    DAY,
    NATIVE,
    NONE,
    PAYEE,
    THRESHOLD,
    USDC,
    Actor,
    Devnet,
    Vault,
    events,
    one_event,
    sign,
    skip_unless_whole,
    some_id,
    undriven,
)

BUY = "buy(address,uint256,address)"
BUY_SELECTOR = selector(BUY)
RECIPIENT_OFFSET = 64
MONTH = 30 * DAY
ZERO = NATIVE


async def test_the_owner_names_prolongs_and_removes_operators(devnet: Devnet, vault: Vault) -> None:
    wallet, other, third = vault.wallet, await devnet.actor(), await devnet.actor()
    until = await devnet.now() + DAY
    mined = await vault.owner.do(wallet, AgentWallet.set_operator(other.address, until))
    assert one_event(OperatorSet, mined, wallet) == OperatorSet(other.address, until)
    assert await wallet.operator_expires_at(other.address) == until
    assert await wallet.is_operator(other.address)
    mined = await vault.owner.do(wallet, AgentWallet.rotate_operator(other.address, third.address, until))
    assert events(OperatorSet, mined, wallet) == [OperatorSet(other.address, 0), OperatorSet(third.address, until)]
    assert (await wallet.is_operator(other.address), await wallet.is_operator(third.address)) == (False, True)
    mined = await vault.owner.do(wallet, AgentWallet.revoke_operator(third.address))
    assert one_event(OperatorSet, mined, wallet) == OperatorSet(third.address, 0)
    assert await wallet.operator_expires_at(third.address) == 0
    await vault.owner.cannot(
        wallet, AgentWallet.set_operator(ZERO, until), "InvalidOperator", "neither zero", operator=ZERO
    )
    approver = vault.approvers[0].address.lower()
    await vault.owner.cannot(
        wallet, AgentWallet.set_operator(approver, until), "InvalidOperator", "its approvers", operator=approver
    )
    await vault.owner.cannot(
        wallet, AgentWallet.set_operator(other.address, 1), "ExpiryInThePast", "still to come", expiresAt=1
    )


async def test_only_the_owner_changes_settings(devnet: Devnet, vault: Vault) -> None:
    token, item = devnet.usdc.address, Watched(devnet.usdc.address, WatchedKind.BALANCE, 0)
    calls = [
        AgentWallet.set_operator(PAYEE, 2**40),
        AgentWallet.revoke_operator(PAYEE),
        AgentWallet.rotate_operator(PAYEE, PAYEE, 2**40),
        AgentWallet.set_guardian(PAYEE),
        AgentWallet.unpause(),
        AgentWallet.set_approvers([], 0),
        AgentWallet.set_limit(LimitKind.DAILY, token, 1),
        AgentWallet.set_raise_delay(1),
        AgentWallet.set_allowlist(True),
        AgentWallet.set_recipient(PAYEE, True),
        AgentWallet.allow_call(token, BUY_SELECTOR, []),
        AgentWallet.disallow_call(token, BUY_SELECTOR),
        AgentWallet.watch(item),
        AgentWallet.unwatch(item),
        AgentWallet.withdraw(token, PAYEE, 1),
        AgentWallet.withdraw_erc721(token, PAYEE, 1),
        AgentWallet.withdraw_erc1155(token, PAYEE, 1, 1),
        AgentWallet.transfer_ownership(PAYEE),
        AgentWallet.accept_ownership(),
    ]
    for actor in (vault.operator, vault.guardian):
        for data in calls:
            await actor.cannot(
                vault.wallet, data, "OwnableUnauthorizedAccount", "Only the owner", account=actor.address
            )


async def test_only_operators_spend(devnet: Devnet, vault: Vault) -> None:
    token = devnet.usdc.address
    calls = [
        AgentWallet.execute_payment(token, PAYEE, 1, some_id(), NONE),
        AgentWallet.execute_batch([Transfer(token, PAYEE, 1)], some_id(), NONE),
        AgentWallet.execute_call(Call(token, 0, BUY_SELECTOR, (), ()), some_id(), NONE),
        AgentWallet.charge_subscription(1, some_id(), NONE),
        AgentWallet.refill(token),
    ]
    for actor in (vault.owner, vault.guardian):
        for data in calls:
            await actor.cannot(vault.wallet, data, "NotOperator", "has not named this", caller=actor.address)
    await devnet.wait(30 * DAY)
    for data in calls:
        await vault.operator.cannot(
            vault.wallet, data, "NotOperator", "or its time is over (setOperator)", caller=vault.operator.address
        )


async def test_the_guardian_stops_operators_and_the_owner_lets_them_act_again(devnet: Devnet, vault: Vault) -> None:
    wallet, token, guardian = vault.wallet, devnet.usdc.address, await devnet.actor()
    mined = await vault.owner.do(wallet, AgentWallet.set_guardian(guardian.address))
    assert one_event(GuardianSet, mined, wallet) == GuardianSet(guardian.address)
    assert await wallet.guardian() == guardian.address
    for actor in (vault.guardian, vault.operator):
        await actor.cannot(wallet, AgentWallet.pause(), "NotGuardian", "guardian and its owner", caller=actor.address)
    await vault.owner.cannot(wallet, AgentWallet.unpause(), "ExpectedPause", "not paused")
    mined = await guardian.do(wallet, AgentWallet.pause())
    assert one_event(Paused, mined, wallet) == Paused(guardian.address)
    assert await wallet.paused()
    for data in (
        AgentWallet.execute_payment(token, PAYEE, 1, some_id(), NONE),
        AgentWallet.execute_batch([Transfer(token, PAYEE, 1)], some_id(), NONE),
        AgentWallet.execute_call(Call(token, 0, BUY_SELECTOR, (), ()), some_id(), NONE),
        AgentWallet.charge_subscription(1, some_id(), NONE),
        AgentWallet.refill(token),
    ):
        await vault.operator.cannot(wallet, data, "EnforcedPause", "only its owner can let operators act again")
    await guardian.cannot(
        wallet, AgentWallet.unpause(), "OwnableUnauthorizedAccount", "Only the owner", account=guardian.address
    )
    mined = await vault.owner.do(wallet, AgentWallet.unpause())
    assert one_event(Unpaused, mined, wallet) == Unpaused(vault.owner.address)
    assert not await wallet.paused()
    await vault.pay(devnet, 1)


async def test_ownership_changes_in_two_steps_and_is_never_given_up(devnet: Devnet, vault: Vault) -> None:
    wallet, heir, owner = vault.wallet, await devnet.actor(), vault.owner.address
    mined = await vault.owner.do(wallet, AgentWallet.transfer_ownership(heir.address))
    assert one_event(OwnershipTransferStarted, mined, wallet) == OwnershipTransferStarted(owner, heir.address)
    assert (await wallet.owner(), await wallet.pending_owner()) == (owner, heir.address)
    await vault.guardian.cannot(
        wallet,
        AgentWallet.accept_ownership(),
        "OwnableUnauthorizedAccount",
        "Only the owner",
        account=vault.guardian.address,
    )
    mined = await heir.do(wallet, AgentWallet.accept_ownership())
    assert one_event(OwnershipTransferred, mined, wallet) == OwnershipTransferred(owner, heir.address)
    assert (await wallet.owner(), await wallet.pending_owner()) == (heir.address, ZERO)
    await vault.owner.cannot(
        wallet, AgentWallet.set_allowlist(True), "OwnableUnauthorizedAccount", "Only the owner", account=owner
    )
    with pytest.raises(TransactionReverted, match=r"OwnershipIsKept\(\): A wallet always has an owner"):
        await wallet.renounce_ownership()
    await heir.cannot(
        wallet, AgentWallet.initialize(heir.address), "NotFactory", "Only the factory", caller=heir.address
    )


async def test_a_lower_limit_holds_at_once_and_a_higher_one_waits(devnet: Devnet, vault: Vault) -> None:
    wallet, token = vault.wallet, devnet.usdc.address
    for kind, value in ((LimitKind.DAILY, DAILY), (LimitKind.APPROVAL_THRESHOLD, THRESHOLD)):
        assert await wallet.limit_of(kind, token) == value
    assert await wallet.limit_of(LimitKind.POCKET_CEILING, token) == CEILING
    mined = await vault.owner.do(wallet, AgentWallet.set_raise_delay(DAY))
    assert one_event(RaiseDelaySet, mined, wallet) == RaiseDelaySet(DAY, await devnet.now())
    assert await wallet.raise_delay() == DAY
    mined = await vault.owner.do(wallet, AgentWallet.set_limit(LimitKind.POCKET_CEILING, token, 5))
    expected = LimitSet(LimitKind.POCKET_CEILING, token, 5, await devnet.now())
    assert one_event(LimitSet, mined, wallet) == expected
    assert await wallet.scheduled_limit_of(LimitKind.POCKET_CEILING, token) == Limit(5, 0, 0)
    mined = await vault.owner.do(wallet, AgentWallet.set_limit(LimitKind.DAILY, token, DAILY + 1))
    holds_from = await devnet.now() + DAY
    assert one_event(LimitSet, mined, wallet) == LimitSet(LimitKind.DAILY, token, DAILY + 1, holds_from)
    assert await wallet.limit_of(LimitKind.DAILY, token) == DAILY
    assert await wallet.scheduled_limit_of(LimitKind.DAILY, token) == Limit(DAILY, DAILY + 1, holds_from)
    await devnet.wait(DAY)
    assert await wallet.limit_of(LimitKind.DAILY, token) == DAILY + 1
    too_long = await wallet.raise_delay_max() + 1
    await vault.owner.cannot(
        wallet, AgentWallet.set_raise_delay(too_long), "RaiseDelayTooLong", "30 days at most", delay=too_long
    )


async def test_a_payment_leaves_within_the_day_and_once_per_intent(devnet: Devnet, vault: Vault) -> None:
    wallet, token, operator, intent = vault.wallet, devnet.usdc.address, vault.operator, some_id()
    payee = (await devnet.actor()).address
    data = AgentWallet.execute_payment(token, payee, 40 * USDC, intent, NONE)
    assert not await wallet.is_executed(intent)
    mined = await operator.do(wallet, data)
    assert one_event(Paid, mined, wallet) == Paid(intent, token, payee, 40 * USDC, operator.address)
    assert await devnet.usdc.balance_of(payee) == 40 * USDC
    assert await wallet.is_executed(intent)
    assert (await wallet.spent_today(token), await wallet.remaining_today(token)) == (40 * USDC, 60 * USDC)
    await operator.cannot(wallet, data, "IntentExecuted", "carried out already", intentId=intent)

    coins = await devnet.coins(payee)
    intent = some_id()
    mined = await operator.do(wallet, AgentWallet.execute_payment(NATIVE, payee, 3 * CRO, intent, NONE))
    assert one_event(Paid, mined, wallet) == Paid(intent, NATIVE, payee, 3 * CRO, operator.address)
    assert await devnet.coins(payee) == coins + 3 * CRO

    await vault.pay(devnet, 50 * USDC)
    over = AgentWallet.execute_payment(token, payee, 10 * USDC + 1, some_id(), NONE)
    await operator.cannot(
        wallet,
        over,
        "DailyLimitExceeded",
        "wait for the next UTC day",
        token=token,
        amount=10 * USDC + 1,
        remaining=10 * USDC,
    )
    await devnet.morning()
    await operator.do(wallet, over)
    assert await wallet.spent_today(token) == 10 * USDC + 1


async def test_a_payment_that_is_none_is_refused(devnet: Devnet, vault: Vault) -> None:
    wallet, token, operator = vault.wallet, devnet.usdc.address, vault.operator

    def pay(to: str, amount: int, intent: bytes = b"", paid: str = token) -> bytes:
        return AgentWallet.execute_payment(paid, to, amount, intent or some_id(), NONE)

    await operator.cannot(wallet, pay(PAYEE, 1, bytes(32)), "InvalidIntentId", "nobody's intent")
    await operator.cannot(wallet, pay(PAYEE, 0), "NothingToPay", "above zero")
    for lost in (ZERO, wallet.address, devnet.factory.address):
        await operator.cannot(wallet, pay(lost, 1), "InvalidRecipient", "never be sent on", recipient=lost)
    await operator.cannot(
        wallet,
        pay(PAYEE, THRESHOLD + 1),
        "ApprovalMissing",
        "needs the approvers' signatures",
        token=token,
        amount=THRESHOLD + 1,
        threshold=THRESHOLD,
    )
    unknown = await devnet.deploy("Market")
    await operator.cannot(
        wallet, pay(PAYEE, 1, paid=unknown), "ApprovalMissing", "pay less", token=unknown, amount=1, threshold=0
    )
    await vault.owner.do(wallet, AgentWallet.withdraw(token, PAYEE, 1_000 * USDC))
    await operator.cannot(
        wallet,
        pay(PAYEE, 1),
        "ERC20InsufficientBalance",
        "too little of the token",
        sender=wallet.address,
        balance=0,
        needed=1,
    )


async def test_a_batch_is_paid_whole_or_not_at_all(devnet: Devnet, vault: Vault) -> None:
    wallet, token, operator, intent = vault.wallet, devnet.usdc.address, vault.operator, some_id()
    one, two = (await devnet.actor()).address, (await devnet.actor()).address
    batch = [Transfer(NATIVE, one, CRO), Transfer(token, one, USDC), Transfer(token, two, 2 * USDC)]
    mined = await operator.do(wallet, AgentWallet.execute_batch(batch, intent, NONE))
    assert events(Paid, mined, wallet) == [
        Paid(intent, item.token, item.to, item.amount, operator.address) for item in batch
    ]
    assert (await devnet.usdc.balance_of(one), await devnet.usdc.balance_of(two)) == (USDC, 2 * USDC)
    assert await wallet.spent_today(NATIVE) == CRO

    def pay(*items: Transfer) -> bytes:
        return AgentWallet.execute_batch(items, some_id(), NONE)

    await operator.cannot(wallet, pay(), "NothingToPay", "at least one payment")
    await operator.cannot(wallet, pay(batch[1], batch[0]), "BatchNotSorted", "Sort the batch", token=NATIVE)
    await operator.cannot(wallet, pay(batch[1], Transfer(token, two, 0)), "NothingToPay", "above zero")
    await operator.cannot(
        wallet,
        pay(Transfer(token, one, 30 * USDC), Transfer(token, two, 30 * USDC)),
        "ApprovalMissing",
        "let them sign, or pay less",
        token=token,
        amount=60 * USDC,
        threshold=THRESHOLD,
    )
    assert await devnet.usdc.balance_of(one) == USDC


async def test_with_the_list_on_only_recipients_of_the_list_are_paid(devnet: Devnet, vault: Vault) -> None:
    wallet = vault.wallet
    mined = await vault.owner.do(wallet, AgentWallet.set_allowlist(True))
    assert one_event(AllowlistSet, mined, wallet) == AllowlistSet(True)
    assert await wallet.is_allowlist_on()
    data = AgentWallet.execute_payment(devnet.usdc.address, PAYEE, 1, some_id(), NONE)
    await vault.operator.cannot(wallet, data, "RecipientNotAllowed", "on the list (setRecipient)", recipient=PAYEE)
    mined = await vault.owner.do(wallet, AgentWallet.set_recipient(PAYEE, True))
    assert one_event(RecipientSet, mined, wallet) == RecipientSet(PAYEE, True)
    assert await wallet.is_recipient(PAYEE)
    await vault.operator.do(wallet, data)


async def test_the_pocket_is_filled_up_to_its_ceiling(devnet: Devnet, vault: Vault) -> None:
    wallet, token, operator = vault.wallet, devnet.usdc.address, vault.operator
    mined = await operator.do(wallet, AgentWallet.refill(token))
    assert one_event(Refilled, mined, wallet) == Refilled(operator.address, token, CEILING)
    assert await devnet.usdc.balance_of(operator.address) == CEILING
    assert await wallet.spent_today(token) == CEILING
    await operator.cannot(wallet, AgentWallet.refill(token), "NothingToRefill", "pocket is full", token=token)


async def allowed_market(devnet: Devnet, vault: Vault) -> Contract:
    """A protocol in which operators may buy for the wallet."""
    market = await devnet.deploy("Market")
    data = AgentWallet.allow_call(market, BUY_SELECTOR, [RECIPIENT_OFFSET])
    mined = await vault.owner.do(vault.wallet, data)
    assert one_event(CallAllowed, mined, vault.wallet) == CallAllowed(market, BUY_SELECTOR, (RECIPIENT_OFFSET,))
    return Contract(devnet.rpc, market)


def purchase(devnet: Devnet, vault: Vault, market: Contract, amount: int) -> Call:
    data = encode_call(BUY, devnet.usdc.address, amount, vault.wallet.address)
    return Call(market.address, 0, data, (Spend(devnet.usdc.address, amount),), (Receive(market.address, amount),))


async def test_a_call_takes_and_brings_what_was_declared(devnet: Devnet, vault: Vault) -> None:
    wallet, operator, token = vault.wallet, vault.operator, devnet.usdc.address
    market = await allowed_market(devnet, vault)
    assert await wallet.call_rule(market.address, BUY_SELECTOR) == CallRule(True, (RECIPIENT_OFFSET,))
    intent, call = some_id(), purchase(devnet, vault, market, 10 * USDC)
    call = Call(call.target, CRO, call.data, (Spend(token, 12 * USDC),), call.receives)
    mined = await operator.do(wallet, AgentWallet.execute_call(call, intent, NONE))
    assert one_event(Called, mined, wallet) == Called(intent, market.address, BUY_SELECTOR, CRO, operator.address)
    assert events(Spent, mined, wallet) == [
        Spent(intent, NATIVE, market.address, CRO),
        Spent(intent, token, market.address, 10 * USDC),
    ]
    assert await wallet.spent_today(token) == 10 * USDC, "what it took, not what it might have"
    assert await devnet.usdc.allowance(wallet.address, market.address) == 0
    mined = await vault.owner.do(wallet, AgentWallet.disallow_call(market.address, BUY_SELECTOR))
    assert one_event(CallDisallowed, mined, wallet) == CallDisallowed(market.address, BUY_SELECTOR)
    assert await wallet.call_rule(market.address, BUY_SELECTOR) == CallRule(False, ())
    await operator.cannot(
        wallet,
        AgentWallet.execute_call(call, some_id(), NONE),
        "CallNotAllowed",
        "(allowCall)",
        target=market.address,
        selector=BUY_SELECTOR,
    )


async def test_a_call_beyond_what_was_declared_or_allowed_is_refused(devnet: Devnet, vault: Vault) -> None:
    wallet, operator, token = vault.wallet, vault.operator, devnet.usdc.address
    market = await allowed_market(devnet, vault)
    good = purchase(devnet, vault, market, USDC)

    def calling(*, value: int = 0, data: bytes = good.data, spends: tuple = good.spends, receives: tuple = ()) -> bytes:
        return AgentWallet.execute_call(Call(market.address, value, data, spends, receives), some_id(), NONE)

    elsewhere = encode_call(BUY, token, USDC, PAYEE)
    await operator.cannot(
        wallet, calling(data=elsewhere), "RecipientNotPinned", "to the wallet itself", offset=RECIPIENT_OFFSET
    )
    hoped = (Receive(market.address, USDC + 1),)
    await operator.cannot(
        wallet,
        calling(receives=hoped),
        "ReceivedTooLittle",
        "quote again",
        token=market.address,
        amount=USDC,
        amountMin=USDC + 1,
    )
    await operator.cannot(
        wallet,
        calling(spends=(Spend(token, USDC - 1),)),
        "ERC20InsufficientAllowance",
        "approve more",
        spender=market.address,
        allowance=USDC - 1,
        needed=USDC,
    )
    await operator.cannot(wallet, calling(spends=(Spend(NATIVE, 1),)), "TokensNotRising", "by value", token=NATIVE)
    await operator.cannot(wallet, calling(spends=(Spend(token, 0),)), "NothingToSpend", "Leave the token", token=token)
    await operator.cannot(
        wallet, calling(spends=(*good.spends, *good.spends)), "TokensNotRising", "each token once", token=token
    )
    await operator.cannot(
        wallet, calling(receives=(Receive(token, 1),)), "SpentAndReceived", "one of the two lists", token=token
    )
    await operator.cannot(
        wallet,
        calling(spends=(Spend(token, THRESHOLD + 1),)),
        "ApprovalMissing",
        "signatures",
        token=token,
        amount=THRESHOLD + 1,
        threshold=THRESHOLD,
    )
    for forbidden in ("transfer(address,uint256)", "approve(address,uint256)", "multicall(bytes[])"):
        await vault.owner.cannot(
            wallet,
            AgentWallet.allow_call(token, selector(forbidden), []),
            "ForbiddenSelector",
            "No operator may ever call this",
            selector=selector(forbidden),
        )
    for target in (wallet.address, devnet.factory.address):
        await vault.owner.cannot(
            wallet, AgentWallet.allow_call(target, BUY_SELECTOR, []), "InvalidTarget", "its factory", target=target
        )
    charge = PaymentRouter.charge(1)[:4]
    await vault.owner.cannot(
        wallet,
        AgentWallet.allow_call(devnet.router.address, charge, []),
        "ForbiddenSelector",
        "give money or rights away",
        selector=charge,
    )


async def test_what_is_watched_is_listed_until_it_is_not(devnet: Devnet, vault: Vault) -> None:
    wallet, deeds = vault.wallet, await devnet.deploy("Deeds")
    usdc = Watched(devnet.usdc.address, WatchedKind.BALANCE, 0)
    assert await wallet.watched() == (usdc,)
    items = [Watched(deeds, kind, 7) for kind in (WatchedKind.NFT, WatchedKind.SHARES)]
    for item in items:
        mined = await vault.owner.do(wallet, AgentWallet.watch(item))
        assert one_event(WatchedSet, mined, wallet) == WatchedSet(deeds, item.kind, 7, True)
    assert await wallet.watched() == (usdc, *items)
    mined = await vault.owner.do(wallet, AgentWallet.unwatch(items[0]))
    assert one_event(WatchedSet, mined, wallet) == WatchedSet(deeds, WatchedKind.NFT, 7, False)
    assert await wallet.watched() == (usdc, items[1])
    await vault.owner.cannot(wallet, AgentWallet.unwatch(items[0]), "NotWatched", "not watched", token=deeds, id=7)
    for number in range(await wallet.watched_max() - 2):
        await vault.owner.do(wallet, AgentWallet.watch(Watched(deeds, WatchedKind.SHARES, 100 + number)))
    await vault.owner.cannot(wallet, AgentWallet.watch(items[0]), "TooManyWatched", "off the list first (unwatch)")


async def subscribed(devnet: Devnet, vault: Vault, merchant: Actor, amount: int) -> int:
    """The wallet's subscription, made by its operator as the guide says; its id."""
    data = PaymentRouter.subscribe(merchant.address, devnet.usdc.address, amount, MONTH, 2, 0)
    if not (await vault.wallet.call_rule(devnet.router.address, data[:4])).allowed:
        await vault.owner.do(vault.wallet, AgentWallet.allow_call(devnet.router.address, data[:4], []))
    call = Call(devnet.router.address, 0, data, (), ())
    mined = await vault.operator.do(vault.wallet, AgentWallet.execute_call(call, some_id(), NONE))
    found = one_event(router_bindings.Subscribed, mined, devnet.router)
    assert found.payer == vault.wallet.address
    number: int = found.id
    return number


async def test_a_subscription_is_charged_once_a_period_and_by_the_operator(devnet: Devnet, vault: Vault) -> None:
    wallet, operator, token, merchant = vault.wallet, vault.operator, devnet.usdc.address, await devnet.actor()
    number = await subscribed(devnet, vault, merchant, 5 * USDC)
    await merchant.cannot(
        devnet.router,
        PaymentRouter.charge(number),
        "ERC20InsufficientAllowance",
        "approve more",
        spender=devnet.router.address,
        allowance=0,
        needed=5 * USDC,
    )
    intent = some_id()
    mined = await operator.do(wallet, AgentWallet.charge_subscription(number, intent, NONE))
    paid = Paid(intent, token, merchant.address, 5 * USDC, operator.address)
    assert one_event(Paid, mined, wallet) == paid
    assert one_event(SubscriptionCharged, mined, wallet) == SubscriptionCharged(intent, number)
    assert await devnet.usdc.balance_of(merchant.address) == 5 * USDC
    assert await wallet.spent_today(token) == 5 * USDC
    due_at = (await devnet.router.subscription(number)).next_charge_at
    await operator.cannot(
        wallet,
        AgentWallet.charge_subscription(number, some_id(), NONE),
        "NotDue",
        "once a period",
        id=number,
        nextChargeAt=due_at,
    )
    await operator.cannot(
        wallet,
        AgentWallet.charge_subscription(999, some_id(), NONE),
        "NotOurSubscription",
        "Another account",
        subscriptionId=999,
    )
    await vault.owner.do(wallet, AgentWallet.cancel_subscription(number))
    assert (await devnet.router.subscription(number)).cancelled


def approval_message(intent: bytes, deadline: int, approver_set: int) -> dict:
    return {"intentId": intent, "deadline": deadline, "approverSet": approver_set}


async def test_approvers_sign_a_payment_that_is_above_the_threshold(devnet: Devnet, vault: Vault) -> None:
    wallet, operator, token, intent = vault.wallet, vault.operator, devnet.usdc.address, some_id()
    deadline, amount = await devnet.now() + 3600, 60 * USDC
    terms = approval_message(intent, deadline, await wallet.approver_set())
    message = {"token": checksum_address(token), "to": checksum_address(PAYEE), "amount": amount, **terms}
    one, two, three = ((each.address, sign(each, wallet.address, "Payment", message)) for each in vault.approvers)

    def paying(*signed: tuple[str, bytes], by: int = deadline, more: int = 0) -> bytes:
        return AgentWallet.execute_payment(token, PAYEE, amount + more, intent, vault.approval(by, signed))

    await operator.cannot(
        wallet, paying(one), "TooFewSignatures", "More approvers must sign", given=1, quorum=await wallet.quorum()
    )
    stranger = Account.create()
    foreign = (stranger.address, sign(stranger, wallet.address, "Payment", message))
    await operator.cannot(
        wallet,
        AgentWallet.execute_payment(token, PAYEE, amount, intent, vault.approval(deadline, [foreign, foreign])),
        "NotApprover",
        "(setApprovers)",
        account=stranger.address.lower(),
    )
    await operator.cannot(wallet, paying(one, one), "ApproversNotRising", "each approver once", approver=one[0].lower())
    await operator.cannot(
        wallet, paying(one, two, more=1), "InvalidApproverSignature", "signed something else", approver=one[0].lower()
    )
    await operator.cannot(wallet, paying(one, two, by=1), "ApprovalExpired", "let them sign again", deadline=1)
    mined = await operator.do(wallet, paying(one, three))
    assert one_event(Paid, mined, wallet) == Paid(intent, token, PAYEE, amount, operator.address)
    await operator.cannot(wallet, paying(one, two), "IntentExecuted", "carried out already", intentId=intent)


async def test_approvers_sign_a_batch(devnet: Devnet, vault: Vault) -> None:
    wallet, token, intent = vault.wallet, devnet.usdc.address, some_id()
    batch = [Transfer(token, PAYEE, 40 * USDC), Transfer(token, vault.owner.address, 30 * USDC)]
    items = [
        {"token": checksum_address(one.token), "to": checksum_address(one.to), "amount": one.amount} for one in batch
    ]
    deadline = await devnet.now() + 3600
    message = {"transfers": items, **approval_message(intent, deadline, await wallet.approver_set())}
    signed = [(each.address, sign(each, wallet.address, "Batch", message)) for each in vault.approvers[:2]]
    data = AgentWallet.execute_batch(batch, intent, vault.approval(deadline, signed))
    mined = await vault.operator.do(wallet, data)
    assert [paid.amount for paid in events(Paid, mined, wallet)] == [40 * USDC, 30 * USDC]


async def test_approvers_sign_a_call(devnet: Devnet, vault: Vault) -> None:
    wallet, intent, market = vault.wallet, some_id(), await allowed_market(devnet, vault)
    call = purchase(devnet, vault, market, 60 * USDC)
    call = Call(call.target, CRO, call.data, call.spends, call.receives)
    deadline = await devnet.now() + 3600
    message = {
        "target": checksum_address(call.target),
        "value": CRO,
        "data": call.data,
        "spends": [{"token": checksum_address(devnet.usdc.address), "amountMax": 60 * USDC}],
        "receives": [{"token": checksum_address(market.address), "amountMin": 60 * USDC}],
        **approval_message(intent, deadline, await wallet.approver_set()),
    }
    signed = [(each.address, sign(each, wallet.address, "Call", message)) for each in vault.approvers[1:]]
    mined = await vault.operator.do(wallet, AgentWallet.execute_call(call, intent, vault.approval(deadline, signed)))
    assert [spent.amount for spent in events(Spent, mined, wallet)] == [CRO, 60 * USDC]


async def test_approvers_sign_a_subscriptions_charge(devnet: Devnet, vault: Vault) -> None:
    wallet, intent, merchant = vault.wallet, some_id(), await devnet.actor()
    number = await subscribed(devnet, vault, merchant, 60 * USDC)
    await vault.operator.cannot(
        wallet,
        AgentWallet.charge_subscription(number, intent, NONE),
        "ApprovalMissing",
        "signatures",
        token=devnet.usdc.address,
        amount=60 * USDC,
        threshold=THRESHOLD,
    )
    deadline = await devnet.now() + 3600
    message = {
        "subscriptionId": number,
        "token": checksum_address(devnet.usdc.address),
        "merchant": checksum_address(merchant.address),
        "amount": 60 * USDC,
        **approval_message(intent, deadline, await wallet.approver_set()),
    }
    signed = [(each.address, sign(each, wallet.address, "SubscriptionCharge", message)) for each in vault.approvers[:2]]
    await vault.operator.do(wallet, AgentWallet.charge_subscription(number, intent, vault.approval(deadline, signed)))
    assert await devnet.usdc.balance_of(merchant.address) == 60 * USDC


async def test_a_contract_approves_and_other_approvers_void_what_was_signed(devnet: Devnet, vault: Vault) -> None:
    wallet, token, intent, keeper = vault.wallet, devnet.usdc.address, some_id(), Account.create()
    contract, person = await devnet.deploy("Keeper", keeper.address), vault.approvers[0]
    approvers = sorted((contract, person.address.lower()))
    deadline = await devnet.now() + 3600

    def approved(approver_set: int) -> Approval:
        terms = approval_message(intent, deadline, approver_set)
        message = {"token": checksum_address(token), "to": checksum_address(PAYEE), "amount": 60 * USDC, **terms}
        signed = [
            (address, sign(account, wallet.address, "Payment", message))
            for address, account in ((contract, keeper), (person.address, person))
        ]
        return vault.approval(deadline, signed)

    before = approved(await wallet.approver_set())
    mined = await vault.owner.do(wallet, AgentWallet.set_approvers(approvers, 2))
    assert one_event(ApproversSet, mined, wallet) == ApproversSet(2, tuple(approvers), 2)
    assert (await wallet.approver_set(), await wallet.quorum()) == (2, 2)
    assert await wallet.is_approver(contract)
    assert not await wallet.is_approver(vault.approvers[1].address)

    def paying(approval: Approval) -> bytes:
        return AgentWallet.execute_payment(token, PAYEE, 60 * USDC, intent, approval)

    await vault.operator.cannot(
        wallet, paying(before), "InvalidApproverSignature", "signed something else", approver=approvers[0]
    )
    await vault.operator.do(wallet, paying(approved(2)))
    await vault.owner.cannot(
        wallet,
        AgentWallet.set_approvers(approvers, 3),
        "InvalidQuorum",
        "no more than there are",
        quorum=3,
        approvers=2,
    )
    await vault.owner.cannot(
        wallet,
        AgentWallet.set_approvers([contract, contract], 1),
        "InvalidApprovers",
        "in rising order",
        approver=contract,
    )


async def test_the_owner_takes_everything_out_paused_or_not(devnet: Devnet, vault: Vault) -> None:
    wallet, token, to = vault.wallet, devnet.usdc.address, (await devnet.actor()).address
    await vault.guardian.do(wallet, AgentWallet.pause())
    mined = await vault.owner.do(wallet, AgentWallet.withdraw(token, to, 1_000 * USDC))
    assert one_event(Withdrawn, mined, wallet) == Withdrawn(token, to, 1_000 * USDC)
    assert await devnet.usdc.balance_of(to) == 1_000 * USDC
    coins = await devnet.coins(to)
    mined = await vault.owner.do(wallet, AgentWallet.withdraw(NATIVE, to, 100 * CRO))
    assert one_event(Withdrawn, mined, wallet) == Withdrawn(NATIVE, to, 100 * CRO)
    assert await devnet.coins(to) == coins + 100 * CRO
    await vault.owner.cannot(
        wallet, AgentWallet.withdraw(token, ZERO, 1), "InvalidRecipient", "never be sent on", recipient=ZERO
    )
    await vault.owner.cannot(
        wallet,
        AgentWallet.withdraw(NATIVE, to, 1),
        "InsufficientBalance",
        "too little of the chain's own coin",
        balance=0,
        needed=1,
    )


async def test_the_owner_takes_nfts_out(devnet: Devnet, vault: Vault) -> None:
    wallet, to = vault.wallet, (await devnet.actor()).address
    deeds = Contract(devnet.rpc, await devnet.deploy("Deeds"))
    tickets = Contract(devnet.rpc, await devnet.deploy("Tickets"))
    for contract, signature, arguments in (
        (deeds, "make(address,uint256)", (7,)),
        (tickets, "make(address,uint256,uint256)", (8, 5)),
        (tickets, "makeMany(address,uint256[],uint256[])", ([8, 9], [1, 2])),
    ):
        data = encode_call(signature, wallet.address, *arguments)
        await devnet.note_inner_calls(await vault.owner.do(contract, data))
    mined = await vault.owner.do(wallet, AgentWallet.withdraw_erc721(deeds.address, to, 7))
    assert one_event(NftWithdrawn, mined, wallet) == NftWithdrawn(deeds.address, to, 7, 1)
    call = {"to": deeds.address, "data": "0x" + encode_call("ownerOf(uint256)", 7).hex()}
    assert to_address(await devnet.rpc.call("eth_call", call, "latest")) == to
    mined = await vault.owner.do(wallet, AgentWallet.withdraw_erc1155(tickets.address, to, 8, 4))
    assert one_event(NftWithdrawn, mined, wallet) == NftWithdrawn(tickets.address, to, 8, 4)
    call = {"to": tickets.address, "data": "0x" + encode_call("balanceOf(address,uint256)", to, 8).hex()}
    assert int(await devnet.rpc.call("eth_call", call, "latest"), 16) == 4


async def test_coins_that_arrive_are_told(devnet: Devnet, vault: Vault) -> None:
    mined = await vault.owner.do(vault.wallet, b"", value=7)
    assert one_event(Received, mined, vault.wallet) == Received(vault.owner.address, 7)


async def test_what_a_wallet_is_can_be_read(devnet: Devnet, vault: Vault) -> None:
    wallet = vault.wallet
    assert (await wallet.factory(), await wallet.router()) == (devnet.factory.address, devnet.router.address)
    assert (await wallet.native(), await wallet.raise_delay_max(), await wallet.watched_max()) == (ZERO, MONTH, 32)
    assert (await wallet.owner(), await wallet.guardian()) == (vault.owner.address, vault.guardian.address)
    assert (await wallet.approver_set(), await wallet.quorum()) == (1, 2)
    assert not await wallet.is_allowlist_on()
    for interface, has in (("4e2312e0", True), ("01ffc9a7", True), ("ffffffff", False)):
        assert await wallet.supports_interface(to_bytes(interface)) is has
    assert await wallet.eip712_domain() == Eip712DomainResult(
        b"\x0f", "Paygent AgentWallet", "1", 338, wallet.address, bytes(32), ()
    )


def test_every_function_of_a_wallet_was_driven(request: pytest.FixtureRequest) -> None:
    skip_unless_whole(request)
    assert undriven("AgentWallet") == []
