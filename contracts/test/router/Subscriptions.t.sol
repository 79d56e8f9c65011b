// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExactTransfer} from "../../src/ExactTransfer.sol";
import {PaymentRouter} from "../../src/PaymentRouter.sol";
import {Payouts} from "../../src/router/Payouts.sol";
import {Subscriptions} from "../../src/router/Subscriptions.sol";
import {
    BlocklistToken,
    ExtraFeeToken,
    FalseToken,
    FeeOnTransferToken,
    LenientAuthorizationToken,
    MintableToken,
    NoReturnToken,
    RebasingToken,
    ReentrantToken,
    SilentToken
} from "../HostileTokens.sol";
import {vm} from "../Vm.sol";

contract SubscriptionsTest {
    address private constant PAYER = address(0xA11CE);
    address private constant MERCHANT = address(0xB0B);
    uint256 private constant FUNDS = 100e6;
    uint64 private constant NOW = 1_000_000;
    uint64 private constant START = NOW + 500;
    uint128 private constant AMOUNT = 1_000;
    uint32 private constant PERIOD = 100;
    uint32 private constant COUNT = 3;

    PaymentRouter private router;
    MintableToken private token;

    function setUp() public {
        vm.warp(NOW);
        router = new PaymentRouter();
        token = new LenientAuthorizationToken();
        _fund(token);
    }

    function _fund(MintableToken token_) private {
        token_.mint(PAYER, FUNDS);
        vm.prank(PAYER);
        SafeERC20.forceApprove(token_, address(router), type(uint256).max);
    }

    function _subscribe(address token_) private returns (uint256) {
        vm.prank(PAYER);
        return router.subscribe(MERCHANT, token_, AMOUNT, PERIOD, COUNT, START);
    }

    function _charge(uint256 id) private {
        vm.prank(MERCHANT);
        router.charge(id);
    }

    function _requireCharged(uint256 id, uint32 charged) private view {
        assert(router.subscription(id).charged == charged);
        assert(token.balanceOf(MERCHANT) == uint256(charged) * AMOUNT);
        assert(token.balanceOf(PAYER) == FUNDS - uint256(charged) * AMOUNT);
    }

    // subscribe

    function testASubscriptionIsWhatThePayerSaid() public {
        vm.expectEmit(address(router));
        emit Subscriptions.Subscribed(1, PAYER, MERCHANT, address(token), AMOUNT, PERIOD, COUNT, START);
        assert(_subscribe(address(token)) == 1);
        Subscriptions.Subscription memory s = router.subscription(1);
        Subscriptions.Subscription memory expected =
            Subscriptions.Subscription(PAYER, MERCHANT, address(token), AMOUNT, PERIOD, COUNT, START, 0, START, false);
        assert(keccak256(abi.encode(s)) == keccak256(abi.encode(expected)));
        assert(_subscribe(address(token)) == 2 && router.subscriptionCount() == 2);
    }

    function testWithoutAStartItStartsNow() public {
        vm.prank(PAYER);
        uint256 id = router.subscribe(MERCHANT, address(token), AMOUNT, PERIOD, COUNT, 0);
        assert(router.subscription(id).startsAt == NOW && router.isDue(id));
        _charge(id);
        _requireCharged(id, 1);
    }

    function testFuzzAScheduleLiesAheadAndEnds(uint32 period, uint32 count, uint64 startsAt) public {
        bool fits = period > 0 && count > 0 && (startsAt == 0 || startsAt >= NOW)
            && uint256(startsAt) + uint256(period) * count <= type(uint64).max;
        if (!fits) {
            uint64 starts = startsAt == 0 ? NOW : startsAt;
            vm.expectRevert(abi.encodeWithSelector(Subscriptions.InvalidSchedule.selector, period, count, starts));
        }
        vm.prank(PAYER);
        router.subscribe(MERCHANT, address(token), AMOUNT, period, count, startsAt);
    }

    function testTheEdgesOfSchedules() public {
        uint64 last = type(uint64).max - PERIOD;
        vm.startPrank(PAYER);
        router.subscribe(MERCHANT, address(token), AMOUNT, PERIOD, 1, NOW);
        router.subscribe(MERCHANT, address(token), AMOUNT, PERIOD, 1, last);
        _refuseSchedule(PERIOD, 1, NOW - 1);
        _refuseSchedule(PERIOD, 1, last + 1);
        _refuseSchedule(0, 1, NOW);
        _refuseSchedule(PERIOD, 0, NOW);
        vm.stopPrank();
        vm.warp(last);
        _charge(2);
        assert(router.subscription(2).nextChargeAt == type(uint64).max);
    }

    function _refuseSchedule(uint32 period, uint32 count, uint64 startsAt) private {
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.InvalidSchedule.selector, period, count, startsAt));
        router.subscribe(MERCHANT, address(token), AMOUNT, period, count, startsAt);
    }

    function testASubscriptionPaysSomebodySomething() public {
        vm.startPrank(PAYER);
        address[3] memory nobody = [address(0), address(router), PAYER];
        for (uint256 i; i < nobody.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidPayee.selector, nobody[i]));
            router.subscribe(nobody[i], address(token), AMOUNT, PERIOD, COUNT, START);
        }
        vm.expectRevert(Payouts.ZeroAmount.selector);
        router.subscribe(MERCHANT, address(token), 0, PERIOD, COUNT, START);
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.InvalidToken.selector, address(0)));
        router.subscribe(MERCHANT, address(0), AMOUNT, PERIOD, COUNT, START);
        vm.stopPrank();
    }

    // charge

    function testFuzzAChargeMovesTheAmountOnceInAPeriod(uint256 time, uint256 again, bool byPayer) public {
        uint256 id = _subscribe(address(token));
        uint256 period = (time % (COUNT * PERIOD)) / PERIOD;
        vm.warp(START + time % (COUNT * PERIOD));
        uint64 next = uint64(START + (period + 1) * PERIOD);
        assert(router.isDue(id));
        vm.expectEmit(address(router));
        emit Subscriptions.SubscriptionCharged(id, PAYER, MERCHANT, address(token), AMOUNT, 1, next);
        vm.prank(byPayer ? PAYER : MERCHANT);
        router.charge(id);
        _requireCharged(id, 1);
        assert(router.subscription(id).nextChargeAt == next);
        // at any time up to the period's last second
        vm.warp(block.timestamp + again % (next - block.timestamp));
        assert(!router.isDue(id));
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.NotDue.selector, id, next));
        _charge(id);
    }

    function testEachPeriodIsChargedAndNoMore() public {
        uint256 id = _subscribe(address(token));
        for (uint32 k; k < COUNT; ++k) {
            vm.warp(START + k * PERIOD);
            _charge(id);
            _requireCharged(id, k + 1);
        }
        uint256 end = START + COUNT * PERIOD;
        vm.warp(end);
        assert(!router.isDue(id));
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.Ended.selector, id, end));
        _charge(id);
    }

    function testAMissedPeriodIsForfeited() public {
        uint256 id = _subscribe(address(token));
        vm.warp(START + 2 * PERIOD + PERIOD - 1);
        _charge(id);
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.NotDue.selector, id, START + 3 * PERIOD));
        _charge(id);
        vm.warp(START + 3 * PERIOD);
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.Ended.selector, id, START + 3 * PERIOD));
        _charge(id);
        _requireCharged(id, 1);
    }

    /// A merchant who asks all the time gets one amount for each period in which it asked.
    function testFuzzNoTimingOvercharges(uint8[24] memory steps) public {
        uint256 id = _subscribe(address(token));
        vm.warp(START);
        uint256 periods;
        uint256 last = type(uint256).max;
        for (uint256 i; i < steps.length; ++i) {
            uint256 period = (block.timestamp - START) / PERIOD;
            if (period != last && period < COUNT) ++periods;
            last = period;
            vm.prank(MERCHANT);
            (bool ok,) = address(router).call(abi.encodeCall(router.charge, (id)));
            assert(!ok || period < COUNT);
            assert(token.balanceOf(MERCHANT) == periods * AMOUNT);
            vm.warp(block.timestamp + steps[i] % 40);
        }
        assert(periods <= COUNT);
    }

    function testNothingIsDueBeforeTheStart() public {
        uint256 id = _subscribe(address(token));
        vm.warp(START - 1);
        assert(!router.isDue(id));
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.NotDue.selector, id, START));
        _charge(id);
    }

    function testFuzzOnlyItsPartiesCharge(address caller) public {
        vm.assume(caller != PAYER && caller != MERCHANT);
        uint256 id = _subscribe(address(token));
        vm.warp(START);
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.NotParty.selector, id, caller));
        vm.prank(caller);
        router.charge(id);
    }

    function testNobodyIsPartyToWhatIsNotThere() public {
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.NotParty.selector, 1, PAYER));
        vm.prank(PAYER);
        router.charge(1);
        assert(!router.isDue(1) && router.subscription(1).payer == address(0));
    }

    /// How a vault pays: an allowance for this one charge, and it is used up.
    function testAPayerMayAllowExactlyOneCharge() public {
        uint256 id = _subscribe(address(token));
        vm.warp(START);
        vm.startPrank(PAYER);
        token.approve(address(router), AMOUNT);
        router.charge(id);
        vm.stopPrank();
        assert(token.allowance(PAYER, address(router)) == 0);
        _requireCharged(id, 1);
    }

    function testAChargeNeedsThePayersAllowance() public {
        uint256 id = _subscribe(address(token));
        vm.prank(PAYER);
        token.approve(address(router), AMOUNT - 1);
        vm.warp(START);
        vm.expectRevert(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(router), AMOUNT - 1, AMOUNT
            )
        );
        _charge(id);
        // What failed took nothing and can be asked for again.
        assert(router.isDue(id) && router.subscription(id).charged == 0);
    }

    // cancel

    function testFuzzCancellingIsImmediateAndFinal(bool byPayer) public {
        uint256 id = _subscribe(address(token));
        vm.warp(START);
        _charge(id);
        vm.warp(START + PERIOD);
        address by = byPayer ? PAYER : MERCHANT;
        vm.expectEmit(address(router));
        emit Subscriptions.SubscriptionCancelled(id, PAYER, MERCHANT, by);
        vm.prank(by);
        router.cancel(id);
        assert(router.subscription(id).cancelled && !router.isDue(id));
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.AlreadyCancelled.selector, id));
        _charge(id);
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.AlreadyCancelled.selector, id));
        vm.prank(by);
        router.cancel(id);
        _requireCharged(id, 1);
    }

    function testFuzzOnlyItsPartiesCancel(address caller) public {
        vm.assume(caller != PAYER && caller != MERCHANT);
        uint256 id = _subscribe(address(token));
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.NotParty.selector, id, caller));
        vm.prank(caller);
        router.cancel(id);
    }

    function testOneSubscriptionIsNotAnother() public {
        (uint256 id, uint256 other) = (_subscribe(address(token)), _subscribe(address(token)));
        vm.warp(START);
        _charge(id);
        vm.prank(PAYER);
        router.cancel(id);
        assert(router.isDue(other));
        _charge(other);
        assert(token.balanceOf(MERCHANT) == 2 * AMOUNT);
    }

    // Hostile tokens

    function testFuzzATokenThatMovesAnotherAmountIsNotCharged(uint8 which, bool grows) public {
        MintableToken[5] memory hostile = [
            MintableToken(new FeeOnTransferToken()),
            new ExtraFeeToken(),
            new SilentToken(),
            new FalseToken(),
            new RebasingToken()
        ];
        bytes4[5] memory refusals = [
            ExactTransfer.WrongArrival.selector,
            ExactTransfer.WrongOutflow.selector,
            ExactTransfer.WrongArrival.selector,
            SafeERC20.SafeERC20FailedOperation.selector,
            ExactTransfer.WrongArrival.selector
        ];
        which = which % 5;
        _fund(hostile[which]);
        if (which == 4) RebasingToken(address(hostile[4])).rebaseOnNextTransfer(grows ? 2 : 1, grows ? 1 : 2);
        uint256 id = _subscribe(address(hostile[which]));
        vm.warp(START);
        vm.expectPartialRevert(refusals[which]);
        _charge(id);
        assert(router.isDue(id) && hostile[which].balanceOf(PAYER) == FUNDS);
    }

    function testATokenWithoutAnswersIsCharged() public {
        NoReturnToken mute = new NoReturnToken();
        _fund(mute);
        uint256 id = _subscribe(address(mute));
        vm.warp(START);
        _charge(id);
        assert(mute.balanceOf(MERCHANT) == AMOUNT);
    }

    function testABlockedMerchantGetsNothing() public {
        BlocklistToken blocking = new BlocklistToken();
        _fund(blocking);
        blocking.setBlocked(MERCHANT, true);
        uint256 id = _subscribe(address(blocking));
        vm.warp(START);
        vm.expectRevert(abi.encodeWithSelector(BlocklistToken.Blocked.selector, MERCHANT));
        _charge(id);
    }

    function testATokenCannotChargeWithinACharge() public {
        ReentrantToken reentrant = new ReentrantToken();
        _fund(reentrant);
        uint256 id = _subscribe(address(reentrant));
        // the token itself is the merchant of another subscription
        vm.prank(PAYER);
        uint256 other = router.subscribe(address(reentrant), address(reentrant), AMOUNT, PERIOD, COUNT, START);
        vm.warp(START);
        reentrant.reenter(address(router), abi.encodeCall(router.charge, (other)));
        _charge(id);
        assert(bytes4(reentrant.answer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        assert(reentrant.balanceOf(PAYER) == FUNDS - AMOUNT);
    }
}
