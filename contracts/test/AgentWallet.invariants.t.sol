// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {StolenServer} from "./StolenServer.sol";

/// No sequence of operator calls, reentrant ones, allowed calls with a thief's arguments and hostile tokens included, takes
/// more than a day's limit plus the pocket, or uses an intent id or a signature twice; paused means paused. What was
/// taken is the net fall of a balance. Most of it is compared after each step (`WalletBooks._close`).
contract AgentWalletInvariantsTest {
    StolenServer private server;

    error NeverWorked(uint256 action);
    error NeverApproved(uint256 entryPoint);

    function setUp() public {
        server = new StolenServer();
    }

    /// What Foundry calls in random order.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(server);
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: mutants.invariant.runs = 4
    /// forge-config: chaos.invariant.runs = 300
    /// forge-config: default.invariant.depth = 150
    /// forge-config: chaos.invariant.depth = 300
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: chaos.invariant.fail-on-revert = true
    function invariantNoMoreIsTakenThanTheOwnerWrote() public view {
        _check();
    }

    /// The campaign is not hollow: whatever can work works now and then.
    function testEachActionWorksInAWalk() public {
        bytes4[20] memory actions = server.actions();
        for (uint256 i; i < 70 * actions.length; ++i) {
            _step(actions[uint256(keccak256(abi.encode("action", i))) % actions.length], i);
            if (i % 50 == 0) _check();
        }
        _check();
        for (uint256 i; i < actions.length; ++i) {
            if (server.successes(actions[i]) == 0) revert NeverWorked(i);
        }
        for (uint256 entry; entry < 4; ++entry) {
            if (server.approvedExecutions(entry) == 0) revert NeverApproved(entry);
        }
        assert(server.thief().hits(server.thief().TAKE()) > 0);
        assert(server.thief().hits(server.thief().GIVE_BACK()) > 0);
    }

    function _step(bytes4 action, uint256 seed) private {
        (bool done, bytes memory answer) = address(server).call(abi.encodeWithSelector(action, seed));
        if (done) return;
        assembly ("memory-safe") {
            revert(add(answer, 0x20), mload(answer))
        }
    }

    function _check() private view {
        for (uint256 i; i < server.tokenCount(); ++i) {
            address token = server.tokens(i);
            // On the day of the theft that is the limit of a day, and the pocket.
            assert(server.leftInAll(token) <= server.allowedInAll(token));
            assert(server.loot(token) <= server.CEILING() + server.leftInAll(token));
        }
        assert(server.thief().breakIns() == 0);
    }
}
