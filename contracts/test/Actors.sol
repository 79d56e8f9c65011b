// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {vm} from "./Vm.sol";

/// A payer without a key of its own: its owner's signature is its signature, as long as it is willing.
contract ContractPayer is IERC1271 {
    address private immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    /// A suffix of any length is ignored: contract signatures need not be 65 bytes.
    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (address signer, ECDSA.RecoverError problem,) = ECDSA.tryRecover(digest, signature[:65]);
        return problem == ECDSA.RecoverError.NoError && signer == OWNER
            ? IERC1271.isValidSignature.selector
            : bytes4(0xffffffff);
    }
}

struct Authorization {
    address from;
    address to;
    uint256 value;
    uint256 validAfter;
    uint256 validBefore;
    bytes32 nonce;
}

/// Signs as wallets do, from the text of the specifications and not from the token's constants or its separator.
abstract contract Signing {
    bytes32 internal constant TRANSFER = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 internal constant RECEIVE = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 internal constant CANCEL = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    bytes32 internal constant PERMIT =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    function domainOf(address token) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Bridged USDC (Stargate)"),
                keccak256("1"),
                block.chainid,
                token
            )
        );
    }

    function sign(uint256 key, bytes32 domain, bytes32 structHash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    function hashOf(bytes32 kind, Authorization memory a) internal pure returns (bytes32) {
        return keccak256(abi.encode(kind, a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce));
    }

    function split(bytes memory signature) internal pure returns (uint8 v, bytes32 r, bytes32 s) {
        assembly ("memory-safe") {
            r := mload(add(signature, 0x20))
            s := mload(add(signature, 0x40))
            v := byte(0, mload(add(signature, 0x60)))
        }
    }

    function presentTransfer(BridgedUSDC token, Authorization memory a, bytes memory signature, bool vrs) internal {
        if (vrs) {
            (uint8 v, bytes32 r, bytes32 s) = split(signature);
            token.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        } else {
            token.transferWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
        }
    }

    function presentReceive(BridgedUSDC token, Authorization memory a, bytes memory signature, bool vrs) internal {
        if (vrs) {
            (uint8 v, bytes32 r, bytes32 s) = split(signature);
            token.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, v, r, s);
        } else {
            token.receiveWithAuthorization(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce, signature);
        }
    }

    function presentCancel(BridgedUSDC token, address authorizer, bytes32 nonce, bytes memory signature, bool vrs)
        internal
    {
        if (vrs) {
            (uint8 v, bytes32 r, bytes32 s) = split(signature);
            token.cancelAuthorization(authorizer, nonce, v, r, s);
        } else {
            token.cancelAuthorization(authorizer, nonce, signature);
        }
    }
}
