// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {IERC1363} from "@openzeppelin/contracts/interfaces/IERC1363.sol";
import {IERC6909} from "@openzeppelin/contracts/interfaces/IERC6909.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {IERC777} from "@openzeppelin/contracts/interfaces/IERC777.sol";

interface IForbiddenCalls {
    /// @notice Whether `selector` is one that no operator may call, of whatever contract.
    function isForbidden(bytes4 selector) external pure returns (bool);
}

/// @title What no operator may call, whatever the owner allows
/// @notice Calls of token standards that hand tokens over, or let somebody take them later, when no limit is looked at
/// any more; what some protocols call the same; and calls that wrap other calls, where nobody sees what they do. Paying has entry points of its own.
/// @dev The factory answers for all wallets: the list is long, and only asked when the owner allows a call.
abstract contract ForbiddenCalls is IForbiddenCalls {
    // Before there were standards for it; and Permit2's.
    bytes4 private constant _INCREASE_ALLOWANCE = bytes4(keccak256("increaseAllowance(address,uint256)"));
    bytes4 private constant _INCREASE_APPROVAL = bytes4(keccak256("increaseApproval(address,uint256)"));
    bytes4 private constant _PERMIT2_APPROVE = bytes4(keccak256("approve(address,address,uint160,uint48)"));
    bytes4 private constant _PERMIT2_TRANSFER = bytes4(keccak256("transferFrom(address,address,uint160,address)"));
    bytes4 private constant _PERMIT2_TRANSFER_BATCH =
        bytes4(keccak256("transferFrom((address,address,uint160,address)[])"));
    bytes4 private constant _MULTICALL = bytes4(keccak256("multicall(bytes[])"));
    bytes4 private constant _MULTICALL_DEADLINE = bytes4(keccak256("multicall(uint256,bytes[])"));
    bytes4 private constant _MULTICALL_BLOCKHASH = bytes4(keccak256("multicall(bytes32,bytes[])"));
    // What protocols of some spread call it: Compound III, Morpho, Aave's debt tokens.
    bytes4 private constant _ALLOW = bytes4(keccak256("allow(address,bool)"));
    bytes4 private constant _SET_AUTHORIZATION = bytes4(keccak256("setAuthorization(address,bool)"));
    bytes4 private constant _APPROVE_DELEGATION = bytes4(keccak256("approveDelegation(address,uint256)"));
    // Overloads, which have no `.selector`.
    bytes4 private constant _SAFE_TRANSFER_FROM = bytes4(keccak256("safeTransferFrom(address,address,uint256)"));
    bytes4 private constant _SAFE_TRANSFER_FROM_DATA =
        bytes4(keccak256("safeTransferFrom(address,address,uint256,bytes)"));
    bytes4 private constant _TRANSFER_AND_CALL = bytes4(keccak256("transferAndCall(address,uint256)"));
    bytes4 private constant _TRANSFER_AND_CALL_DATA = bytes4(keccak256("transferAndCall(address,uint256,bytes)"));
    bytes4 private constant _TRANSFER_FROM_AND_CALL = bytes4(keccak256("transferFromAndCall(address,address,uint256)"));
    bytes4 private constant _TRANSFER_FROM_AND_CALL_DATA =
        bytes4(keccak256("transferFromAndCall(address,address,uint256,bytes)"));
    bytes4 private constant _APPROVE_AND_CALL = bytes4(keccak256("approveAndCall(address,uint256)"));
    bytes4 private constant _APPROVE_AND_CALL_DATA = bytes4(keccak256("approveAndCall(address,uint256,bytes)"));

    function isForbidden(bytes4 selector) external pure returns (bool) {
        return _isTransfer(selector) || _isApproval(selector) || _isWrapper(selector);
    }

    /// @dev ERC-20's transferFrom is ERC-721's, too, and so is its approve.
    function _isTransfer(bytes4 selector) private pure returns (bool) {
        return selector == IERC20.transfer.selector || selector == IERC20.transferFrom.selector
            || selector == _SAFE_TRANSFER_FROM || selector == _SAFE_TRANSFER_FROM_DATA
            || selector == IERC1155.safeTransferFrom.selector || selector == IERC1155.safeBatchTransferFrom.selector
            || selector == IERC6909.transfer.selector || selector == IERC6909.transferFrom.selector
            || selector == IERC777.send.selector || selector == IERC777.operatorSend.selector
            || selector == _TRANSFER_AND_CALL || selector == _TRANSFER_AND_CALL_DATA
            || selector == _TRANSFER_FROM_AND_CALL || selector == _TRANSFER_FROM_AND_CALL_DATA
            || selector == _PERMIT2_TRANSFER || selector == _PERMIT2_TRANSFER_BATCH;
    }

    function _isApproval(bytes4 selector) private pure returns (bool) {
        return selector == IERC20.approve.selector || selector == IERC721.setApprovalForAll.selector
            || selector == IERC6909.approve.selector || selector == IERC6909.setOperator.selector
            || selector == IERC777.authorizeOperator.selector || selector == _APPROVE_AND_CALL
            || selector == _APPROVE_AND_CALL_DATA || selector == _INCREASE_ALLOWANCE || selector == _INCREASE_APPROVAL
            || selector == _PERMIT2_APPROVE || selector == _ALLOW || selector == _SET_AUTHORIZATION
            || selector == _APPROVE_DELEGATION;
    }

    function _isWrapper(bytes4 selector) private pure returns (bool) {
        return selector == _MULTICALL || selector == _MULTICALL_DEADLINE || selector == _MULTICALL_BLOCKHASH;
    }
}
