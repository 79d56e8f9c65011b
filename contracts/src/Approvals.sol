// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MessageHashUtils} from "@openzeppelin/contracts/utils/cryptography/MessageHashUtils.sol";

/// @notice `amount` base units of `token` (zero: the chain's own coin) for `to`.
struct Transfer {
    address token;
    address to;
    uint256 amount;
}

/// @notice A token of which a call may take at most `amountMax` base units.
struct Spend {
    address token;
    uint256 amountMax;
}

/// @notice A token of which a call must bring at least `amountMin` base units.
struct Receive {
    address token;
    uint256 amountMin;
}

/// @notice A call of a protocol, with what it may take and what it must bring.
struct Call {
    address target;
    uint256 value;
    bytes data;
    Spend[] spends;
    Receive[] receives;
}

/// @notice One approver's signature: of its key, or whatever its contract takes for one (ERC-1271).
struct ApproverSignature {
    address approver;
    bytes signature;
}

/// @notice Signatures in strictly rising order of approvers, good until the unix time `deadline`, that time included.
struct Approval {
    uint256 deadline;
    ApproverSignature[] signatures;
}

/// @notice What every digest ends with.
struct Terms {
    bytes32 intentId;
    uint256 deadline;
    uint256 approverSet;
}

/// @title What approvers sign (EIP-712), one type per entry point
/// @notice Each binds everything that the entry point is told, the approvers' own version (`approverSet`: signatures
/// die when the approvers change), and through the domain wallet and chain.
/// @dev A struct of static members is encoded as its members are, one after the other: so are `terms`, `transfers[i]`.
/// OpenZeppelin's EIP712 keeps a separator for the contract that was deployed, which no clone is, and much else.
library Approvals {
    string internal constant NAME = "Paygent AgentWallet";
    string internal constant VERSION = "1";

    bytes32 private constant _DOMAIN_TYPEHASH =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
    bytes32 private constant _TRANSFER_TYPEHASH = keccak256("Transfer(address token,address to,uint256 amount)");
    bytes32 private constant _SPEND_TYPEHASH = keccak256("Spend(address token,uint256 amountMax)");
    bytes32 private constant _RECEIVE_TYPEHASH = keccak256("Receive(address token,uint256 amountMin)");

    bytes32 private constant _PAYMENT_TYPEHASH = keccak256(
        "Payment(address token,address to,uint256 amount,bytes32 intentId,uint256 deadline,uint256 approverSet)"
    );
    bytes32 private constant _BATCH_TYPEHASH = keccak256(
        "Batch(Transfer[] transfers,bytes32 intentId,uint256 deadline,uint256 approverSet)"
        "Transfer(address token,address to,uint256 amount)"
    );
    bytes32 private constant _CALL_TYPEHASH = keccak256(
        "Call(address target,uint256 value,bytes data,Spend[] spends,Receive[] receives,"
        "bytes32 intentId,uint256 deadline,uint256 approverSet)"
        "Receive(address token,uint256 amountMin)Spend(address token,uint256 amountMax)"
    );
    bytes32 private constant _CHARGE_TYPEHASH = keccak256(
        "SubscriptionCharge(uint256 subscriptionId,address token,address merchant,uint256 amount,"
        "bytes32 intentId,uint256 deadline,uint256 approverSet)"
    );

    /// @notice What is signed for a struct in this wallet, on this chain.
    function digestOf(bytes32 structHash) internal view returns (bytes32) {
        bytes32 separator = keccak256(
            abi.encode(
                _DOMAIN_TYPEHASH, keccak256(bytes(NAME)), keccak256(bytes(VERSION)), block.chainid, address(this)
            )
        );
        return MessageHashUtils.toTypedDataHash(separator, structHash);
    }

    function hashPayment(address token, address to, uint256 amount, Terms memory terms)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(_PAYMENT_TYPEHASH, token, to, amount, terms));
    }

    function hashBatch(Transfer[] calldata transfers, Terms memory terms) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](transfers.length);
        for (uint256 i; i < transfers.length; ++i) {
            hashes[i] = keccak256(abi.encode(_TRANSFER_TYPEHASH, transfers[i]));
        }
        return keccak256(abi.encode(_BATCH_TYPEHASH, _hashArray(hashes), terms));
    }

    function hashCall(Call calldata call, Terms memory terms) internal pure returns (bytes32) {
        bytes32[] memory spends = new bytes32[](call.spends.length);
        for (uint256 i; i < spends.length; ++i) {
            spends[i] = keccak256(abi.encode(_SPEND_TYPEHASH, call.spends[i]));
        }
        bytes32[] memory receives = new bytes32[](call.receives.length);
        for (uint256 i; i < receives.length; ++i) {
            receives[i] = keccak256(abi.encode(_RECEIVE_TYPEHASH, call.receives[i]));
        }
        return keccak256(
            abi.encode(
                _CALL_TYPEHASH,
                call.target,
                call.value,
                keccak256(call.data),
                _hashArray(spends),
                _hashArray(receives),
                terms
            )
        );
    }

    function hashCharge(uint256 subscriptionId, address token, address merchant, uint256 amount, Terms memory terms)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(_CHARGE_TYPEHASH, subscriptionId, token, merchant, amount, terms));
    }

    function _hashArray(bytes32[] memory hashes) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hashes));
    }
}
