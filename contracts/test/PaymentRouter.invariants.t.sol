// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PaymentRouter} from "../src/PaymentRouter.sol";
import {Payouts} from "../src/router/Payouts.sol";
import {LenientAuthorizationToken} from "./HostileTokens.sol";
import {Items} from "./router/Items.sol";
import {vm} from "./Vm.sol";

/// Does what users of the router can do, in any order and at any time, and keeps books of its own beside it.
contract Users {
    uint256 public constant COUNT = 8;
    uint256 private constant ITEM_GAS = 120_000;

    /// A subscription as its payer understands it.
    struct Terms {
        uint256 payer;
        uint256 merchant;
        uint256 amount;
        uint256 startsAt;
        uint256 period;
        uint256 count;
        bool cancelled;
        uint256 taken;
    }

    PaymentRouter public immutable ROUTER;
    LenientAuthorizationToken public immutable TOKEN;
    mapping(address => uint256) public expected;
    uint256 public minted;
    Terms[] public terms;

    mapping(uint256 id => mapping(uint256 period => bool)) private _wasCharged;
    mapping(address => mapping(bytes32 nonce => bool)) private _used;
    mapping(bytes32 paymentId => bool) private _recorded;

    constructor() {
        ROUTER = new PaymentRouter();
        TOKEN = new LenientAuthorizationToken();
        for (uint256 i; i < COUNT; ++i) {
            vm.prank(user(i));
            TOKEN.approve(address(ROUTER), type(uint256).max);
        }
        vm.warp(1_000_000);
    }

    function user(uint256 i) public pure returns (address) {
        return address(uint160(0xA11CE + i % COUNT));
    }

    function mint(uint256 to, uint32 value) public {
        TOKEN.mint(user(to), value);
        expected[user(to)] += value;
        minted += value;
    }

    function pass(uint16 time) external {
        vm.warp(block.timestamp + time % 100);
    }

    function batchPay(uint64 from, uint64 to, uint32[3] calldata amounts) external {
        Payouts.Payment[] memory payments = new Payouts.Payment[](3);
        uint256 total;
        bool possible = true;
        for (uint256 i; i < 3; ++i) {
            // at most a fifth more than there is, so that most batches have cover
            uint256 amount = amounts[i] % (expected[user(from)] * 2 / 5 + 1);
            payments[i] = Payouts.Payment(user(uint256(to) + i), amount);
            total += amount;
            possible = possible && amount > 0 && user(uint256(to) + i) != user(from);
        }
        vm.prank(user(from));
        try ROUTER.batchPay(address(TOKEN), payments) {
            assert(possible && total <= expected[user(from)]);
            for (uint256 i; i < 3; ++i) {
                _book(user(from), payments[i].to, payments[i].amount);
            }
        } catch {
            assert(!possible || total > expected[user(from)]);
        }
    }

    function splitPay(uint64 from, uint32 amount, uint16 first, uint16 second) external {
        Payouts.Share[] memory shares = new Payouts.Share[](3);
        shares[0] = Payouts.Share(user(uint256(from) + 1), 1 + first % 4_999);
        shares[1] = Payouts.Share(user(uint256(from) + 2), 1 + second % 4_999);
        shares[2] = Payouts.Share(user(uint256(from) + 3), 10_000 - shares[0].basisPoints - shares[1].basisPoints);
        vm.prank(user(from));
        try ROUTER.splitPay(address(TOKEN), amount, shares) {
            uint256 left = amount;
            for (uint256 i; i < 2; ++i) {
                uint256 part = amount * shares[i].basisPoints / 10_000;
                _book(user(from), shares[i].to, part);
                left -= part;
            }
            _book(user(from), shares[2].to, left);
        } catch {
            assert(amount == 0 || amount > expected[user(from)]);
        }
    }

    /// Three authorizations to one payee or to three, of a nonce used before or of nobody's money as it happens.
    function settle(uint64 from, uint64 to, uint32[3] calldata amounts, uint8 nonce, bool spread, bool records)
        external
    {
        bytes memory items;
        address[3] memory payees;
        for (uint256 i; i < 3; ++i) {
            payees[i] = user(uint256(to) + (spread ? i : 0));
            items =
                bytes.concat(items, Items.unsigned(user(uint256(from) + i), payees[i], amounts[i], _nonce(nonce, i)));
        }
        uint256 bits = records
            ? ROUTER.settleBatchRecorded(address(TOKEN), ITEM_GAS, items)[0]
            : ROUTER.settleBatch(address(TOKEN), ITEM_GAS, items)[0];
        for (uint256 i; i < 3; ++i) {
            bool settles = _settles(user(uint256(from) + i), payees[i], amounts[i], _nonce(nonce, i), records);
            assert((bits >> i) & 1 == (settles ? 1 : 0));
        }
    }

    function payRecorded(uint64 from, uint64 to, uint32 amount, uint8 paymentReference) external {
        (address payer, address payee, bytes32 nonce) = (user(from), user(to), bytes32(_nonce(paymentReference, 0)));
        bytes32 id = keccak256(abi.encode(TOKEN, payer, payee, uint256(amount), nonce));
        bool possible = amount > 0 && amount <= expected[payer] && payer != payee && !_recorded[id];
        vm.prank(payer);
        try ROUTER.payRecorded(address(TOKEN), payee, amount, nonce) {
            assert(possible);
            _recorded[id] = true;
            _book(payer, payee, amount);
        } catch {
            assert(!possible);
        }
    }

    function subscribe(uint64 from, uint64 to, uint16 amount, uint8 period, uint8 count, uint8 delay) external {
        Terms memory t = Terms(from, to, amount, block.timestamp + delay, period, count % 8, false, 0);
        vm.prank(user(from));
        try ROUTER.subscribe(user(to), address(TOKEN), amount, period, uint32(t.count), uint64(t.startsAt)) returns (
            uint256 id
        ) {
            terms.push(t);
            assert(id == terms.length);
        } catch {
            assert(user(from) == user(to) || amount == 0 || period == 0 || t.count == 0);
        }
    }

    function charge(uint256 which, bool byPayer) external {
        if (terms.length == 0) return;
        uint256 id = 1 + which % terms.length;
        Terms storage t = terms[id - 1];
        uint256 period = block.timestamp < t.startsAt ? type(uint256).max : (block.timestamp - t.startsAt) / t.period;
        bool due = !t.cancelled && period < t.count && !_wasCharged[id][period];
        assert(ROUTER.isDue(id) == due);
        vm.prank(user(byPayer ? t.payer : t.merchant));
        try ROUTER.charge(id) {
            assert(due);
            _wasCharged[id][period] = true;
            t.taken += t.amount;
            _book(user(t.payer), user(t.merchant), t.amount);
        } catch {
            assert(!due || t.amount > expected[user(t.payer)]);
        }
    }

    function cancel(uint256 which, bool byPayer) external {
        // most subscriptions live on
        if (terms.length == 0 || which % 4 != 0) return;
        uint256 id = 1 + which % terms.length;
        Terms storage t = terms[id - 1];
        vm.prank(user(byPayer ? t.payer : t.merchant));
        try ROUTER.cancel(id) {
            assert(!t.cancelled);
            t.cancelled = true;
        } catch {
            assert(t.cancelled);
        }
    }

    function termsCount() external view returns (uint256) {
        return terms.length;
    }

    /// Few nonces, so that they meet.
    function _nonce(uint8 nonce, uint256 i) private pure returns (uint256) {
        return (nonce + i) % 32;
    }

    /// Whether an item settles, by these books; it is booked if so.
    function _settles(address payer, address payee, uint256 amount, uint256 nonce, bool records)
        private
        returns (bool)
    {
        bytes32 id = keccak256(abi.encode(TOKEN, payer, payee, amount, bytes32(nonce)));
        if (amount == 0 || payer == payee || (records && _recorded[id])) return false;
        if (_used[payer][bytes32(nonce)] || amount > expected[payer]) return false;
        _used[payer][bytes32(nonce)] = true;
        if (records) _recorded[id] = true;
        _book(payer, payee, amount);
        return true;
    }

    function _book(address from, address to, uint256 amount) private {
        expected[from] -= amount;
        expected[to] += amount;
    }
}

