// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExactTransfer} from "../../src/ExactTransfer.sol";
import {PaymentRouter} from "../../src/PaymentRouter.sol";
import {Payouts} from "../../src/router/Payouts.sol";
import {
    BlocklistToken,
    ExtraFeeToken,
    FalseToken,
    FeeOnTransferToken,
    GasBurnerToken,
    LenientAuthorizationToken,
    MintableToken,
    NoReturnToken,
    RebasingToken,
    ReentrantToken,
    ReturnBombToken,
    SilentToken
} from "../HostileTokens.sol";
import {vm} from "../Vm.sol";

/// Gives every sender ten times what he sends.
contract MintingToken is MintableToken {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0)) super._update(address(0), from, 10 * value);
    }
}

/// Has no patience for transfers of nothing.
contract ZeroRefusingToken is MintableToken {
    function _update(address from, address to, uint256 value) internal override {
        require(value > 0, "nothing");
        super._update(from, to, value);
    }
}

/// Takes native money and tries to be paid again, or refuses it.
contract NativePayee {
    PaymentRouter private immutable ROUTER;
    bool private immutable REFUSES;
    bytes public answer;

    error Unwanted();

    constructor(PaymentRouter router, bool refuses) {
        ROUTER = router;
        REFUSES = refuses;
    }

    receive() external payable {
        if (REFUSES) revert Unwanted();
        Payouts.Payment[] memory payments = new Payouts.Payment[](1);
        payments[0] = Payouts.Payment(address(this), 1);
        (, answer) = address(ROUTER).call{value: 1}(abi.encodeCall(ROUTER.batchPay, (address(0), payments)));
    }
}

