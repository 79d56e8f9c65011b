// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Anyone mints: money is free here, what moves is what counts.
abstract contract MintableToken is ERC20("Hostile", "HOST") {
    function mint(address to, uint256 value) external virtual {
        _mint(to, value);
    }
}

/// EIP-3009 in its v/r/s form for anyone's nonce: signatures are another token's subject, so none is looked at.
abstract contract UnsignedAuthorizations is MintableToken {
    mapping(address authorizer => mapping(bytes32 nonce => bool)) public authorizationState;

    error AuthorizationUsedBefore(address authorizer, bytes32 nonce);

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32 nonce,
        uint8,
        bytes32,
        bytes32
    ) external virtual {
        if (authorizationState[from][nonce]) return _onUsed(from, nonce);
        authorizationState[from][nonce] = true;
        _transfer(from, to, value);
    }

    function _onUsed(address from, bytes32 nonce) internal virtual {
        revert AuthorizationUsedBefore(from, nonce);
    }
}

/// Gives none of the answers that ERC-20 asks for, as USDT on Ethereum.
contract NoReturnToken is MintableToken {
    function transfer(address to, uint256 value) public override returns (bool) {
        super.transfer(to, value);
        _returnNothing();
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        super.transferFrom(from, to, value);
        _returnNothing();
    }

    function approve(address spender, uint256 value) public override returns (bool) {
        super.approve(spender, value);
        _returnNothing();
    }

    function _returnNothing() private pure {
        assembly ("memory-safe") {
            return(0, 0)
        }
    }
}

/// Says false where others revert, and moves nothing.
contract FalseToken is UnsignedAuthorizations {
    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }

    function transferWithAuthorization(address, address, uint256, uint256, uint256, bytes32, uint8, bytes32, bytes32)
        external
        pure
        override
    {
        assembly ("memory-safe") {
            mstore(0, 0)
            return(0, 0x20)
        }
    }
}

/// Says true and moves nothing.
contract SilentToken is UnsignedAuthorizations {
    function transfer(address, uint256) public pure override returns (bool) {
        return true;
    }

    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return true;
    }

    function transferWithAuthorization(address, address, uint256, uint256, uint256, bytes32, uint8, bytes32, bytes32)
        external
        pure
        override
    {}
}

/// The recipient gets a hundredth less than the sender loses.
contract FeeOnTransferToken is UnsignedAuthorizations {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0), value / 100);
    }
}

/// The recipient gets what was said; the sender loses a hundredth more.
contract ExtraFeeToken is UnsignedAuthorizations {
    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(from, address(0), value / 100);
    }
}

/// Balances are shares of a pool that grows and shrinks, between transfers or, if asked to, in the midst of one.
contract RebasingToken is UnsignedAuthorizations {
    uint256 private _numerator = 1;
    uint256 private _denominator = 1;
    uint256 private _nextNumerator;
    uint256 private _nextDenominator;

    /// What a share is worth from now on.
    function rebase(uint256 numerator, uint256 denominator) public {
        _numerator = numerator;
        _denominator = denominator;
    }

    /// The same, right after the next transfer moved its shares.
    function rebaseOnNextTransfer(uint256 numerator, uint256 denominator) external {
        _nextNumerator = numerator;
        _nextDenominator = denominator;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return super.balanceOf(account) * _numerator / _denominator;
    }

    function totalSupply() public view override returns (uint256) {
        return super.totalSupply() * _numerator / _denominator;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value * _denominator / _numerator);
        if (from == address(0) || _nextDenominator == 0) return;
        rebase(_nextNumerator, _nextDenominator);
        _nextDenominator = 0;
    }
}

/// Calls `target` within each transfer and remembers what came of the last call.
contract ReentrantToken is UnsignedAuthorizations {
    address public target;
    bytes public targetData;
    uint256 public calls;
    bool public succeeded;
    bytes public answer;

    function reenter(address target_, bytes calldata data) external {
        target = target_;
        targetData = data;
    }

    /// Forget what came of it.
    function forget() external {
        delete answer;
        delete succeeded;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from == address(0) || target == address(0)) return;
        ++calls;
        (succeeded, answer) = target.call(targetData);
    }
}

