// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Transfers that move what they say or revert
/// @notice A token is believed by the balances it shows and not by what it answers. A token that keeps a fee, moves
/// nothing or changes balances meanwhile is refused.
library ExactTransfer {
    using SafeERC20 for IERC20;

    error SelfTransfer(address account);
    error WrongArrival(address token, address recipient, uint256 expected, uint256 balanceBefore, uint256 balanceAfter);
    error WrongOutflow(address token, address sender, uint256 expected, uint256 balanceBefore, uint256 balanceAfter);

    /// @notice Move `amount` out of `sender`'s allowance to this contract; both balances change by exactly that.
    function pull(IERC20 token, address sender, address recipient, uint256 amount) internal {
        uint256 balanceBefore = token.balanceOf(sender);
        pullUnmeasured(token, sender, recipient, amount);
        requireOutflow(token, sender, amount, balanceBefore);
    }

    /// @notice The same with `sender`'s side left to the caller, who measures it once around many transfers.
    function pullUnmeasured(IERC20 token, address sender, address recipient, uint256 amount) internal {
        if (sender == recipient) revert SelfTransfer(sender);
        uint256 balanceBefore = token.balanceOf(recipient);
        // Who calls this passes the sender of the call, or whoever subscribed to just this.
        // slither-disable-next-line arbitrary-send-erc20
        token.safeTransferFrom(sender, recipient, amount);
        _requireArrival(token, recipient, amount, balanceBefore);
    }

    /// @notice Move `amount` of this contract's own; both balances change by exactly that.
    function push(IERC20 token, address recipient, uint256 amount) internal {
        if (recipient == address(this)) revert SelfTransfer(recipient);
        uint256 ownBefore = token.balanceOf(address(this));
        uint256 balanceBefore = token.balanceOf(recipient);
        token.safeTransfer(recipient, amount);
        _requireArrival(token, recipient, amount, balanceBefore);
        requireOutflow(token, address(this), amount, ownBefore);
    }

    /// @notice Whether `sender` lost exactly `amount` since it had `balanceBefore`.
    function requireOutflow(IERC20 token, address sender, uint256 amount, uint256 balanceBefore) internal view {
        uint256 balanceAfter = token.balanceOf(sender);
        if (balanceAfter > balanceBefore || balanceBefore - balanceAfter != amount) {
            revert WrongOutflow(address(token), sender, amount, balanceBefore, balanceAfter);
        }
    }

    function _requireArrival(IERC20 token, address recipient, uint256 amount, uint256 balanceBefore) private view {
        uint256 balanceAfter = token.balanceOf(recipient);
        if (balanceAfter < balanceBefore || balanceAfter - balanceBefore != amount) {
            revert WrongArrival(address(token), recipient, amount, balanceBefore, balanceAfter);
        }
    }
}
