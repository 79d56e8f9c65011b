// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {LimitKind, Watched, WatchedKind} from "../src/AgentWalletSettings.sol";
import {Call} from "../src/Approvals.sol";
import {Exchange} from "./Exchange.sol";
import {MintableToken} from "./HostileTokens.sol";
import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

/// Makes two calls when it is called, with nobody's leave.
contract Hop is ERC721Holder {
    function go(address first, bytes calldata firstData, address second, bytes calldata secondData) external {
        _must(first, firstData);
        _must(second, secondData);
    }

    function _must(address target, bytes calldata data) private {
        (bool done,) = target.call(data);
        assert(done);
    }
}

/// Allows for good whatever it allows once, until it is taken back.
contract EndlessAllowanceToken is MintableToken {
    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        assert(allowance(from, msg.sender) >= value);
        _transfer(from, to, value);
        return true;
    }
}

/// What a balance before and one after cannot tell: that something left, and as much arrived, within one call.
contract AgentWalletMeasuringTest is WalletFixture {
    Exchange private exchange = new Exchange();
    Hop private hop = new Hop();

    function setUp() public override {
        super.setUp();
        vm.prank(OWNER);
        wallet.allowCall(address(exchange), Exchange.route.selector, new uint16[](0));
    }

    function _routeThrough(bytes memory firstData, bytes memory secondData) private view returns (Call memory c) {
        c.target = address(exchange);
        bytes memory path = abi.encodeCall(Hop.go, (address(exchange), firstData, address(exchange), secondData));
        c.data = abi.encodeCall(Exchange.route, (address(hop), path));
        (c.spends, c.receives) = (nothingSpent(), nothingReceived());
    }

    /// Income that anybody can make arrive, such as a reward that is paid when it is asked for.
    function _takeAndClaim(address token, uint256 taken, uint256 claimed) private returns (Call memory c) {
        exchange.reward(address(wallet), claimed);
        c = _routeThrough(
            abi.encodeCall(Exchange.claimFor, (address(wallet), token)),
            abi.encodeCall(Exchange.take, (token, address(wallet), address(hop), taken))
        );
        c.spends = spending(token, 50e6);
    }

    function testWhatArrivesDuringACallHidesNothing(uint256 taken, uint256 claimed) public {
        (taken, claimed) = (taken % 50e6 + 1, claimed % 80e6);
        usdc.mint(address(exchange), 80e6);
        Call memory c = _takeAndClaim(address(usdc), taken, claimed);
        vm.expectEmit(address(wallet));
        emit AgentWallet.Spent(ID, address(usdc), address(exchange), taken);
        call(c, ID);
        assert(usdc.balanceOf(address(hop)) == taken);
        assert(wallet.spentToday(address(usdc)) == taken);
    }

    /// Where allowances are not used up, the balance is what tells.
    function testAnAllowanceThatIsNotUsedUpHidesNothing() public {
        EndlessAllowanceToken token = new EndlessAllowanceToken();
        token.mint(address(wallet), 50e6);
        token.mint(address(exchange), 50e6);
        vm.startPrank(OWNER);
        wallet.setLimit(LimitKind.Daily, address(token), 50e6);
        wallet.setLimit(LimitKind.ApprovalThreshold, address(token), 50e6);
        vm.stopPrank();
        call(_takeAndClaim(address(token), 30e6, 0), ID);
        assert(wallet.spentToday(address(token)) == 30e6);
    }

    /// What goes out and comes back in the same call was out: a target that refunds leaves the limit used.
    function testWhatIsGivenBackByTheTargetStillCounts() public {
        usdc.mint(address(exchange), 80e6);
        call(_takeAndClaim(address(usdc), 50e6, 50e6), ID);
        assert(usdc.balanceOf(address(wallet)) == 1_000e6);
        assert(wallet.remainingToday(address(usdc)) == DAILY - 50e6);
    }

    /// Of a collection as many are there as before; by its id each is watched.
    function testOneOfACollectionIsNotExchangedForAnother() public {
        exchange.issue(address(wallet), 7, 1);
        address collection = address(exchange.POSITIONS());
        Call memory exchanged = _routeThrough(
            abi.encodeCall(Exchange.seizePosition, (address(hop), 7)),
            abi.encodeCall(Exchange.issue, (address(wallet), 8, 1))
        );
        vm.prank(OWNER);
        wallet.watch(Watched(collection, WatchedKind.Balance, 0));
        uint256 snapshot = vm.snapshotState();
        call(exchanged, ID);
        assert(exchange.POSITIONS().ownerOf(7) == address(hop));
        vm.revertToState(snapshot);

        vm.prank(OWNER);
        wallet.watch(Watched(collection, WatchedKind.Nft, 7));
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.UndeclaredOutflow.selector, collection, 7));
        call(exchanged, ID);
    }
}
