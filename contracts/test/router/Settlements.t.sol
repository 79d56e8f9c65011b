// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BridgedUSDC} from "../../src/BridgedUSDC.sol";
import {PaymentRouter} from "../../src/PaymentRouter.sol";
import {Payouts} from "../../src/router/Payouts.sol";
import {RecordedPayments} from "../../src/router/RecordedPayments.sol";
import {Settlements} from "../../src/router/Settlements.sol";
import {Authorization, Signing} from "../Actors.sol";
import {
    BlocklistToken,
    ExtraFeeToken,
    FalseToken,
    FeeOnTransferToken,
    GasBurnerToken,
    LenientAuthorizationToken,
    RebasingToken,
    ReentrantToken,
    ReturnBombToken,
    SilentToken,
    UnsignedAuthorizations
} from "../HostileTokens.sol";
import {vm} from "../Vm.sol";
import {Items} from "./Items.sol";

/// Uses a great deal of gas honestly, in each payment and each balance: what it does with less is fail.
contract HeavyToken is UnsignedAuthorizations {
    uint256 public paymentGas;
    uint256 public balanceGas;

    function weigh(uint256 ofPayment, uint256 ofBalance) external {
        paymentGas = ofPayment;
        balanceGas = ofBalance;
    }

    function balanceOf(address account) public view override returns (uint256) {
        _use(balanceGas);
        return super.balanceOf(account);
    }

    function _update(address from, address to, uint256 value) internal override {
        _use(paymentGas);
        super._update(from, to, value);
    }

    function _use(uint256 amount) private view {
        if (amount == 0) return;
        uint256 end = gasleft();
        assert(end > amount + 1_000);
        while (end - gasleft() < amount) {}
    }
}

/// Shows balances until money has moved.
contract LapsingToken is UnsignedAuthorizations {
    bool private _moved;

    function balanceOf(address account) public view override returns (uint256) {
        require(!_moved, "lapsed");
        return super.balanceOf(account);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        _moved = from != address(0);
    }
}

/// Answers every question with 31 bytes.
contract CurtToken {
    fallback() external {
        assembly ("memory-safe") {
            return(0, 31)
        }
    }
}

/// Reverts with the bytes that it is told to.
contract RudeToken is UnsignedAuthorizations {
    bytes private _words;

    function say(bytes calldata words) external {
        _words = words;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from == address(0)) return;
        bytes memory words = _words;
        assembly ("memory-safe") {
            revert(add(words, 0x20), mload(words))
        }
    }
}

/// Every payment takes the payee from the top of the numbers to their bottom.
contract WrappingToken {
    bool private _moved;

    function balanceOf(address) external view returns (uint256) {
        return _moved ? 3 : type(uint256).max - 1;
    }

    fallback() external {
        _moved = true;
    }
}