/// Reverts for blocked parties, as USDC does.
contract BlocklistToken is UnsignedAuthorizations {
    mapping(address account => bool) public isBlocked;

    error Blocked(address account);

    function setBlocked(address account, bool blocked) external {
        isBlocked[account] = blocked;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (isBlocked[from]) revert Blocked(from);
        if (isBlocked[to]) revert Blocked(to);
        super._update(from, to, value);
    }
}

/// Burns all gas that it is given, where it is told to.
contract GasBurnerToken is UnsignedAuthorizations {
    bool public burnsInTransfer;
    bool public burnsInAuthorization;
    bool public burnsInBalanceOf;
    /// Whose payment or balance sets it off; zero: everybody's.
    address public victim;

    function burn(bool inTransfer, bool inAuthorization, bool inBalanceOf, address victim_) external {
        burnsInTransfer = inTransfer;
        burnsInAuthorization = inAuthorization;
        burnsInBalanceOf = inBalanceOf;
        victim = victim_;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        _burnIf(burnsInTransfer, msg.sender);
        return super.transfer(to, value);
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        _burnIf(burnsInTransfer, from);
        return super.transferFrom(from, to, value);
    }

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32 nonce,
        uint8,
        bytes32,
        bytes32
    ) external override {
        _burnIf(burnsInAuthorization, from);
        authorizationState[from][nonce] = true;
        _transfer(from, to, value);
    }

    function balanceOf(address account) public view override returns (uint256) {
        _burnIf(burnsInBalanceOf, account);
        return super.balanceOf(account);
    }

    function _burnIf(bool burns, address account) private view {
        if (!burns || (victim != address(0) && victim != account)) return;
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// An allowance can be replaced by another one and never taken back.
contract StickyAllowanceToken is MintableToken {
    function approve(address spender, uint256 value) public override returns (bool) {
        return value == 0 || super.approve(spender, value);
    }
}

/// Answers a used authorization as it answers a good one, and moves nothing.
contract LenientAuthorizationToken is UnsignedAuthorizations {
    function _onUsed(address, bytes32) internal override {}
}

/// Answers a payment, or a question for a balance, with as many bytes as it is told to.
contract ReturnBombToken is UnsignedAuthorizations {
    uint256 public paymentBytes;
    bool public paymentReverts;
    uint256 public balanceBytes;
    bool public balanceReverts;

    function bombPayments(uint256 length, bool reverts) external {
        paymentBytes = length;
        paymentReverts = reverts;
    }

    function bombBalances(uint256 length, bool reverts) external {
        balanceBytes = length;
        balanceReverts = reverts;
    }

    function transfer(address to, uint256 value) public override returns (bool) {
        super.transfer(to, value);
        _bomb(1, paymentBytes, paymentReverts);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) public override returns (bool) {
        super.transferFrom(from, to, value);
        _bomb(1, paymentBytes, paymentReverts);
        return true;
    }

    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256,
        uint256,
        bytes32 nonce,
        uint8,
        bytes32,
        bytes32
    ) external override {
        authorizationState[from][nonce] = true;
        _transfer(from, to, value);
        _bomb(1, paymentBytes, paymentReverts);
    }

    function balanceOf(address account) public view override returns (uint256) {
        uint256 balance = super.balanceOf(account);
        _bomb(balance, balanceBytes, balanceReverts);
        return balance;
    }

    /// The first word is the answer that a well-behaved token gives; memory behind it is free.
    function _bomb(uint256 firstWord, uint256 length, bool reverts) private pure {
        if (length == 0) return;
        assembly {
            mstore(0, firstWord)
            if reverts { revert(0, length) }
            return(0, length)
        }
    }
}
