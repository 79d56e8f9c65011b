// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {vm} from "../test/Vm.sol";
import {svm} from "./Svm.sol";

/// A nonce is used at most once. Each proof takes one step from any state whatever, reachable or not, at any time and
/// from any caller; so both together hold for every sequence of calls.
contract BridgedUSDCProof {
    BridgedUSDC private token;

    function setUp() public {
        token = new BridgedUSDC(address(this));
        svm.enableSymbolicStorage(address(token));
    }

    /// No call of any function makes a used nonce usable again.
    function check_aUsedNonceStaysUsed(address caller, uint256 time, address authorizer, bytes32 nonce) public {
        vm.assume(token.authorizationState(authorizer, nonce));
        vm.warp(time);
        vm.prank(caller);
        (bool done,) = address(token).call(svm.createCalldata("BridgedUSDC"));
        vm.assume(done);
        assert(token.authorizationState(authorizer, nonce));
    }

    /// A transfer, in either of its forms, succeeds on an unused nonce only and leaves it used.
    function check_aTransferUsesItsNonce(
        uint256 time,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) public {
        bool used = token.authorizationState(from, nonce);
        vm.warp(time);
        token.transferWithAuthorization(from, to, value, validAfter, validBefore, nonce, signature);
        assert(!used);
        assert(token.authorizationState(from, nonce));
    }

    function check_aReceiptUsesItsNonce(
        uint256 time,
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes calldata signature
    ) public {
        bool used = token.authorizationState(from, nonce);
        vm.warp(time);
        vm.prank(to);
        token.receiveWithAuthorization(from, to, value, validAfter, validBefore, nonce, signature);
        assert(!used);
        assert(token.authorizationState(from, nonce));
    }

    function check_aCancellationUsesItsNonce(address authorizer, bytes32 nonce, bytes calldata signature) public {
        bool used = token.authorizationState(authorizer, nonce);
        token.cancelAuthorization(authorizer, nonce, signature);
        assert(!used);
        assert(token.authorizationState(authorizer, nonce));
    }
}
