// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {PaymentRouter} from "../src/PaymentRouter.sol";
import {ServiceRegistry} from "../src/ServiceRegistry.sol";
import {vm} from "./Vm.sol";

/// Does what owners, payers and the arbiter can do, in any order, and keeps books of its own beside it.
contract Community {
    uint256 public constant COUNT = 4;
    uint256 public constant MIN_STAKE = 50;
    uint64 private constant DELAY = 100;
    address public constant VICTIM = address(0x71C);

    BridgedUSDC public immutable TOKEN;
    PaymentRouter public immutable ROUTER;
    ServiceRegistry public immutable REGISTRY;

    struct Books {
        address owner;
        uint256 stake;
        uint256 leavableAt;
        bool hasLeft;
        uint256 weight;
        uint256 weightedStars;
    }

    Books[] public books;
    uint256 public slashed;

    /// A payment that the router has on record.
    struct Paid {
        address payer;
        address payee;
        uint256 amount;
        bool rated;
    }

    Paid[] private _paid;

    constructor() {
        TOKEN = new BridgedUSDC(address(this));
        ROUTER = new PaymentRouter();
        REGISTRY = new ServiceRegistry(TOKEN, ROUTER, address(this), MIN_STAKE, DELAY);
        for (uint256 i; i < COUNT; ++i) {
            TOKEN.mint(person(i), 1e30);
            vm.startPrank(person(i));
            TOKEN.approve(address(REGISTRY), type(uint256).max);
            TOKEN.approve(address(ROUTER), type(uint256).max);
            vm.stopPrank();
        }
        vm.warp(1_000_000);
    }

    function person(uint256 i) public pure returns (address) {
        return address(uint160(0xA11CE + i % COUNT));
    }

    function booksCount() external view returns (uint256) {
        return books.length;
    }

    function pass(uint8 time) external {
        vm.warp(block.timestamp + time);
    }

    /// Each person's services are paid at the person.
    function register(uint256 who, uint8 stake) external {
        vm.prank(person(who));
        try REGISTRY.register(person(who), "", stake) returns (uint256 id) {
            assert(stake >= MIN_STAKE);
            books.push(Books(person(who), stake, 0, false, 0, 0));
            assert(id == books.length);
        } catch {
            assert(stake < MIN_STAKE);
        }
    }

    function addStake(uint256 which, uint8 amount) external {
        if (books.length == 0) return;
        Books storage b = books[which % books.length];
        vm.prank(b.owner);
        try REGISTRY.addStake(1 + which % books.length, amount) {
            assert(b.leavableAt == 0 && amount > 0);
            b.stake += amount;
        } catch {
            assert(b.leavableAt != 0 || amount == 0);
        }
    }

    function requestLeave(uint256 which) external {
        if (books.length == 0) return;
        Books storage b = books[which % books.length];
        vm.prank(b.owner);
        try REGISTRY.requestLeave(1 + which % books.length) {
            assert(b.leavableAt == 0);
            b.leavableAt = block.timestamp + DELAY;
        } catch {
            assert(b.leavableAt != 0);
        }
    }

    function leaveService(uint256 which) external {
        if (books.length == 0) return;
        Books storage b = books[which % books.length];
        uint256 balanceBefore = TOKEN.balanceOf(b.owner);
        bool possible = b.leavableAt != 0 && block.timestamp >= b.leavableAt && !b.hasLeft;
        vm.prank(b.owner);
        try REGISTRY.takeStakeBack(1 + which % books.length) {
            assert(possible);
            assert(TOKEN.balanceOf(b.owner) == balanceBefore + b.stake);
            (b.stake, b.hasLeft) = (0, true);
        } catch {
            assert(!possible);
        }
    }

    function slash(uint256 which, uint8 amount) external {
        if (books.length == 0) return;
        Books storage b = books[which % books.length];
        try REGISTRY.slash(1 + which % books.length, amount, VICTIM, 0) {
            assert(amount > 0 && amount <= b.stake);
            b.stake -= amount;
            slashed += amount;
        } catch {
            assert(amount == 0 || amount > b.stake);
        }
    }

    function pay(uint64 from, uint64 to, uint64 amount) external {
        if (person(from) == person(to) || amount == 0) return;
        vm.prank(person(from));
        ROUTER.payRecorded(address(TOKEN), person(to), amount, bytes32(_paid.length));
        _paid.push(Paid(person(from), person(to), amount, false));
    }

    function rate(uint256 which, uint256 payment, uint8 stars) external {
        if (books.length == 0 || _paid.length == 0) return;
        Books storage b = books[which % books.length];
        Paid storage p = _paid[payment % _paid.length];
        stars = stars % 7;
        bool possible = !p.rated && p.payee == b.owner && stars > 0 && stars < 6;
        vm.prank(p.payer);
        try REGISTRY.rate(1 + which % books.length, p.payee, p.amount, bytes32(payment % _paid.length), stars) {
            assert(possible);
            p.rated = true;
            b.weight += p.amount;
            b.weightedStars += p.amount * stars;
        } catch {
            assert(!possible);
        }
    }
}

contract ServiceRegistryInvariantsTest {
    Community private community;

    function setUp() public {
        community = new Community();
    }

    /// What Foundry calls in random order.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(community);
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: mutants.invariant.runs = 4
    /// forge-config: chaos.invariant.runs = 600
    /// forge-config: default.invariant.depth = 64
    /// forge-config: chaos.invariant.depth = 200
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: chaos.invariant.fail-on-revert = true
    function invariantItHoldsTheStakesAndCountsPaidRatings() public view {
        ServiceRegistry registry = community.REGISTRY();
        uint256 sum;
        for (uint256 i; i < community.booksCount(); ++i) {
            (, uint256 stake, uint256 leavableAt,, uint256 weight, uint256 weightedStars) = community.books(i);
            ServiceRegistry.Service memory service = registry.service(i + 1);
            assert(service.stake == stake && service.weight == weight);
            assert(service.scoreE18 == (300e6 + weightedStars) * 1e18 / (100e6 + weight));
            assert(service.active == (leavableAt == 0 && stake >= community.MIN_STAKE()));
            sum += stake;
        }
        assert(community.TOKEN().balanceOf(address(registry)) == sum);
        assert(community.TOKEN().balanceOf(community.VICTIM()) == community.slashed());
    }
}
