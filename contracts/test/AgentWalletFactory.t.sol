// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {Errors} from "@openzeppelin/contracts/utils/Errors.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletFactory, Setup} from "../src/AgentWalletFactory.sol";
import {AgentWalletSettings, LimitKind} from "../src/AgentWalletSettings.sol";
import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

contract AgentWalletFactoryTest is WalletFixture {
    function testAWalletIsSetUpAsAsked() public view {
        assert(wallet.owner() == OWNER);
        assert(wallet.pendingOwner() == address(0));
        assert(wallet.guardian() == GUARDIAN);
        assert(wallet.operatorExpiresAt(OPERATOR) == NOW + 30 days);
        assert(wallet.quorum() == 2 && wallet.approverSet() == 1);
        for (uint256 i; i < 3; ++i) {
            assert(wallet.isApprover(approvers[i]));
        }
        assert(wallet.limitOf(LimitKind.Daily, address(usdc)) == DAILY);
        assert(wallet.limitOf(LimitKind.ApprovalThreshold, address(usdc)) == THRESHOLD);
        assert(wallet.limitOf(LimitKind.PocketCeiling, address(usdc)) == CEILING);
        assert(wallet.limitOf(LimitKind.Daily, NATIVE) == 10 ether);
        assert(wallet.raiseDelay() == 0);
        assert(wallet.FACTORY() == address(factory) && address(wallet.ROUTER()) == address(router));
    }

    function testTheDelayOfASetupHoldsForLaterRaisesOnly() public {
        Setup memory setup = _setup();
        setup.raiseDelay = 1 days;
        AgentWallet made = factory.createWallet("delayed", setup);
        assert(made.raiseDelay() == 1 days);
        assert(made.limitOf(LimitKind.Daily, address(usdc)) == DAILY);
        made.setLimit(LimitKind.Daily, address(usdc), DAILY + 1);
        assert(made.limitOf(LimitKind.Daily, address(usdc)) == DAILY);
    }

    function testASetupMayBeEmpty() public {
        Setup memory empty;
        AgentWallet made = factory.createWallet("empty", empty);
        assert(made.owner() == address(this));
        assert(made.guardian() == address(0) && made.quorum() == 0 && made.approverSet() == 0);
        assert(made.watched().length == 0);
    }

    function testTheAddressIsKnownBeforeAndDependsOnOwnerAndSalt(address owner, bytes32 salt) public {
        vm.assume(owner != address(0));
        Setup memory empty;
        address expected = factory.walletOf(owner, salt);
        vm.expectEmit(address(factory));
        emit AgentWalletFactory.WalletCreated(owner, expected, salt);
        vm.prank(owner);
        assert(address(factory.createWallet(salt, empty)) == expected);
        assert(factory.walletOf(STRANGER, salt) != expected || owner == STRANGER);
        assert(factory.walletOf(owner, keccak256(abi.encode(salt))) != expected);
    }

    function testAWalletIsMadeOnce() public {
        Setup memory setup = _setup();
        vm.prank(OWNER);
        vm.expectRevert(Errors.FailedDeployment.selector);
        factory.createWallet("first", setup);
    }

    function testABadSetupMakesNoWallet() public {
        Setup memory setup = _setup();
        setup.operatorExpiresAt = uint64(NOW);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.ExpiryInThePast.selector, NOW));
        factory.createWallet("bad", setup);
        assert(factory.walletOf(address(this), "bad").code.length == 0);
    }

    function testHalfASetupIsRefused() public {
        Setup memory setup;
        setup.quorum = 2;
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidQuorum.selector, 2, 0));
        factory.createWallet("no approvers", setup);
        (setup.quorum, setup.approvers) = (0, new address[](2));
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidQuorum.selector, 0, 2));
        factory.createWallet("no quorum", setup);
        (setup.approvers, setup.operator) = (new address[](0), OPERATOR);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.ExpiryInThePast.selector, 0));
        factory.createWallet("no expiry", setup);
        (setup.operator, setup.operatorExpiresAt) = (address(0), uint64(NOW + 1));
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.InvalidOperator.selector, address(0)));
        factory.createWallet("no operator", setup);
    }

    function testTheImplementationIsNobodysWallet() public {
        AgentWallet implementation = AgentWallet(payable(factory.IMPLEMENTATION()));
        assert(implementation.owner() == address(factory));
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(AgentWalletSettings.NotFactory.selector, STRANGER));
        implementation.initialize(STRANGER);
        vm.prank(STRANGER);
        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, STRANGER));
        implementation.setOperator(STRANGER, uint64(NOW + 1));
    }

    /// A wallet is a copy of 45 bytes (ERC-1167) and not the contract itself.
    function testAWalletIsASmallCopy() public view {
        bytes memory expected =
            abi.encodePacked(hex"363d3d373d3d3d363d73", factory.IMPLEMENTATION(), hex"5af43d82803e903d91602b57fd5bf3");
        assert(keccak256(address(wallet).code) == keccak256(expected));
    }
}