contract PayoutsTest {
    address private constant PAYER = address(0xA11CE);
    address private constant PAYEE = address(0xB0B);
    address private constant OTHER_PAYEE = address(0xCA7);
    address private constant NATIVE = address(0);
    uint256 private constant FUNDS = 100e6;

    PaymentRouter private router;
    MintableToken private token;

    function setUp() public {
        router = new PaymentRouter();
        token = new LenientAuthorizationToken();
        _fund(token);
        vm.deal(PAYER, FUNDS);
    }

    function _fund(MintableToken token_) private {
        token_.mint(PAYER, FUNDS);
        _allowFrom(token_, PAYER);
    }

    function _allowFrom(MintableToken token_, address payer) private {
        vm.prank(payer);
        SafeERC20.forceApprove(token_, address(router), type(uint256).max);
    }

    function _payments(uint256 first, uint256 second) private pure returns (Payouts.Payment[] memory payments) {
        payments = new Payouts.Payment[](2);
        payments[0] = Payouts.Payment(PAYEE, first);
        payments[1] = Payouts.Payment(OTHER_PAYEE, second);
    }

    function _shares(uint256 first, uint256 second) private pure returns (Payouts.Share[] memory shares) {
        shares = new Payouts.Share[](2);
        shares[0] = Payouts.Share(PAYEE, first);
        shares[1] = Payouts.Share(OTHER_PAYEE, second);
    }

    function _batchPay(address token_, uint256 value, Payouts.Payment[] memory payments) private {
        vm.prank(PAYER);
        router.batchPay{value: value}(token_, payments);
    }

    function _splitPay(address token_, uint256 value, uint256 amount, Payouts.Share[] memory shares) private {
        vm.prank(PAYER);
        router.splitPay{value: value}(token_, amount, shares);
    }

    function _expectPaid(address token_, address payee, uint256 amount) private {
        vm.expectEmit(address(router));
        emit Payouts.PaymentMade(token_, PAYER, payee, amount);
    }

    // batchPay

    function testFuzzABatchPaysEachPayee(uint256 first, uint256 second) public {
        first = 1 + first % (FUNDS / 2);
        second = 1 + second % (FUNDS / 2);
        _expectPaid(address(token), PAYEE, first);
        _expectPaid(address(token), OTHER_PAYEE, second);
        vm.expectEmit(address(router));
        emit Payouts.BatchPaid(address(token), PAYER, 2, first + second);
        _batchPay(address(token), 0, _payments(first, second));
        assert(token.balanceOf(PAYEE) == first && token.balanceOf(OTHER_PAYEE) == second);
        assert(token.balanceOf(PAYER) == FUNDS - first - second);
        assert(token.balanceOf(address(router)) == 0);
    }

    function testFuzzANativeBatchPaysEachPayee(uint256 first, uint256 second) public {
        first = 1 + first % (FUNDS / 2);
        second = 1 + second % (FUNDS / 2);
        _expectPaid(NATIVE, PAYEE, first);
        _expectPaid(NATIVE, OTHER_PAYEE, second);
        vm.expectEmit(address(router));
        emit Payouts.BatchPaid(NATIVE, PAYER, 2, first + second);
        _batchPay(NATIVE, first + second, _payments(first, second));
        assert(PAYEE.balance == first && OTHER_PAYEE.balance == second);
        assert(PAYER.balance == FUNDS - first - second && address(router).balance == 0);
    }

    function testOnePayeeMayStandInABatchTwice() public {
        Payouts.Payment[] memory payments = _payments(5, 7);
        payments[1].to = PAYEE;
        _batchPay(address(token), 0, payments);
        assert(token.balanceOf(PAYEE) == 12);
    }

    function testABatchWithoutCoverPaysNobody() public {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, PAYER, FUNDS - 5, FUNDS));
        _batchPay(address(token), 0, _payments(5, FUNDS));
        assert(token.balanceOf(PAYEE) == 0);
    }

    function testOnlyTheCallersAllowanceIsUsed() public {
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(router), 0, 5));
        router.batchPay(address(token), _payments(5, 7));
    }

    function testABatchHasAPayment() public {
        vm.expectRevert(Payouts.EmptyBatch.selector);
        _batchPay(address(token), 0, new Payouts.Payment[](0));
    }

    function testFuzzEachPaymentHasAnAmount(bool first) public {
        vm.expectRevert(Payouts.ZeroAmount.selector);
        _batchPay(address(token), 0, first ? _payments(0, 5) : _payments(5, 0));
    }

    function testFuzzWhatWouldBeLostIsNotPaid(bool native, bool toRouter, bool splits) public {
        address lost = toRouter ? address(router) : address(0);
        Payouts.Payment[] memory payments = _payments(5, 7);
        payments[1].to = lost;
        Payouts.Share[] memory shares = _shares(1, 9_999);
        shares[1].to = lost;
        vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidPayee.selector, lost));
        if (splits) _splitPay(native ? NATIVE : address(token), native ? 12 : 0, 12, shares);
        else _batchPay(native ? NATIVE : address(token), native ? 12 : 0, payments);
    }

    function testAPayerDoesNotPayItself() public {
        Payouts.Payment[] memory payments = _payments(5, 7);
        payments[1].to = PAYER;
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.SelfTransfer.selector, PAYER));
        _batchPay(address(token), 0, payments);
    }

    function testFuzzNativeMoneyComesToTheLastUnit(uint256 value, bool splits) public {
        value = value % FUNDS;
        if (value == 12) value = 13;
        vm.expectRevert(abi.encodeWithSelector(Payouts.WrongValue.selector, 12, value));
        if (splits) _splitPay(NATIVE, value, 12, _shares(5_000, 5_000));
        else _batchPay(NATIVE, value, _payments(5, 7));
    }

    function testFuzzNativeMoneyIsNotSentWithTokens(bool splits) public {
        vm.expectRevert(abi.encodeWithSelector(Payouts.WrongValue.selector, 0, 1));
        if (splits) _splitPay(address(token), 1, 12, _shares(5_000, 5_000));
        else _batchPay(address(token), 1, _payments(5, 7));
    }

    function testASumThatOverflowsIsNoBatch() public {
        vm.expectRevert(abi.encodeWithSignature("Panic(uint256)", 0x11));
        _batchPay(NATIVE, 4, _payments(type(uint256).max, 5));
    }

    function testOnePayeeWhoRefusesNativeMoneyUndoesTheBatch() public {
        Payouts.Payment[] memory payments = _payments(5, 7);
        payments[1].to = address(new NativePayee(router, true));
        vm.expectRevert(NativePayee.Unwanted.selector);
        _batchPay(NATIVE, 12, payments);
        assert(PAYEE.balance == 0);
    }

    function testANativePayeeCannotReenter() public {
        NativePayee payee = new NativePayee(router, false);
        Payouts.Payment[] memory payments = _payments(5, 7);
        payments[0].to = address(payee);
        _batchPay(NATIVE, 12, payments);
        assert(bytes4(payee.answer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        assert(address(payee).balance == 5);
    }

    function testNobodySendsMoneyToTheRouter() public {
        vm.deal(address(this), 1);
        (bool ok,) = address(router).call{value: 1}("");
        assert(!ok);
    }

    // splitPay

    function testFuzzASplitIsTheFloorAndTheLastTakesTheRest(uint256 amount, uint256 basisPoints, bool native) public {
        amount = 1 + amount % FUNDS;
        basisPoints = 1 + basisPoints % 9_999;
        uint256 part = amount * basisPoints / 10_000;
        address token_ = native ? NATIVE : address(token);
        if (part > 0) _expectPaid(token_, PAYEE, part);
        _expectPaid(token_, OTHER_PAYEE, amount - part);
        vm.expectEmit(address(router));
        emit Payouts.SplitPaid(token_, PAYER, 2, amount);
        _splitPay(token_, native ? amount : 0, amount, _shares(basisPoints, 10_000 - basisPoints));
        assert(_balance(token_, PAYEE) == part);
        assert(_balance(token_, OTHER_PAYEE) == amount - part);
        assert(_balance(token_, PAYER) == FUNDS - amount);
        assert(_balance(token_, address(router)) == 0);
    }

    function _balance(address token_, address account) private view returns (uint256) {
        return token_ == NATIVE ? account.balance : token.balanceOf(account);
    }

    function testTheRemainderOfManySharesGoesToTheLast() public {
        Payouts.Share[] memory shares = new Payouts.Share[](3);
        shares[0] = Payouts.Share(PAYEE, 3_333);
        shares[1] = Payouts.Share(OTHER_PAYEE, 3_334);
        shares[2] = Payouts.Share(address(0xDE), 3_333);
        _splitPay(address(token), 0, 101, shares);
        assert(token.balanceOf(PAYEE) == 33 && token.balanceOf(OTHER_PAYEE) == 33);
        assert(token.balanceOf(address(0xDE)) == 35);
    }

    function testAShareThatRoundsToNothingIsPassedOver() public {
        ZeroRefusingToken refusing = new ZeroRefusingToken();
        _fund(refusing);
        _splitPay(address(refusing), 0, 9, _shares(1, 9_999));
        assert(refusing.balanceOf(PAYEE) == 0 && refusing.balanceOf(OTHER_PAYEE) == 9);
    }

    function testOneShareIsAllOfIt() public {
        Payouts.Share[] memory shares = new Payouts.Share[](1);
        shares[0] = Payouts.Share(PAYEE, 10_000);
        _splitPay(address(token), 0, 7, shares);
        assert(token.balanceOf(PAYEE) == 7);
    }

    function testTheLargestAmountIsSplit() public {
        MintableToken large = new LenientAuthorizationToken();
        large.mint(PAYER, type(uint256).max);
        vm.prank(PAYER);
        large.approve(address(router), type(uint256).max);
        _splitPay(address(large), 0, type(uint256).max, _shares(5_000, 5_000));
        assert(large.balanceOf(PAYEE) == type(uint256).max / 2);
        assert(large.balanceOf(OTHER_PAYEE) == type(uint256).max / 2 + 1);
    }

    function testFuzzSharesSumToTheWhole(uint64 first, uint64 second) public {
        uint256 sum = uint256(first) + second;
        vm.assume(first > 0 && second > 0 && sum != 10_000);
        vm.expectRevert(abi.encodeWithSelector(Payouts.WrongShareSum.selector, sum));
        _splitPay(address(token), 0, 100, _shares(first, second));
    }

    function testAShareIsNotEmpty() public {
        vm.expectRevert(abi.encodeWithSelector(Payouts.EmptyShare.selector, 1));
        _splitPay(address(token), 0, 100, _shares(10_000, 0));
    }

    function testASplitHasSharesAndAnAmount() public {
        vm.expectRevert(Payouts.EmptyBatch.selector);
        _splitPay(address(token), 0, 100, new Payouts.Share[](0));
        vm.expectRevert(Payouts.ZeroAmount.selector);
        _splitPay(address(token), 0, 0, _shares(5_000, 5_000));
    }

    function testThereAreTenThousandBasisPoints() public view {
        assert(router.BASIS_POINTS() == 10_000);
    }

    // Hostile tokens

    function testATokenWithoutAnswersPays() public {
        NoReturnToken mute = new NoReturnToken();
        _fund(mute);
        _batchPay(address(mute), 0, _payments(5, 7));
        _splitPay(address(mute), 0, 10, _shares(5_000, 5_000));
        assert(mute.balanceOf(PAYEE) == 10 && mute.balanceOf(OTHER_PAYEE) == 12);
    }

    function testATokenThatSaysFalseIsRefused() public {
        FalseToken no = new FalseToken();
        _fund(no);
        vm.expectRevert(abi.encodeWithSelector(SafeERC20.SafeERC20FailedOperation.selector, address(no)));
        _batchPay(address(no), 0, _payments(5, 7));
    }

    function testATokenThatMovesNothingIsRefused() public {
        SilentToken silent = new SilentToken();
        _fund(silent);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.WrongArrival.selector, address(silent), PAYEE, 5, 0, 0));
        _batchPay(address(silent), 0, _payments(5, 7));
    }

    function testATokenThatKeepsAFeeIsRefused() public {
        FeeOnTransferToken fee = new FeeOnTransferToken();
        _fund(fee);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.WrongArrival.selector, address(fee), PAYEE, 1_000, 0, 990));
        _batchPay(address(fee), 0, _payments(1_000, 7));
    }

    function testATokenThatTakesMoreFromThePayerIsRefused() public {
        ExtraFeeToken extra = new ExtraFeeToken();
        _fund(extra);
        bytes memory refusal = abi.encodeWithSelector(
            ExactTransfer.WrongOutflow.selector, address(extra), PAYER, 1_007, FUNDS, FUNDS - 1_017
        );
        vm.expectRevert(refusal);
        _batchPay(address(extra), 0, _payments(1_000, 7));
        vm.expectPartialRevert(ExactTransfer.WrongOutflow.selector);
        _splitPay(address(extra), 0, 1_000, _shares(5_000, 5_000));
    }

    function testFuzzATokenThatRebasesMeanwhileIsRefused(bool grows, bool payeeHasSome) public {
        RebasingToken rebasing = new RebasingToken();
        _fund(rebasing);
        if (payeeHasSome) rebasing.mint(PAYEE, 1_000);
        rebasing.rebaseOnNextTransfer(grows ? 2 : 1, grows ? 1 : 2);
        vm.expectPartialRevert(ExactTransfer.WrongArrival.selector);
        _batchPay(address(rebasing), 0, _payments(8, 8));
    }

    /// The payees got theirs, the payer has more than before.
    function testAPayerWhoGainsIsRefusedToo() public {
        MintingToken minting = new MintingToken();
        _fund(minting);
        vm.expectPartialRevert(ExactTransfer.WrongOutflow.selector);
        _batchPay(address(minting), 0, _payments(5, 7));
    }

    function testATokenThatRebasedBeforePays() public {
        RebasingToken rebasing = new RebasingToken();
        _fund(rebasing);
        rebasing.rebase(2, 1);
        _batchPay(address(rebasing), 0, _payments(8, 6));
        assert(rebasing.balanceOf(PAYEE) == 8);
    }

    function testABlockedPayeeUndoesTheBatch() public {
        BlocklistToken blocking = new BlocklistToken();
        _fund(blocking);
        blocking.setBlocked(OTHER_PAYEE, true);
        vm.expectRevert(abi.encodeWithSelector(BlocklistToken.Blocked.selector, OTHER_PAYEE));
        _batchPay(address(blocking), 0, _payments(5, 7));
        assert(blocking.balanceOf(PAYEE) == 0);
    }

    function testATokenThatBurnsGasUndoesTheBatch() public {
        GasBurnerToken burner = new GasBurnerToken();
        _fund(burner);
        burner.burn(true, false, false, PAYER);
        vm.prank(PAYER);
        (bool ok,) =
            address(router).call{gas: 500_000}(abi.encodeCall(router.batchPay, (address(burner), _payments(5, 7))));
        assert(!ok && burner.balanceOf(PAYEE) == 0);
    }

    function testALongAnswerIsNotCopied() public {
        ReturnBombToken bomb = new ReturnBombToken();
        _fund(bomb);
        bomb.bombPayments(280_000, false);
        uint256 used = gasleft();
        _batchPay(address(bomb), 0, _payments(5, 7));
        used -= gasleft();
        assert(bomb.balanceOf(PAYEE) == 5 && used < 520_000);
    }

    function testFuzzATokenCannotReenter(bool splits, bool splitsWithin) public {
        ReentrantToken reentrant = new ReentrantToken();
        _fund(reentrant);
        // the token pays as well
        reentrant.mint(address(reentrant), FUNDS);
        _allowFrom(reentrant, address(reentrant));
        reentrant.reenter(
            address(router),
            splitsWithin
                ? abi.encodeCall(router.splitPay, (address(reentrant), 10, _shares(5_000, 5_000)))
                : abi.encodeCall(router.batchPay, (address(reentrant), _payments(1, 1)))
        );
        if (splits) _splitPay(address(reentrant), 0, 10, _shares(5_000, 5_000));
        else _batchPay(address(reentrant), 0, _payments(5, 7));
        assert(reentrant.calls() == 2 && !reentrant.succeeded());
        assert(bytes4(reentrant.answer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }

    /// What hands a part of what arrived back to the payer breaks the payer's side.
    function testAPayeeThatPaysBackMeanwhileUndoesTheBatch() public {
        ReentrantToken reentrant = new ReentrantToken();
        _fund(reentrant);
        reentrant.mint(address(reentrant), 10);
        reentrant.reenter(address(reentrant), abi.encodeCall(IERC20.transfer, (PAYER, 1)));
        vm.expectPartialRevert(ExactTransfer.WrongOutflow.selector);
        _batchPay(address(reentrant), 0, _payments(5, 7));
    }
}
