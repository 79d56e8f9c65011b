// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Setup} from "../src/AgentWalletFactory.sol";
import {Call, Transfer} from "../src/Approvals.sol";
import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {Subscriptions} from "../src/router/Subscriptions.sol";
import {Authorization, ContractPayer, Signing} from "./Actors.sol";
import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

/// What a call costs as a transaction of its own (isolated: with its 21,000, its calldata and cold storage), compared
/// with `contracts/snapshots`. Every figure has a test of its own: what ran before would warm its storage.
/// forge-config: default.isolate = true
contract BridgedUSDCGasTest is Signing {
    uint256 private constant KEY = 0xA11CE;
    address private constant PAYEE = address(0xB0B);

    BridgedUSDC private token;

    function setUp() public {
        vm.warp(1_000);
        token = new BridgedUSDC(address(this));
        token.mint(vm.addr(KEY), 100e6);
    }

    function testGasOfAPaymentToANewSeller() public {
        _pay(vm.addr(KEY));
        vm.snapshotGasLastCall("BridgedUSDC", "transferWithAuthorization to a new seller");
    }

    function testGasOfAPaymentToAKnownSeller() public {
        token.mint(PAYEE, 1);
        _pay(vm.addr(KEY));
        vm.snapshotGasLastCall("BridgedUSDC", "transferWithAuthorization to a known seller");
    }

    function testGasOfAPaymentByAContract() public {
        address vault = address(new ContractPayer(vm.addr(KEY)));
        token.mint(vault, 100e6);
        token.mint(PAYEE, 1);
        _pay(vault);
        vm.snapshotGasLastCall("BridgedUSDC", "transferWithAuthorization by a contract");
    }

    function _pay(address from) private {
        Authorization memory a = Authorization(from, PAYEE, 5, 0, type(uint256).max, keccak256("nonce"));
        presentTransfer(token, a, sign(KEY, domainOf(address(token)), hashOf(TRANSFER, a)), true);
    }
}

/// What a user pays for a vault and for what an operator does with it.
/// forge-config: default.isolate = true
contract AgentWalletGasTest is WalletFixture {
    function testGasOfANewWallet() public {
        Setup memory setup = _setup();
        vm.prank(STRANGER);
        factory.createWallet("gas", setup);
        vm.snapshotGasLastCall("AgentWallet", "createWallet with two tokens' limits and three approvers");
    }

    function testGasOfAPayment() public {
        usdc.mint(PAYEE, 1);
        pay(address(usdc), PAYEE, 5e6, ID);
        vm.snapshotGasLastCall("AgentWallet", "executePayment, the day's first");
    }

    function testGasOfALaterPayment() public {
        usdc.mint(PAYEE, 1);
        pay(address(usdc), PAYEE, 5e6, "first");
        pay(address(usdc), PAYEE, 5e6, ID);
        vm.snapshotGasLastCall("AgentWallet", "executePayment, a later one");
    }

    function testGasOfAnApprovedPayment() public {
        usdc.mint(PAYEE, 1);
        Transfer memory payment = Transfer(address(usdc), PAYEE, 60e6);
        vm.prank(OPERATOR);
        wallet.executePayment(address(usdc), PAYEE, 60e6, ID, approvalBy(0, 1, hashPayment(payment, ID, DEADLINE, 1)));
        vm.snapshotGasLastCall("AgentWallet", "executePayment with two approvers");
    }

    function testGasOfABatch() public {
        Transfer[] memory items = new Transfer[](10);
        for (uint256 i; i < 10; ++i) {
            items[i] = Transfer(address(usdc), address(uint160(0xB0B + i)), 1e6);
            usdc.mint(items[i].to, 1);
        }
        vm.prank(OPERATOR);
        wallet.executeBatch(items, ID, none());
        vm.snapshotGasLastCall("AgentWallet", "executeBatch of ten");
    }

    function testGasOfARefill() public {
        usdc.mint(OPERATOR, 1);
        vm.prank(OPERATOR);
        wallet.refill(address(usdc));
        vm.snapshotGasLastCall("AgentWallet", "refill");
    }

    function testGasOfACall() public {
        vm.prank(OWNER);
        wallet.allowCall(address(usdc), bytes4(keccak256("decimals()")), new uint16[](0));
        bytes memory data = abi.encodeWithSignature("decimals()");
        call(Call(address(usdc), 0, data, spending(address(usdc), 1e6), nothingReceived()), ID);
        vm.snapshotGasLastCall("AgentWallet", "executeCall that may spend one token");
    }

    function testGasOfACharge() public {
        usdc.mint(PAYEE, 1);
        vm.prank(OWNER);
        wallet.allowCall(address(router), Subscriptions.subscribe.selector, new uint16[](0));
        bytes memory data = abi.encodeCall(
            Subscriptions.subscribe, (PAYEE, address(usdc), uint128(5e6), uint32(1 days), uint32(9), uint64(0))
        );
        call(Call(address(router), 0, data, nothingSpent(), nothingReceived()), "subscribe");
        uint256 id = router.subscriptionCount();
        vm.prank(OPERATOR);
        wallet.chargeSubscription(id, ID, none());
        vm.snapshotGasLastCall("AgentWallet", "chargeSubscription");
    }
}
