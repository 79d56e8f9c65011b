// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Limits} from "../src/Limits.sol";
import {vm} from "../test/Vm.sol";

/// The arithmetic of limits, from any stored state whatever, for all values and (32-bit) times.
contract LimitsProof {
    using Limits for Limits.Limit;
    using Limits for Limits.DailySum;

    Limits.Limit private limit;
    Limits.DailySum private sum;

    function _anyLimit(uint112 current, uint112 next, uint32 nextFrom, uint32 time) private {
        (limit.current, limit.next, limit.nextFrom) = (current, next, nextFrom);
        vm.warp(time);
    }

    function _anySum(uint112 amount, uint32 day, uint32 time) private {
        (sum.amount, sum.day) = (amount, day);
        vm.warp(time);
    }

    /// What is counted and was counted today never exceed the limit; what is refused changes nothing.
    function check_aCountStaysWithinTheLimit(uint112 stored, uint32 day, uint32 time, uint256 amount, uint112 limit_)
        public
    {
        _anySum(stored, day, time);
        uint256 before = sum.today();
        bool counted = sum.count(amount, limit_);
        if (counted) {
            assert(amount <= limit_);
            assert(sum.today() == before + amount);
            assert(sum.today() <= limit_ || amount == 0);
        } else {
            assert(sum.amount == stored && sum.day == day);
            assert(amount > limit_ || before + amount > limit_);
        }
    }

    /// Whatever is left can be counted, and not one unit more.
    function check_whatIsLeftIsWhatCanBeCounted(uint112 stored, uint32 day, uint32 time, uint256 amount, uint112 limit_)
        public
    {
        _anySum(stored, day, time);
        uint256 left = sum.remaining(limit_);
        assert(sum.count(amount, limit_) == (amount <= left));
    }

    /// What is counted and given back in one transaction leaves the sum as if only the rest had been counted.
    function check_whatIsGivenBackWasNeverCounted(
        uint112 stored,
        uint32 day,
        uint32 time,
        uint256 amount,
        uint256 back,
        uint112 limit_
    ) public {
        _anySum(stored, day, time);
        uint256 before = sum.today();
        vm.assume(back <= amount && sum.count(amount, limit_));
        sum.giveBack(back);
        assert(sum.today() == before + amount - back);
    }

    /// A sum is of its own day: at any time of that day it is all there, on every other day it is nothing.
    function check_aSumIsOfItsDay(uint112 stored, uint32 day, uint32 time) public {
        _anySum(stored, day, time);
        assert(sum.today() == (uint256(time) / 86_400 == day ? stored : 0));
    }

    /// Set with a delay, nothing changes before its time, and the new value holds from then on; without one, at once.
    function check_aLimitChangesAtItsTime(
        uint112 current,
        uint112 next,
        uint32 nextFrom,
        uint32 time,
        uint112 value,
        uint32 delay,
        uint32 later
    ) public {
        vm.assume(later >= time);
        _anyLimit(current, next, nextFrom, time);
        uint112 before = limit.value();
        uint256 from = limit.set(value, delay);
        assert(from == uint256(time) + delay);
        vm.warp(later);
        assert(limit.value() == (later >= from ? value : before));
    }
}
