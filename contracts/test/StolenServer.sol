// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletFactory, Setup} from "../src/AgentWalletFactory.sol";
import {AgentWalletSettings, LimitKind, Watched, WatchedKind} from "../src/AgentWalletSettings.sol";
import {Approval, ApproverSignature, Call, Receive, Spend, Transfer} from "../src/Approvals.sol";
import {Payouts} from "../src/router/Payouts.sol";
import {Subscriptions} from "../src/router/Subscriptions.sol";
import {Exchange} from "./Exchange.sol";
import {Plan, Thief} from "./Thief.sol";
import {vm} from "./Vm.sol";
import {WalletBooks} from "./WalletBooks.sol";

/// What approvers signed, for an honest payee, by which entry point.
struct Signed {
    uint256 entry;
    address token;
    address to;
    uint256 amount;
    uint256 subscriptionId;
    bytes32 id;
    uint256 set;
    uint256 deadline;
    bool isUsed;
    bytes approval;
}

/// Holds the operators' keys and the whole server, and does with them what it likes, in any order. Beside it the owner
/// acts now and then, approvers sign what is honest, and time goes by. Each action is a step, made out of its seed.
contract StolenServer is WalletBooks {
    uint256 private constant PAYMENT = 0;
    uint256 private constant BATCH = 1;
    uint256 private constant CALL = 2;
    uint256 private constant CHARGE = 3;
    uint256 private constant ENTRIES = 4;

    mapping(bytes32 id => uint256) public executions;
    bytes32[] public ids;
    mapping(uint256 entry => uint256) public approvedExecutions;
    Signed[] private _signed;
    uint256[2][2] private _approverKeys;
    address[][2] private _approvers;
    uint256[2] private _thiefsKeys;
    address[] private _thiefsAccounts;
    uint256 private _triesWhilePaused;
    uint256 private _rebaseFactor = 1;
    address private _actor;
    address private _planToken;
    uint256 private _planTake;
    uint256 private _planMoves;

    constructor() {
        _makeApprovers();
        _open(_approvers[0]);
    }

    /// The names of all actions, which a walk goes through.
    function actions() external pure returns (bytes4[20] memory) {
        return [
            this.pay.selector,
            this.payMany.selector,
            this.drain.selector,
            this.refill.selector,
            this.swap.selector,
            this.deposit.selector,
            this.withdrawDeposit.selector,
            this.buy.selector,
            this.route.selector,
            this.subscribe.selector,
            this.charge.selector,
            this.present.selector,
            this.emptyPocket.selector,
            this.approve.selector,
            this.own.selector,
            this.pause.selector,
            this.letTimePass.selector,
            this.rebase.selector,
            this.knock.selector,
            this.smuggle.selector
        ];
    }

    // What the wallet lets operators do

    function pay(uint256 seed) external step(seed) {
        Transfer memory t = Transfer(_token(), _anybody(), _amount());
        bytes32 id = _id();
        if (!_operate(abi.encodeCall(AgentWallet.executePayment, (t.token, t.to, t.amount, id, none())), id)) return;
        _requireUnapproved(t.token, t.amount);
        _requireRecipient(t.to);
    }

    function payMany(uint256 seed) external step(seed) {
        Transfer[] memory list = new Transfer[](3);
        (address first, address second) = (_token(), _token());
        if (first > second && !oneOf(8)) (first, second) = (second, first);
        list[0] = Transfer(first, _anybody(), _item());
        list[1] = Transfer(first, _anybody(), _item());
        list[2] = Transfer(second, _anybody(), _item());
        // What is apart is summed up apart, unless the wallet minds.
        if (oneOf(4)) (list[1], list[2]) = (list[2], list[1]);
        bytes32 id = _id();
        if (!_operate(abi.encodeCall(AgentWallet.executeBatch, (list, id, none())), id)) return;
        for (uint256 i; i < list.length; ++i) {
            _requireUnapproved(list[i].token, _sumOf(list, list[i].token));
            _requireRecipient(list[i].to);
        }
    }

    /// As much of one token as the day still allows, in a few payments.
    function drain(uint256 seed) external step(seed) {
        address token = _token();
        uint256 amount = 1 + pick(50e6);
        for (uint256 i; i < 8 && !isOwnersStep; ++i) {
            bytes32 id = _freshId();
            bytes memory data = abi.encodeCall(AgentWallet.executePayment, (token, STRANGER, amount, id, none()));
            if (!_operate(data, id)) amount = amount / 2 + 1;
        }
    }

    function refill(uint256 seed) external step(seed) {
        address token = _token();
        if (!_operate(abi.encodeCall(AgentWallet.refill, (token)), 0)) return;
        assert(balanceOf(token, _actor) <= limitNow(LimitKind.PocketCeiling, token));
    }

    function swap(uint256 seed) external step(seed) {
        (address token, address other) = (_erc20(), _erc20());
        uint256 amount = _amount();
        exchange.setPrice(pick(120));
        bytes memory data = abi.encodeCall(Exchange.swap, (token, amount, other, 0, address(wallet)));
        Call memory call = _call(address(exchange), data, token, _amountMax(token, amount));
        if (!oneOf(4)) {
            call.receives = new Receive[](1);
            call.receives[0] = Receive(other, pick(amount));
        }
        _callUnapproved(call, token);
    }

    function deposit(uint256 seed) external step(seed) {
        address token = _erc20();
        uint256 amount = _amount();
        bytes memory data = abi.encodeCall(Exchange.deposit, (token, amount, address(wallet)));
        _callUnapproved(_call(address(exchange), data, token, _amountMax(token, amount)), token);
    }

    function withdrawDeposit(uint256 seed) external step(seed) {
        address token = _erc20();
        uint256 amount = exchange.deposits(address(wallet), token) / (1 + pick(3));
        bytes memory data = abi.encodeCall(Exchange.withdraw, (token, amount, address(wallet)));
        Call memory call = _call(address(exchange), data, NATIVE, 0);
        call.receives = new Receive[](1);
        call.receives[0] = Receive(token, amount / 2);
        _callUnapproved(call, NATIVE);
    }

    function buy(uint256 seed) external step(seed) {
        uint256 value = _amount();
        bytes memory data = abi.encodeCall(Exchange.buy, (pick(value), address(wallet)));
        Call memory call = _call(address(exchange), data, NATIVE, 0);
        call.value = value;
        _callUnapproved(call, NATIVE);
    }

    /// A path through a contract of the thief's, which takes what the exchange was allowed to take, and tries the rest.
    function route(uint256 seed) external step(seed) {
        uint256 amount = _amount();
        uint256 count = router.subscriptionCount();
        address token = oneOf(3) && count > 0 ? router.subscription(1 + pick(count)).token : _erc20();
        bytes memory data = abi.encodeCall(Exchange.route, (address(thief), abi.encodeCall(Thief.strike, ())));
        Call memory call = _call(address(exchange), data, token, oneOf(4) ? 60e6 : _amountMax(token, amount));
        if (oneOf(3)) call.value = 1 + pick(10e6);
        (_planToken, _planTake) = (oneOf(5) ? _token() : token, oneOf(4) ? amount + pick(10e6) : amount);
        if (!oneOf(4)) _planMoves = 1 << thief.TAKE();
        _callUnapproved(call, token);
    }

    /// The payee of a subscription is chosen by whoever subscribes; what is charged is what counts.
    function subscribe(uint256 seed) external step(seed) {
        address merchant = oneOf(2) ? PAYEE : address(thief);
        uint128 amount = uint128(merchant == PAYEE ? 45e6 + pick(30e6) : 1 + pick(30e6));
        bytes memory data = abi.encodeCall(
            Subscriptions.subscribe,
            (merchant, _erc20(), amount, uint32(1 hours + pick(5 hours)), uint32(1 + pick(99)), 0)
        );
        // An allowance for the router, to be used by what it does in this call or left for later.
        address token = oneOf(2) ? _erc20() : NATIVE;
        _callUnapproved(_call(address(router), data, token, token == NATIVE ? 0 : 1 + pick(50e6)), token);
    }

    function charge(uint256 seed) external step(seed) {
        uint256 id = _subscription();
        bytes32 intentId = _id();
        if (!_operate(abi.encodeCall(AgentWallet.chargeSubscription, (id, intentId, none())), intentId)) return;
        Subscriptions.Subscription memory s = router.subscription(id);
        assert(s.payer == address(wallet));
        _requireUnapproved(s.token, s.amount);
        _requireRecipient(s.merchant);
    }

    /// What is in the pocket is gone, so that it can be filled again.
    function emptyPocket(uint256 seed) external step(seed) {
        address token = _token();
        address operator = operators[pick(operators.length)];
        uint256 balance = balanceOf(token, operator) / 2;
        if (balance == 0) return;
        if (operator == address(thief)) {
            thief.give(token, STRANGER, balance);
        } else {
            vm.prank(operator);
            if (token == NATIVE) payable(STRANGER).transfer(balance);
            else _must(token, abi.encodeCall(IERC20.transfer, (STRANGER, balance)));
        }
        ++successes[msg.sig];
    }

    // What approvers signed

    /// They approve an honest payment; the thief, who runs the server, has their signatures from then on.
    function approve(uint256 seed) external step(seed) {
        Signed memory s;
        s.entry = pick(ENTRIES);
        s.to = s.entry == CALL ? address(exchange) : PAYEE;
        s.token = s.entry >= CALL ? _erc20() : _token();
        if (s.entry == CHARGE) {
            if (!_chooseSubscription(s)) return;
        } else {
            uint256 threshold = limitNow(LimitKind.ApprovalThreshold, s.token);
            s.amount = threshold + 1 + pick(oneOf(4) ? 40e6 : 10e6);
        }
        s.id = _freshId();
        s.set = approverSet;
        s.deadline = clock + 1 hours + pick(oneOf(2) ? 8 hours : 5 days);
        uint256 group = (approverSet - 1) % 2;
        s.approval = abi.encode(_signedBy(_approverKeys[group], _approvers[group], s));
        _signed.push(s);
        ++successes[msg.sig];
        if (!oneOf(3)) _present(_signed.length - 1, oneOf(2));
    }

    /// As it was signed, or nearly so.
    function present(uint256 seed) external step(seed) {
        if (_signed.length == 0) return;
        // The latest ones are often still good.
        uint256 index = _signed.length - 1;
        for (uint256 i; i < 4 && i < _signed.length && _signed[index].isUsed; ++i) {
            index = _signed.length - 1 - i;
        }
        _present(oneOf(3) ? pick(_signed.length) : index, !oneOf(3));
    }

    function _present(uint256 index, bool isExact) private {
        Signed memory s = _signed[index];
        address target = address(wallet);
        if (!isExact) {
            if (oneOf(6)) target = address(sibling);
            else _alter(s);
        }
        bytes memory data = _presentation(s);
        if (target != address(wallet)) {
            vm.prank(OPERATOR);
            (bool leaks,) = target.call(data);
            assert(!leaks);
            return;
        }
        if (!_operate(data, s.id)) return;
        _requireRecipient(s.to);
        if (s.amount <= limitNow(LimitKind.ApprovalThreshold, s.token)) return;
        assert(isExact && !_signed[index].isUsed && s.set == approverSet && clock <= s.deadline);
        _signed[index].isUsed = true;
        ++approvedExecutions[s.entry];
    }

    // What the owner does

    function own(uint256 seed) external step(seed) {
        isOwnersStep = true;
        address token = _token();
        uint256 kind = pick(12);
        if (kind < 3) _setLimit(LimitKind.Daily, token, 50e6 + pick(100e6));
        else if (kind == 3) _setLimit(LimitKind.ApprovalThreshold, token, 30e6 + pick(40e6));
        else if (kind == 4) _setLimit(LimitKind.PocketCeiling, token, 1e6 + pick(40e6));
        else if (kind == 5) _setDelay(uint32(pick(3 hours)));
        else if (kind < 8) _changeOperators();
        else if (kind == 8) _replaceApprovers();
        else if (kind == 9) _takeOut(token);
        else _setAllowlist(kind == 10 && oneOf(3));
        ++successes[msg.sig];
    }

    function pause(uint256 seed) external step(seed) {
        isOwnersStep = true;
        if (paused || !oneOf(3)) return;
        vm.prank(oneOf(2) ? OWNER : GUARDIAN);
        wallet.pause();
        (paused, _triesWhilePaused) = (true, 0);
        ++successes[msg.sig];
    }

    /// Hours, or just to one side of midnight (UTC).
    function letTimePass(uint256 seed) external step(seed) {
        isOwnersStep = true;
        uint256 midnight = (clock / 1 days + 1) * 1 days;
        uint256 kind = pick(12);
        if (kind == 0) moveTo(midnight);
        else if (kind == 1 && clock < midnight - 1) moveTo(midnight - 1);
        else moveTo(clock + pick(6 hours));
        ++successes[msg.sig];
    }

    /// A token's issuer makes everybody richer, and nobody a thief.
    function rebase(uint256 seed) external step(seed) {
        uint256 factor = 1 + pick(4);
        if (factor <= _rebaseFactor) return;
        uint256 before = thievesWealth(address(rebasing));
        _rebaseFactor = factor;
        rebasing.rebase(factor, 1);
        ownWealth[address(rebasing)] += thievesWealth(address(rebasing)) - before;
        ++successes[msg.sig];
    }

    // What must never work

    /// Of whatever is the owner's, of whatever needs an allowance, and of a wallet's beginning.
    function knock(uint256 seed) external step(seed) {
        address caller = oneOf(3) ? STRANGER : _operator();
        uint256 kind = pick(5);
        if (kind < 3) {
            for (uint256 i; i < 5; ++i) {
                bytes memory data = _ownersCall(caller);
                vm.prank(caller);
                (bool opens,) = address(wallet).call(data);
                assert(!opens);
            }
        } else {
            (address target, bytes memory data) = kind == 3 ? _pull(caller) : _harmless(caller);
            vm.prank(caller);
            (bool done,) = target.call(data);
            assert(!done || kind == 4);
        }
        ++successes[msg.sig];
    }

    /// Calls that the owner never allowed, or that declare what cannot be declared.
    function smuggle(uint256 seed) external step(seed) {
        Call memory call = _contraband();
        bytes32 id = _freshId();
        assert(!_operate(abi.encodeCall(AgentWallet.executeCall, (call, id, none())), id));
        ++successes[msg.sig];
    }

    // How an operator acts

    /// Whatever else calls the thief's contract meanwhile, it tries to break in.
    function _operate(bytes memory data, bytes32 id) private returns (bool done) {
        mayFall = true;
        _actor = _operator();
        _arm(id);
        vm.prank(_actor);
        (done,) = address(wallet).call(data);
        thief.disarm();
        if (paused) _triesWhilePaused++;
        if (done) {
            assert(!paused && clock < expiryOf[_actor]);
            if (id != 0) _book(id);
            ++successes[msg.sig];
        }
        // The owner comes back after a while.
        if (_triesWhilePaused > 3) _unpause();
    }

    function _unpause() private {
        _triesWhilePaused = 0;
        isOwnersStep = true;
        vm.prank(OWNER);
        wallet.unpause();
        paused = false;
    }

    function _book(bytes32 id) private {
        if (++executions[id] == 1) ids.push(id);
        assert(executions[id] == 1);
    }

    function _arm(bytes32 id) private {
        Plan memory plan;
        plan.token = _planToken == address(0) ? _token() : _planToken;
        plan.amount = 1 + pick(5e6);
        plan.take = _planTake == 0 ? plan.amount : _planTake;
        plan.subscriptionId = _subscription();
        plan.intentId = oneOf(3) ? id : _freshId();
        // Seizing makes the whole call fail, and giving back makes exact payments fail: not always, therefore.
        uint256 rare = oneOf(12) ? 1 << (thief.SEIZE_SHARES() + pick(3)) : 0;
        if (oneOf(4)) rare |= 1 << thief.GIVE_BACK();
        plan.moves = _planMoves | rare | (1 << thief.PULL()) | (1 << thief.CHARGE()) | (1 << thief.WITHDRAW())
            | (1 << thief.INSTALL());
        // One of the entry points, or all.
        plan.moves |= oneOf(2) ? 1 << pick(thief.ENTRY_POINTS()) : (1 << thief.ENTRY_POINTS()) - 1;
        (_planToken, _planTake, _planMoves) = (address(0), 0, 0);
        thief.arm(plan);
    }

    /// Mostly one that is still in force, sometimes one that was, or nobody.
    function _operator() private returns (address operator) {
        if (oneOf(8)) return oneOf(2) ? STRANGER : operators[pick(operators.length)];
        for (uint256 i; i < 5; ++i) {
            operator = operators[pick(operators.length)];
            if (clock < expiryOf[operator]) break;
        }
    }

    function _callUnapproved(Call memory call, address spent) private {
        bytes32 id = _id();
        if (!_operate(abi.encodeCall(AgentWallet.executeCall, (call, id, none())), id)) return;
        _requireUnapproved(NATIVE, call.value);
        if (spent != NATIVE) {
            _requireUnapproved(spent, call.spends[0].amountMax);
            assert(fallOf(spent) <= call.spends[0].amountMax);
        }
        _requireRecipient(call.target);
    }

    function _requireUnapproved(address token, uint256 amount) private view {
        assert(amount <= limitNow(LimitKind.ApprovalThreshold, token));
    }

    function _requireRecipient(address to) private view {
        assert(!isAllowlistOn || to == PAYEE || to == address(router));
    }

    function _call(address target, bytes memory data, address token, uint256 amountMax)
        private
        pure
        returns (Call memory call)
    {
        call.target = target;
        call.data = data;
        call.spends = new Spend[](token == NATIVE ? 0 : 1);
        if (token != NATIVE) call.spends[0] = Spend(token, amountMax);
        call.receives = new Receive[](0);
    }

    // Choices

    function _token() private returns (address) {
        return tokens[pick(tokens.length)];
    }

    function _erc20() private returns (address) {
        return tokens[1 + pick(tokens.length - 1)];
    }

    /// Mostly the thief's, sometimes nobody that may be paid.
    function _anybody() private returns (address) {
        if (oneOf(2)) return address(thief);
        return [STRANGER, OPERATOR, PAYEE, address(exchange), address(wallet), address(factory)][pick(6)];
    }

    /// Mostly small, around the threshold, and sometimes as much as numbers go.
    function _amount() private returns (uint256) {
        if (oneOf(24)) return type(uint256).max / 2 - pick(2);
        return 1 + pick(oneOf(3) ? 60e6 : 15e6);
    }

    /// Two of them are about a threshold.
    function _item() private returns (uint256) {
        return oneOf(2) ? 22e6 + pick(12e6) : 1 + pick(10e6);
    }

    /// The last token but one keeps what is left of an allowance, and one takes a fee on top.
    function _amountMax(address token, uint256 amount) private returns (uint256) {
        if (oneOf(2) || token == tokens[6] || amount > 1e12) return amount;
        return amount + amount / 50 + pick(5e6);
    }

    function _id() private returns (bytes32) {
        return oneOf(6) && ids.length > 0 ? ids[pick(ids.length)] : _freshId();
    }

    function _freshId() private returns (bytes32) {
        return keccak256(abi.encode("fresh", ids.length, pick(type(uint256).max)));
    }

    /// Mostly one that is due, if a few looks find one; sometimes one that is not there.
    function _subscription() private returns (uint256 id) {
        for (uint256 i; i < 5; ++i) {
            id = 1 + pick(router.subscriptionCount() + 1);
            if (router.isDue(id)) break;
        }
    }

    function _sumOf(Transfer[] memory list, address token) private pure returns (uint256 sum) {
        for (uint256 i; i < list.length; ++i) {
            if (list[i].token == token) sum += list[i].amount;
        }
    }

    // Signatures

    function _chooseSubscription(Signed memory s) private returns (bool) {
        uint256 count = router.subscriptionCount();
        for (uint256 i; i < 12 && count > 0; ++i) {
            uint256 id = 1 + pick(count);
            Subscriptions.Subscription memory found = router.subscription(id);
            if (found.merchant != PAYEE || found.payer != address(wallet) || !router.isDue(id)) continue;
            if (found.amount <= limitNow(LimitKind.ApprovalThreshold, found.token)) continue;
            (s.token, s.amount, s.subscriptionId) = (found.token, found.amount, id);
            return true;
        }
        return false;
    }

    function _structHash(Signed memory s) private view returns (bytes32) {
        if (s.entry == PAYMENT) return hashPayment(Transfer(s.token, s.to, s.amount), s.id, s.deadline, s.set);
        if (s.entry == BATCH) return hashBatch(_halves(s), s.id, s.deadline, s.set);
        if (s.entry == CALL) return hashCall(_honestCall(s), s.id, s.deadline, s.set);
        return hashCharge(s.subscriptionId, Transfer(s.token, s.to, s.amount), s.id, s.deadline, s.set);
    }

    function _signedBy(uint256[2] storage keys, address[] storage accounts, Signed memory s)
        private
        view
        returns (Approval memory approval)
    {
        bytes32 structHash = _structHash(s);
        approval = Approval(s.deadline, new ApproverSignature[](2));
        for (uint256 i; i < 2; ++i) {
            bytes memory signature = signatureOf(keys[i], domainOf(address(wallet)), structHash);
            approval.signatures[i] = ApproverSignature(accounts[i], signature);
        }
    }

    function _presentation(Signed memory s) private view returns (bytes memory) {
        Approval memory approval = abi.decode(s.approval, (Approval));
        if (s.entry == PAYMENT) {
            return abi.encodeCall(AgentWallet.executePayment, (s.token, s.to, s.amount, s.id, approval));
        }
        if (s.entry == BATCH) return abi.encodeCall(AgentWallet.executeBatch, (_halves(s), s.id, approval));
        if (s.entry == CALL) return abi.encodeCall(AgentWallet.executeCall, (_honestCall(s), s.id, approval));
        return abi.encodeCall(AgentWallet.chargeSubscription, (s.subscriptionId, s.id, approval));
    }

    function _halves(Signed memory s) private pure returns (Transfer[] memory list) {
        list = new Transfer[](2);
        list[0] = Transfer(s.token, s.to, s.amount / 2);
        list[1] = Transfer(s.token, s.to, s.amount - s.amount / 2);
    }

    function _honestCall(Signed memory s) private view returns (Call memory) {
        bytes memory data = abi.encodeCall(Exchange.deposit, (s.token, s.amount, address(wallet)));
        return _call(s.to, data, s.token, s.amount);
    }

    /// In one thing, so that it is no longer what was signed.
    function _alter(Signed memory s) private {
        uint256 kind = pick(12);
        if (kind == 0) s.amount += 1 + pick(3);
        else if (kind == 1) s.token = s.token == tokens[1] ? tokens[7] : tokens[1];
        else if (kind == 2) s.to = s.entry == CALL ? address(router) : address(thief);
        else if (kind == 3) s.id = _freshId();
        else if (kind == 4) s.entry = (s.entry + 1 + pick(ENTRIES - 1)) % ENTRIES;
        else if (kind == 5) s.amount -= 1;
        else if (kind == 6) s.approval = abi.encode(_signedBy(_thiefsKeys, _thiefsAccounts, s));
        else s.approval = _alterApproval(abi.decode(s.approval, (Approval)), oneOf(6));
        // Of a subscription, the id says all.
        if (s.entry == CHARGE && (kind < 3 || kind == 5)) s.subscriptionId = 1 + s.subscriptionId;
        if (s.entry == CHARGE) {
            Subscriptions.Subscription memory other = router.subscription(s.subscriptionId);
            (s.token, s.to, s.amount) = (other.token, other.merchant, other.amount);
        }
        // What needs no approval proves nothing.
        if (s.amount == 0) s.entry = PAYMENT;
    }

    function _alterApproval(Approval memory approval, bool inTime) private returns (bytes memory) {
        ApproverSignature[] memory signatures = approval.signatures;
        uint256 kind = pick(5);
        if (inTime) approval.deadline += 1 + pick(30 days);
        else if (kind == 0) signatures[1] = signatures[0];
        else if (kind == 1) signatures[1].signature = signatures[0].signature;
        else if (kind == 2) (signatures[0], signatures[1]) = (signatures[1], signatures[0]);
        else if (kind == 3) signatures[pick(2)].approver = STRANGER;
        else approval.signatures = _firstOf(signatures);
        return abi.encode(approval);
    }

    function _firstOf(ApproverSignature[] memory list) private pure returns (ApproverSignature[] memory first) {
        first = new ApproverSignature[](1);
        first[0] = list[0];
    }

    /// Two sets of two, which take turns; and two of the thief's.
    function _makeApprovers() private {
        _makeKeys(_approverKeys[0], _approvers[0], 0xC0FFEE);
        _makeKeys(_approverKeys[1], _approvers[1], 0xDECAF);
        _makeKeys(_thiefsKeys, _thiefsAccounts, 0xBAD);
    }

    /// Keys whose addresses rise.
    function _makeKeys(uint256[2] storage keys, address[] storage accounts, uint256 key) private {
        for (; accounts.length < 2; ++key) {
            address account = vm.addr(key);
            if (accounts.length > 0 && account <= accounts[0]) continue;
            keys[accounts.length] = key;
            accounts.push(account);
        }
    }

    // The owner's doings

    function _setLimit(LimitKind kind, address token, uint256 value) private {
        _schedule(kind, token, value);
        vm.prank(OWNER);
        wallet.setLimit(kind, token, uint112(value));
    }

    function _setDelay(uint32 delay) private {
        _scheduleDelay(delay);
        vm.prank(OWNER);
        wallet.setRaiseDelay(delay);
    }

    function _changeOperators() private {
        address operator = operators[pick(operators.length)];
        address other = operators[pick(operators.length)];
        uint64 until = uint64(clock + 1 + pick(9 days));
        uint256 kind = pick(4);
        if (kind == 0) {
            expiryOf[operator] = 0;
            vm.prank(OWNER);
            wallet.revokeOperator(operator);
        } else if (kind == 1) {
            (expiryOf[operator], expiryOf[other]) = (0, until);
            if (operator == other) expiryOf[operator] = until;
            vm.prank(OWNER);
            wallet.rotateOperator(operator, other, until);
        } else {
            expiryOf[operator] = until;
            vm.prank(OWNER);
            wallet.setOperator(operator, until);
        }
    }

    function _replaceApprovers() private {
        vm.prank(OWNER);
        wallet.setApprovers(_approvers[approverSet % 2], 2);
        ++approverSet;
    }

    function _setAllowlist(bool on) private {
        isAllowlistOn = on;
        vm.prank(OWNER);
        wallet.setAllowlist(on);
    }

    /// The thief's contract is called within it by one of the tokens.
    function _takeOut(address token) private {
        if (oneOf(2)) token = address(reentrant);
        withdrawn = token;
        _arm(_freshId());
        vm.prank(OWNER);
        wallet.withdraw(token, OWNER, 1 + pick(1e6) * 12);
        thief.disarm();
    }

    // Contraband

    function _ownersCall(address caller) private returns (bytes memory) {
        address[] memory one = new address[](1);
        one[0] = STRANGER;
        bytes[20] memory calls = [
            abi.encodeCall(AgentWalletSettings.setOperator, (STRANGER, type(uint64).max)),
            abi.encodeCall(AgentWalletSettings.revokeOperator, (OPERATOR_2)),
            abi.encodeCall(AgentWalletSettings.rotateOperator, (OPERATOR, STRANGER, type(uint64).max)),
            abi.encodeCall(AgentWalletSettings.setGuardian, (caller)),
            abi.encodeCall(AgentWalletSettings.pause, ()),
            abi.encodeCall(AgentWalletSettings.unpause, ()),
            abi.encodeCall(AgentWalletSettings.setApprovers, (one, 1)),
            abi.encodeCall(AgentWalletSettings.setLimit, (LimitKind(pick(3)), _token(), type(uint112).max)),
            abi.encodeCall(AgentWalletSettings.setRaiseDelay, (0)),
            abi.encodeCall(AgentWalletSettings.setAllowlist, (false)),
            abi.encodeCall(AgentWalletSettings.setRecipient, (caller, true)),
            abi.encodeCall(AgentWalletSettings.allowCall, (address(exchange), Exchange.take.selector, new uint16[](0))),
            abi.encodeCall(AgentWalletSettings.disallowCall, (address(exchange), Exchange.swap.selector)),
            abi.encodeCall(AgentWalletSettings.unwatch, (Watched(address(exchange.SHARES()), WatchedKind.Balance, 0))),
            abi.encodeCall(AgentWalletSettings.initialize, (caller)),
            abi.encodeCall(Ownable2Step.transferOwnership, (caller)),
            abi.encodeCall(Ownable2Step.acceptOwnership, ()),
            abi.encodeCall(AgentWallet.withdraw, (_token(), caller, 1 + pick(1e6))),
            abi.encodeCall(AgentWallet.withdrawERC721, (address(exchange.POSITIONS()), caller, thief.POSITION())),
            abi.encodeCall(AgentWallet.withdrawERC1155, (address(exchange.TICKETS()), caller, thief.POSITION(), 1))
        ];
        return paused && oneOf(4) ? calls[5] : calls[pick(calls.length)];
    }

    /// Whatever asks for an allowance of the wallet's, which there is none of.
    function _pull(address caller) private returns (address target, bytes memory data) {
        address token = _erc20();
        uint256 kind = pick(3);
        if (kind == 0) return (token, abi.encodeCall(IERC20.transferFrom, (address(wallet), caller, 1 + pick(1e6))));
        if (kind == 1) {
            return (address(exchange), abi.encodeCall(Exchange.take, (token, address(wallet), caller, 1 + pick(1e6))));
        }
        return (address(router), abi.encodeCall(Subscriptions.charge, (1 + pick(router.subscriptionCount() + 1))));
    }

    /// What anybody may do, and is no harm.
    function _harmless(address caller) private returns (address target, bytes memory data) {
        uint256 kind = pick(4);
        Setup memory setup;
        setup.approvers = new address[](0);
        if (kind == 0) {
            bytes32 salt = oneOf(2) ? bytes32("vault") : _freshId();
            return (address(factory), abi.encodeCall(AgentWalletFactory.createWallet, (salt, setup)));
        }
        if (kind == 1) {
            return (address(router), abi.encodeCall(Subscriptions.cancel, (1 + pick(router.subscriptionCount() + 1))));
        }
        if (kind == 2) return (_erc20(), abi.encodeCall(IERC20.transfer, (address(wallet), pick(1e6))));
        Payouts.Payment[] memory payments = new Payouts.Payment[](1);
        payments[0] = Payouts.Payment(caller, 1 + pick(1e6));
        return (address(router), abi.encodeCall(Payouts.batchPay, (_erc20(), payments)));
    }

    function _contraband() private returns (Call memory call) {
        address token = _erc20();
        uint256 amount = 1 + pick(40e6);
        uint256 kind = pick(13);
        bytes memory idle = abi.encodeCall(Exchange.route, (address(thief), abi.encodeCall(Thief.strike, ())));
        // Recipients of the thief's choice
        if (kind == 0) {
            bytes memory data = abi.encodeCall(Exchange.swap, (token, amount, _erc20(), 0, address(thief)));
            return _call(address(exchange), data, token, amount);
        }
        if (kind == 1) {
            bytes memory data = abi.encodeCall(Exchange.deposit, (token, amount, address(thief)));
            return _call(address(exchange), data, token, amount);
        }
        // Functions and targets of the thief's choice
        if (kind == 2) {
            bytes memory data = abi.encodeCall(Exchange.take, (token, address(wallet), address(thief), amount));
            return _call(address(exchange), data, token, amount);
        }
        if (kind == 3) {
            bytes memory data = oneOf(2)
                ? abi.encodeCall(IERC20.transfer, (address(thief), amount))
                : abi.encodeCall(IERC20.approve, (address(thief), amount));
            return _call(token, data, NATIVE, 0);
        }
        if (kind == 4) {
            address target = oneOf(2) ? address(wallet) : address(factory);
            return _call(target, abi.encodeCall(AgentWallet.withdraw, (token, STRANGER, amount)), NATIVE, 0);
        }
        if (kind == 5) {
            bytes memory data = abi.encodeCall(Subscriptions.charge, (1 + pick(router.subscriptionCount() + 1)));
            return _call(address(router), data, token, amount);
        }
        // Declarations: none, twice the same, in both lists, the coin, what has no limit, what leaves as what comes
        if (kind == 6) {
            bytes memory data = abi.encodeCall(Exchange.deposit, (token, amount, address(wallet)));
            return _call(address(exchange), data, NATIVE, 0);
        }
        if (kind == 7) {
            call = _call(address(exchange), idle, token, amount);
            call.spends = new Spend[](2);
            (call.spends[0], call.spends[1]) = (Spend(token, amount), Spend(token, amount));
            return call;
        }
        if (kind == 8) {
            call = _call(address(exchange), idle, token, amount);
            call.receives = new Receive[](1);
            call.receives[0] = Receive(token, 0);
            return call;
        }
        if (kind == 9) {
            call = _call(address(exchange), idle, token, amount);
            call.spends[0].token = NATIVE;
            return call;
        }
        if (kind == 10) {
            address positions = address(exchange.POSITIONS());
            (_planToken, _planTake, _planMoves) = (positions, thief.POSITION(), 1 << thief.TAKE());
            return _call(address(exchange), idle, positions, thief.POSITION());
        }
        if (kind == 11) {
            call = _call(address(exchange), idle, NATIVE, 0);
            call.receives = new Receive[](1);
            call.receives[0] = Receive(address(exchange.SHARES()), 0);
            _planMoves = 1 << thief.SEIZE_SHARES();
            return call;
        }
        return _call(address(exchange), hex"aabbcc", token, amount);
    }

    function _must(address target, bytes memory data) private {
        (bool done,) = target.call(data);
        assert(done);
    }
}
