// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC20, IERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";

/// @notice Sells its own shares, one for each unit of a token and for each wei.
contract Market is ERC20("Shares", "SHR") {
    function buy(IERC20 token, uint256 amount, address recipient) external payable {
        if (amount != 0) require(token.transferFrom(msg.sender, address(this), amount), "not paid");
        _mint(recipient, amount + msg.value);
    }
}

contract Deeds is ERC721("Deeds", "DEED") {
    function make(address to, uint256 id) external {
        _safeMint(to, id);
    }
}

contract Tickets is ERC1155("") {
    function make(address to, uint256 id, uint256 amount) external {
        _mint(to, id, amount, "");
    }

    function makeMany(address to, uint256[] calldata ids, uint256[] calldata amounts) external {
        _mintBatch(to, ids, amounts, "");
    }
}

/// @notice An approver that is a contract: what its keeper signs is its signature.
contract Keeper is IERC1271 {
    address private immutable KEEPER;

    constructor(address keeper) {
        KEEPER = keeper;
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        bool isKeepers = ECDSA.recoverCalldata(hash, signature) == KEEPER;
        return isKeepers ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
