// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletSettings, LimitKind} from "../src/AgentWalletSettings.sol";
import {Approval, ApproverSignature, Call, Spend, Transfer} from "../src/Approvals.sol";
import {IntentIds} from "../src/IntentIds.sol";
import {Subscriptions} from "../src/router/Subscriptions.sol";
import {ContractPayer} from "./Actors.sol";
import {vm} from "./Vm.sol";
import {WalletFixture} from "./WalletFixture.sol";

/// Above the threshold two of the three approvers must have signed just this.
contract AgentWalletApprovalsTest is WalletFixture {
    uint256 private constant ABOVE = uint256(THRESHOLD) + 1;

    function _payment() private view returns (Transfer memory) {
        return Transfer(address(usdc), PAYEE, ABOVE);
    }

    function _paymentHash() private view returns (bytes32) {
        return hashPayment(_payment(), ID, DEADLINE, 1);
    }

    function _pay(Approval memory approval) private {
        vm.prank(OPERATOR);
        wallet.executePayment(address(usdc), PAYEE, ABOVE, ID, approval);
    }

    function _refuse(Approval memory approval, bytes memory expected) private {
        vm.expectRevert(expected);
        _pay(approval);
        assert(usdc.balanceOf(PAYEE) == 0 && !wallet.isExecuted(ID));
    }

    function _isSpentBy(address approver) private pure returns (bytes memory) {
        return abi.encodeWithSelector(AgentWallet.InvalidApproverSignature.selector, approver);
    }

    // Who must sign

    function testTheDomainIsTheOneOfErc5267() public view {
        (, string memory name, string memory version, uint256 chainId, address contract_,,) = wallet.eip712Domain();
        assert(
            keccak256(bytes(name)) == keccak256("Paygent AgentWallet") && keccak256(bytes(version)) == keccak256("1")
        );
        assert(chainId == block.chainid && contract_ == address(wallet));
    }

    function testAnyTwoOfThreeApprovePayments() public {
        uint256[2][3] memory pairs = [[uint256(0), 1], [uint256(0), 2], [uint256(1), 2]];
        for (uint256 i; i < 3; ++i) {
            uint256 snapshot = vm.snapshotState();
            _pay(approvalBy(pairs[i][0], pairs[i][1], _paymentHash()));
            assert(usdc.balanceOf(PAYEE) == ABOVE);
            vm.revertToState(snapshot);
        }
    }

    function testAllThreeMaySign() public {
        Approval memory approval;
        approval.deadline = DEADLINE;
        approval.signatures = new ApproverSignature[](3);
        for (uint256 i; i < 3; ++i) {
            approval.signatures[i] = signedBy(i, _paymentHash());
        }
        _pay(approval);
        assert(usdc.balanceOf(PAYEE) == ABOVE);
    }

    function testTheThresholdItselfNeedsNobody() public {
        pay(address(usdc), PAYEE, THRESHOLD, ID);
        assert(usdc.balanceOf(PAYEE) == THRESHOLD);
    }

    function testWithoutSignaturesItSaysForWhatTheyAreMissing() public {
        bytes memory expected =
            abi.encodeWithSelector(AgentWallet.ApprovalMissing.selector, address(usdc), ABOVE, THRESHOLD);
        _refuse(none(), expected);
    }

    function testOneOfTwoIsTooFew() public {
        Approval memory approval;
        approval.deadline = DEADLINE;
        approval.signatures = new ApproverSignature[](1);
        approval.signatures[0] = signedBy(0, _paymentHash());
        _refuse(approval, abi.encodeWithSelector(AgentWallet.TooFewSignatures.selector, 1, 2));
    }

    function testNobodySignsTwice() public {
        Approval memory approval = approvalBy(1, 1, _paymentHash());
        _refuse(approval, abi.encodeWithSelector(AgentWallet.ApproversNotRising.selector, approvers[1]));
    }

    function testSignaturesStandInRisingOrder() public {
        Approval memory approval = approvalBy(2, 1, _paymentHash());
        _refuse(approval, abi.encodeWithSelector(AgentWallet.ApproversNotRising.selector, approvers[1]));
    }

    function testAStrangersSignatureIsNone() public {
        uint256 key = 0x5742;
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        address stranger = vm.addr(key);
        uint256 place = stranger > approvers[0] ? 1 : 0;
        approval.signatures[place] =
            ApproverSignature(stranger, signatureOf(key, domainOf(address(wallet)), _paymentHash()));
        _refuse(approval, abi.encodeWithSelector(AgentWallet.NotApprover.selector, stranger));
    }

    function testOneApproverDoesNotSignForAnother() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        approval.signatures[1].approver = approvers[2];
        _refuse(approval, _isSpentBy(approvers[2]));
    }

    function testTheOtherFormOfASignatureIsNone() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        bytes memory signature = approval.signatures[1].signature;
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        assembly ("memory-safe") {
            let s := add(signature, 0x40)
            mstore(s, sub(order, mload(s)))
            let v := add(signature, 0x60)
            mstore8(v, sub(55, byte(0, mload(v))))
        }
        _refuse(approval, _isSpentBy(approvers[1]));
    }

    function testAContractApproves() public {
        ContractPayer contract_ = new ContractPayer(vm.addr(0xFACE));
        address[] memory list = new address[](1);
        list[0] = address(contract_);
        vm.prank(OWNER);
        wallet.setApprovers(list, 1);
        bytes32 structHash = hashPayment(_payment(), ID, DEADLINE, 2);
        Approval memory approval = Approval(DEADLINE, new ApproverSignature[](1));
        bytes memory signature = signatureOf(0xFACE, domainOf(address(wallet)), structHash);
        // its signatures need not be 65 bytes
        approval.signatures[0] = ApproverSignature(address(contract_), abi.encodePacked(signature, "suffix"));
        _pay(approval);
        assert(usdc.balanceOf(PAYEE) == ABOVE);
        approval.signatures[0].signature = signatureOf(0xBAD, domainOf(address(wallet)), structHash);
        vm.prank(OPERATOR);
        vm.expectRevert(_isSpentBy(address(contract_)));
        wallet.executePayment(address(usdc), PAYEE, ABOVE, "other", approval);
    }

    function testWithoutApproversNothingAboveTheThresholdLeaves() public {
        vm.prank(OWNER);
        wallet.setApprovers(new address[](0), 0);
        Approval memory approval = approvalBy(0, 1, hashPayment(_payment(), ID, DEADLINE, 2));
        _refuse(approval, abi.encodeWithSelector(AgentWallet.TooFewSignatures.selector, 2, 0));
    }

    // How long

    function testAnApprovalIsGoodUntilItsDeadline() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        vm.warp(DEADLINE + 1);
        _refuse(approval, abi.encodeWithSelector(AgentWallet.ApprovalExpired.selector, DEADLINE));
        vm.warp(DEADLINE);
        _pay(approval);
        assert(usdc.balanceOf(PAYEE) == ABOVE);
    }

    function testADeadlineIsNotProlonged() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        approval.deadline = DEADLINE + 1;
        _refuse(approval, _isSpentBy(approvers[0]));
    }

    function testAnApprovalIsUsedOnce() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        _pay(approval);
        vm.warp(NOW + 1 days);
        approval.deadline = DEADLINE;
        vm.expectRevert(abi.encodeWithSelector(IntentIds.IntentExecuted.selector, ID));
        _pay(approval);
    }

    // What it binds

    function testAPaymentsApprovalBindsEachArgument() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        bytes[4] memory others = [
            abi.encodeCall(AgentWallet.executePayment, (NATIVE, PAYEE, ABOVE, ID, approval)),
            abi.encodeCall(AgentWallet.executePayment, (address(usdc), STRANGER, ABOVE, ID, approval)),
            abi.encodeCall(AgentWallet.executePayment, (address(usdc), PAYEE, ABOVE + 1, ID, approval)),
            abi.encodeCall(AgentWallet.executePayment, (address(usdc), PAYEE, ABOVE, "other", approval))
        ];
        vm.prank(OWNER);
        wallet.setLimit(LimitKind.ApprovalThreshold, NATIVE, 0);
        for (uint256 i; i < others.length; ++i) {
            _refuseCall(others[i]);
        }
        _pay(approval);
        assert(usdc.balanceOf(PAYEE) == ABOVE);
    }

    function _refuseCall(bytes memory data) private {
        vm.prank(OPERATOR);
        (bool done, bytes memory answer) = address(wallet).call(data);
        assert(!done);
        assert(keccak256(answer) == keccak256(_isSpentBy(approvers[0])));
    }

    function testAnApprovalIsWorthlessAfterAChangeOfApprovers() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        address[] memory same = new address[](3);
        for (uint256 i; i < 3; ++i) {
            same[i] = approvers[i];
        }
        vm.prank(OWNER);
        wallet.setApprovers(same, 2);
        _refuse(approval, _isSpentBy(approvers[0]));
    }

    function testAnApprovalIsWorthlessOnAnotherChain() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        vm.chainId(block.chainid + 1);
        _refuse(approval, _isSpentBy(approvers[0]));
    }

    function testAnApprovalIsWorthlessForAnotherWallet() public {
        Approval memory approval = approvalBy(0, 1, _paymentHash());
        vm.prank(OWNER);
        AgentWallet other = factory.createWallet("second", _setup());
        usdc.mint(address(other), ABOVE);
        vm.prank(OPERATOR);
        vm.expectRevert(_isSpentBy(approvers[0]));
        other.executePayment(address(usdc), PAYEE, ABOVE, ID, approval);
    }

    // Batches

    function _items() private view returns (Transfer[] memory) {
        return transfers(address(usdc), THRESHOLD, 2);
    }

    function _batch(Transfer[] memory items, Approval memory approval) private {
        vm.prank(OPERATOR);
        wallet.executeBatch(items, ID, approval);
    }

    function testABatchIsApproved() public {
        _batch(_items(), approvalBy(1, 2, hashBatch(_items(), ID, DEADLINE, 1)));
        assert(usdc.balanceOf(PAYEE) == THRESHOLD && usdc.balanceOf(address(0xCAFE)) == 2);
    }

    function testABatchWithOneTokenAboveAndLastBelowIsApproved() public {
        Transfer[] memory items = new Transfer[](2);
        items[0] = Transfer(NATIVE, PAYEE, 6 ether);
        items[1] = Transfer(address(usdc), PAYEE, 1);
        Approval memory approval = approvalBy(1, 2, hashBatch(items, "other", DEADLINE, 1));
        vm.expectRevert(_isSpentBy(approvers[1]));
        _batch(items, approval);
        _batch(items, approvalBy(1, 2, hashBatch(items, ID, DEADLINE, 1)));
        assert(PAYEE.balance == 6 ether);
    }

    function testABatchsApprovalBindsEveryItemAndTheirNumber() public {
        Approval memory approval = approvalBy(1, 2, hashBatch(_items(), ID, DEADLINE, 1));
        for (uint256 i; i < 2; ++i) {
            for (uint256 j; j < 2; ++j) {
                Transfer[] memory items = _items();
                if (j == 0) items[i].to = STRANGER;
                else items[i].amount += 1;
                vm.expectRevert(_isSpentBy(approvers[1]));
                _batch(items, approval);
            }
        }
        Transfer[] memory more = new Transfer[](3);
        (more[0], more[1], more[2]) = (_items()[0], _items()[1], Transfer(address(usdc), STRANGER, 1));
        vm.expectRevert(_isSpentBy(approvers[1]));
        _batch(more, approval);
        _batch(_items(), approval);
    }

    function testABatchsApprovalBindsTheToken() public {
        Transfer[] memory coins = transfers(NATIVE, 5 ether, 1 ether);
        Transfer[] memory tokens = transfers(address(usdc), 5 ether, 1 ether);
        vm.expectRevert(_isSpentBy(approvers[0]));
        _batch(coins, approvalBy(0, 1, hashBatch(tokens, ID, DEADLINE, 1)));
    }

    // Calls

    function _call() private view returns (Call memory) {
        bytes memory data = abi.encodeWithSignature("decimals()");
        return Call(address(usdc), 0, data, spending(address(usdc), ABOVE), receiving(NATIVE, 0));
    }

    function _execute(Call memory c, bytes32 id, Approval memory approval) private {
        vm.prank(OPERATOR);
        wallet.executeCall(c, id, approval);
    }

    function testACallThatMayTakeMoreThanTheThresholdIsApproved() public {
        vm.prank(OWNER);
        wallet.allowCall(address(usdc), bytes4(keccak256("decimals()")), new uint16[](0));
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.ApprovalMissing.selector, address(usdc), ABOVE, THRESHOLD));
        _execute(_call(), ID, none());
        _execute(_call(), ID, approvalBy(0, 2, hashCall(_call(), ID, DEADLINE, 1)));
        assert(wallet.isExecuted(ID));
    }

    function testACallsValueAboveTheThresholdIsApproved() public {
        vm.prank(OWNER);
        wallet.allowCall(address(usdc), bytes4(keccak256("decimals()")), new uint16[](0));
        Call memory c = _call();
        (c.value, c.spends, c.receives) = (5 ether + 1, nothingSpent(), nothingReceived());
        vm.expectRevert(abi.encodeWithSelector(AgentWallet.ApprovalMissing.selector, NATIVE, 5 ether + 1, 5 ether));
        _execute(c, ID, none());
    }

    function testACallsApprovalBindsEachArgument() public {
        vm.startPrank(OWNER);
        wallet.allowCall(address(usdc), bytes4(keccak256("decimals()")), new uint16[](0));
        wallet.allowCall(address(usdc), bytes4(keccak256("symbol()")), new uint16[](0));
        wallet.allowCall(address(0xFEED), bytes4(keccak256("decimals()")), new uint16[](0));
        vm.stopPrank();
        Approval memory approval = approvalBy(0, 1, hashCall(_call(), ID, DEADLINE, 1));
        for (uint256 i; i < 9; ++i) {
            Call memory c = _call();
            if (i == 0) c.target = address(0xFEED);
            if (i == 1) (c.value, c.receives) = (1, nothingReceived());
            if (i == 2) c.data = abi.encodeWithSignature("symbol()");
            if (i == 3) c.data = abi.encodePacked(c.data, hex"00");
            if (i == 4) c.spends[0].amountMax += 1;
            if (i == 5) c.receives[0].amountMin = 1;
            if (i == 6) c.receives[0].token = address(0xFEED);
            if (i == 7) c.receives = nothingReceived();
            if (i == 8) {
                c.spends = new Spend[](2);
                c.spends[0] = _call().spends[0];
                c.spends[1] = Spend(address(type(uint160).max), 1);
            }
            vm.expectRevert(_isSpentBy(approvers[0]));
            _execute(c, ID, approval);
        }
        vm.expectRevert(_isSpentBy(approvers[0]));
        _execute(_call(), "other", approval);
        _execute(_call(), ID, approval);
    }

    function testACallsApprovalBindsTheTokenThatIsSpent() public {
        vm.startPrank(OWNER);
        wallet.allowCall(address(usdc), bytes4(keccak256("decimals()")), new uint16[](0));
        vm.stopPrank();
        Call memory other = _call();
        other.spends[0].token = address(0xFEED);
        vm.expectRevert(_isSpentBy(approvers[0]));
        _execute(_call(), ID, approvalBy(0, 1, hashCall(other, ID, DEADLINE, 1)));
    }

    // Subscriptions

    function _subscribe(uint128 amount) private returns (uint256) {
        vm.prank(OWNER);
        wallet.allowCall(address(router), Subscriptions.subscribe.selector, new uint16[](0));
        bytes memory data =
            abi.encodeCall(Subscriptions.subscribe, (PAYEE, address(usdc), amount, uint32(10), uint32(9), uint64(0)));
        call(
            Call(address(router), 0, data, nothingSpent(), nothingReceived()),
            keccak256(abi.encode(amount, router.subscriptionCount()))
        );
        return router.subscriptionCount();
    }

    function _charge(uint256 id, bytes32 intentId, Approval memory approval) private {
        vm.prank(OPERATOR);
        wallet.chargeSubscription(id, intentId, approval);
    }

    function testAChargeIsApproved() public {
        uint256 id = _subscribe(uint128(ABOVE));
        _charge(id, ID, approvalBy(0, 2, hashCharge(id, _payment(), ID, DEADLINE, 1)));
        assert(usdc.balanceOf(PAYEE) == ABOVE);
    }

    function testAChargesApprovalBindsSubscriptionAmountAndId() public {
        uint256 id = _subscribe(uint128(ABOVE));
        uint256 same = _subscribe(uint128(ABOVE));
        uint256 dearer = _subscribe(uint128(ABOVE + 1));
        Approval memory approval = approvalBy(0, 2, hashCharge(id, _payment(), ID, DEADLINE, 1));
        vm.expectRevert(_isSpentBy(approvers[0]));
        _charge(same, ID, approval);
        vm.expectRevert(_isSpentBy(approvers[0]));
        _charge(dearer, ID, approvalBy(0, 2, hashCharge(dearer, _payment(), ID, DEADLINE, 1)));
        vm.expectRevert(_isSpentBy(approvers[0]));
        _charge(id, "other", approval);
    }

    // One type per entry point

    /// Approvals of the same money at the same id for each entry point, each presented at every other one.
    function testAnApprovalIsWorthlessAtAnotherEntryPoint() public {
        uint256 id = _subscribe(uint128(ABOVE));
        vm.prank(OWNER);
        wallet.allowCall(address(usdc), bytes4(keccak256("decimals()")), new uint16[](0));
        Transfer[] memory items = new Transfer[](1);
        items[0] = _payment();
        bytes32[4] memory hashes = [
            _paymentHash(),
            hashBatch(items, ID, DEADLINE, 1),
            hashCall(_call(), ID, DEADLINE, 1),
            hashCharge(id, _payment(), ID, DEADLINE, 1)
        ];
        for (uint256 i; i < 4; ++i) {
            Approval memory approval = approvalBy(0, 1, hashes[i]);
            bytes[4] memory calls = [
                abi.encodeCall(AgentWallet.executePayment, (address(usdc), PAYEE, ABOVE, ID, approval)),
                abi.encodeCall(AgentWallet.executeBatch, (items, ID, approval)),
                abi.encodeCall(AgentWallet.executeCall, (_call(), ID, approval)),
                abi.encodeCall(AgentWallet.chargeSubscription, (id, ID, approval))
            ];
            for (uint256 j; j < 4; ++j) {
                if (i != j) _refuseCall(calls[j]);
            }
            uint256 snapshot = vm.snapshotState();
            vm.prank(OPERATOR);
            (bool done,) = address(wallet).call(calls[i]);
            assert(done);
            vm.revertToState(snapshot);
        }
    }

    /// What is approved still counts, and still needs a recipient that is allowed.
    function testAnApprovalLiftsNoOtherLimit() public {
        Transfer memory tooMuch = Transfer(address(usdc), PAYEE, uint256(DAILY) + 1);
        Approval memory approval = approvalBy(0, 1, hashPayment(tooMuch, ID, DEADLINE, 1));
        vm.prank(OPERATOR);
        vm.expectRevert(
            abi.encodeWithSelector(
                AgentWalletSettings.DailyLimitExceeded.selector, address(usdc), tooMuch.amount, DAILY
            )
        );
        wallet.executePayment(address(usdc), PAYEE, tooMuch.amount, ID, approval);
        vm.prank(OWNER);
        wallet.setAllowlist(true);
        _refuse(
            approvalBy(0, 1, _paymentHash()),
            abi.encodeWithSelector(AgentWalletSettings.RecipientNotAllowed.selector, PAYEE)
        );
    }
}
