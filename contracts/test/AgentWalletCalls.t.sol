// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletSettings, LimitKind, Watched, WatchedKind} from "../src/AgentWalletSettings.sol";
import {Call, Receive, Spend} from "../src/Approvals.sol";
import {
    ExtraFeeToken,
    FeeOnTransferToken,
    MintableToken,
    NoReturnToken,
    StickyAllowanceToken
} from "./HostileTokens.sol";
import {Subscriptions} from "../src/router/Subscriptions.sol";
import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

/// Something like a protocol: what the caller asks for is what it does, as far as it can.
contract Bazaar {
    using SafeERC20 for IERC20;

    address public called;
    bytes public callbackAnswer;
    bool public callbackSucceeded;

    error SoldOut(uint256 left);

    receive() external payable {}

    /// Takes from the caller, gives to `recipient`.
    function swap(address taken, uint256 amountTaken, address given, uint256 amountGiven, address recipient)
        external
        payable
    {
        if (taken != address(0)) IERC20(taken).safeTransferFrom(msg.sender, address(this), amountTaken);
        if (given != address(0)) IERC20(given).safeTransfer(recipient, amountGiven);
        else if (amountGiven != 0) Address.sendValue(payable(recipient), amountGiven);
    }

    /// Hands control to whomever the caller names, in the midst of it.
    function swapWithCallback(address target, bytes calldata data) external payable {
        (callbackSucceeded, callbackAnswer) = target.call(data);
    }

    /// Looks at its allowance instead of using it.
    function peek(address token) external {
        called = msg.sender;
        assert(IERC20(token).allowance(msg.sender, address(this)) == 77);
    }

    function fail() external pure {
        revert SoldOut(3);
    }

    function nothing() external payable {
        called = msg.sender;
    }
}

/// Tokens that their holder can destroy.
contract BurnableToken is MintableToken {
    function destroy(uint256 value) external {
        _burn(msg.sender, value);
    }
}

contract BurnablePicture is ERC721("Picture", "PIC") {
    function mint(address to, uint256 id) external {
        _mint(to, id);
    }

    function destroy(uint256 id) external {
        _burn(id);
    }
}

contract BurnableShares is ERC1155("") {
    function mint(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }

    function destroy(uint256 id, uint256 amount) external {
        _burn(msg.sender, id, amount);
    }
}

/// The chain's coin as a token; it pays out with 2,300 gas, as WETH9 and WCRO do.
contract WrappedCoin is MintableToken {
    function deposit() external payable {
        _mint(msg.sender, msg.value);
    }

    function withdraw(uint256 value) external {
        _burn(msg.sender, value);
        payable(msg.sender).transfer(value);
    }
}

