// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ExactTransfer} from "../ExactTransfer.sol";
import {Payouts} from "./Payouts.sol";

/// @title Payments that are remembered, so that they can be rated
/// @notice A payment has one id, whichever way it was made, and an id stands for one payment: whoever would pay a second
/// time under it is refused before money moves.
abstract contract RecordedPayments is Payouts {
    using ExactTransfer for IERC20;

    /// @notice Whether the payment with this id was made here; see `paymentIdOf`.
    mapping(bytes32 paymentId => bool) public isRecorded;

    /// @param paymentReference The authorization's nonce, or what the payer chose in `payRecorded`.
    event PaymentRecorded(
        bytes32 indexed paymentId,
        address indexed payer,
        address indexed payee,
        address token,
        uint256 amount,
        bytes32 paymentReference
    );

    error PaymentAlreadyRecorded(bytes32 paymentId);

    /// @notice Pay `amount` of an ERC-20 out of the caller's allowance, once under this reference, and record it.
    function payRecorded(address token, address to, uint256 amount, bytes32 paymentReference) external nonReentrant {
        if (amount == 0) revert ZeroAmount();
        _requirePayee(to);
        bytes32 paymentId = paymentIdOf(token, msg.sender, to, amount, paymentReference);
        if (isRecorded[paymentId]) revert PaymentAlreadyRecorded(paymentId);
        _record(paymentId, token, msg.sender, to, amount, paymentReference);
        IERC20(token).pull(msg.sender, to, amount);
    }

    /// @notice The id of a payment.
    function paymentIdOf(address token, address payer, address payee, uint256 amount, bytes32 paymentReference)
        public
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(token, payer, payee, amount, paymentReference));
    }

    function _record(
        bytes32 paymentId,
        address token,
        address payer,
        address payee,
        uint256 amount,
        bytes32 paymentReference
    ) internal {
        isRecorded[paymentId] = true;
        emit PaymentRecorded(paymentId, payer, payee, token, amount, paymentReference);
    }
}
