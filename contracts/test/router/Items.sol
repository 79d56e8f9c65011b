// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Authorization} from "../Actors.sol";

/// Items of `settleBatch`, packed as its documentation says.
library Items {
    function pack(Authorization memory a, uint8 v, bytes32 r, bytes32 s) internal pure returns (bytes memory) {
        bytes32 yParityAndS = bytes32(uint256(s) | (uint256(v) - 27) << 255);
        return abi.encodePacked(
            a.from, a.to, uint128(a.value), uint48(a.validAfter), uint48(a.validBefore), a.nonce, r, yParityAndS
        );
    }

    /// For tokens that look at no signature.
    function unsigned(address from, address to, uint256 value, uint256 nonce) internal pure returns (bytes memory) {
        return pack(Authorization(from, to, value, 0, type(uint48).max, bytes32(nonce)), 27, 0, 0);
    }
}
