// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ExactTransfer} from "../ExactTransfer.sol";

/// @title One payer, many payees, one transaction
/// @notice All or nothing, straight from the caller to the payees. Native CRO is address(0) and comes with the call, to
/// the last unit; of an ERC-20 the payees get exactly what the payer loses (one that keeps a fee is refused).
abstract contract Payouts is ReentrancyGuardTransient {
    using ExactTransfer for IERC20;

    struct Payment {
        address to;
        uint256 amount;
    }

    struct Share {
        address to;
        uint256 basisPoints;
    }

    /// @notice What the shares of a split sum to.
    uint256 public constant BASIS_POINTS = 10_000;

    event PaymentMade(address indexed token, address indexed payer, address indexed payee, uint256 amount);
    event BatchPaid(address indexed token, address indexed payer, uint256 count, uint256 total);
    event SplitPaid(address indexed token, address indexed payer, uint256 count, uint256 amount);

    error EmptyBatch();
    error ZeroAmount();
    error InvalidPayee(address payee);
    error EmptyShare(uint256 index);
    error WrongShareSum(uint256 basisPoints);
    error WrongValue(uint256 expected, uint256 sent);

    /// @notice Pay each of `payments` out of the caller's allowance, or out of the native CRO sent along.
    function batchPay(address token, Payment[] calldata payments) external payable nonReentrant {
        uint256 count = payments.length;
        if (count == 0) revert EmptyBatch();
        // It starts at zero.
        // slither-disable-next-line uninitialized-local
        uint256 total;
        for (uint256 i; i < count; ++i) {
            if (payments[i].amount == 0) revert ZeroAmount();
            total += payments[i].amount;
        }
        uint256 balanceBefore = _beginPayout(token, total);
        for (uint256 i; i < count; ++i) {
            _payOut(token, payments[i].to, payments[i].amount);
        }
        _endPayout(token, total, balanceBefore);
        emit BatchPaid(token, msg.sender, count, total);
    }

    /// @notice Divide `amount` among `shares`, whose basis points sum to 10,000.
    /// @dev Each share is rounded down; what rounding leaves goes to the last one. A share that rounds to nothing is
    /// passed over.
    function splitPay(address token, uint256 amount, Share[] calldata shares) external payable nonReentrant {
        uint256 count = shares.length;
        if (count == 0) revert EmptyBatch();
        if (amount == 0) revert ZeroAmount();
        _requireWhole(shares);
        uint256 balanceBefore = _beginPayout(token, amount);
        uint256 left = amount;
        for (uint256 i; i < count - 1; ++i) {
            uint256 part = _basisPointsOf(amount, shares[i].basisPoints);
            left -= part;
            _payOut(token, shares[i].to, part);
        }
        _payOut(token, shares[count - 1].to, left);
        _endPayout(token, amount, balanceBefore);
        emit SplitPaid(token, msg.sender, count, amount);
    }

    function _requireWhole(Share[] calldata shares) private pure {
        // It starts at zero.
        // slither-disable-next-line uninitialized-local
        uint256 sum;
        for (uint256 i; i < shares.length; ++i) {
            if (shares[i].basisPoints == 0) revert EmptyShare(i);
            sum += shares[i].basisPoints;
        }
        if (sum != BASIS_POINTS) revert WrongShareSum(sum);
    }

    /// @dev The floor of amount * basisPoints / 10,000, of any amount: neither term can overflow.
    function _basisPointsOf(uint256 amount, uint256 basisPoints) private pure returns (uint256) {
        // Nothing is lost: what the division leaves is the second term.
        // slither-disable-next-line divide-before-multiply
        return (amount / BASIS_POINTS) * basisPoints + (amount % BASIS_POINTS) * basisPoints / BASIS_POINTS;
    }

    function _beginPayout(address token, uint256 total) private view returns (uint256 balanceBefore) {
        uint256 expected = token == address(0) ? total : 0;
        if (msg.value != expected) revert WrongValue(expected, msg.value);
        return token == address(0) ? 0 : IERC20(token).balanceOf(msg.sender);
    }

    function _payOut(address token, address payee, uint256 amount) private {
        _requirePayee(payee);
        if (amount == 0) return;
        if (token == address(0)) Address.sendValue(payable(payee), amount);
        else IERC20(token).pullUnmeasured(msg.sender, payee, amount);
        emit PaymentMade(token, msg.sender, payee, amount);
    }

    function _endPayout(address token, uint256 total, uint256 balanceBefore) private view {
        if (token != address(0)) IERC20(token).requireOutflow(msg.sender, total, balanceBefore);
    }

    /// @dev What is paid to zero or to the router is lost.
    function _requirePayee(address payee) internal view {
        if (payee == address(0) || payee == address(this)) revert InvalidPayee(payee);
    }
}
