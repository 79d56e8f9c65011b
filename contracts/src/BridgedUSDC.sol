// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Permit.sol";
import {Nonces} from "@openzeppelin/contracts/utils/Nonces.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @title The token that the devnet's payments move
/// @notice The payment interface of USDC (Circle's FiatTokenV2_2) under the name of USDC.e on Cronos: six decimals,
/// EIP-3009 and EIP-2612, each in the v/r/s form and in the bytes form. Errors carry the names of OpenZeppelin's.
/// @dev OpenZeppelin's draft ERC3009 is no base for it, since what passes or fails there does not on USDC: it reads
/// times with bit 47 set as block numbers, takes no contract payer in the v/r/s form (facilitators present every
/// 65-byte signature so, an ERC-1271 one too), and its internal type hashes keep public ones from being declared.
contract BridgedUSDC is ERC20, EIP712, Nonces, IERC20Permit, IERC3009, IERC3009Cancel {
    bytes32 public constant TRANSFER_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant RECEIVE_WITH_AUTHORIZATION_TYPEHASH = keccak256(
        "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
    );
    bytes32 public constant CANCEL_AUTHORIZATION_TYPEHASH =
        keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    bytes32 public constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");

    /// @notice The EIP-712 version; wallets that do not guess ask for it.
    string public constant version = "1";

    /// @notice The only account that can create money; nobody can change it.
    address public immutable MINTER;

    mapping(address authorizer => mapping(bytes32 nonce => bool)) private _used;

    error NotMinter(address caller);
    error NotPayee(address caller, address payee);
    error ERC3009InvalidAuthorizationTime(uint256 validAfter, uint256 validBefore);
    error ERC3009UsedAuthorization(address authorizer, bytes32 nonce);
    error ERC3009InvalidSignature();
    error ERC2612ExpiredSignature(uint256 deadline);
    error ERC2612InvalidSignature(address owner);

    // A token without a minter is one whose supply stays as it is: zero is as good an address as any.
    // slither-disable-next-line missing-zero-check
    constructor(address minter) ERC20("Bridged USDC (Stargate)", "USDC.e") EIP712("Bridged USDC (Stargate)", version) {
        MINTER = minter;
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// @notice Create `value` base units for `to`.
    function mint(address to, uint256 value) external {
        if (msg.sender != MINTER) revert NotMinter(msg.sender);
        _mint(to, value);
    }

    // EIP-3009

    /// @notice Whether `nonce` of `authorizer` is gone: its transfer was made, or it was cancelled.
    function authorizationState(address authorizer, bytes32 nonce) external view returns (bool) {
        return _used[authorizer][nonce];
    }

    /// @notice Move `value` as `from` signed it. Anyone may present it: that is what spares the payer gas.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) public {
        bytes32 structHash = keccak256(
            abi.encode(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce)
        );
        _requireOpen(validAfter, validBefore);
        _requireAuthorized(from, nonce, structHash, signature);
        _transferOnce(from, to, value, nonce);
    }

    /// @inheritdoc IERC3009
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        transferWithAuthorization(from, to, value, validAfter, validBefore, nonce, abi.encodePacked(r, s, v));
    }

    /// @notice Move `value` to the caller as `from` signed it.
    /// @dev Only the payee may present it. Otherwise whoever sees it in the mempool could move the money outside of the
    /// call that acts on its arrival (a deposit, say), and that call would then fail on the used nonce.
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) public {
        if (msg.sender != to) revert NotPayee(msg.sender, to);
        bytes32 structHash =
            keccak256(abi.encode(RECEIVE_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce));
        _requireOpen(validAfter, validBefore);
        _requireAuthorized(from, nonce, structHash, signature);
        _transferOnce(from, to, value, nonce);
    }

    /// @inheritdoc IERC3009
    function receiveWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        receiveWithAuthorization(from, to, value, validAfter, validBefore, nonce, abi.encodePacked(r, s, v));
    }

    /// @notice Make `nonce` unusable before it is used: how a signed payment is taken back.
    function cancelAuthorization(address authorizer, bytes32 nonce, bytes memory signature) public {
        bytes32 structHash = keccak256(abi.encode(CANCEL_AUTHORIZATION_TYPEHASH, authorizer, nonce));
        _requireAuthorized(authorizer, nonce, structHash, signature);
        _used[authorizer][nonce] = true;
        emit AuthorizationCanceled(authorizer, nonce);
    }

    /// @inheritdoc IERC3009Cancel
    function cancelAuthorization(address authorizer, bytes32 nonce, uint8 v, bytes32 r, bytes32 s) external {
        cancelAuthorization(authorizer, nonce, abi.encodePacked(r, s, v));
    }

    // EIP-2612

    /// @notice Allow `spender` to move `value` as `owner` signed it.
    function permit(address owner, address spender, uint256 value, uint256 deadline, bytes memory signature) public {
        // EIP-2612 counts in the time of blocks; what a proposer can shift it by is no harm to a deadline.
        // slither-disable-next-line timestamp
        if (block.timestamp > deadline) revert ERC2612ExpiredSignature(deadline);
        bytes32 structHash = keccak256(abi.encode(PERMIT_TYPEHASH, owner, spender, value, _useNonce(owner), deadline));
        if (!_isSigned(owner, structHash, signature)) revert ERC2612InvalidSignature(owner);
        _approve(owner, spender, value);
    }

    /// @inheritdoc IERC20Permit
    function permit(address owner, address spender, uint256 value, uint256 deadline, uint8 v, bytes32 r, bytes32 s)
        external
    {
        permit(owner, spender, value, deadline, abi.encodePacked(r, s, v));
    }

    /// @inheritdoc IERC20Permit
    function nonces(address owner) public view override(IERC20Permit, Nonces) returns (uint256) {
        return super.nonces(owner);
    }

    /// @inheritdoc IERC20Permit
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// @dev Both ends are excluded, as EIP-3009 has it.
    function _requireOpen(uint256 validAfter, uint256 validBefore) private view {
        // EIP-3009 counts in the time of blocks, as EIP-2612 does.
        // slither-disable-next-line timestamp
        if (block.timestamp <= validAfter || block.timestamp >= validBefore) {
            revert ERC3009InvalidAuthorizationTime(validAfter, validBefore);
        }
    }

    function _requireAuthorized(address authorizer, bytes32 nonce, bytes32 structHash, bytes memory signature)
        private
        view
    {
        if (_used[authorizer][nonce]) revert ERC3009UsedAuthorization(authorizer, nonce);
        if (!_isSigned(authorizer, structHash, signature)) revert ERC3009InvalidSignature();
    }

    /// @dev A contract is asked (ERC-1271) by a static call, so it can change nothing between the checks and the
    /// effects. A key's signature must be the one of its two forms with the low s.
    function _isSigned(address signer, bytes32 structHash, bytes memory signature) private view returns (bool) {
        return SignatureChecker.isValidSignatureNow(signer, _hashTypedDataV4(structHash), signature);
    }

    function _transferOnce(address from, address to, uint256 value, bytes32 nonce) private {
        _used[from][nonce] = true;
        emit AuthorizationUsed(from, nonce);
        _transfer(from, to, value);
    }
}
