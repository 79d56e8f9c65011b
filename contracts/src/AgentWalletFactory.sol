// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Clones} from "@openzeppelin/contracts/proxy/Clones.sol";
import {AgentWallet} from "./AgentWallet.sol";
import {LimitKind} from "./AgentWalletSettings.sol";
import {ForbiddenCalls} from "./ForbiddenCalls.sol";
import {PaymentRouter} from "./PaymentRouter.sol";

/// @notice The limits of one token (zero: the chain's own coin), in base units.
struct TokenLimits {
    address token;
    uint112 daily;
    uint112 approvalThreshold;
    uint112 pocketCeiling;
}

/// @notice What a new wallet begins with. All of it can be zero or empty, and set later.
struct Setup {
    address guardian;
    address operator;
    uint64 operatorExpiresAt;
    uint32 raiseDelay;
    address[] approvers;
    uint256 quorum;
    TokenLimits[] limits;
}

/// @title Where wallets come from
/// @notice Cheap copies (ERC-1167) of one AgentWallet, at addresses that depend on owner and salt alone: they are known,
/// and can be paid into, before they exist. Nobody has any right over this contract or, through it, over a wallet.
contract AgentWalletFactory is ForbiddenCalls {
    /// @notice What all wallets are copies of. It is the factory's own and holds nothing.
    address public immutable IMPLEMENTATION;

    event WalletCreated(address indexed owner, address indexed wallet, bytes32 salt);

    constructor(PaymentRouter router) {
        IMPLEMENTATION = address(new AgentWallet(router));
    }

    /// @notice Make the caller's wallet of this `salt`, ready to use.
    function createWallet(bytes32 salt, Setup calldata setup) external returns (AgentWallet wallet) {
        wallet = AgentWallet(payable(Clones.cloneDeterministic(IMPLEMENTATION, _saltOf(msg.sender, salt))));
        emit WalletCreated(msg.sender, address(wallet), salt);
        wallet.initialize(address(this));
        _setUp(wallet, setup);
        wallet.initialize(msg.sender);
    }

    /// @notice Where `owner`'s wallet of this `salt` is, or will be.
    function walletOf(address owner, bytes32 salt) external view returns (address) {
        return Clones.predictDeterministicAddress(IMPLEMENTATION, _saltOf(owner, salt), address(this));
    }

    /// @dev By the functions that owners use. The delay comes last: it holds for later raises, not for these.
    function _setUp(AgentWallet wallet, Setup calldata setup) private {
        if (setup.guardian != address(0)) wallet.setGuardian(setup.guardian);
        if (setup.approvers.length != 0 || setup.quorum != 0) wallet.setApprovers(setup.approvers, setup.quorum);
        if (setup.operator != address(0) || setup.operatorExpiresAt != 0) {
            wallet.setOperator(setup.operator, setup.operatorExpiresAt);
        }
        for (uint256 i; i < setup.limits.length; ++i) {
            TokenLimits calldata limits = setup.limits[i];
            // The wallet is a copy that this contract has just made, and calls nobody.
            // slither-disable-next-line calls-loop
            wallet.setLimit(LimitKind.Daily, limits.token, limits.daily);
            // The same.
            // slither-disable-next-line calls-loop
            wallet.setLimit(LimitKind.ApprovalThreshold, limits.token, limits.approvalThreshold);
            // The same.
            // slither-disable-next-line calls-loop
            wallet.setLimit(LimitKind.PocketCeiling, limits.token, limits.pocketCeiling);
        }
        if (setup.raiseDelay != 0) wallet.setRaiseDelay(setup.raiseDelay);
    }

    function _saltOf(address owner, bytes32 salt) private pure returns (bytes32) {
        return keccak256(abi.encode(owner, salt));
    }
}
