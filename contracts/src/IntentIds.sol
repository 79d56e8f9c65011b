// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Ids that are used up
/// @notice Each intent's id executes at most once, over all entry points.
/// @dev What is marked is nobody else's to write: no function takes a mark away, here or in what inherits from this.
abstract contract IntentIds {
    mapping(bytes32 intentId => bool) private _executed;

    error InvalidIntentId();
    error IntentExecuted(bytes32 intentId);

    function isExecuted(bytes32 intentId) public view returns (bool) {
        return _executed[intentId];
    }

    /// @dev Every entry point that takes an id begins with this.
    function _useIntent(bytes32 intentId) internal {
        if (intentId == 0) revert InvalidIntentId();
        if (_executed[intentId]) revert IntentExecuted(intentId);
        _executed[intentId] = true;
    }
}
