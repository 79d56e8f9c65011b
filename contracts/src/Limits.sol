// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";

/// @title The arithmetic of what may leave a vault
/// @notice A `Limit` is one storage slot and can be loosened with a delay; a `DailySum` counts what left on a UTC day.
/// @dev Amounts have 112 bits, as in Uniswap's pairs: 5e33 base units, more than there is of any honest token.
library Limits {
    /// @notice `current` holds until the unix time `nextFrom`, `next` from then on; `nextFrom` zero: nothing is scheduled.
    struct Limit {
        uint112 current;
        uint112 next;
        uint32 nextFrom;
    }

    /// @notice What was counted on `day`, in days since 1970.
    struct DailySum {
        uint112 amount;
        uint32 day;
    }

    /// @notice The value that holds now.
    function value(Limit storage self) internal view returns (uint112) {
        Limit memory limit = self;
        // A proposer shifts the time of a block by seconds; what hangs on it here is hours and days.
        // slither-disable-next-line timestamp
        return limit.nextFrom != 0 && block.timestamp >= limit.nextFrom ? limit.next : limit.current;
    }

    /// @notice Let `newValue` hold `delay` seconds from now, at once for zero. What was scheduled before is dropped.
    /// @return from The unix time from which it holds.
    function set(Limit storage self, uint112 newValue, uint256 delay) internal returns (uint32 from) {
        from = SafeCast.toUint32(block.timestamp + delay);
        (self.current, self.next, self.nextFrom) = delay == 0 ? (newValue, 0, 0) : (value(self), newValue, from);
    }

    /// @notice What was counted today.
    function today(DailySum storage self) internal view returns (uint112) {
        DailySum memory sum = self;
        // A day is a whole number. A proposer shifts the time of a block by seconds; what hangs on it here is hours and days.
        // slither-disable-next-line timestamp,incorrect-equality
        return sum.day == _day() ? sum.amount : 0;
    }

    /// @notice What is left of `limit` today; zero when it was lowered below what was counted already.
    function remaining(DailySum storage self, uint112 limit) internal view returns (uint256) {
        return Math.saturatingSub(limit, today(self));
    }

    /// @notice Count `amount` if that much is left of `limit`; otherwise nothing changes.
    /// @return whether it was counted.
    function count(DailySum storage self, uint256 amount, uint112 limit) internal returns (bool) {
        if (amount > remaining(self, limit)) return false;
        // Together they are at most `limit`, so neither the sum nor the cast can overflow.
        (self.amount, self.day) = (today(self) + uint112(amount), _day());
        return true;
    }

    /// @notice Take `amount` off again, of what was counted in the same transaction.
    function giveBack(DailySum storage self, uint256 amount) internal {
        // Never more than was counted, which had 112 bits.
        self.amount -= uint112(amount);
    }

    /// @dev Good for eleven million years.
    function _day() private view returns (uint32) {
        return uint32(block.timestamp / 1 days);
    }
}
