// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExactTransfer} from "../../src/ExactTransfer.sol";
import {PaymentRouter} from "../../src/PaymentRouter.sol";
import {Payouts} from "../../src/router/Payouts.sol";
import {RecordedPayments} from "../../src/router/RecordedPayments.sol";
import {
    ExtraFeeToken,
    FeeOnTransferToken,
    LenientAuthorizationToken,
    MintableToken,
    NoReturnToken,
    ReentrantToken,
    SilentToken
} from "../HostileTokens.sol";
import {vm} from "../Vm.sol";

contract RecordedPaymentsTest {
    address private constant PAYER = address(0xA11CE);
    address private constant PAYEE = address(0xB0B);
    bytes32 private constant REFERENCE = keccak256("order 7");
    uint256 private constant FUNDS = 100e6;

    PaymentRouter private router;
    MintableToken private token;

    function setUp() public {
        router = new PaymentRouter();
        token = new LenientAuthorizationToken();
        _fund(token);
    }

    function _fund(MintableToken token_) private {
        token_.mint(PAYER, FUNDS);
        vm.prank(PAYER);
        SafeERC20.forceApprove(token_, address(router), type(uint256).max);
    }

    function _pay(MintableToken token_, address to, uint256 amount) private {
        vm.prank(PAYER);
        router.payRecorded(address(token_), to, amount, REFERENCE);
    }

    function _idOf(MintableToken token_, uint256 amount) private pure returns (bytes32) {
        return keccak256(abi.encode(address(token_), PAYER, PAYEE, amount, REFERENCE));
    }

    function testFuzzAPaymentIsMadeAndRecorded(uint256 amount) public {
        amount = 1 + amount % FUNDS;
        assert(!router.isRecorded(_idOf(token, amount)));
        vm.expectEmit(address(router));
        emit RecordedPayments.PaymentRecorded(_idOf(token, amount), PAYER, PAYEE, address(token), amount, REFERENCE);
        _pay(token, PAYEE, amount);
        assert(router.isRecorded(_idOf(token, amount)));
        assert(token.balanceOf(PAYEE) == amount && token.balanceOf(PAYER) == FUNDS - amount);
    }

    function testAPaymentIsMadeOnce() public {
        _pay(token, PAYEE, 5);
        vm.expectRevert(abi.encodeWithSelector(RecordedPayments.PaymentAlreadyRecorded.selector, _idOf(token, 5)));
        _pay(token, PAYEE, 5);
        assert(token.balanceOf(PAYEE) == 5);
    }

    function testFuzzAnIdIsThatOfOnePayment(uint8 field, uint160 other) public view {
        address[3] memory parties = [address(token), PAYER, PAYEE];
        (uint256 amount, bytes32 paymentReference) = (5, REFERENCE);
        field = field % 5;
        if (field < 3) parties[field] = address(other);
        if (field == 3) amount = other;
        if (field == 4) paymentReference = bytes32(uint256(other));
        bytes32 id = router.paymentIdOf(parties[0], parties[1], parties[2], amount, paymentReference);
        assert(id == keccak256(abi.encode(parties[0], parties[1], parties[2], amount, paymentReference)));
        bool same = keccak256(abi.encode(parties, amount, paymentReference))
            == keccak256(abi.encode([address(token), PAYER, PAYEE], 5, REFERENCE));
        assert((id == _idOf(token, 5)) == same);
    }

    function testAPaymentHasAnAmountAndAPayee() public {
        vm.expectRevert(Payouts.ZeroAmount.selector);
        _pay(token, PAYEE, 0);
        vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidPayee.selector, address(0)));
        _pay(token, address(0), 5);
        vm.expectRevert(abi.encodeWithSelector(Payouts.InvalidPayee.selector, address(router)));
        _pay(token, address(router), 5);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.SelfTransfer.selector, PAYER));
        _pay(token, PAYER, 5);
    }

    function testNativeMoneyIsNotRecorded() public {
        vm.prank(PAYER);
        (bool ok,) = address(router).call(abi.encodeCall(router.payRecorded, (address(0), PAYEE, 5, REFERENCE)));
        assert(!ok);
    }

    function testWhatDidNotArriveIsNotRecorded() public {
        MintableToken[3] memory hostile =
            [MintableToken(new SilentToken()), new FeeOnTransferToken(), new ExtraFeeToken()];
        for (uint256 i; i < hostile.length; ++i) {
            _fund(hostile[i]);
            vm.expectPartialRevert(i < 2 ? ExactTransfer.WrongArrival.selector : ExactTransfer.WrongOutflow.selector);
            _pay(hostile[i], PAYEE, 1_000);
            assert(!router.isRecorded(_idOf(hostile[i], 1_000)));
        }
    }

    function testATokenWithoutAnswersPays() public {
        NoReturnToken mute = new NoReturnToken();
        _fund(mute);
        _pay(mute, PAYEE, 5);
        assert(router.isRecorded(_idOf(mute, 5)));
    }

    function testATokenCannotReenter() public {
        ReentrantToken reentrant = new ReentrantToken();
        _fund(reentrant);
        reentrant.reenter(
            address(router), abi.encodeCall(router.payRecorded, (address(reentrant), PAYEE, 5, REFERENCE))
        );
        _pay(reentrant, PAYEE, 5);
        assert(bytes4(reentrant.answer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
    }
}