contract SettlementsTest is Signing {
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant OTHER_KEY = 0xE7E;
    address private constant PAYEE = address(0xB0B);
    address private constant OTHER_PAYEE = address(0xCA7);
    uint256 private constant NOW = 1_000;
    uint256 private constant FUNDS = 100e6;
    uint256 private constant ITEM_GAS = 120_000;

    PaymentRouter private router;
    BridgedUSDC private token;
    address private payer;
    address private otherPayer;

    function setUp() public {
        vm.warp(NOW);
        router = new PaymentRouter();
        token = new BridgedUSDC(address(this));
        payer = vm.addr(KEY);
        otherPayer = vm.addr(OTHER_KEY);
        token.mint(payer, FUNDS);
        token.mint(otherPayer, FUNDS);
    }

    function _authorization(address to, uint256 value, uint256 nonce) private view returns (Authorization memory) {
        return Authorization(payer, to, value, NOW - 1, NOW + 1, bytes32(nonce));
    }

    function _signed(uint256 key, Authorization memory a) private view returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = split(sign(key, domainOf(address(token)), hashOf(TRANSFER, a)));
        return Items.pack(a, v, r, s);
    }

    function _item(address to, uint256 value, uint256 nonce) private view returns (bytes memory) {
        return _signed(KEY, _authorization(to, value, nonce));
    }

    function _settle(address token_, bytes memory items) private returns (uint256) {
        uint256[] memory settled = router.settleBatch(token_, ITEM_GAS, items);
        assert(settled.length == 1);
        return settled[0];
    }

    function _expectFailure(address token_, address from, uint256 nonce, uint256 index, bytes4 reason) private {
        vm.expectEmit(address(router));
        emit Settlements.ItemFailed(token_, from, bytes32(nonce), index, reason);
    }

    function _expectSettled(address token_, uint256 count, uint256 bits) private {
        uint256[] memory settled = new uint256[](1);
        settled[0] = bits;
        vm.expectEmit(address(router));
        emit Settlements.BatchSettled(token_, ITEM_GAS, count, settled);
    }

    /// A hostile token in which the payer has money and the one item of a batch fails for `reason`.
    function _refuses(UnsignedAuthorizations hostile, bytes4 reason) private {
        if (hostile.balanceOf(payer) == 0) hostile.mint(payer, FUNDS);
        _expectFailure(address(hostile), payer, 1, 0, reason);
        _expectSettled(address(hostile), 1, 0);
        assert(_settle(address(hostile), Items.unsigned(payer, PAYEE, 1_000, 1)) == 0);
    }

    // What is asked for is done

    function testABatchPaysEachPayeeWhatItsPayerSigned() public {
        Authorization memory other = Authorization(otherPayer, OTHER_PAYEE, 11, 0, NOW + 1, bytes32(uint256(1)));
        bytes memory items = bytes.concat(_item(PAYEE, 5, 1), _signed(OTHER_KEY, other), _item(PAYEE, 7, 2));
        _expectSettled(address(token), 3, 7);
        assert(_settle(address(token), items) == 7);
        assert(token.balanceOf(PAYEE) == 12);
        assert(token.balanceOf(OTHER_PAYEE) == 11);
        assert(token.balanceOf(payer) == FUNDS - 12);
        assert(token.balanceOf(otherPayer) == FUNDS - 11);
        assert(token.authorizationState(payer, bytes32(uint256(2))));
    }

    /// Two logs of the token for what was settled, one of the router for what was not, one for the batch: no item is told of
    /// that is not there.
    function testABatchTellsOfItsItemsOnly() public {
        bytes memory items = bytes.concat(_item(PAYEE, 5, 1), _item(PAYEE, 0, 2));
        vm.recordLogs();
        assert(_settle(address(token), items) == 1);
        assert(vm.getRecordedLogs().length == 4);
    }

    /// The token checks the signature: it verifies for what was signed alone, to the last bit of each field.
    function testFuzzEveryFieldReachesTheToken(
        address to,
        uint128 value,
        uint48 validAfter,
        uint48 validBefore,
        bytes32 nonce,
        address sender
    ) public {
        vm.assume(to != address(0) && to != payer && to != address(router) && value > 0);
        token.mint(payer, value);
        Authorization memory a = Authorization(payer, to, value, validAfter, validBefore, nonce);
        if (a.validAfter > type(uint48).max - 2) a.validAfter = type(uint48).max - 2;
        if (a.validBefore < a.validAfter + 2) a.validBefore = a.validAfter + 2;
        // the end of the first second in which it is valid
        vm.warp(a.validAfter + 1);
        uint256 balanceBefore = token.balanceOf(to);
        bytes memory item = _signed(KEY, a);
        vm.prank(sender);
        assert(_settle(address(token), item) == 1);
        assert(token.balanceOf(to) == balanceBefore + value);
    }

    function testABalanceIsReadAgainWhenItsOwnerPaidOn() public {
        // payer to other, other to a payee, payer to other again
        Authorization memory on = Authorization(otherPayer, PAYEE, 9, 0, NOW + 1, bytes32(uint256(1)));
        bytes memory items = bytes.concat(_item(otherPayer, 5, 1), _signed(OTHER_KEY, on), _item(otherPayer, 7, 2));
        assert(_settle(address(token), items) == 7);
        assert(token.balanceOf(otherPayer) == FUNDS + 3);
    }

    /// forge-config: default.fuzz.runs = 16
    function testFuzzTheBitmapSaysWhichItemsMovedMoney(uint256 good, uint16 more) public {
        LenientAuthorizationToken free = new LenientAuthorizationToken();
        free.mint(payer, FUNDS);
        uint256 count = 250 + more % 20;
        bytes memory items;
        for (uint256 i; i < count; ++i) {
            // a bad one asks for more than there is
            bool isGood = (good >> (i & 0xff)) & 1 == 1;
            items = bytes.concat(items, Items.unsigned(payer, PAYEE, isGood ? 1 : FUNDS + 1, i));
        }
        uint256[] memory settled = router.settleBatch(address(free), ITEM_GAS, items);
        assert(settled.length == (count + 255) / 256);
        uint256 moved;
        for (uint256 i; i < count; ++i) {
            uint256 bit = (settled[i / 256] >> (i % 256)) & 1;
            assert(bit == (good >> (i & 0xff)) & 1);
            assert(free.authorizationState(payer, bytes32(i)) == (bit == 1));
            moved += bit;
        }
        assert(free.balanceOf(PAYEE) == moved);
        assert(free.balanceOf(payer) == FUNDS - moved);
    }

    // One bad item sinks no other

    function testAnItemThatTheTokenRefusesFailsAlone() public {
        bytes memory used = _item(PAYEE, 5, 1);
        _settle(address(token), used);
        Authorization memory forged = _authorization(PAYEE, 5, 2);
        Authorization memory expired = _authorization(PAYEE, 5, 3);
        expired.validBefore = NOW;
        bytes memory items = bytes.concat(
            used, _signed(OTHER_KEY, forged), _signed(KEY, expired), _item(PAYEE, FUNDS, 4), _item(PAYEE, 7, 5)
        );
        _expectFailure(address(token), payer, 1, 0, BridgedUSDC.ERC3009UsedAuthorization.selector);
        _expectFailure(address(token), payer, 2, 1, BridgedUSDC.ERC3009InvalidSignature.selector);
        _expectFailure(address(token), payer, 3, 2, BridgedUSDC.ERC3009InvalidAuthorizationTime.selector);
        _expectFailure(address(token), payer, 4, 3, IERC20Errors.ERC20InsufficientBalance.selector);
        _expectSettled(address(token), 5, 16);
        assert(_settle(address(token), items) == 16);
        assert(token.balanceOf(PAYEE) == 12);
        assert(!token.authorizationState(payer, bytes32(uint256(4))));
    }

    function testAnItemThatCannotMoveMoneyIsNotPresented() public {
        bytes memory items = bytes.concat(
            _item(PAYEE, 0, 1),
            _item(payer, 5, 2),
            _item(address(0), 5, 3),
            _item(address(router), 5, 4),
            _item(PAYEE, 5, 5)
        );
        _expectFailure(address(token), payer, 1, 0, Payouts.ZeroAmount.selector);
        _expectFailure(address(token), payer, 2, 1, Settlements.SelfPayment.selector);
        _expectFailure(address(token), payer, 3, 2, Payouts.InvalidPayee.selector);
        _expectFailure(address(token), payer, 4, 3, Payouts.InvalidPayee.selector);
        assert(_settle(address(token), items) == 16);
        for (uint256 nonce = 1; nonce < 5; ++nonce) {
            assert(!token.authorizationState(payer, bytes32(nonce)));
        }
    }

    function testABlockedPartyFailsAlone() public {
        BlocklistToken blocking = new BlocklistToken();
        blocking.mint(payer, FUNDS);
        blocking.setBlocked(OTHER_PAYEE, true);
        bytes memory items = bytes.concat(Items.unsigned(payer, OTHER_PAYEE, 5, 1), Items.unsigned(payer, PAYEE, 5, 2));
        _expectFailure(address(blocking), payer, 1, 0, BlocklistToken.Blocked.selector);
        assert(_settle(address(blocking), items) == 2);
    }

    function testFuzzAReasonIsTheFirstFourBytes(bytes memory words) public {
        RudeToken rude = new RudeToken();
        rude.say(words);
        bytes4 reason = words.length < 4 ? bytes4(0) : bytes4(words);
        _refuses(rude, reason == 0 ? Settlements.RevertedSilently.selector : reason);
    }

    function testThreeBytesAreNoReason() public {
        RudeToken rude = new RudeToken();
        rude.say(hex"a1b2c3");
        _refuses(rude, Settlements.RevertedSilently.selector);
        rude.say(hex"a1b2c3d4");
        _refuses(rude, 0xa1b2c3d4);
        rude.say(hex"00000000ff");
        _refuses(rude, Settlements.RevertedSilently.selector);
    }

    // Success means that the money moved

    function testAUsedAuthorizationOfALenientTokenIsNoPayment() public {
        LenientAuthorizationToken lenient = new LenientAuthorizationToken();
        lenient.mint(payer, FUNDS);
        bytes memory item = Items.unsigned(payer, PAYEE, 5, 1);
        assert(_settle(address(lenient), item) == 1);
        _expectFailure(address(lenient), payer, 1, 0, Settlements.NotArrived.selector);
        assert(_settle(address(lenient), item) == 0);
        assert(_settle(address(lenient), bytes.concat(item, Items.unsigned(payer, PAYEE, 5, 2))) == 2);
        assert(lenient.balanceOf(PAYEE) == 10);
    }

    function testATokenIsBelievedByItsBalancesAlone() public {
        _refuses(new SilentToken(), Settlements.NotArrived.selector);
        _refuses(new FalseToken(), Settlements.NotArrived.selector);
        _refuses(new FeeOnTransferToken(), Settlements.NotArrived.selector);
        _refuses(new LapsingToken(), Settlements.BalanceUnreadable.selector);
    }

    /// What the payer loses beside is between him and the token: the payee got what was signed.
    function testAPayerWhoLosesMoreHasPaid() public {
        ExtraFeeToken extra = new ExtraFeeToken();
        extra.mint(payer, FUNDS);
        assert(_settle(address(extra), Items.unsigned(payer, PAYEE, 1_000, 1)) == 1);
        assert(extra.balanceOf(PAYEE) == 1_000);
    }

    function testABalanceThatChangesMeanwhileIsNoArrival() public {
        RebasingToken rebasing = new RebasingToken();
        rebasing.mint(payer, FUNDS);
        rebasing.mint(PAYEE, FUNDS);
        rebasing.rebaseOnNextTransfer(2, 1);
        _refuses(rebasing, Settlements.NotArrived.selector);
        rebasing.rebaseOnNextTransfer(1, 2);
        // what comes after it for the same payee is measured from where the balance is then
        bytes memory items = bytes.concat(Items.unsigned(payer, PAYEE, 5, 2), Items.unsigned(payer, PAYEE, 1_000, 3));
        _expectFailure(address(rebasing), payer, 2, 0, Settlements.NotArrived.selector);
        assert(_settle(address(rebasing), items) == 2);
    }

    /// A balance that wraps around would look like one that rose.
    function testABalanceThatFellIsNoArrival() public {
        WrappingToken wrapping = new WrappingToken();
        assert(_settle(address(wrapping), Items.unsigned(payer, PAYEE, 5, 1)) == 0);
    }

    function testWhatIsNoTokenPaysNobody() public {
        address curt = address(new CurtToken());
        bytes memory item = Items.unsigned(payer, PAYEE, 5, 1);
        address[3] memory others = [address(0), address(router), curt];
        for (uint256 i; i < others.length; ++i) {
            _expectFailure(others[i], payer, 1, 0, Settlements.BalanceUnreadable.selector);
            assert(_settle(others[i], item) == 0);
        }
        // The identity precompile answers with the question.
        _expectFailure(address(4), payer, 1, 0, Settlements.NotArrived.selector);
        assert(_settle(address(4), item) == 0);
    }

    // Gas

    function _settleMeasured(address token_, uint256 itemGas, bytes memory items)
        private
        returns (uint256 bits, uint256 used)
    {
        used = gasleft();
        bits = router.settleBatch(token_, itemGas, items)[0];
        used -= gasleft();
    }

    function _threePayees() private view returns (bytes memory) {
        return bytes.concat(
            Items.unsigned(payer, PAYEE, 5, 1),
            Items.unsigned(otherPayer, OTHER_PAYEE, 5, 2),
            Items.unsigned(payer, PAYEE, 5, 3)
        );
    }

    function _burner() private returns (GasBurnerToken burner) {
        burner = new GasBurnerToken();
        burner.mint(payer, FUNDS);
        burner.mint(otherPayer, FUNDS);
    }

    function testAnItemCannotBurnTheGasOfOthers() public {
        GasBurnerToken burner = _burner();
        burner.burn(false, true, false, otherPayer);
        _expectFailure(address(burner), otherPayer, 2, 1, Settlements.RevertedSilently.selector);
        (uint256 bits, uint256 used) = _settleMeasured(address(burner), 1_000_000, _threePayees());
        assert(bits == 5);
        assert(used > 1_000_000 && used < 1_300_000);
    }

    function testABalanceCannotBurnTheGasOfOthers() public {
        GasBurnerToken burner = _burner();
        burner.burn(false, false, true, OTHER_PAYEE);
        _expectFailure(address(burner), otherPayer, 2, 1, Settlements.BalanceUnreadable.selector);
        (uint256 bits, uint256 used) = _settleMeasured(address(burner), 1_000_000, _threePayees());
        assert(bits == 5);
        assert(used > 1_000_000 && used < 1_300_000);
        assert(!burner.authorizationState(otherPayer, bytes32(uint256(2))));
    }

    function testABalanceThatWasNotReadIsNotRemembered() public {
        GasBurnerToken burner = _burner();
        burner.burn(false, false, true, PAYEE);
        bytes memory items = bytes.concat(Items.unsigned(payer, PAYEE, 5, 1), Items.unsigned(payer, PAYEE, 5, 2));
        _expectFailure(address(burner), payer, 2, 1, Settlements.BalanceUnreadable.selector);
        assert(_settle(address(burner), items) == 0);
        assert(!burner.authorizationState(payer, bytes32(uint256(2))));
    }

    function testAnAnswerOfAnyLengthIsNotCopied() public {
        ReturnBombToken bomb = new ReturnBombToken();
        bomb.mint(payer, FUNDS);
        // memory for them costs the token 170,000 gas, and would cost the router as much
        uint256 length = 280_000;
        bomb.bombPayments(length, true);
        bytes memory item = Items.unsigned(payer, PAYEE, 5, 1);
        _expectFailure(address(bomb), payer, 1, 0, Settlements.RevertedSilently.selector);
        (uint256 bits, uint256 used) = _settleMeasured(address(bomb), 1_000_000, item);
        assert(bits == 0 && used < 300_000);
        bomb.bombPayments(length, false);
        (bits, used) = _settleMeasured(address(bomb), 1_000_000, item);
        assert(bits == 1 && used < 300_000);
        bomb.bombPayments(0, false);
        bomb.bombBalances(length, false);
        (bits, used) = _settleMeasured(address(bomb), 1_000_000, Items.unsigned(payer, PAYEE, 5, 2));
        assert(bits == 1 && used < 500_000);
        bomb.bombBalances(length, true);
        (bits, used) = _settleMeasured(address(bomb), 1_000_000, Items.unsigned(payer, PAYEE, 5, 3));
        assert(bits == 0 && used < 300_000);
    }

    /// With 2,000,000 for an item, the 64th part that EIP-150 leaves is enough to report a failure: the sender must not
    /// get that far with less gas than he promised.
    function testNoAmountOfGasMakesAGoodItemFail() public {
        HeavyToken heavy = new HeavyToken();
        heavy.mint(payer, FUNDS);
        _starve(heavy, 1_945_000, 0);
        _starve(heavy, 0, 1_993_000);
        _starve(heavy, 1_945_000, 1_993_000);
    }

    function _starve(HeavyToken heavy, uint256 ofPayment, uint256 ofBalance) private {
        heavy.weigh(ofPayment, ofBalance);
        bytes memory data = abi.encodeCall(
            router.settleBatch, (address(heavy), 2_000_000, Items.unsigned(payer, PAYEE, 5, ofPayment + ofBalance))
        );
        bool settles;
        // what is sent runs out in the first call, in the second or in the third, by a little
        for (uint256 i; i < 75 && !settles; ++i) {
            uint256 sent = (1 + i / 25) * 2_000_000 + (i % 25) * 9_973;
            (bool ok, bytes memory answer) = address(router).call{gas: sent}(data);
            if (ok) assert(abi.decode(answer, (uint256[]))[0] == 1);
            else assert(answer.length == 0 || bytes4(answer) == Settlements.GasTooLow.selector);
            settles = ok;
        }
        assert(settles);
    }

    function testFuzzWhoSendsLittleGasGetsAllOrNothing(uint256 sent) public {
        sent = 30_000 + sent % 700_000;
        bytes memory items = bytes.concat(_item(PAYEE, 5, 1), _item(OTHER_PAYEE, 6, 2), _item(PAYEE, 7, 3));
        bytes memory data = abi.encodeCall(router.settleBatch, (address(token), ITEM_GAS, items));
        (bool ok, bytes memory answer) = address(router).call{gas: sent}(data);
        if (ok) assert(abi.decode(answer, (uint256[]))[0] == 7);
        assert(token.balanceOf(PAYEE) == (ok ? 12 : 0));
    }

    function testTooLittleGasIsSaid() public {
        bytes memory data = abi.encodeCall(router.settleBatch, (address(token), ITEM_GAS, _item(PAYEE, 5, 1)));
        (bool ok, bytes memory answer) = address(router).call{gas: 110_000}(data);
        assert(!ok && bytes4(answer) == Settlements.GasTooLow.selector);
    }

    function testALowItemGasIsOnRecord() public {
        uint256[] memory settled = new uint256[](1);
        vm.expectEmit(address(router));
        emit Settlements.BatchSettled(address(token), 10_000, 1, settled);
        router.settleBatch(address(token), 10_000, _item(PAYEE, 5, 1));
    }

    // What is no batch

    function testFuzzABatchIsWholeItems(uint16 length) public {
        bytes memory items = new bytes(length);
        if (length % 164 == 0) return;
        vm.expectRevert(abi.encodeWithSelector(Settlements.MalformedItems.selector, uint256(length)));
        router.settleBatch(address(token), ITEM_GAS, items);
    }

    function testABatchIsNotEmpty() public {
        vm.expectRevert(Payouts.EmptyBatch.selector);
        router.settleBatch(address(token), ITEM_GAS, "");
        assert(router.ITEM_BYTES() == 164);
    }

    // Reentrancy

    function testNothingIsSettledWithinASettlement() public {
        ReentrantToken reentrant = new ReentrantToken();
        reentrant.mint(payer, FUNDS);
        bytes memory inner = Items.unsigned(payer, PAYEE, 5, 2);
        Payouts.Payment[] memory payments = new Payouts.Payment[](1);
        payments[0] = Payouts.Payment(PAYEE, 5);
        Payouts.Share[] memory shares = new Payouts.Share[](1);
        shares[0] = Payouts.Share(PAYEE, 10_000);
        bytes[6] memory calls = [
            abi.encodeCall(router.settleBatch, (address(reentrant), ITEM_GAS, inner)),
            abi.encodeCall(router.settleBatchRecorded, (address(reentrant), ITEM_GAS, inner)),
            abi.encodeCall(router.batchPay, (address(reentrant), payments)),
            abi.encodeCall(router.splitPay, (address(reentrant), 5, shares)),
            abi.encodeCall(router.payRecorded, (address(reentrant), PAYEE, 5, 0)),
            abi.encodeCall(router.charge, (1))
        ];
        for (uint256 i; i < calls.length; ++i) {
            reentrant.reenter(address(router), calls[i]);
            router.settleBatch(address(reentrant), 1_000_000, Items.unsigned(payer, PAYEE, 5, 10 + i));
            assert(!reentrant.succeeded());
            assert(bytes4(reentrant.answer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        }
        assert(reentrant.balanceOf(PAYEE) == 30);
    }

    // Recorded payments

    function _settleRecorded(bytes memory items) private returns (uint256) {
        return router.settleBatchRecorded(address(token), ITEM_GAS, items)[0];
    }

    function _idOf(uint256 value, uint256 nonce) private view returns (bytes32) {
        return keccak256(abi.encode(address(token), payer, PAYEE, value, bytes32(nonce)));
    }

    function testWhatSettledIsRecordedWhereThatWasAsked() public {
        bytes memory items = bytes.concat(_item(PAYEE, 5, 1), _item(PAYEE, FUNDS, 2));
        vm.expectEmit(address(router));
        emit RecordedPayments.PaymentRecorded(_idOf(5, 1), payer, PAYEE, address(token), 5, bytes32(uint256(1)));
        _expectFailure(address(token), payer, 2, 1, IERC20Errors.ERC20InsufficientBalance.selector);
        _expectSettled(address(token), 2, 1);
        assert(_settleRecorded(items) == 1);
        assert(router.isRecorded(_idOf(5, 1)));
        assert(!router.isRecorded(_idOf(FUNDS, 2)));
        assert(_settle(address(token), _item(PAYEE, 7, 3)) == 1);
        assert(!router.isRecorded(_idOf(7, 3)) && !router.isRecorded(0));
    }

    function testAPaymentIsRecordedOnce() public {
        LenientAuthorizationToken lenient = new LenientAuthorizationToken();
        lenient.mint(payer, FUNDS);
        bytes memory item = Items.unsigned(payer, PAYEE, 5, 1);
        uint256[] memory settled = router.settleBatchRecorded(address(lenient), ITEM_GAS, bytes.concat(item, item));
        assert(settled[0] == 1);
        _expectFailure(address(lenient), payer, 1, 0, RecordedPayments.PaymentAlreadyRecorded.selector);
        router.settleBatchRecorded(address(lenient), ITEM_GAS, item);
        assert(lenient.balanceOf(PAYEE) == 5);
    }

    function testWhatWasSettledUnrecordedIsNotRecordedLater() public {
        LenientAuthorizationToken lenient = new LenientAuthorizationToken();
        lenient.mint(payer, FUNDS);
        bytes memory item = Items.unsigned(payer, PAYEE, 5, 1);
        router.settleBatch(address(lenient), ITEM_GAS, item);
        router.settleBatchRecorded(address(lenient), ITEM_GAS, item);
        assert(!router.isRecorded(router.paymentIdOf(address(lenient), payer, PAYEE, 5, bytes32(uint256(1)))));
    }

    /// A payer may take an authorization's nonce for a reference: the second payment under one id is not made.
    function testADirectPaymentUnderTheIdOfASettledOneIsRefused() public {
        assert(_settleRecorded(_item(PAYEE, 5, 1)) == 1);
        vm.prank(payer);
        token.approve(address(router), 5);
        vm.expectRevert(abi.encodeWithSelector(RecordedPayments.PaymentAlreadyRecorded.selector, _idOf(5, 1)));
        vm.prank(payer);
        router.payRecorded(address(token), PAYEE, 5, bytes32(uint256(1)));
    }

    function testASettlementUnderTheIdOfADirectPaymentIsRefused() public {
        vm.startPrank(payer);
        token.approve(address(router), 5);
        router.payRecorded(address(token), PAYEE, 5, bytes32(uint256(1)));
        vm.stopPrank();
        bytes memory item = _item(PAYEE, 5, 1);
        _expectFailure(address(token), payer, 1, 0, RecordedPayments.PaymentAlreadyRecorded.selector);
        assert(_settleRecorded(item) == 0);
        assert(!token.authorizationState(payer, bytes32(uint256(1))));
        assert(token.balanceOf(PAYEE) == 5);
    }
}
