// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ExactTransfer} from "../ExactTransfer.sol";
import {Payouts} from "./Payouts.sol";

/// @title Payments that come back
/// @notice A payer lets a merchant take `amount` of an ERC-20 once in each of `count` periods. Period k is
/// [startsAt + k * period, startsAt + (k + 1) * period). A period in which nothing was charged is forfeited: it is not
/// made up for later, and the last period ends when it would have ended anyway.
/// @dev The payer's consent is this entry and its allowance for the router; a charge never exceeds either.
abstract contract Subscriptions is Payouts {
    using ExactTransfer for IERC20;

    struct Subscription {
        address payer;
        address merchant;
        address token;
        uint128 amount;
        uint32 period;
        uint32 count;
        uint64 startsAt;
        uint32 charged;
        uint64 nextChargeAt;
        bool cancelled;
    }

    /// @notice How many there have been; their ids are 1 to this.
    uint256 public subscriptionCount;

    mapping(uint256 id => Subscription) private _subscriptions;

    event Subscribed(
        uint256 indexed id,
        address indexed payer,
        address indexed merchant,
        address token,
        uint128 amount,
        uint32 period,
        uint32 count,
        uint64 startsAt
    );
    event SubscriptionCharged(
        uint256 indexed id,
        address indexed payer,
        address indexed merchant,
        address token,
        uint128 amount,
        uint32 charged,
        uint64 nextChargeAt
    );
    event SubscriptionCancelled(uint256 indexed id, address indexed payer, address indexed merchant, address by);

    error InvalidToken(address token);
    error InvalidSchedule(uint32 period, uint32 count, uint64 startsAt);
    error NotParty(uint256 id, address caller);
    error AlreadyCancelled(uint256 id);
    error NotDue(uint256 id, uint256 nextChargeAt);
    error Ended(uint256 id, uint256 endedAt);

    /// @notice Let `merchant` charge the caller from `startsAt` on (unix seconds; 0: now).
    function subscribe(address merchant, address token, uint128 amount, uint32 period, uint32 count, uint64 startsAt)
        external
        returns (uint256 id)
    {
        _requirePayee(merchant);
        if (merchant == msg.sender) revert InvalidPayee(merchant);
        if (token.code.length == 0) revert InvalidToken(token);
        if (amount == 0) revert ZeroAmount();
        // A proposer shifts the time of a block by seconds; nobody gains a charge by it.
        // slither-disable-next-line timestamp
        if (startsAt == 0) startsAt = uint64(block.timestamp);
        // Every time of the schedule then fits in 64 bits.
        bool fits = uint256(startsAt) + uint256(period) * count <= type(uint64).max;
        if (period == 0 || count == 0 || startsAt < block.timestamp || !fits) {
            revert InvalidSchedule(period, count, startsAt);
        }
        id = ++subscriptionCount;
        _subscriptions[id] =
            Subscription(msg.sender, merchant, token, amount, period, count, startsAt, 0, startsAt, false);
        emit Subscribed(id, msg.sender, merchant, token, amount, period, count, startsAt);
    }

    /// @notice Move this period's amount from the payer to the merchant. Either of them may ask for it.
    function charge(uint256 id) external nonReentrant {
        Subscription memory s = _requireParty(id);
        // A proposer shifts the time of a block by seconds; nobody gains a charge by it.
        // slither-disable-next-line timestamp
        if (block.timestamp < s.nextChargeAt) revert NotDue(id, s.nextChargeAt);
        uint256 endsAt = _endOf(s);
        if (block.timestamp >= endsAt) revert Ended(id, endsAt);
        uint256 current = (block.timestamp - s.startsAt) / s.period;
        // Cannot overflow: at most the end of the last period, and no more charges than periods.
        unchecked {
            s.nextChargeAt = uint64(s.startsAt + (current + 1) * s.period);
            ++s.charged;
        }
        (_subscriptions[id].nextChargeAt, _subscriptions[id].charged) = (s.nextChargeAt, s.charged);
        IERC20(s.token).pull(s.payer, s.merchant, s.amount);
        emit SubscriptionCharged(id, s.payer, s.merchant, s.token, s.amount, s.charged, s.nextChargeAt);
    }

    /// @notice End a subscription, at once and for good. Either party may.
    function cancel(uint256 id) external {
        Subscription memory s = _requireParty(id);
        _subscriptions[id].cancelled = true;
        emit SubscriptionCancelled(id, s.payer, s.merchant, msg.sender);
    }

    /// @notice The entry as it stands; all zero for an id that was never given.
    function subscription(uint256 id) external view returns (Subscription memory) {
        return _subscriptions[id];
    }

    /// @notice Whether `charge` would find this period open and not charged yet.
    function isDue(uint256 id) external view returns (bool) {
        Subscription memory s = _subscriptions[id];
        // As in charge.
        // slither-disable-next-line timestamp
        return !s.cancelled && block.timestamp >= s.nextChargeAt && block.timestamp < _endOf(s);
    }

    function _requireParty(uint256 id) private view returns (Subscription memory s) {
        s = _subscriptions[id];
        // No time is compared here; the entry holds times, too.
        // slither-disable-next-line timestamp
        if (msg.sender != s.payer && msg.sender != s.merchant) revert NotParty(id, msg.sender);
        if (s.cancelled) revert AlreadyCancelled(id);
    }

    function _endOf(Subscription memory s) private pure returns (uint256) {
        return s.startsAt + uint256(s.period) * s.count;
    }
}