contract AgentWalletCallsTest is WalletFixture {
    Bazaar private bazaar;
    NoReturnToken private good;

    function setUp() public override {
        super.setUp();
        bazaar = new Bazaar();
        good = new NoReturnToken();
        good.mint(address(bazaar), 1_000_000);
        vm.deal(address(bazaar), 100 ether);
        _allow(address(bazaar), Bazaar.swap.selector, 4 * 32);
        _allow(address(bazaar), Bazaar.swapWithCallback.selector);
        _allow(address(bazaar), Bazaar.peek.selector);
        _allow(address(bazaar), Bazaar.fail.selector);
        _allow(address(bazaar), Bazaar.nothing.selector);
    }

    function _allow(address target, bytes4 selector) private {
        vm.prank(OWNER);
        wallet.allowCall(target, selector, new uint16[](0));
    }

    function _allow(address target, bytes4 selector, uint16 offset) private {
        uint16[] memory offsets = new uint16[](1);
        offsets[0] = offset;
        vm.prank(OWNER);
        wallet.allowCall(target, selector, offsets);
    }

    function _open(address token, uint112 daily) private {
        vm.startPrank(OWNER);
        wallet.setLimit(LimitKind.Daily, token, daily);
        wallet.setLimit(LimitKind.ApprovalThreshold, token, type(uint112).max);
        vm.stopPrank();
    }

    function _swap(address taken, uint256 amountTaken, address given, uint256 amountGiven)
        private
        view
        returns (bytes memory)
    {
        return abi.encodeCall(Bazaar.swap, (taken, amountTaken, given, amountGiven, address(wallet)));
    }

    /// USDC for the good token.
    function _purchase(uint256 amount, uint256 amountMax, uint256 brought, uint256 amountMin)
        private
        view
        returns (Call memory)
    {
        bytes memory data = _swap(address(usdc), amount, address(good), brought);
        return Call(address(bazaar), 0, data, spending(address(usdc), amountMax), receiving(address(good), amountMin));
    }

    function _bare(bytes memory data, uint256 value) private view returns (Call memory) {
        return Call(address(bazaar), value, data, nothingSpent(), nothingReceived());
    }

    function _refuse(Call memory c, bytes memory expected) private {
        vm.expectRevert(expected);
        call(c, ID);
        assert(!wallet.isExecuted(ID));
    }

    // Which calls

    function testAnAllowedCallIsMadeByTheWallet() public {
        vm.expectEmit(address(wallet));
        emit AgentWallet.Called(ID, address(bazaar), Bazaar.nothing.selector, 0, OPERATOR);
        call(_bare(abi.encodeCall(Bazaar.nothing, ()), 0), ID);
        assert(bazaar.called() == address(wallet));
    }

    function testOtherTargetsAndSelectorsAreNotCalled() public {
        Bazaar other = new Bazaar();
        Call memory c = _bare(abi.encodeCall(Bazaar.nothing, ()), 0);
        c.target = address(other);
        _refuse(c, abi.encodeWithSelector(AgentWalletSettings.CallNotAllowed.selector, other, Bazaar.nothing.selector));
        c = _bare(abi.encodeWithSignature("called()"), 0);
        _refuse(
            c,
            abi.encodeWithSelector(AgentWalletSettings.CallNotAllowed.selector, bazaar, bytes4(keccak256("called()")))
        );
    }

    function testACallThatWasTakenBackIsNotMade() public {
        vm.prank(OWNER);
        wallet.disallowCall(address(bazaar), Bazaar.nothing.selector);
        Call memory c = _bare(abi.encodeCall(Bazaar.nothing, ()), 0);
        _refuse(c, abi.encodeWithSelector(AgentWalletSettings.CallNotAllowed.selector, bazaar, Bazaar.nothing.selector));
    }

    /// Not even when padding with zeros makes an allowed one of it.
    function testLessThanASelectorIsNoCall() public {
        _allow(address(bazaar), 0x01020300);
        bytes memory expected =
            abi.encodeWithSelector(AgentWalletSettings.CallNotAllowed.selector, bazaar, bytes4(0x01020300));
        _refuse(_bare(hex"010203", 0), expected);
    }

    function testPlainCoinIsNoCall() public {
        _refuse(_bare("", 1), abi.encodeWithSelector(AgentWalletSettings.CallNotAllowed.selector, bazaar, bytes4(0)));
    }

    function testATargetWithoutCodeFails() public {
        _allow(STRANGER, Bazaar.nothing.selector);
        Call memory c = _bare(abi.encodeCall(Bazaar.nothing, ()), 0);
        c.target = STRANGER;
        _refuse(c, abi.encodeWithSelector(Address.AddressEmptyCode.selector, STRANGER));
    }

    function testWhyATargetFailedIsPassedOn() public {
        _refuse(_bare(abi.encodeCall(Bazaar.fail, ()), 0), abi.encodeWithSelector(Bazaar.SoldOut.selector, 3));
    }

    // The pinned recipient

    function testWhatACallBringsGoesToTheWallet() public {
        call(_purchase(10e6, 10e6, 500, 500), ID);
        assert(good.balanceOf(address(wallet)) == 500);
    }

    function testAnyOtherRecipientIsRefused(address recipient) public {
        vm.assume(recipient != address(wallet));
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        c.data = abi.encodeCall(Bazaar.swap, (address(usdc), 10e6, address(good), 500, recipient));
        _refuse(c, abi.encodeWithSelector(AgentWalletSettings.RecipientNotPinned.selector, 4 * 32));
    }

    function testDirtAboveTheAddressIsRefused() public {
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        c.data[4 + 4 * 32] = 0x01;
        _refuse(c, abi.encodeWithSelector(AgentWalletSettings.RecipientNotPinned.selector, 4 * 32));
    }

    function testCallDataThatEndsBeforeThePinnedWordIsRefused() public {
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        bytes memory data = c.data;
        assembly ("memory-safe") {
            mstore(data, sub(mload(data), 1))
        }
        _refuse(c, abi.encodeWithSelector(AgentWalletSettings.RecipientNotPinned.selector, 4 * 32));
        _refuse(
            _bare(abi.encodePacked(Bazaar.swap.selector), 0),
            abi.encodeWithSelector(AgentWalletSettings.RecipientNotPinned.selector, 4 * 32)
        );
    }

    function testEveryPinnedWordIsLookedAt() public {
        uint16[] memory offsets = new uint16[](2);
        (offsets[0], offsets[1]) = (4 * 32, 0);
        vm.prank(OWNER);
        wallet.allowCall(address(bazaar), Bazaar.swap.selector, offsets);
        _refuse(
            _purchase(10e6, 10e6, 500, 0), abi.encodeWithSelector(AgentWalletSettings.RecipientNotPinned.selector, 0)
        );
    }

    // What it may take

    function testWhatWasTakenCountsAndNotWhatMayHaveBeen() public {
        vm.expectEmit(address(wallet));
        emit AgentWallet.Spent(ID, address(usdc), address(bazaar), 10e6);
        call(_purchase(10e6, 30e6, 500, 500), ID);
        assert(wallet.spentToday(address(usdc)) == 10e6);
        assert(usdc.balanceOf(address(wallet)) == 990e6);
    }

    function testATargetIsAllowedTheMaximumDuringTheCallAndNothingAfterIt() public {
        Call memory c = _bare(abi.encodeCall(Bazaar.peek, (address(usdc))), 0);
        c.spends = spending(address(usdc), 77);
        call(c, ID);
        assert(bazaar.called() == address(wallet));
        assert(usdc.allowance(address(wallet), address(bazaar)) == 0);
        assert(wallet.spentToday(address(usdc)) == 0);
    }

    function testMoreThanTheMaximumIsNotTaken() public {
        Call memory c = _purchase(10e6 + 1, 10e6, 500, 0);
        vm.prank(OPERATOR);
        (bool done,) = address(wallet).call(abi.encodeCall(AgentWallet.executeCall, (c, ID, none())));
        assert(!done);
    }

    function testATokenThatTakesMoreThanItsAllowanceIsRefused() public {
        ExtraFeeToken token = new ExtraFeeToken();
        token.mint(address(wallet), 1_000);
        _open(address(token), 1_000);
        Call memory c = _bare(_swap(address(token), 100, address(good), 0), 0);
        c.spends = spending(address(token), 100);
        _refuse(c, abi.encodeWithSelector(AgentWallet.SpentTooMuch.selector, token, 101, 100));
        c.spends = spending(address(token), 101);
        call(c, ID);
        assert(wallet.spentToday(address(token)) == 101);
    }

    function testWhatMayBeTakenIsHeldToTheDaysLimit() public {
        call(_purchase(50e6, 50e6, 0, 0), "1");
        call(_purchase(49e6, 49e6, 0, 0), "2");
        _refuse(
            _purchase(1e6, 1e6 + 1, 0, 0),
            abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, address(usdc), 1e6 + 1, 1e6)
        );
        call(_purchase(1e6, 1e6, 0, 0), ID);
    }

    function testATokenWithoutALimitIsNotTaken() public {
        good.mint(address(wallet), 5);
        vm.prank(OWNER);
        wallet.setLimit(LimitKind.ApprovalThreshold, address(good), 5);
        Call memory c = _bare(_swap(address(good), 5, address(0), 0), 0);
        c.spends = spending(address(good), 5);
        _refuse(c, abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, good, 5, 0));
    }

    function testATokenThatComesInInsteadOfGoingOutCountsNothing() public {
        usdc.mint(address(bazaar), 5);
        Call memory c = _bare(_swap(address(0), 0, address(usdc), 5), 0);
        c.spends = spending(address(usdc), 10);
        call(c, ID);
        assert(wallet.spentToday(address(usdc)) == 0);
        assert(usdc.balanceOf(address(wallet)) == 1_000e6 + 5);
    }

    function testAnAllowanceThatStaysIsRefused() public {
        StickyAllowanceToken token = new StickyAllowanceToken();
        token.mint(address(wallet), 1_000);
        _open(address(token), 1_000);
        Call memory c = _bare(_swap(address(token), 99, address(good), 0), 0);
        c.spends = spending(address(token), 100);
        _refuse(c, abi.encodeWithSelector(AgentWallet.AllowanceLeft.selector, token, bazaar));
        c.spends = spending(address(token), 99);
        call(c, ID);
    }

    function testSeveralTokensAreMeasuredApart() public {
        good.mint(address(wallet), 100);
        _open(address(good), 100);
        Spend[] memory spends = new Spend[](2);
        (address low, address high) =
            address(good) < address(usdc) ? (address(good), address(usdc)) : (address(usdc), address(good));
        (spends[0], spends[1]) = (Spend(low, 50), Spend(high, 60));
        Call memory c = _bare(_swap(high, 60, address(0), 0), 0);
        c.spends = spends;
        call(c, ID);
        assert(wallet.spentToday(high) == 60 && wallet.spentToday(low) == 0);
        assert(IERC20(low).allowance(address(wallet), address(bazaar)) == 0);
    }

    // The chain's coin

    function testValueIsPaidAndCounted() public {
        vm.expectEmit(address(wallet));
        emit AgentWallet.Spent(ID, NATIVE, address(bazaar), 2 ether);
        vm.expectEmit(address(wallet));
        emit AgentWallet.Called(ID, address(bazaar), Bazaar.nothing.selector, 2 ether, OPERATOR);
        call(_bare(abi.encodeCall(Bazaar.nothing, ()), 2 ether), ID);
        assert(wallet.spentToday(NATIVE) == 2 ether);
    }

    /// What comes back may be somebody's payment that was made to arrive just then.
    function testTheValueCountsInFullWhateverComesBack() public {
        call(_bare(_swap(address(0), 0, address(0), 1.5 ether), 2 ether), ID);
        assert(wallet.spentToday(NATIVE) == 2 ether);
        assert(address(wallet).balance == 99.5 ether);
    }

    function testValueIsHeldToTheDaysLimit() public {
        call(_bare(abi.encodeCall(Bazaar.nothing, ()), 5 ether), "1");
        call(_bare(abi.encodeCall(Bazaar.nothing, ()), 4 ether), "2");
        _refuse(
            _bare(abi.encodeCall(Bazaar.nothing, ()), 1 ether + 1),
            abi.encodeWithSelector(AgentWalletSettings.DailyLimitExceeded.selector, NATIVE, 1 ether + 1, 1 ether)
        );
    }

    function testTheCoinIsWrappedAndUnwrapped() public {
        WrappedCoin wrapped = new WrappedCoin();
        _open(address(wrapped), 10 ether);
        _allow(address(wrapped), WrappedCoin.deposit.selector);
        _allow(address(wrapped), WrappedCoin.withdraw.selector);
        Call memory c = Call(
            address(wrapped),
            3 ether,
            abi.encodeCall(WrappedCoin.deposit, ()),
            nothingSpent(),
            receiving(address(wrapped), 3 ether)
        );
        call(c, "wrap");
        assert(wallet.spentToday(NATIVE) == 3 ether && wrapped.balanceOf(address(wallet)) == 3 ether);
        c = Call(
            address(wrapped),
            0,
            abi.encodeCall(WrappedCoin.withdraw, (1 ether)),
            spending(address(wrapped), 1 ether),
            receiving(NATIVE, 1 ether)
        );
        call(c, "unwrap");
        assert(address(wallet).balance == 98 ether);
        assert(wallet.spentToday(address(wrapped)) == 1 ether);
    }

    // What it must bring

    function testTooLittleIsRefused() public {
        _refuse(
            _purchase(10e6, 10e6, 499, 500),
            abi.encodeWithSelector(AgentWallet.ReceivedTooLittle.selector, good, 499, 500)
        );
    }

    function testWhatArrivesIsWhatCounts() public {
        FeeOnTransferToken token = new FeeOnTransferToken();
        token.mint(address(bazaar), 1_000);
        Call memory c = _purchase(10e6, 10e6, 0, 0);
        c.data = _swap(address(usdc), 10e6, address(token), 100);
        uint256 arriving = 99;
        c.receives = receiving(address(token), arriving + 1);
        _refuse(c, abi.encodeWithSelector(AgentWallet.ReceivedTooLittle.selector, token, arriving, arriving + 1));
        c.receives = receiving(address(token), arriving);
        call(c, ID);
    }

    function testTheCoinIsReceived() public {
        Call memory c = _bare(_swap(address(usdc), 10e6, address(0), 2 ether), 0);
        (c.spends, c.receives) = (spending(address(usdc), 10e6), receiving(NATIVE, 2 ether));
        call(c, ID);
        assert(address(wallet).balance == 102 ether && wallet.spentToday(NATIVE) == 0);
        c.receives = receiving(NATIVE, 2 ether + 1);
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.ReceivedTooLittle.selector, NATIVE, 2 ether, 2 ether + 1));
        call(c, "2");
    }

    function testATokenThatIsToComeDoesNotGo() public {
        BurnableToken token = new BurnableToken();
        token.mint(address(wallet), 10);
        _allow(address(token), BurnableToken.destroy.selector);
        Call memory c = Call(
            address(token), 0, abi.encodeCall(BurnableToken.destroy, (1)), nothingSpent(), receiving(address(token), 0)
        );
        _refuse(c, abi.encodeWithSelector(AgentWallet.ReceivedTooLittle.selector, token, 0, 0));
    }

    // The two lists

    function testATokenStandsInOneListOnly() public {
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        c.receives = receiving(address(usdc), 0);
        _refuse(c, abi.encodeWithSelector(AgentWallet.SpentAndReceived.selector, address(usdc)));
    }

    function testTheCoinStandsOnOneSideOnly() public {
        Call memory c = _bare(_swap(address(0), 0, address(0), 2 ether), 1 ether);
        c.receives = receiving(NATIVE, 0);
        _refuse(c, abi.encodeWithSelector(AgentWallet.SpentAndReceived.selector, NATIVE));
    }

    function testTheCoinIsSpentByValueOnly() public {
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        c.spends = spending(NATIVE, 1);
        _refuse(c, abi.encodeWithSelector(AgentWallet.TokensNotRising.selector, NATIVE));
    }

    /// It would be approved, and so called, though the owner never named it.
    function testATokenOfWhichNothingMayBeSpentIsNotTouched() public {
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        c.spends = spending(address(good), 0);
        _refuse(c, abi.encodeWithSelector(AgentWallet.NothingToSpend.selector, good));
    }

    /// With an allowance open to the router, a merchant that is called meanwhile could charge what no list allows.
    function testNothingIsSpentWhereSubscriptionsAreMade() public {
        _allow(address(router), Subscriptions.subscribe.selector);
        bytes memory data = abi.encodeCall(
            Subscriptions.subscribe, (PAYEE, address(usdc), uint128(5), uint32(1), uint32(9), uint64(0))
        );
        Call memory c = Call(address(router), 0, data, spending(address(usdc), 5), nothingReceived());
        _refuse(c, abi.encodeWithSelector(AgentWalletSettings.InvalidTarget.selector, router));
        c.spends = nothingSpent();
        call(c, ID);
    }

    function testNoTokenStandsInAListTwice() public {
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        Spend[] memory twice = new Spend[](2);
        (twice[0], twice[1]) = (Spend(address(usdc), 10e6), Spend(address(usdc), 10e6));
        c.spends = twice;
        _refuse(c, abi.encodeWithSelector(AgentWallet.TokensNotRising.selector, address(usdc)));
        c = _purchase(10e6, 10e6, 500, 0);
        Receive[] memory both = new Receive[](2);
        (both[0], both[1]) = (Receive(address(good), 1), Receive(address(good), 1));
        c.receives = both;
        _refuse(c, abi.encodeWithSelector(AgentWallet.TokensNotRising.selector, address(good)));
        both[0].token = address(type(uint160).max);
        _refuse(c, abi.encodeWithSelector(AgentWallet.TokensNotRising.selector, address(good)));
    }

    function testAListOfReceivesMayBeginWithTheCoin() public {
        Receive[] memory both = new Receive[](2);
        (both[0], both[1]) = (Receive(NATIVE, 0), Receive(address(good), 500));
        Call memory c = _purchase(10e6, 10e6, 500, 0);
        c.receives = both;
        call(c, ID);
        assert(good.balanceOf(address(wallet)) == 500);
    }

    // What is not declared

    function testAWatchedTokenDoesNotLeaveUndeclared() public {
        BurnableToken token = new BurnableToken();
        token.mint(address(wallet), 10);
        _allow(address(token), BurnableToken.destroy.selector);
        Call memory c = _bare(abi.encodeCall(BurnableToken.destroy, (1)), 0);
        c.target = address(token);
        vm.prank(OWNER);
        wallet.watch(Watched(address(token), WatchedKind.Balance, 0));
        _refuse(c, abi.encodeWithSelector(AgentWallet.UndeclaredOutflow.selector, token, 0));
        _open(address(token), 10);
        _refuse(c, abi.encodeWithSelector(AgentWallet.UndeclaredOutflow.selector, token, 0));
        c.spends = spending(address(token), 1);
        call(c, ID);
        assert(wallet.spentToday(address(token)) == 1);
    }

    function testAnNftDoesNotLeave() public {
        BurnablePicture picture = new BurnablePicture();
        picture.mint(address(wallet), 7);
        _allow(address(picture), BurnablePicture.destroy.selector);
        vm.prank(OWNER);
        wallet.watch(Watched(address(picture), WatchedKind.Balance, 0));
        Call memory c = _bare(abi.encodeCall(BurnablePicture.destroy, (7)), 0);
        c.target = address(picture);
        _refuse(c, abi.encodeWithSelector(AgentWallet.UndeclaredOutflow.selector, picture, 0));
    }

    /// Declared as a token it would be approved by its id: there is no allowance that could be taken back.
    function testAnNftCannotBeDeclared() public {
        BurnablePicture picture = new BurnablePicture();
        picture.mint(address(wallet), 0);
        picture.mint(address(wallet), 7);
        _open(address(picture), 100);
        Call memory c = _bare(_swap(address(picture), 7, address(0), 0), 0);
        c.spends = spending(address(picture), 7);
        vm.prank(OPERATOR);
        (bool done,) = address(wallet).call(abi.encodeCall(AgentWallet.executeCall, (c, ID, none())));
        assert(!done && picture.ownerOf(7) == address(wallet) && picture.getApproved(0) == address(0));
    }

    function testSharesOfAnIdDoNotLeave() public {
        BurnableShares shares = new BurnableShares();
        shares.mint(address(wallet), 8, 30);
        shares.mint(address(wallet), 9, 30);
        _allow(address(shares), BurnableShares.destroy.selector);
        vm.prank(OWNER);
        wallet.watch(Watched(address(shares), WatchedKind.Shares, 8));
        Call memory c = _bare(abi.encodeCall(BurnableShares.destroy, (8, 1)), 0);
        c.target = address(shares);
        _refuse(c, abi.encodeWithSelector(AgentWallet.UndeclaredOutflow.selector, shares, 8));
        // the other id is not watched
        c.data = abi.encodeCall(BurnableShares.destroy, (9, 1));
        call(c, ID);
    }

    function testADeclaredTokenIsStillWatchedByItsIds() public {
        // A contract may be both; what is declared is the token, not the ids.
        SharesThatAreATokenToo both = new SharesThatAreATokenToo();
        both.mint(address(wallet), 8, 30);
        both.mintToken(address(wallet), 50);
        _allow(address(both), BurnableShares.destroy.selector);
        _open(address(both), 100);
        vm.prank(OWNER);
        wallet.watch(Watched(address(both), WatchedKind.Shares, 8));
        Call memory c = _bare(abi.encodeCall(BurnableShares.destroy, (8, 1)), 0);
        (c.target, c.spends) = (address(both), spending(address(both), 10));
        _refuse(c, abi.encodeWithSelector(AgentWallet.UndeclaredOutflow.selector, both, 8));
    }

    // Within a call

    /// The bazaar is made to call whatever an attacker wants; with an operator's rights of its own it gets no further.
    function testNoEntryPointIsEnteredDuringACall() public {
        vm.prank(OWNER);
        wallet.setOperator(address(bazaar), uint64(NOW + 1));
        bytes[3] memory inner = [
            abi.encodeCall(AgentWallet.executePayment, (address(usdc), STRANGER, 1, bytes32("x"), none())),
            abi.encodeCall(AgentWallet.refill, (address(usdc))),
            abi.encodeCall(
                AgentWallet.executeCall, (_bare(abi.encodeCall(Bazaar.nothing, ()), 0), bytes32("y"), none())
            )
        ];
        for (uint256 i; i < inner.length; ++i) {
            call(_bare(abi.encodeCall(Bazaar.swapWithCallback, (address(wallet), inner[i])), 0), bytes32(i + 1));
            assert(!bazaar.callbackSucceeded());
            bytes memory expected =
                abi.encodeWithSelector(ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            assert(keccak256(bazaar.callbackAnswer()) == keccak256(expected));
        }
    }

    function testAnOwnerThatIsCalledMeanwhileDoesNotWithdraw() public {
        vm.prank(OWNER);
        wallet.transferOwnership(address(bazaar));
        vm.prank(address(bazaar));
        wallet.acceptOwnership();
        bytes[4] memory inner = [
            abi.encodeCall(AgentWallet.cancelSubscription, (1)),
            abi.encodeCall(AgentWallet.withdraw, (address(usdc), STRANGER, 1)),
            abi.encodeCall(AgentWallet.withdrawERC721, (address(usdc), STRANGER, 1)),
            abi.encodeCall(AgentWallet.withdrawERC1155, (address(usdc), STRANGER, 1, 1))
        ];
        for (uint256 i; i < inner.length; ++i) {
            call(_bare(abi.encodeCall(Bazaar.swapWithCallback, (address(wallet), inner[i])), 0), bytes32(i + 1));
            assert(!bazaar.callbackSucceeded());
            assert(bytes4(bazaar.callbackAnswer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        }
        assert(usdc.balanceOf(STRANGER) == 0);
    }

    /// What an allowance is for, only the target can take, and only its limit: the rest is the thief's by nothing.
    function testTheAllowanceIsTheTargetsAndOfNobodyElse() public {
        bytes memory inner = abi.encodeCall(IERC20.transferFrom, (address(wallet), STRANGER, 40e6));
        Call memory c = _bare(abi.encodeCall(Bazaar.swapWithCallback, (address(usdc), inner)), 0);
        c.spends = spending(address(usdc), 40e6);
        call(c, ID);
        assert(bazaar.callbackSucceeded());
        assert(wallet.spentToday(address(usdc)) == 40e6);
        // and afterwards not even the target
        vm.prank(address(bazaar));
        (bool done,) = address(usdc).call(inner);
        assert(!done);
    }
}

contract SharesThatAreATokenToo is BurnableShares {
    mapping(address => uint256) public tokenBalance;
    mapping(address => mapping(address => uint256)) public allowance;

    function mintToken(address to, uint256 value) external {
        tokenBalance[to] += value;
    }

    function balanceOf(address account) external view returns (uint256) {
        return tokenBalance[account];
    }

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        return true;
    }
}
