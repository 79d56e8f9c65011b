// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {SafeCast} from "@openzeppelin/contracts/utils/math/SafeCast.sol";
import {Limits} from "../src/Limits.sol";
import {vm} from "./Vm.sol";

/// The library behind functions, so that a refusal can be expected.
contract LimitsUser {
    using Limits for Limits.Limit;
    using Limits for Limits.DailySum;

    Limits.Limit private _limit;
    Limits.DailySum private _sum;

    function set(uint112 value, uint256 delay) external returns (uint32) {
        return _limit.set(value, delay);
    }

    function value() external view returns (uint112) {
        return _limit.value();
    }

    function count(uint256 amount, uint112 limit) external returns (bool) {
        return _sum.count(amount, limit);
    }

    function today() external view returns (uint112) {
        return _sum.today();
    }

    function remaining(uint112 limit) external view returns (uint256) {
        return _sum.remaining(limit);
    }
}

contract LimitsTest {
    uint256 private constant NOW = 20_000 days + 8 hours;
    LimitsUser private user;

    function setUp() public {
        vm.warp(NOW);
        user = new LimitsUser();
    }

    function testADelayedValueHoldsFromItsTimeOn(uint112 first, uint112 second, uint32 delay, uint32 later) public {
        delay = delay % 365 days + 1;
        assert(user.set(first, 0) == NOW);
        assert(user.set(second, delay) == NOW + delay);
        later = later % (2 * 365 days);
        vm.warp(NOW + later);
        assert(user.value() == (later >= delay ? second : first));
    }

    function testATimeBeyondThirtyTwoBitsIsRefused() public {
        uint256 delay = uint256(type(uint32).max) - NOW;
        assert(user.set(1, delay) == type(uint32).max);
        vm.expectRevert(abi.encodeWithSelector(SafeCast.SafeCastOverflowedUintDowncast.selector, 32, 2 ** 32));
        user.set(1, delay + 1);
    }

    /// Whatever is asked for, in whatever order: no more than the limit is counted on a day, and all of it can be.
    function testADayNeverCountsMoreThanTheLimit(uint256[8] memory amounts, uint112 limit, uint8[8] memory hoursLater)
        public
    {
        uint256 day = block.timestamp / 1 days;
        uint256 sum;
        for (uint256 i; i < amounts.length; ++i) {
            vm.warp(block.timestamp + uint256(hoursLater[i] % 8) * 1 hours);
            if (block.timestamp / 1 days != day) (day, sum) = (block.timestamp / 1 days, 0);
            uint256 amount = i % 2 == 0 ? amounts[i] : amounts[i] % (uint256(limit) + 1);
            bool fits = amount <= limit - sum;
            assert(user.count(amount, limit) == fits);
            if (fits) sum += amount;
            assert(user.today() == sum);
            assert(user.remaining(limit) == limit - sum);
        }
    }

    function testALoweredLimitLeavesNothingAndNoLess() public {
        assert(user.count(10, 10));
        assert(user.remaining(9) == 0);
        assert(!user.count(1, 9));
        assert(user.count(0, 9));
        assert(user.remaining(11) == 1);
    }
}
