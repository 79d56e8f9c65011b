// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {Authorization, ContractPayer, Signing} from "./Actors.sol";
import {vm} from "./Vm.sol";

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
