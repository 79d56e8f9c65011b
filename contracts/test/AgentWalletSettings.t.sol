// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletSettings, LimitKind, Watched, WatchedKind} from "../src/AgentWalletSettings.sol";
import {Limits} from "../src/Limits.sol";
import {Subscriptions} from "../src/router/Subscriptions.sol";
import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

contract AgentWalletSettingsTest is WalletFixture {
    address private constant TARGET = address(0x7A26E7);
    bytes4 private constant SELECTOR = bytes4(keccak256("deposit(uint256,address)"));

    function _operator(address operator, uint64 expiresAt) private {
        vm.prank(OWNER);
        wallet.setOperator(operator, expiresAt);
    }

    function _limit(LimitKind kind, uint112 value) private {
        vm.prank(OWNER);
        wallet.setLimit(kind, address(usdc), value);
    }

    function _delay(uint32 delay) private {
        vm.prank(OWNER);
        wallet.setRaiseDelay(delay);
    }

    // Ownership

    function testEverySettingIsTheOwnersAlone() public {
        address[] memory nobody = new address[](0);
        bytes[14] memory calls = [
            abi.encodeCall(AgentWalletSettings.setOperator, (STRANGER, uint64(NOW + 1))),
            abi.encodeCall(AgentWalletSettings.revokeOperator, (OPERATOR)),
            abi.encodeCall(AgentWalletSettings.rotateOperator, (OPERATOR, STRANGER, uint64(NOW + 1))),
            abi.encodeCall(AgentWalletSettings.setGuardian, (STRANGER)),
            abi.encodeCall(AgentWalletSettings.unpause, ()),
            abi.encodeCall(AgentWalletSettings.setApprovers, (nobody, 0)),
            abi.encodeCall(AgentWalletSettings.setLimit, (LimitKind.Daily, NATIVE, 0)),
            abi.encodeCall(AgentWalletSettings.setRaiseDelay, (1)),
            abi.encodeCall(AgentWalletSettings.setAllowlist, (false)),
            abi.encodeCall(AgentWalletSettings.setRecipient, (STRANGER, true)),
            abi.encodeCall(AgentWalletSettings.allowCall, (TARGET, SELECTOR, new uint16[](0))),
            abi.encodeCall(AgentWalletSettings.disallowCall, (TARGET, SELECTOR)),
            abi.encodeCall(AgentWalletSettings.watch, (Watched(TARGET, WatchedKind.Balance, 0))),
            abi.encodeCall(AgentWalletSettings.unwatch, (Watched(address(usdc), WatchedKind.Balance, 0)))
        ];
        address[5] memory others = [OPERATOR, GUARDIAN, STRANGER, approvers[0], address(factory)];
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 j; j < others.length; ++j) {
                vm.prank(others[j]);
                (bool done, bytes memory answer) = address(wallet).call(calls[i]);
                assert(!done);
                bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[j]);
                assert(keccak256(answer) == keccak256(expected));
            }
        }
    }

    function testOwnershipMovesInTwoSteps() public {
        vm.prank(OWNER);
        wallet.transferOwnership(STRANGER);
        assert(wallet.owner() == OWNER);
        vm.prank(PAYEE);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, PAYEE));
        wallet.acceptOwnership();
        vm.prank(STRANGER);
        wallet.acceptOwnership();
        assert(wallet.owner() == STRANGER);
    }

    function testOwnershipIsNeverRenounced() public {
        vm.prank(OWNER);
        vm.expectRevert(AgentWalletSettings.OwnershipIsKept.selector);
        wallet.renounceOwnership();
        assert(wallet.owner() == OWNER);
    }

    function testNobodyBeginsAWalletAgain(address caller) public {
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.NotFactory.selector, caller));
        wallet.initialize(caller);
    }

    function testNotEvenTheFactoryTakesAWalletBack() public {
        vm.prank(address(factory));
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.NotFactory.selector, factory));
        wallet.initialize(STRANGER);
    }

    // Operators and the guardian

    function testAnOperatorActsUntilItsExpiryAndNoSecondLonger() public {
        vm.warp(NOW + 30 days - 1);
        assert(wallet.isOperator(OPERATOR));
        vm.warp(NOW + 30 days);
        assert(!wallet.isOperator(OPERATOR));
    }

    function testAnOperatorIsAddedWithAnEvent() public {
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.OperatorSet(STRANGER, uint64(NOW + 1));
        _operator(STRANGER, uint64(NOW + 1));
        assert(wallet.isOperator(STRANGER));
        assert(wallet.operatorExpiresAt(STRANGER) == NOW + 1);
    }

    function testAnExpiryMustLieAhead() public {
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.ExpiryInThePast.selector, NOW));
        _operator(STRANGER, uint64(NOW));
    }

    function testNobodyTheWalletAndApproversAreNoOperators() public {
        address[3] memory unfit = [address(0), address(wallet), approvers[1]];
        for (uint256 i; i < unfit.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidOperator.selector, unfit[i]));
            _operator(unfit[i], uint64(NOW + 1));
        }
    }

    function testAnOperatorIsRevokedAtOnce() public {
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.OperatorSet(OPERATOR, 0);
        vm.prank(OWNER);
        wallet.revokeOperator(OPERATOR);
        assert(!wallet.isOperator(OPERATOR));
        assert(wallet.operatorExpiresAt(OPERATOR) == 0);
    }

    function testAnOperatorIsRotatedInOneTransaction() public {
        vm.prank(OWNER);
        wallet.rotateOperator(OPERATOR, STRANGER, uint64(NOW + 5));
        assert(!wallet.isOperator(OPERATOR));
        assert(wallet.isOperator(STRANGER));
        assert(wallet.operatorExpiresAt(STRANGER) == NOW + 5);
    }

    function testTheGuardianPausesAndOnlyTheOwnerGoesOn() public {
        vm.expectEmit(address(wallet));
        emit Pausable.Paused(GUARDIAN);
        vm.prank(GUARDIAN);
        wallet.pause();
        assert(wallet.paused());
        vm.expectEmit(address(wallet));
        emit Pausable.Unpaused(OWNER);
        vm.prank(OWNER);
        wallet.unpause();
        assert(!wallet.paused());
    }

    function testTheOwnerPauses() public {
        vm.prank(OWNER);
        wallet.pause();
        assert(wallet.paused());
    }

    function testNobodyElsePauses(address caller) public {
        vm.assume(caller != OWNER && caller != GUARDIAN);
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.NotGuardian.selector, caller));
        wallet.pause();
    }

    function testTheGuardianIsReplaced() public {
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.GuardianSet(STRANGER);
        vm.prank(OWNER);
        wallet.setGuardian(STRANGER);
        assert(wallet.guardian() == STRANGER);
        vm.prank(GUARDIAN);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.NotGuardian.selector, GUARDIAN));
        wallet.pause();
    }

    // Approvers

    function _approvers(address first, address second) private pure returns (address[] memory list) {
        list = new address[](2);
        (list[0], list[1]) = (first, second);
    }

    function _setApprovers(address[] memory list, uint256 quorum) private {
        vm.prank(OWNER);
        wallet.setApprovers(list, quorum);
    }

    function testApproversAreReplacedAsASet() public {
        address[] memory list = _approvers(address(1), address(2));
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.ApproversSet(2, list, 1);
        _setApprovers(list, 1);
        assert(wallet.approverSet() == 2);
        assert(wallet.quorum() == 1);
        assert(wallet.isApprover(address(1)) && wallet.isApprover(address(2)));
        assert(!wallet.isApprover(approvers[0]));
    }

    function testApproversAreTakenAway() public {
        _setApprovers(new address[](0), 0);
        assert(wallet.quorum() == 0);
        assert(!wallet.isApprover(approvers[0]));
    }

    function testApproversStandInRisingOrderWithoutNobody() public {
        address[3][2] memory unfit = [
            [address(2), address(1), address(1)], // falling, and the second is named
            [address(2), address(2), address(2)] // twice the same
        ];
        for (uint256 i; i < unfit.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidApprovers.selector, unfit[i][2]));
            _setApprovers(_approvers(unfit[i][0], unfit[i][1]), 1);
        }
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidApprovers.selector, address(0)));
        _setApprovers(_approvers(address(0), address(1)), 1);
    }

    function testAnOperatorIsNoApprover() public {
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidApprovers.selector, OPERATOR));
        _setApprovers(_approvers(address(1), OPERATOR), 1);
    }

    function testAQuorumMustBeReachableAndMoreThanNone() public {
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidQuorum.selector, 3, 2));
        _setApprovers(_approvers(address(1), address(2)), 3);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidQuorum.selector, 0, 2));
        _setApprovers(_approvers(address(1), address(2)), 0);
        _setApprovers(_approvers(address(1), address(2)), 2);
        assert(wallet.quorum() == 2);
    }

    // Limits

    function testAnUnsetLimitIsZero(address token) public view {
        vm.assume(token != NATIVE && token != address(usdc));
        assert(wallet.limitOf(LimitKind.Daily, token) == 0);
        assert(wallet.limitOf(LimitKind.ApprovalThreshold, token) == 0);
        assert(wallet.limitOf(LimitKind.PocketCeiling, token) == 0);
        assert(wallet.remainingToday(token) == 0);
    }

    function testWithoutADelayARaiseHoldsAtOnce(uint8 kind, uint112 value) public {
        LimitKind which = LimitKind(kind % 3);
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.LimitSet(which, address(usdc), value, uint32(NOW));
        _limit(which, value);
        assert(wallet.limitOf(which, address(usdc)) == value);
        assert(wallet.scheduledLimitOf(which, address(usdc)).nextFrom == 0);
    }

    function testARaiseWaitsForTheDelay(uint8 kind) public {
        LimitKind which = LimitKind(kind % 3);
        uint112 before = wallet.limitOf(which, address(usdc));
        _delay(2 days);
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.LimitSet(which, address(usdc), before + 1, uint32(NOW + 2 days));
        _limit(which, before + 1);
        vm.warp(NOW + 2 days - 1);
        assert(wallet.limitOf(which, address(usdc)) == before);
        vm.warp(NOW + 2 days);
        assert(wallet.limitOf(which, address(usdc)) == before + 1);
    }

    function testWhatIsScheduledCanBeSeen() public {
        _delay(2 days);
        _limit(LimitKind.Daily, DAILY + 5);
        Limits.Limit memory limit = wallet.scheduledLimitOf(LimitKind.Daily, address(usdc));
        assert(limit.current == DAILY && limit.next == DAILY + 5 && limit.nextFrom == NOW + 2 days);
    }

    function testLoweringHoldsAtOnceAndDropsAScheduledRaise(uint8 kind) public {
        LimitKind which = LimitKind(kind % 3);
        uint112 before = wallet.limitOf(which, address(usdc));
        _delay(2 days);
        _limit(which, before + 1);
        _limit(which, before - 1);
        assert(wallet.limitOf(which, address(usdc)) == before - 1);
        vm.warp(NOW + 3 days);
        assert(wallet.limitOf(which, address(usdc)) == before - 1);
    }

    function testAScheduledRaiseIsTakenBackBySettingWhatHolds() public {
        _delay(2 days);
        _limit(LimitKind.Daily, DAILY + 1);
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.LimitSet(LimitKind.Daily, address(usdc), DAILY, uint32(NOW));
        _limit(LimitKind.Daily, DAILY);
        vm.warp(NOW + 3 days);
        assert(wallet.limitOf(LimitKind.Daily, address(usdc)) == DAILY);
    }

    function testARaiseOfAScheduledRaiseWaitsAnew() public {
        _delay(2 days);
        _limit(LimitKind.Daily, DAILY + 1);
        vm.warp(NOW + 1 days);
        _limit(LimitKind.Daily, DAILY + 9);
        vm.warp(NOW + 2 days);
        assert(wallet.limitOf(LimitKind.Daily, address(usdc)) == DAILY);
        vm.warp(NOW + 3 days);
        assert(wallet.limitOf(LimitKind.Daily, address(usdc)) == DAILY + 9);
    }

    function testARaiseThatHasComeToHoldIsWhatTheNextOneStartsFrom() public {
        _delay(2 days);
        _limit(LimitKind.Daily, DAILY + 1);
        vm.warp(NOW + 2 days);
        _limit(LimitKind.Daily, DAILY + 2);
        assert(wallet.limitOf(LimitKind.Daily, address(usdc)) == DAILY + 1);
    }

    function testALongerDelayHoldsAtOnceAndAShorterOneWaitsForTheOld() public {
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.RaiseDelaySet(4 days, uint32(NOW));
        _delay(4 days);
        assert(wallet.raiseDelay() == 4 days);
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.RaiseDelaySet(1 days, uint32(NOW + 4 days));
        _delay(1 days);
        vm.warp(NOW + 4 days - 1);
        assert(wallet.raiseDelay() == 4 days);
        vm.warp(NOW + 4 days);
        assert(wallet.raiseDelay() == 1 days);
    }

    function testTheSameDelayIsSetAtOnce() public {
        _delay(4 days);
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.RaiseDelaySet(4 days, uint32(NOW));
        _delay(4 days);
    }

    function testADelayHasAnEnd() public {
        _delay(30 days);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.RaiseDelayTooLong.selector, 30 days + 1));
        _delay(30 days + 1);
    }

    // The UTC day

    function testWhatWasSpentIsForgottenAtMidnightUtc() public {
        pay(30e6);
        assert(wallet.spentToday(address(usdc)) == 30e6);
        assert(wallet.remainingToday(address(usdc)) == DAILY - 30e6);
        vm.warp(20_001 days - 1);
        assert(wallet.spentToday(address(usdc)) == 30e6);
        vm.warp(20_001 days);
        assert(wallet.spentToday(address(usdc)) == 0);
        assert(wallet.remainingToday(address(usdc)) == DAILY);
    }

    function testAroundMidnightTwoLimitsCanLeave() public {
        vm.warp(20_001 days - 1);
        pay(50e6);
        pay(50e6);
        vm.warp(20_001 days);
        pay(50e6);
        pay(50e6);
        assert(usdc.balanceOf(PAYEE) == 200e6);
    }

    function testALimitBelowWhatWasSpentLeavesNothing() public {
        pay(30e6);
        _limit(LimitKind.Daily, 20e6);
        assert(wallet.remainingToday(address(usdc)) == 0);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, address(usdc), 1, 0));
        pay(1);
    }

    // Recipients

    function testTheListOfRecipientsIsKept() public {
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.RecipientSet(PAYEE, true);
        vm.prank(OWNER);
        wallet.setRecipient(PAYEE, true);
        assert(wallet.isRecipient(PAYEE));
        vm.prank(OWNER);
        wallet.setRecipient(PAYEE, false);
        assert(!wallet.isRecipient(PAYEE));
    }

    function testTheListIsTurnedOnAndOff() public {
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.AllowlistSet(true);
        vm.prank(OWNER);
        wallet.setAllowlist(true);
        assert(wallet.isAllowlistOn());
        vm.prank(OWNER);
        wallet.setAllowlist(false);
        assert(!wallet.isAllowlistOn());
    }

    // Calls

    function _allow(address target, bytes4 selector) private {
        uint16[] memory offsets = new uint16[](1);
        offsets[0] = 32;
        vm.prank(OWNER);
        wallet.allowCall(target, selector, offsets);
    }

    function testACallIsAllowedAndTakenBack() public {
        uint16[] memory offsets = new uint16[](1);
        offsets[0] = 32;
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.CallAllowed(TARGET, SELECTOR, offsets);
        _allow(TARGET, SELECTOR);
        AgentWalletSettings.CallRule memory rule = wallet.callRule(TARGET, SELECTOR);
        assert(rule.allowed && rule.recipientOffsets.length == 1 && rule.recipientOffsets[0] == 32);
        assert(!wallet.callRule(TARGET, bytes4(0x01020304)).allowed);
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.CallDisallowed(TARGET, SELECTOR);
        vm.prank(OWNER);
        wallet.disallowCall(TARGET, SELECTOR);
        rule = wallet.callRule(TARGET, SELECTOR);
        assert(!rule.allowed && rule.recipientOffsets.length == 0);
    }

    function testNeitherTheWalletNorItsFactoryIsATarget() public {
        address[2] memory unfit = [address(wallet), address(factory)];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidTarget.selector, unfit[i]));
            _allow(unfit[i], SELECTOR);
        }
    }

    function testOfTheRouterOnlySubscribingAndCancellingIsAllowed() public {
        _allow(address(router), Subscriptions.subscribe.selector);
        _allow(address(router), Subscriptions.cancel.selector);
        vm.expectRevert(
            abi.encodeWithSelector(AgentWalletSettings.ForbiddenSelector.selector, Subscriptions.charge.selector)
        );
        _allow(address(router), Subscriptions.charge.selector);
        _allow(TARGET, Subscriptions.charge.selector);
    }

    function testWhatHandsTokensOverIsNeverAllowed() public {
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.ForbiddenSelector.selector, IERC20.approve.selector));
        _allow(address(usdc), IERC20.approve.selector);
    }

    // What is watched

    function _watch(Watched memory item) private {
        vm.prank(OWNER);
        wallet.watch(item);
    }

    function _unwatch(Watched memory item) private {
        vm.prank(OWNER);
        wallet.unwatch(item);
    }

    function testATokenWithADailyLimitIsWatchedOnce() public {
        assert(wallet.watched().length == 1);
        assert(wallet.watched()[0].token == address(usdc) && wallet.watched()[0].kind == WatchedKind.Balance);
        _limit(LimitKind.Daily, 5);
        _limit(LimitKind.Daily, 0);
        assert(wallet.watched().length == 1);
    }

    function testOtherLimitsAndALimitOfZeroWatchNothing() public {
        vm.startPrank(OWNER);
        wallet.setLimit(LimitKind.PocketCeiling, TARGET, 5);
        wallet.setLimit(LimitKind.ApprovalThreshold, TARGET, 5);
        wallet.setLimit(LimitKind.Daily, TARGET, 0);
        vm.stopPrank();
        assert(wallet.watched().length == 1);
    }

    function testIdsOfOneContractAreWatchedApart() public {
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.WatchedSet(TARGET, WatchedKind.Shares, 7, true);
        _watch(Watched(TARGET, WatchedKind.Shares, 7));
        _watch(Watched(TARGET, WatchedKind.Shares, 8));
        _watch(Watched(TARGET, WatchedKind.Shares, 8));
        _watch(Watched(TARGET, WatchedKind.Balance, 0));
        assert(wallet.watched().length == 4);
        vm.expectEmit(address(wallet));
        emit AgentWalletSettings.WatchedSet(TARGET, WatchedKind.Shares, 7, false);
        _unwatch(Watched(TARGET, WatchedKind.Shares, 7));
        Watched[] memory left = wallet.watched();
        assert(left.length == 3);
        assert(left[0].token == address(usdc));
        assert(left[1].token == TARGET && left[1].kind == WatchedKind.Balance);
        assert(left[2].kind == WatchedKind.Shares && left[2].id == 8);
    }

    function testTheCoinNeedsNoWatchingAndABalanceHasNoId() public {
        Watched[2] memory unfit = [Watched(NATIVE, WatchedKind.Shares, 7), Watched(TARGET, WatchedKind.Balance, 7)];
        for (uint256 i; i < unfit.length; ++i) {
            vm.expectRevert(
                abi.encodeWithSelector(
                    AgentWalletSettings.InvalidWatched.selector, unfit[i].token, unfit[i].kind, unfit[i].id
                )
            );
            _watch(unfit[i]);
        }
    }

    /// Not even by a list that is full, or by a token that the owner took off it.
    function testNothingHindersLowering() public {
        _unwatch(Watched(address(usdc), WatchedKind.Balance, 0));
        for (uint256 id = 1; id <= 32; ++id) {
            _watch(Watched(TARGET, WatchedKind.Shares, id));
        }
        _limit(LimitKind.Daily, DAILY - 1);
        _limit(LimitKind.Daily, DAILY - 1);
        assert(wallet.limitOf(LimitKind.Daily, address(usdc)) == DAILY - 1);
        assert(wallet.watched().length == 32);
        vm.expectRevert(AgentWalletSettings.TooManyWatched.selector);
        _limit(LimitKind.Daily, DAILY);
    }

    function testAnNftAndSharesOfOneIdAreWatchedApart() public {
        _watch(Watched(TARGET, WatchedKind.Shares, 7));
        _watch(Watched(TARGET, WatchedKind.Nft, 7));
        assert(wallet.watched().length == 3);
    }

    function testWhatIsNotWatchedCannotBeUnwatched() public {
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.NotWatched.selector, TARGET, 3));
        _unwatch(Watched(TARGET, WatchedKind.Shares, 3));
    }

    function testAtMostThirtyTwoAreWatched() public {
        for (uint256 id = 1; id < 32; ++id) {
            _watch(Watched(TARGET, WatchedKind.Shares, id));
        }
        assert(wallet.watched().length == wallet.WATCHED_MAX());
        vm.expectRevert(AgentWalletSettings.TooManyWatched.selector);
        _watch(Watched(TARGET, WatchedKind.Shares, 32));
    }
}
