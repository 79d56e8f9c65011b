// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgentWallet} from "../src/AgentWallet.sol";
import {Approval, Transfer} from "../src/Approvals.sol";
import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {IntentIds} from "../src/IntentIds.sol";
import {PaymentRouter} from "../src/PaymentRouter.sol";
import {vm} from "../test/Vm.sol";
import {svm} from "./Svm.sol";

contract IntentIdsUser is IntentIds {
    function execute(bytes32 intentId) external {
        _useIntent(intentId);
    }
}

/// An id executes at most once. The marks are private to IntentIds, whose one way to write them is proved here from any
/// state whatever; so is that a payment or a batch that succeeds has gone that way. (Calls and charges are too much for
/// halmos: a list in storage, another contract's answer. Their tests and mutants show it.)
contract IntentIdsProof {
    IntentIdsUser private ids;
    AgentWallet private wallet;
    BridgedUSDC private token;

    function setUp() public {
        ids = new IntentIdsUser();
        token = new BridgedUSDC(address(this));
        wallet = new AgentWallet(new PaymentRouter());
        svm.enableSymbolicStorage(address(ids));
        svm.enableSymbolicStorage(address(wallet));
        svm.enableSymbolicStorage(address(token));
    }

    /// It executes when it is not executed yet, and is executed then; no other id becomes executable or executed.
    function check_anIdExecutesOnce(bytes32 id, bytes32 other) public {
        vm.assume(id != other);
        bool before = ids.isExecuted(id);
        bool otherBefore = ids.isExecuted(other);
        (bool done,) = address(ids).call(abi.encodeCall(IntentIdsUser.execute, (id)));
        assert(done == (!before && id != 0));
        assert(ids.isExecuted(id) == (before || done));
        assert(ids.isExecuted(other) == otherBefore);
    }

    /// @custom:halmos --array-lengths approval.signatures={0,1},approval.signatures[0].signature=65
    function check_aPaymentUsesItsId(
        address caller,
        uint32 time,
        address to,
        uint256 amount,
        bytes32 id,
        Approval calldata approval
    ) public {
        bool used = wallet.isExecuted(id);
        vm.warp(time);
        vm.prank(caller);
        wallet.executePayment(address(token), to, amount, id, approval);
        assert(!used && wallet.isExecuted(id));
    }

    function check_aBatchUsesItsId(address caller, uint32 time, address to, uint256 amount, bytes32 id) public {
        Transfer[] memory transfers = new Transfer[](1);
        transfers[0] = Transfer(address(token), to, amount);
        bool used = wallet.isExecuted(id);
        vm.warp(time);
        vm.prank(caller);
        wallet.executeBatch(transfers, id, _none());
        assert(!used && wallet.isExecuted(id));
    }

    function _none() private pure returns (Approval memory) {}
}
