// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {Watched} from "../src/AgentWalletSettings.sol";
import {Call} from "../src/Approvals.sol";
import {Exchange} from "./Exchange.sol";
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

/// What a balance before and one after cannot tell, so that an owner knows what allowing a call means: only what the wallet
/// has less of afterwards was taken. The campaign (AgentWallet.invariants.t.sol) leaves both of these out.
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
    function testWhatArrivesDuringACallIsNotSeenToLeave() public {
        usdc.mint(address(exchange), 40e6);
        exchange.reward(address(wallet), 40e6);
        Call memory c = _routeThrough(
            abi.encodeCall(Exchange.claimFor, (address(wallet), address(usdc))),
            abi.encodeCall(Exchange.take, (address(usdc), address(wallet), address(hop), 50e6))
        );
        c.spends = spending(address(usdc), 50e6);
        call(c, ID);
        assert(usdc.balanceOf(address(hop)) == 50e6);
        assert(wallet.spentToday(address(usdc)) == 10e6);

        pay(address(usdc), STRANGER, 50e6, "second");
        pay(address(usdc), STRANGER, 40e6, "third");
        assert(usdc.balanceOf(address(wallet)) == 1_000e6 - DAILY);
        assert(usdc.balanceOf(address(hop)) + usdc.balanceOf(STRANGER) == DAILY + 40e6);
    }

    /// Of a collection as many must be there as before, not the same ones.
    function testOneOfACollectionIsExchangedForAnother() public {
        exchange.issue(address(wallet), 7, 1);
        address collection = address(exchange.POSITIONS());
        vm.prank(OWNER);
        wallet.watch(Watched(collection, false, 0));
        call(
            _routeThrough(
                abi.encodeCall(Exchange.seizePosition, (address(hop), 7)),
                abi.encodeCall(Exchange.issue, (address(wallet), 8, 1))
            ),
            ID
        );
        assert(exchange.POSITIONS().ownerOf(7) == address(hop));
        assert(exchange.POSITIONS().ownerOf(8) == address(wallet));
    }
}
