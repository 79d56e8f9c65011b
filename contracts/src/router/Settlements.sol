// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {RecordedPayments} from "./RecordedPayments.sol";

/// @title Many signed payments in one transaction
/// @notice Presents EIP-3009 authorizations to their token. Anyone may: the signatures say who pays whom. One bad item
/// sinks no other: it has gas of its own, its answer is never copied, and its failure is an event.
/// @dev An item is 164 bytes: from 20, to 20, value 16, validAfter 6, validBefore 6, nonce 32, r 32, yParityAndS 32
/// (ERC-2098). What is signed with a larger value or time, or with a signature of another form, is settled by itself.
///
/// An item has settled when its payee's balance rose by exactly its value. One that has not may still have moved
/// something, in a token that lies or keeps a fee; the nonce of an item that reverted is as it was.
abstract contract Settlements is RecordedPayments {
    /// What one item of a batch reads and leaves to the next.
    struct Batch {
        address token;
        uint256 itemGas;
        uint256 gasFloor;
        bool records;
        // Whose balance was read last, and is still what it was; zero: nobody's.
        address payee;
        uint256 balance;
    }

    /// The arguments of `transferWithAuthorization`, as they stand in its call data.
    struct Item {
        address payer;
        address payee;
        uint256 value;
        uint256 validAfter;
        uint256 validBefore;
        bytes32 nonce;
        uint256 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice The length of a packed item.
    uint256 public constant ITEM_BYTES = 164;

    /// @dev transferWithAuthorization(address,address,uint256,uint256,uint256,bytes32,uint8,bytes32,bytes32)
    uint256 private constant TRANSFER_SELECTOR = 0xe3ee160e;
    uint256 private constant TRANSFER_BYTES = 4 + 9 * 32;

    /// @dev A first call to the token costs 2,600; the rest is for the few operations between the look at the gas and
    /// the call.
    uint256 private constant CALL_RESERVE = 5_000;

    /// @param itemGas What each of an item's calls had: an item may have failed for want of it.
    /// @param settled Bit i % 256 (from the lowest) of word i / 256 says whether item i has settled.
    event BatchSettled(address indexed token, uint256 itemGas, uint256 count, uint256[] settled);

    /// @param reason The first four bytes that the token reverted with, or the selector of an error of ours.
    event ItemFailed(address indexed token, address indexed payer, bytes32 indexed nonce, uint256 index, bytes4 reason);

    error MalformedItems(uint256 length);
    error GasTooLow(uint256 gasNeeded, uint256 gasLeft);

    // Why an item failed where the token gave no reason, beside ZeroAmount, InvalidPayee and PaymentAlreadyRecorded.
    error SelfPayment();
    error BalanceUnreadable();
    error RevertedSilently();
    error NotArrived();

    /// @notice Settle `items`, each of whose calls to the token (the balance before, the transfer, the balance after)
    /// gets `itemGas`, no more and no less.
    /// @dev When gas no longer suffices to give a call all of its `itemGas`, the batch reverts: whoever sends it cannot
    /// make a good item look like a bad one by sending little gas. (A low `itemGas` can; the event tells.)
    function settleBatch(address token, uint256 itemGas, bytes calldata items)
        external
        nonReentrant
        returns (uint256[] memory settled)
    {
        return _settle(token, itemGas, items, false);
    }

    /// @notice The same, and each payment that settled is recorded; an item whose payment is on record fails.
    function settleBatchRecorded(address token, uint256 itemGas, bytes calldata items)
        external
        nonReentrant
        returns (uint256[] memory settled)
    {
        return _settle(token, itemGas, items, true);
    }

    function _settle(address token, uint256 itemGas, bytes calldata items, bool records)
        private
        returns (uint256[] memory settled)
    {
        if (items.length == 0) revert EmptyBatch();
        if (items.length % ITEM_BYTES != 0) revert MalformedItems(items.length);
        uint256 count = items.length / ITEM_BYTES;
        settled = new uint256[]((count + 255) / 256);
        // EIP-150: a call gets at most 63/64 of what is left.
        Batch memory batch = Batch(token, itemGas, itemGas + itemGas / 63 + CALL_RESERVE, records, address(0), 0);
        Item memory item = _newItem();
        // Cannot overflow: at most the length of the call data.
        unchecked {
            for (uint256 i; i < count; ++i) {
                _unpack(item, items, i * ITEM_BYTES);
                (bool ok, bytes4 reason) = _settleItem(batch, item);
                if (ok) settled[i >> 8] |= 1 << (i & 0xff);
                else emit ItemFailed(token, item.payer, item.nonce, i, reason);
            }
        }
        emit BatchSettled(token, itemGas, count, settled);
    }

    function _settleItem(Batch memory batch, Item memory item) private returns (bool ok, bytes4 reason) {
        if (item.value == 0) return (false, ZeroAmount.selector);
        if (item.payer == item.payee) return (false, SelfPayment.selector);
        if (item.payee == address(0) || item.payee == address(this)) return (false, InvalidPayee.selector);
        // Looked at only where it is set.
        // slither-disable-next-line uninitialized-local
        bytes32 paymentId;
        if (batch.records) {
            paymentId = paymentIdOf(batch.token, item.payer, item.payee, item.value, item.nonce);
            if (isRecorded[paymentId]) return (false, PaymentAlreadyRecorded.selector);
        }
        if (batch.payee != item.payee && !_readBalance(batch, item.payee)) return (false, BalanceUnreadable.selector);
        uint256 balanceBefore = batch.balance;
        // After a revert all is as it was, the balance read before too.
        if (!_present(batch, item)) return (false, _revertReason());
        if (!_readBalance(batch, item.payee)) return (false, BalanceUnreadable.selector);
        if (Math.saturatingSub(batch.balance, balanceBefore) != item.value) return (false, NotArrived.selector);
        if (batch.records) _record(paymentId, batch.token, item.payer, item.payee, item.value, item.nonce);
        return (true, 0);
    }

    /// @dev Memory for one item, used again for each: the selector ends in the word before it, so that the call data
    /// starts four bytes before the item.
    function _newItem() private pure returns (Item memory item) {
        assembly ("memory-safe") {
            let selectorWord := mload(0x40)
            mstore(selectorWord, TRANSFER_SELECTOR)
            item := add(selectorWord, 0x20)
            mstore(0x40, add(item, 0x120))
        }
    }

    function _unpack(Item memory item, bytes calldata items, uint256 offset) private pure {
        assembly ("memory-safe") {
            let at := add(items.offset, offset)
            mstore(item, shr(96, calldataload(at)))
            mstore(add(item, 0x20), shr(96, calldataload(add(at, 20))))
            // value 16, validAfter 6, validBefore 6, and four bytes of the nonce
            let terms := calldataload(add(at, 40))
            mstore(add(item, 0x40), shr(128, terms))
            mstore(add(item, 0x60), and(shr(80, terms), 0xffffffffffff))
            mstore(add(item, 0x80), and(shr(32, terms), 0xffffffffffff))
            mstore(add(item, 0xa0), calldataload(add(at, 68)))
            let yParityAndS := calldataload(add(at, 132))
            mstore(add(item, 0xc0), add(27, shr(255, yParityAndS)))
            mstore(add(item, 0xe0), calldataload(add(at, 100)))
            mstore(add(item, 0x100), shr(1, shl(1, yParityAndS)))
        }
    }

    /// @dev Whether the token took the authorization without reverting; what it answers is not copied.
    function _present(Batch memory batch, Item memory item) private returns (bool ok) {
        _requireGas(batch);
        (address token, uint256 itemGas) = (batch.token, batch.itemGas);
        assembly ("memory-safe") {
            ok := call(itemGas, token, 0, sub(item, 4), TRANSFER_BYTES, 0, 0)
        }
    }

    /// @dev The balance goes into `batch`; without an answer of at least a word nobody's is known.
    function _readBalance(Batch memory batch, address account) private view returns (bool ok) {
        _requireGas(batch);
        (address token, uint256 itemGas) = (batch.token, batch.itemGas);
        bytes4 selector = IERC20.balanceOf.selector;
        uint256 answer;
        assembly ("memory-safe") {
            // in scratch space: the question in the first 36 bytes, the answer over it
            mstore(0, selector)
            mstore(4, account)
            ok := staticcall(itemGas, token, 0, 0x24, 0, 0x20)
            ok := and(ok, gt(returndatasize(), 0x1f))
            answer := mload(0)
        }
        batch.payee = ok ? account : address(0);
        batch.balance = answer;
    }

    function _requireGas(Batch memory batch) private view {
        if (gasleft() < batch.gasFloor) revert GasTooLow(batch.gasFloor, gasleft());
    }

    /// @dev Of the call just made.
    function _revertReason() private pure returns (bytes4 reason) {
        assembly ("memory-safe") {
            if gt(returndatasize(), 3) {
                mstore(0, 0)
                returndatacopy(0, 0, 4)
                reason := mload(0)
            }
        }
        if (reason == 0) reason = RevertedSilently.selector;
    }
}