contract PaymentRouterInvariantsTest {
    Users private users;

    function setUp() public {
        users = new Users();
        for (uint256 i; i < users.COUNT(); ++i) {
            users.mint(i, type(uint32).max);
        }
        users.subscribe(0, 1, 10, 60, 7, 0);
        users.subscribe(1, 2, 10, 200, 5, 50);
    }

    /// What Foundry calls in random order.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(users);
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: mutants.invariant.runs = 4
    /// forge-config: chaos.invariant.runs = 600
    /// forge-config: default.invariant.depth = 64
    /// forge-config: chaos.invariant.depth = 200
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: chaos.invariant.fail-on-revert = true
    function invariantMoneyGoesFromPayerToPayeeAndNeverStays() public view {
        uint256 sum;
        for (uint256 i; i < users.COUNT(); ++i) {
            address holder = users.user(i);
            assert(users.TOKEN().balanceOf(holder) == users.expected(holder));
            sum += users.expected(holder);
        }
        assert(sum == users.minted());
        assert(users.TOKEN().balanceOf(address(users.ROUTER())) == 0);
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: mutants.invariant.runs = 4
    /// forge-config: chaos.invariant.runs = 600
    /// forge-config: default.invariant.depth = 64
    /// forge-config: chaos.invariant.depth = 200
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: chaos.invariant.fail-on-revert = true
    function invariantASubscriptionTakesNoMoreThanWasSigned() public view {
        for (uint256 i; i < users.termsCount(); ++i) {
            (,, uint256 amount, uint256 startsAt, uint256 period, uint256 count,, uint256 taken) = users.terms(i);
            uint256 begun = block.timestamp < startsAt ? 0 : (block.timestamp - startsAt) / period + 1;
            assert(taken <= amount * (begun < count ? begun : count));
            assert(users.ROUTER().subscription(i + 1).charged * amount == taken);
        }
    }
}
