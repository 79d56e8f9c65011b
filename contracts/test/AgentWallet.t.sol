// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletSettings, LimitKind} from "../src/AgentWalletSettings.sol";
import {Call, Transfer} from "../src/Approvals.sol";
import {IntentIds} from "../src/IntentIds.sol";
import {Subscriptions} from "../src/router/Subscriptions.sol";
import {
    BlocklistToken,
    ExtraFeeToken,
    FalseToken,
    FeeOnTransferToken,
    MintableToken,
    NoReturnToken,
    RebasingToken,
    ReentrantToken,
    ReturnBombToken,
    SilentToken,
    StickyAllowanceToken
} from "./HostileTokens.sol";
import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

contract Picture is ERC721("Picture", "PIC") {
    function mint(address to, uint256 id) external {
        _mint(to, id);
    }
}

contract Shares is ERC1155("") {
    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }
}

/// Its allowances are never used up, and never taken back.
contract KeptAllowanceToken is StickyAllowanceToken {
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _transfer(from, to, value);
        return true;
    }
}

/// Takes no coin.
contract Refuser {}

/// Sends half of what it gets back, as a shop that gives change.
contract ChangeGiver {
    receive() external payable {
        (bool done,) = msg.sender.call{value: msg.value / 2}("");
        assert(done);
    }
}

/// An owner that is a contract, called while it pays itself.
contract GreedyOwner {
    AgentWallet public wallet;
    bool public succeeded;

    function take(AgentWallet from, uint256 amount) external {
        wallet = from;
        from.withdraw(address(0), address(this), amount);
    }

    receive() external payable {
        (succeeded,) = address(wallet).call(abi.encodeCall(AgentWallet.withdraw, (address(0), address(this), 1)));
    }
}

