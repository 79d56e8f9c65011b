// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

/// From the texts of the standards, not from the contract's list.
contract ForbiddenCallsTest is WalletFixture {
    string[32] private forbidden = [
        "transfer(address,uint256)", // ERC-20
        "transferFrom(address,address,uint256)", // ERC-20, ERC-721
        "approve(address,uint256)", // ERC-20, ERC-721
        "increaseAllowance(address,uint256)",
        "increaseApproval(address,uint256)",
        "setApprovalForAll(address,bool)", // ERC-721, ERC-1155
        "safeTransferFrom(address,address,uint256)",
        "safeTransferFrom(address,address,uint256,bytes)",
        "safeTransferFrom(address,address,uint256,uint256,bytes)", // ERC-1155
        "safeBatchTransferFrom(address,address,uint256[],uint256[],bytes)",
        "transfer(address,uint256,uint256)", // ERC-6909
        "transferFrom(address,address,uint256,uint256)",
        "approve(address,uint256,uint256)",
        "setOperator(address,bool)",
        "send(address,uint256,bytes)", // ERC-777
        "operatorSend(address,address,uint256,bytes,bytes)",
        "authorizeOperator(address)",
        "transferAndCall(address,uint256)", // ERC-1363
        "transferAndCall(address,uint256,bytes)",
        "transferFromAndCall(address,address,uint256)",
        "transferFromAndCall(address,address,uint256,bytes)",
        "approveAndCall(address,uint256)",
        "approveAndCall(address,uint256,bytes)",
        "approve(address,address,uint160,uint48)", // Permit2
        "transferFrom(address,address,uint160,address)",
        "transferFrom((address,address,uint160,address)[])",
        "multicall(bytes[])", // wrappers
        "multicall(uint256,bytes[])",
        "multicall(bytes32,bytes[])",
        "allow(address,bool)", // Compound III
        "setAuthorization(address,bool)", // Morpho
        "approveDelegation(address,uint256)" // Aave
    ];

    function testWhatHandsTokensOverIsForbidden() public view {
        for (uint256 i; i < forbidden.length; ++i) {
            assert(factory.isForbidden(bytes4(keccak256(bytes(forbidden[i])))));
        }
    }

    function testEverythingElseIsTheOwnersToAllow(bytes4 selector) public view {
        for (uint256 i; i < forbidden.length; ++i) {
            vm.assume(selector != bytes4(keccak256(bytes(forbidden[i]))));
        }
        assert(!factory.isForbidden(selector));
    }
}