contract AgentWalletTest is WalletFixture {
    /// Every entry point of an operator, with arguments that pass.
    function _entryPoints() private returns (bytes[5] memory) {
        uint256 subscription = _subscription(1e6, 1 days, 5);
        _allowPoke();
        return [
            abi.encodeCall(AgentWallet.executePayment, (address(usdc), PAYEE, 1, ID, none())),
            abi.encodeCall(AgentWallet.executeBatch, (transfers(address(usdc), 1, 2), ID, none())),
            abi.encodeCall(AgentWallet.executeCall, (_poke(), ID, none())),
            abi.encodeCall(AgentWallet.chargeSubscription, (subscription, ID, none())),
            abi.encodeCall(AgentWallet.refill, (address(usdc)))
        ];
    }

    function _poke() private view returns (Call memory) {
        return Call(address(usdc), 0, abi.encodeWithSignature("decimals()"), nothingSpent(), nothingReceived());
    }

    function _allowPoke() private {
        vm.prank(OWNER);
        wallet.allowCall(address(usdc), bytes4(keccak256("decimals()")), new uint16[](0));
    }

    /// Subscribed to by the wallet itself.
    function _subscription(uint128 amount, uint32 period, uint32 count) private returns (uint256) {
        vm.prank(OWNER);
        wallet.allowCall(address(router), Subscriptions.subscribe.selector, new uint16[](0));
        bytes memory data =
            abi.encodeCall(Subscriptions.subscribe, (PAYEE, address(usdc), amount, period, count, uint64(0)));
        call(Call(address(router), 0, data, nothingSpent(), nothingReceived()), keccak256(data));
        return router.subscriptionCount();
    }

    function _charge(uint256 id, bytes32 intentId) private {
        vm.prank(OPERATOR);
        wallet.chargeSubscription(id, intentId, none());
    }

    // Who and when

    function testEveryEntryPointWorksForAnOperator() public {
        bytes[5] memory calls = _entryPoints();
        for (uint256 i; i < calls.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(OPERATOR);
            (bool done,) = address(wallet).call(calls[i]);
            assert(done);
            vm.revertToState(snapshot);
        }
    }

    function testEveryEntryPointIsForOperatorsOnly() public {
        bytes[5] memory calls = _entryPoints();
        address[6] memory others = [OWNER, GUARDIAN, STRANGER, approvers[0], address(factory), address(router)];
        for (uint256 i; i < calls.length; ++i) {
            for (uint256 j; j < others.length; ++j) {
                bytes memory expected = abi.encodeWithSelector(AgentWalletSettings.NotOperator.selector, others[j]);
                _refuse(others[j], calls[i], expected);
            }
        }
    }

    function testAnExpiredOperatorDoesNothing() public {
        bytes[5] memory calls = _entryPoints();
        vm.warp(NOW + 30 days);
        for (uint256 i; i < calls.length; ++i) {
            _refuse(OPERATOR, calls[i], abi.encodeWithSelector(AgentWalletSettings.NotOperator.selector, OPERATOR));
        }
    }

    function testPausedMeansPaused() public {
        bytes[5] memory calls = _entryPoints();
        vm.prank(GUARDIAN);
        wallet.pause();
        for (uint256 i; i < calls.length; ++i) {
            _refuse(OPERATOR, calls[i], abi.encodeWithSelector(Pausable.EnforcedPause.selector));
        }
        vm.prank(OWNER);
        wallet.unpause();
        vm.prank(OPERATOR);
        (bool done,) = address(wallet).call(calls[0]);
        assert(done);
    }

    function _refuse(address caller, bytes memory data, bytes memory expected) private {
        vm.prank(caller);
        (bool done, bytes memory answer) = address(wallet).call(data);
        assert(!done);
        assert(keccak256(answer) == keccak256(expected));
    }

    // Ids

    function testAnIdExecutesOnceOverAllEntryPoints() public {
        bytes[5] memory calls = _entryPoints();
        for (uint256 first; first < 4; ++first) {
            uint256 snapshot = vm.snapshotState();
            assert(!wallet.isExecuted(ID));
            vm.prank(OPERATOR);
            (bool done,) = address(wallet).call(calls[first]);
            assert(done && wallet.isExecuted(ID));
            for (uint256 second; second < 4; ++second) {
                _refuse(OPERATOR, calls[second], abi.encodeWithSelector(IntentIds.IntentExecuted.selector, ID));
            }
            vm.revertToState(snapshot);
        }
    }

    function testAnIdThatFailedIsStillGood() public {
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.RecipientNotAllowed.selector, PAYEE));
        this.payWithAllowlist();
        assert(!wallet.isExecuted(ID));
        pay(address(usdc), PAYEE, 1, ID);
        assert(wallet.isExecuted(ID));
    }

    /// In a call of its own, so that the list is off again when the payment fails.
    function payWithAllowlist() external {
        vm.prank(OWNER);
        wallet.setAllowlist(true);
        pay(address(usdc), PAYEE, 1, ID);
    }

    function testZeroIsNoId() public {
        vm.expectRevert(IntentIds.InvalidIntentId.selector);
        pay(address(usdc), PAYEE, 1, 0);
    }

    // Payments

    function testATokenIsPaid(uint112 amount) public {
        amount = amount % THRESHOLD + 1;
        vm.expectEmit(address(wallet));
        emit AgentWallet.Paid(ID, address(usdc), PAYEE, amount, OPERATOR);
        pay(address(usdc), PAYEE, amount, ID);
        assert(usdc.balanceOf(PAYEE) == amount);
        assert(usdc.balanceOf(address(wallet)) == 1_000e6 - amount);
        assert(wallet.spentToday(address(usdc)) == amount);
        assert(wallet.remainingToday(address(usdc)) == DAILY - amount);
    }

    function testTheCoinIsPaid() public {
        pay(NATIVE, PAYEE, 5 ether, ID);
        assert(PAYEE.balance == 5 ether);
        assert(wallet.spentToday(NATIVE) == 5 ether);
        assert(wallet.spentToday(address(usdc)) == 0);
    }

    function testTheDailyLimitIsReachedToTheBaseUnitAndNotPassed() public {
        pay(50e6);
        pay(50e6 - 1);
        pay(1);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, address(usdc), 1, 0));
        pay(1);
        assert(usdc.balanceOf(PAYEE) == DAILY);
    }

    function testTheCoinHasALimitOfItsOwn() public {
        pay(NATIVE, PAYEE, 5 ether, "1");
        pay(NATIVE, PAYEE, 4 ether, "2");
        vm.expectRevert(
            abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, NATIVE, 1 ether + 1, 1 ether)
        );
        pay(NATIVE, PAYEE, 1 ether + 1, "3");
    }

    function testATokenWithoutALimitStays() public {
        MintableToken token = new NoReturnToken();
        token.mint(address(wallet), 5);
        vm.prank(OWNER);
        wallet.setLimit(LimitKind.ApprovalThreshold, address(token), 5);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, address(token), 5, 0));
        pay(address(token), PAYEE, 5, ID);
    }

    function testATokenWithoutAThresholdNeedsApproversForAnything() public {
        MintableToken token = new NoReturnToken();
        vm.prank(OWNER);
        wallet.setLimit(LimitKind.Daily, address(token), 5);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.ApprovalMissing.selector, address(token), 1, 0));
        pay(address(token), PAYEE, 1, ID);
    }

    function testNothingIsNoPayment() public {
        vm.expectRevert(AgentWallet.NothingToPay.selector);
        pay(0);
    }

    /// Neither has a way to send it on.
    function testNobodyWhoWouldKeepItForEverIsPaid() public {
        address[5] memory unfit = [address(0), address(wallet), address(factory), address(router), address(usdc)];
        for (uint256 i; i < unfit.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidRecipient.selector, unfit[i]));
            pay(address(usdc), unfit[i], 1, ID);
        }
    }

    function testTheCoinComesInWithAnEvent() public {
        vm.deal(STRANGER, 3);
        vm.expectEmit(address(wallet));
        emit AgentWallet.Received(STRANGER, 3);
        vm.prank(STRANGER);
        (bool done,) = address(wallet).call{value: 3}("");
        assert(done);
    }

    function testAPayeeThatRefusesTheCoinFailsThePayment() public {
        address refuser = address(new Refuser());
        vm.expectRevert(Errors.FailedCall.selector);
        pay(NATIVE, refuser, 1, ID);
    }

    function testAPayeeMaySendChangeAndAllOfThePaymentCounts() public {
        pay(NATIVE, address(new ChangeGiver()), 2 ether, ID);
        assert(address(wallet).balance == 99 ether);
        assert(wallet.spentToday(NATIVE) == 2 ether);
    }

    function testMoreThanThereIsIsNotPaid() public {
        vm.prank(OWNER);
        wallet.withdraw(NATIVE, STRANGER, 99 ether);
        vm.expectRevert(abi.encodeWithSelector(Errors.InsufficientBalance.selector, 1 ether, 2 ether));
        pay(NATIVE, PAYEE, 2 ether, ID);
    }

    // The list of recipients

    function testWithTheListOnEveryEntryPointLooksAtTheRecipient() public {
        bytes[5] memory calls = _entryPoints();
        vm.prank(OWNER);
        wallet.setAllowlist(true);
        for (uint256 i; i < 4; ++i) {
            address asked = i == 2 ? address(usdc) : PAYEE;
            _refuse(OPERATOR, calls[i], abi.encodeWithSelector(AgentWalletSettings.RecipientNotAllowed.selector, asked));
        }
        address[3] memory listed = [PAYEE, address(0xCAFE), address(usdc)];
        for (uint256 i; i < listed.length; ++i) {
            vm.prank(OWNER);
            wallet.setRecipient(listed[i], true);
        }
        for (uint256 i; i < 5; ++i) {
            uint256 snapshot = vm.snapshotState();
            vm.prank(OPERATOR);
            (bool done,) = address(wallet).call(calls[i]);
            assert(done);
            vm.revertToState(snapshot);
        }
    }

    function testTheListBindsEveryItemOfABatch() public {
        vm.startPrank(OWNER);
        wallet.setAllowlist(true);
        wallet.setRecipient(PAYEE, true);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.RecipientNotAllowed.selector, address(0xCAFE)));
        _batch(transfers(address(usdc), 1, 2));
    }

    // Batches

    function _batch(Transfer[] memory items) private {
        vm.prank(OPERATOR);
        wallet.executeBatch(items, ID, none());
    }

    function testABatchPaysEachItem() public {
        vm.expectEmit(address(wallet));
        emit AgentWallet.Paid(ID, address(usdc), PAYEE, 20e6, OPERATOR);
        vm.expectEmit(address(wallet));
        emit AgentWallet.Paid(ID, address(usdc), address(0xCAFE), 30e6, OPERATOR);
        _batch(transfers(address(usdc), 20e6, 30e6));
        assert(usdc.balanceOf(PAYEE) == 20e6 && usdc.balanceOf(address(0xCAFE)) == 30e6);
        assert(wallet.spentToday(address(usdc)) == 50e6);
    }

    function testABatchMixesTokens() public {
        Transfer[] memory items = new Transfer[](3);
        items[0] = Transfer(NATIVE, PAYEE, 1 ether);
        items[1] = Transfer(NATIVE, PAYEE, 2 ether);
        items[2] = Transfer(address(usdc), PAYEE, 7);
        _batch(items);
        assert(PAYEE.balance == 3 ether && usdc.balanceOf(PAYEE) == 7);
    }

    function testABatchMustBeSortedByToken() public {
        Transfer[] memory items = transfers(address(usdc), 1, 1);
        items[1].token = NATIVE;
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.BatchNotSorted.selector, NATIVE));
        _batch(items);
    }

    function testAnEmptyBatchIsNone() public {
        vm.expectRevert(AgentWallet.NothingToPay.selector);
        _batch(new Transfer[](0));
    }

    function testABatchCountsEachItemToTheLimit() public {
        pay(50e6);
        pay(49e6);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, address(usdc), 1, 0));
        _batch(transfers(address(usdc), 1e6, 1));
        assert(usdc.balanceOf(PAYEE) == 99e6);
    }

    function testABatchAboveTheThresholdInSumNeedsApprovers() public {
        vm.expectRevert(
            abi.encodeWithSelector(AgentWallet.ApprovalMissing.selector, address(usdc), THRESHOLD + 1, THRESHOLD)
        );
        _batch(transfers(address(usdc), THRESHOLD - 9, 10));
        _batch(transfers(address(usdc), THRESHOLD - 9, 9));
    }

    function testABatchSumsEachTokenApart() public {
        Transfer[] memory items = new Transfer[](2);
        items[0] = Transfer(NATIVE, PAYEE, 40e6);
        items[1] = Transfer(address(usdc), PAYEE, 40e6);
        _batch(items);
        assert(usdc.balanceOf(PAYEE) == 40e6);
    }

    /// The second token's sum is its own, too.
    function testABatchSumsALaterTokenUp() public {
        Transfer[] memory items = new Transfer[](3);
        items[0] = Transfer(NATIVE, PAYEE, 1);
        items[1] = Transfer(address(usdc), PAYEE, THRESHOLD - 9);
        items[2] = Transfer(address(usdc), PAYEE, 10);
        vm.expectRevert(
            abi.encodeWithSelector(AgentWallet.ApprovalMissing.selector, address(usdc), THRESHOLD + 1, THRESHOLD)
        );
        _batch(items);
    }

    // The pocket

    function _refill(address token) private returns (uint256) {
        vm.prank(OPERATOR);
        return wallet.refill(token);
    }

    function testARefillFillsUpToTheCeilingAndCounts() public {
        usdc.mint(OPERATOR, 3e6);
        vm.expectEmit(address(wallet));
        emit AgentWallet.Refilled(OPERATOR, address(usdc), CEILING - 3e6);
        assert(_refill(address(usdc)) == CEILING - 3e6);
        assert(usdc.balanceOf(OPERATOR) == CEILING);
        assert(wallet.spentToday(address(usdc)) == CEILING - 3e6);
    }

    function testTheCoinIsRefilled() public {
        assert(_refill(NATIVE) == 1 ether);
        assert(OPERATOR.balance == 1 ether && wallet.spentToday(NATIVE) == 1 ether);
    }

    function testAFullPocketGetsNothing(uint8 more) public {
        usdc.mint(OPERATOR, uint256(CEILING) + more);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.NothingToRefill.selector, address(usdc)));
        _refill(address(usdc));
    }

    function testARefillStopsAtTheDaysLimit() public {
        pay(50e6);
        pay(45e6);
        assert(_refill(address(usdc)) == 5e6);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.NothingToRefill.selector, address(usdc)));
        _refill(address(usdc));
    }

    function testARefillStopsAtTheBalance() public {
        vm.prank(OWNER);
        wallet.withdraw(address(usdc), STRANGER, 998e6);
        assert(_refill(address(usdc)) == 2e6);
    }

    function testEmptyingThePocketAgainAndAgainTakesTheDaysLimitAndNoMore() public {
        for (uint256 i; i < 5; ++i) {
            _refill(address(usdc));
            vm.prank(OPERATOR);
            usdc.transfer(STRANGER, CEILING);
        }
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.NothingToRefill.selector, address(usdc)));
        _refill(address(usdc));
        assert(usdc.balanceOf(STRANGER) == DAILY);
    }

    function testARefillLooksAtNeitherListNorThreshold() public {
        vm.startPrank(OWNER);
        wallet.setAllowlist(true);
        wallet.setLimit(LimitKind.ApprovalThreshold, address(usdc), 0);
        vm.stopPrank();
        assert(_refill(address(usdc)) == CEILING);
    }

    // The owner's way out

    function testTheOwnerWithdrawsPausedOverTheLimitAndOffTheList() public {
        vm.prank(GUARDIAN);
        wallet.pause();
        vm.startPrank(OWNER);
        wallet.setAllowlist(true);
        vm.expectEmit(address(wallet));
        emit AgentWallet.Withdrawn(address(usdc), STRANGER, 1_000e6);
        wallet.withdraw(address(usdc), STRANGER, 1_000e6);
        wallet.withdraw(NATIVE, STRANGER, 100 ether);
        vm.stopPrank();
        assert(usdc.balanceOf(STRANGER) == 1_000e6 && STRANGER.balance == 100 ether);
        assert(wallet.spentToday(address(usdc)) == 0);
    }

    function testTheOwnerWithdrawsWhatNoOperatorCouldPay() public {
        ExtraFeeToken token = new ExtraFeeToken();
        token.mint(address(wallet), 1_000);
        vm.prank(OWNER);
        wallet.withdraw(address(token), STRANGER, 100);
        assert(token.balanceOf(STRANGER) == 100);
    }

    function testWithdrawingIsTheOwnersAlone() public {
        address[4] memory others = [OPERATOR, GUARDIAN, STRANGER, approvers[0]];
        bytes[4] memory calls = [
            abi.encodeCall(AgentWallet.cancelSubscription, (1)),
            abi.encodeCall(AgentWallet.withdraw, (address(usdc), STRANGER, 1)),
            abi.encodeCall(AgentWallet.withdrawERC721, (address(usdc), STRANGER, 1)),
            abi.encodeCall(AgentWallet.withdrawERC1155, (address(usdc), STRANGER, 1, 1))
        ];
        for (uint256 i; i < others.length; ++i) {
            for (uint256 j; j < calls.length; ++j) {
                bytes memory expected = abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, others[i]);
                _refuse(others[i], calls[j], expected);
            }
        }
    }

    function testNothingIsWithdrawnToNobody() public {
        vm.prank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidRecipient.selector, address(0)));
        wallet.withdraw(NATIVE, address(0), 1);
    }

    function testAWithdrawalIsNotEnteredAgain() public {
        GreedyOwner owner = new GreedyOwner();
        vm.prank(OWNER);
        wallet.transferOwnership(address(owner));
        vm.prank(address(owner));
        wallet.acceptOwnership();
        owner.take(wallet, 5);
        assert(!owner.succeeded());
        assert(address(owner).balance == 5);
    }

    function testNftsComeInAndLeaveByTheOwner() public {
        Picture picture = new Picture();
        Shares shares = new Shares();
        picture.mint(address(this), 7);
        picture.safeTransferFrom(address(this), address(wallet), 7);
        shares.mint(address(wallet), 8, 30);
        vm.startPrank(OWNER);
        vm.expectEmit(address(wallet));
        emit AgentWallet.NftWithdrawn(address(picture), STRANGER, 7, 1);
        wallet.withdrawERC721(address(picture), STRANGER, 7);
        vm.expectEmit(address(wallet));
        emit AgentWallet.NftWithdrawn(address(shares), STRANGER, 8, 20);
        wallet.withdrawERC1155(address(shares), STRANGER, 8, 20);
        vm.stopPrank();
        assert(picture.ownerOf(7) == STRANGER);
        assert(shares.balanceOf(STRANGER, 8) == 20 && shares.balanceOf(address(wallet), 8) == 10);
    }

    // What it is not

    function testItAnswersNoSignature(bytes32 digest, bytes calldata signature) public {
        (bool done,) =
            address(wallet).staticcall(abi.encodeWithSignature("isValidSignature(bytes32,bytes)", digest, signature));
        assert(!done);
    }

    // Subscriptions

    function testASubscriptionIsChargedWithinTheLimits() public {
        uint256 id = _subscription(5e6, 1 days, 3);
        vm.expectEmit(address(wallet));
        emit AgentWallet.Paid(ID, address(usdc), PAYEE, 5e6, OPERATOR);
        vm.expectEmit(address(wallet));
        emit AgentWallet.SubscriptionCharged(ID, id);
        _charge(id, ID);
        assert(usdc.balanceOf(PAYEE) == 5e6);
        assert(wallet.spentToday(address(usdc)) == 5e6);
        assert(usdc.allowance(address(wallet), address(router)) == 0);
    }

    function testASubscriptionIsChargedOnceAPeriod() public {
        uint256 id = _subscription(5e6, 1 days, 3);
        _charge(id, "1");
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.NotDue.selector, id, NOW + 1 days));
        _charge(id, "2");
        vm.warp(NOW + 1 days);
        _charge(id, "2");
        assert(usdc.balanceOf(PAYEE) == 10e6);
    }

    function testAMerchantTakesNothingByItself() public {
        uint256 id = _subscription(5e6, 1 days, 3);
        vm.prank(PAYEE);
        (bool done,) = address(router).call(abi.encodeCall(Subscriptions.charge, (id)));
        assert(!done);
        assert(usdc.balanceOf(PAYEE) == 0);
    }

    function testASubscriptionBeyondTheDaysLimitIsNotCharged() public {
        uint256 id = _subscription(5e6, 1 days, 3);
        pay(50e6);
        pay(46e6);
        vm.expectRevert(
            abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, address(usdc), 5e6, 4e6)
        );
        _charge(id, ID);
    }

    function testASubscriptionAboveTheThresholdNeedsApprovers() public {
        uint256 id = _subscription(THRESHOLD + 1, 1 days, 3);
        vm.expectRevert(
            abi.encodeWithSelector(AgentWallet.ApprovalMissing.selector, address(usdc), THRESHOLD + 1, THRESHOLD)
        );
        _charge(id, ID);
    }

    function testSomebodyElsesSubscriptionIsNotPaid() public {
        vm.prank(STRANGER);
        uint256 id = router.subscribe(PAYEE, address(usdc), 5, 1 days, 3, 0);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.NotOurSubscription.selector, id));
        _charge(id, ID);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.NotOurSubscription.selector, 99));
        _charge(99, ID);
    }

    function testAnOperatorCancelsASubscription() public {
        uint256 id = _subscription(5e6, 1 days, 3);
        vm.prank(OWNER);
        wallet.allowCall(address(router), Subscriptions.cancel.selector, new uint16[](0));
        bytes memory data = abi.encodeCall(Subscriptions.cancel, (id));
        call(Call(address(router), 0, data, nothingSpent(), nothingReceived()), "cancel");
        vm.expectRevert(abi.encodeWithSelector(Subscriptions.AlreadyCancelled.selector, id));
        _charge(id, ID);
    }

    function testTheOwnerCancelsASubscriptionPausedToo() public {
        uint256 id = _subscription(5e6, 1 days, 3);
        vm.prank(GUARDIAN);
        wallet.pause();
        vm.prank(OWNER);
        wallet.cancelSubscription(id);
        assert(router.subscription(id).cancelled);
    }

    function testASubscriptionInATokenThatKeepsItsAllowanceIsNotCharged() public {
        KeptAllowanceToken token = new KeptAllowanceToken();
        _open(token);
        vm.prank(OWNER);
        wallet.allowCall(address(router), Subscriptions.subscribe.selector, new uint16[](0));
        bytes memory data = abi.encodeCall(
            Subscriptions.subscribe, (PAYEE, address(token), uint128(9), uint32(10), uint32(1), uint64(0))
        );
        call(Call(address(router), 0, data, nothingSpent(), nothingReceived()), "subscribe");
        uint256 id = router.subscriptionCount();
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.AllowanceLeft.selector, token, router));
        _charge(id, ID);
    }

    // Tokens that misbehave

    /// Limits for a token of which the wallet has 1,000.
    function _open(MintableToken token) private {
        token.mint(address(wallet), 1_000);
        vm.startPrank(OWNER);
        wallet.setLimit(LimitKind.Daily, address(token), 500);
        wallet.setLimit(LimitKind.ApprovalThreshold, address(token), 500);
        wallet.setLimit(LimitKind.PocketCeiling, address(token), 200);
        vm.stopPrank();
    }

    function testATokenThatReturnsNothingIsPaid() public {
        NoReturnToken token = new NoReturnToken();
        _open(token);
        pay(address(token), PAYEE, 100, ID);
        assert(token.balanceOf(PAYEE) == 100);
    }

    function testATokenThatSaysNoIsNotPaid() public {
        FalseToken token = new FalseToken();
        _open(token);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, token));
        pay(address(token), PAYEE, 100, ID);
    }

    function testATokenThatSaysYesAndMovesNothingIsNotPaid() public {
        SilentToken token = new SilentToken();
        _open(token);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.UnexpectedOutflow.selector, token, 100));
        pay(address(token), PAYEE, 100, ID);
    }

    function testAFeeThatThePayeeBearsIsThePayees() public {
        FeeOnTransferToken token = new FeeOnTransferToken();
        _open(token);
        pay(address(token), PAYEE, 100, ID);
        assert(token.balanceOf(address(wallet)) == 900);
        assert(token.balanceOf(PAYEE) < 100);
        assert(wallet.spentToday(address(token)) == 100);
    }

    function testATokenThatTakesMoreThanToldIsRefused() public {
        ExtraFeeToken token = new ExtraFeeToken();
        _open(token);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.UnexpectedOutflow.selector, token, 100));
        pay(address(token), PAYEE, 100, ID);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.UnexpectedOutflow.selector, token, 200));
        _refill(address(token));
    }

    function testATokenThatRebasesMeanwhileIsRefused() public {
        RebasingToken token = new RebasingToken();
        _open(token);
        token.rebaseOnNextTransfer(1, 2);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.UnexpectedOutflow.selector, token, 100));
        pay(address(token), PAYEE, 100, ID);
        token.rebaseOnNextTransfer(2, 1);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.UnexpectedOutflow.selector, token, 100));
        pay(address(token), PAYEE, 100, ID);
    }

    function testABlockedPayeeIsNotPaid() public {
        BlocklistToken token = new BlocklistToken();
        _open(token);
        token.setBlocked(PAYEE, true);
        vm.prank(OPERATOR);
        (bool done,) =
            address(wallet).call(abi.encodeCall(AgentWallet.executePayment, (address(token), PAYEE, 100, ID, none())));
        assert(!done && !wallet.isExecuted(ID));
    }

    /// A token that calls back, and is an operator itself, finds every door closed while one is open.
    function testNoEntryPointIsEnteredFromWithin() public {
        ReentrantToken token = new ReentrantToken();
        bytes[5] memory calls = _entryPoints();
        _open(token);
        vm.prank(OWNER);
        wallet.setOperator(address(token), uint64(NOW + 1 days));
        for (uint256 i; i < calls.length; ++i) {
            token.reenter(address(wallet), calls[i]);
            pay(address(token), PAYEE, 10, bytes32(i + 1));
            assert(!token.succeeded());
            bytes memory expected =
                abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            assert(keccak256(token.answer()) == keccak256(expected));
        }
        assert(wallet.spentToday(address(usdc)) == 0);
    }

    /// The other way round: whichever door is open, the one that pays is closed.
    function testEveryEntryPointClosesTheOthers() public {
        ReentrantToken token = new ReentrantToken();
        _open(token);
        vm.startPrank(OWNER);
        wallet.setOperator(address(token), uint64(NOW + 1 days));
        wallet.allowCall(address(router), Subscriptions.subscribe.selector, new uint16[](0));
        vm.stopPrank();
        bytes memory data = abi.encodeCall(
            Subscriptions.subscribe, (PAYEE, address(token), uint128(9), uint32(10), uint32(1), uint64(0))
        );
        call(Call(address(router), 0, data, nothingSpent(), nothingReceived()), "subscribe");
        token.reenter(
            address(wallet),
            abi.encodeCall(AgentWallet.executePayment, (address(usdc), STRANGER, 1, bytes32("again"), none()))
        );
        bytes[3] memory calls = [
            abi.encodeCall(AgentWallet.executeBatch, (transfers(address(token), 1, 2), "1", none())),
            abi.encodeCall(AgentWallet.chargeSubscription, (router.subscriptionCount(), "2", none())),
            abi.encodeCall(AgentWallet.refill, (address(token)))
        ];
        for (uint256 i; i < calls.length; ++i) {
            vm.prank(OPERATOR);
            (bool done,) = address(wallet).call(calls[i]);
            assert(done && !token.succeeded());
        }
        assert(usdc.balanceOf(STRANGER) == 0);
    }

    function testAReturnBombHurtsNobodyElse() public {
        ReturnBombToken token = new ReturnBombToken();
        _open(token);
        token.bombPayments(100_000, false);
        pay(address(token), PAYEE, 100, ID);
        assert(token.balanceOf(PAYEE) == 100);
    }
}
