// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {ExactTransfer} from "../src/ExactTransfer.sol";
import {PaymentRouter} from "../src/PaymentRouter.sol";
import {ServiceRegistry} from "../src/ServiceRegistry.sol";
import {
    ExtraFeeToken,
    FalseToken,
    FeeOnTransferToken,
    MintableToken,
    NoReturnToken,
    RebasingToken,
    ReentrantToken,
    SilentToken
} from "./HostileTokens.sol";
import {vm} from "./Vm.sol";

/// Honest until it is told to take something from the sender, or to keep something from the recipient.
contract TurningToken is MintableToken {
    uint256 private _takes;
    uint256 private _keeps;

    function turn(uint256 takes, uint256 keeps) external {
        (_takes, _keeps) = (takes, keeps);
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (_takes > 0) super._update(from, address(0), _takes);
        if (_keeps > 0) super._update(to, address(0), _keeps);
    }
}

contract ServiceRegistryTest {
    address private constant OWNER = address(0xA11CE);
    address private constant PAYEE = address(0xB0B);
    address private constant OTHER_PAYEE = address(0xCA7);
    address private constant PAYER = address(0xDA5);
    address private constant ARBITER = address(0xA4B);
    address private constant VICTIM = address(0x71C);
    bytes32 private constant REASON = keccak256("did not deliver");
    string private constant URI = "https://example.com/service.json";
    uint256 private constant FUNDS = 1_000_000e6;
    uint256 private constant MIN_STAKE = 50e6;
    uint64 private constant DELAY = 7 days;
    uint256 private constant NOW = 1_000_000;

    BridgedUSDC private token;
    PaymentRouter private router;
    ServiceRegistry private registry;

    function setUp() public {
        vm.warp(NOW);
        token = new BridgedUSDC(address(this));
        router = new PaymentRouter();
        registry = new ServiceRegistry(token, router, ARBITER, MIN_STAKE, DELAY);
        token.mint(OWNER, FUNDS);
        _allow(token, OWNER, address(registry));
        token.mint(PAYER, FUNDS);
        _allow(token, PAYER, address(router));
    }

    function _allow(IERC20 token_, address owner, address spender) private {
        vm.prank(owner);
        SafeERC20.forceApprove(token_, spender, type(uint256).max);
    }

    function _register() private returns (uint256) {
        vm.prank(OWNER);
        return registry.register(PAYEE, URI, MIN_STAKE);
    }

    function _pay(address payer, address payee, uint256 amount, uint256 paymentReference) private returns (bytes32) {
        vm.prank(payer);
        router.payRecorded(address(token), payee, amount, bytes32(paymentReference));
        return router.paymentIdOf(address(token), payer, payee, amount, bytes32(paymentReference));
    }

    function _rate(uint256 id, address payee, uint256 amount, uint256 paymentReference, uint8 stars) private {
        vm.prank(PAYER);
        registry.rate(id, payee, amount, bytes32(paymentReference), stars);
    }

    function _payAndRate(uint256 id, uint256 amount, uint256 paymentReference, uint8 stars) private {
        _pay(PAYER, PAYEE, amount, paymentReference);
        _rate(id, PAYEE, amount, paymentReference, stars);
    }

    function _slash(uint256 id, uint256 amount) private {
        vm.prank(ARBITER);
        registry.slash(id, amount, VICTIM, REASON);
    }

    // How it is set up

    function testItIsWhatItWasDeployedFor() public {
        assert(address(registry.TOKEN()) == address(token) && address(registry.ROUTER()) == address(router));
        assert(registry.MIN_STAKE() == MIN_STAKE && registry.LEAVE_DELAY() == DELAY);
        assert(registry.arbiter() == ARBITER && registry.pendingArbiter() == address(0));
        assert(registry.MAX_URI_BYTES() == 512 && registry.PRIOR() == 100e6);
        assert(registry.STARS_MAX() == 5 && registry.STARS_NEUTRAL() == 3);
        vm.expectEmit();
        emit ServiceRegistry.ArbiterChanged(address(0), ARBITER);
        new ServiceRegistry(token, router, ARBITER, MIN_STAKE, DELAY);
    }

    function testItNeedsATokenARouterAndAnArbiter() public {
        vm.expectRevert(ServiceRegistry.InvalidConfiguration.selector);
        new ServiceRegistry(IERC20(PAYEE), router, ARBITER, MIN_STAKE, DELAY);
        vm.expectRevert(ServiceRegistry.InvalidConfiguration.selector);
        new ServiceRegistry(token, PaymentRouter(PAYEE), ARBITER, MIN_STAKE, DELAY);
        vm.expectRevert(ServiceRegistry.InvalidConfiguration.selector);
        new ServiceRegistry(token, router, address(0), MIN_STAKE, DELAY);
    }

    // Registering

    function testAServiceIsWhatItsOwnerSaid() public {
        vm.expectEmit(address(registry));
        emit ServiceRegistry.ServiceRegistered(1, OWNER, PAYEE, URI, MIN_STAKE);
        assert(_register() == 1);
        ServiceRegistry.Service memory expected =
            ServiceRegistry.Service(1, OWNER, PAYEE, URI, MIN_STAKE, 0, false, true, 0, 0, 3e18);
        assert(keccak256(abi.encode(registry.service(1))) == keccak256(abi.encode(expected)));
        assert(registry.isActive(1) && registry.isPayeeOf(1, PAYEE));
        assert(token.balanceOf(address(registry)) == MIN_STAKE && token.balanceOf(OWNER) == FUNDS - MIN_STAKE);
        assert(_register() == 2 && registry.serviceCount() == 2);
    }

    function testFuzzAStakeIsLargeEnough(uint256 stake) public {
        stake = stake % MIN_STAKE;
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.StakeTooSmall.selector, stake, MIN_STAKE));
        vm.prank(OWNER);
        registry.register(PAYEE, URI, stake);
    }

    function testAServiceHasAPayeeAndAShortUri() public {
        vm.startPrank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.InvalidPayee.selector, address(0)));
        registry.register(address(0), URI, MIN_STAKE);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.UriTooLong.selector, 513));
        registry.register(PAYEE, string(new bytes(513)), MIN_STAKE);
        uint256 id = registry.register(PAYEE, string(new bytes(512)), MIN_STAKE);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.InvalidPayee.selector, address(0)));
        registry.update(id, address(0), URI);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.UriTooLong.selector, 513));
        registry.update(id, PAYEE, string(new bytes(513)));
        vm.stopPrank();
    }

    function testAStakeNeedsCover() public {
        vm.expectRevert(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(registry), 0, MIN_STAKE)
        );
        vm.prank(PAYER);
        registry.register(PAYEE, URI, MIN_STAKE);
    }

    function testStakeIsAdded() public {
        uint256 id = _register();
        vm.expectEmit(address(registry));
        emit ServiceRegistry.StakeAdded(id, 5, MIN_STAKE + 5);
        vm.prank(OWNER);
        registry.addStake(id, 5);
        assert(registry.service(id).stake == MIN_STAKE + 5);
        assert(token.balanceOf(address(registry)) == MIN_STAKE + 5);
        vm.expectRevert(ServiceRegistry.ZeroAmount.selector);
        vm.prank(OWNER);
        registry.addStake(id, 0);
    }

    function testAServiceIsUpdatedAndKeepsItsPayees() public {
        uint256 id = _register();
        vm.expectEmit(address(registry));
        emit ServiceRegistry.ServiceUpdated(id, OTHER_PAYEE, "ipfs://new");
        vm.prank(OWNER);
        registry.update(id, OTHER_PAYEE, "ipfs://new");
        ServiceRegistry.Service memory service = registry.service(id);
        assert(service.payee == OTHER_PAYEE && keccak256(bytes(service.uri)) == keccak256("ipfs://new"));
        assert(registry.isPayeeOf(id, PAYEE) && registry.isPayeeOf(id, OTHER_PAYEE));
    }

    function testFuzzOnlyItsOwnerChangesAService(address caller, bool exists) public {
        vm.assume(caller != OWNER && caller != address(0));
        uint256 id = exists ? _register() : 9;
        bytes memory refusal = abi.encodeWithSelector(ServiceRegistry.NotServiceOwner.selector, id, caller);
        vm.startPrank(caller);
        vm.expectRevert(refusal);
        registry.addStake(id, 5);
        vm.expectRevert(refusal);
        registry.update(id, PAYEE, URI);
        vm.expectRevert(refusal);
        registry.requestLeave(id);
        vm.expectRevert(refusal);
        registry.takeStakeBack(id);
        vm.stopPrank();
    }

    // Leaving

    function testTheStakeComesBackAfterTheDelay() public {
        uint256 id = _register();
        vm.startPrank(OWNER);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotLeavable.selector, id, 0));
        registry.takeStakeBack(id);
        uint64 leavableAt = uint64(NOW) + DELAY;
        vm.expectEmit(address(registry));
        emit ServiceRegistry.LeaveRequested(id, leavableAt);
        registry.requestLeave(id);
        assert(!registry.isActive(id) && registry.service(id).leavableAt == leavableAt);
        vm.warp(leavableAt - 1);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotLeavable.selector, id, leavableAt));
        registry.takeStakeBack(id);
        vm.warp(leavableAt);
        vm.expectEmit(address(registry));
        emit ServiceRegistry.ServiceLeft(id, OWNER, MIN_STAKE);
        registry.takeStakeBack(id);
        assert(token.balanceOf(OWNER) == FUNDS && token.balanceOf(address(registry)) == 0);
        ServiceRegistry.Service memory service = registry.service(id);
        assert(service.stake == 0 && service.hasLeft && !service.active && service.owner == OWNER);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.AlreadyLeft.selector, id));
        registry.takeStakeBack(id);
        vm.stopPrank();
    }

    function testFuzzALeavingServiceIsNotChanged(bool hasLeft) public {
        uint256 id = _register();
        vm.startPrank(OWNER);
        registry.requestLeave(id);
        if (hasLeft) {
            vm.warp(NOW + DELAY);
            registry.takeStakeBack(id);
        }
        bytes memory refusal = hasLeft
            ? abi.encodeWithSelector(ServiceRegistry.AlreadyLeft.selector, id)
            : abi.encodeWithSelector(ServiceRegistry.Leaving.selector, id, NOW + DELAY);
        vm.expectRevert(refusal);
        registry.addStake(id, 5);
        vm.expectRevert(refusal);
        registry.update(id, PAYEE, URI);
        vm.expectRevert(refusal);
        registry.requestLeave(id);
        vm.stopPrank();
    }

    function testAStakeIsSlashableUntilItIsTakenBack() public {
        uint256 id = _register();
        vm.prank(OWNER);
        registry.requestLeave(id);
        vm.warp(NOW + DELAY + 1);
        _slash(id, MIN_STAKE - 1);
        vm.prank(OWNER);
        registry.takeStakeBack(id);
        assert(token.balanceOf(OWNER) == FUNDS - MIN_STAKE + 1);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.StakeExceeded.selector, id, 1, 0));
        _slash(id, 1);
    }

    function testAServiceWithoutAnythingLeftMayLeave() public {
        uint256 id = _register();
        _slash(id, MIN_STAKE);
        vm.startPrank(OWNER);
        registry.requestLeave(id);
        vm.warp(NOW + DELAY);
        registry.takeStakeBack(id);
        vm.stopPrank();
        assert(registry.service(id).hasLeft);
    }

    // Slashing

    function testFuzzASlashTakesUpToTheStake(uint256 amount) public {
        amount = 1 + amount % MIN_STAKE;
        uint256 id = _register();
        vm.expectEmit(address(registry));
        emit ServiceRegistry.ServiceSlashed(id, VICTIM, REASON, amount, MIN_STAKE - amount);
        _slash(id, amount);
        assert(token.balanceOf(VICTIM) == amount && registry.service(id).stake == MIN_STAKE - amount);
        assert(token.balanceOf(address(registry)) == MIN_STAKE - amount);
        assert(!registry.isActive(id));
        vm.prank(OWNER);
        registry.addStake(id, amount);
        assert(registry.isActive(id));
    }

    function testASlashTakesNoMoreThanTheStake() public {
        uint256 id = _register();
        _register();
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.StakeExceeded.selector, id, MIN_STAKE + 1, MIN_STAKE));
        _slash(id, MIN_STAKE + 1);
        vm.expectRevert(ServiceRegistry.ZeroAmount.selector);
        _slash(id, 0);
        vm.expectRevert(abi.encodeWithSelector(ExactTransfer.SelfTransfer.selector, address(registry)));
        vm.prank(ARBITER);
        registry.slash(id, 1, address(registry), REASON);
    }

    function testFuzzOnlyTheArbiterSlashes(address caller) public {
        // the zero address calls nothing
        vm.assume(caller != ARBITER && caller != address(0));
        uint256 id = _register();
        vm.startPrank(caller);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotArbiter.selector, caller));
        registry.slash(id, 1, VICTIM, REASON);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotArbiter.selector, caller));
        registry.offerArbitration(caller);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotPendingArbiter.selector, caller));
        registry.acceptArbitration();
        vm.stopPrank();
    }

    function testTheArbiterChangesInTwoSteps() public {
        vm.expectEmit(address(registry));
        emit ServiceRegistry.ArbitrationOffered(ARBITER, VICTIM);
        vm.prank(ARBITER);
        registry.offerArbitration(VICTIM);
        assert(registry.arbiter() == ARBITER && registry.pendingArbiter() == VICTIM);
        vm.expectEmit(address(registry));
        emit ServiceRegistry.ArbiterChanged(ARBITER, VICTIM);
        vm.prank(VICTIM);
        registry.acceptArbitration();
        assert(registry.arbiter() == VICTIM && registry.pendingArbiter() == address(0));
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotPendingArbiter.selector, VICTIM));
        vm.prank(VICTIM);
        registry.acceptArbitration();
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotArbiter.selector, ARBITER));
        vm.prank(ARBITER);
        registry.offerArbitration(ARBITER);
    }

    // Rating

    function testARecordedPaymentIsRated() public {
        uint256 id = _register();
        bytes32 paymentId = _pay(PAYER, PAYEE, 100e6, 1);
        vm.expectEmit(address(registry));
        emit ServiceRegistry.ServiceRated(id, PAYER, paymentId, 100e6, 5);
        _rate(id, PAYEE, 100e6, 1, 5);
        ServiceRegistry.Service memory service = registry.service(id);
        assert(service.ratings == 1 && service.weight == 100e6);
        // as much as the prior, which is neutral: half way
        assert(service.scoreE18 == 4e18 && registry.scoreE18(id) == 4e18);
        assert(registry.isRated(paymentId));
    }

    function testFuzzStarsAreOneToFive(uint8 stars) public {
        uint256 id = _register();
        _pay(PAYER, PAYEE, 5, 1);
        if (stars == 0 || stars > 5) {
            vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.InvalidStars.selector, stars));
        }
        _rate(id, PAYEE, 5, 1, stars);
    }

    function testTheEdgesOfStars() public {
        uint256 id = _register();
        _payAndRate(id, 1, 1, 1);
        _payAndRate(id, 1, 2, 5);
        uint8[2] memory wrong = [0, 6];
        for (uint256 i; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.InvalidStars.selector, wrong[i]));
            _rate(id, PAYEE, 1, 3, wrong[i]);
        }
    }

    function testAPaymentIsRatedOnceEver() public {
        (uint256 id, uint256 sameServiceAgain) = (_register(), _register());
        bytes32 paymentId = _pay(PAYER, PAYEE, 5, 1);
        _rate(id, PAYEE, 5, 1, 5);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.AlreadyRated.selector, paymentId));
        _rate(id, PAYEE, 5, 1, 5);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.AlreadyRated.selector, paymentId));
        _rate(sameServiceAgain, PAYEE, 5, 1, 5);
    }

    function testFuzzOnlyItsPayerRatesAPayment(address caller) public {
        vm.assume(caller != PAYER);
        uint256 id = _register();
        _pay(PAYER, PAYEE, 5, 1);
        bytes32 other = router.paymentIdOf(address(token), caller, PAYEE, 5, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.PaymentNotRecorded.selector, other));
        vm.prank(caller);
        registry.rate(id, PAYEE, 5, bytes32(uint256(1)), 5);
    }

    function testWhatWasNotRecordedIsNotRated() public {
        uint256 id = _register();
        vm.prank(PAYER);
        token.transfer(PAYEE, 5);
        bytes32 unpaid = router.paymentIdOf(address(token), PAYER, PAYEE, 5, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.PaymentNotRecorded.selector, unpaid));
        _rate(id, PAYEE, 5, 1, 5);
        _pay(PAYER, PAYEE, 5, 1);
        bytes32 larger = router.paymentIdOf(address(token), PAYER, PAYEE, 6, bytes32(uint256(1)));
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.PaymentNotRecorded.selector, larger));
        _rate(id, PAYEE, 6, 1, 5);
    }

    function testAPaymentInAnotherTokenIsNotRated() public {
        uint256 id = _register();
        BridgedUSDC worthless = new BridgedUSDC(address(this));
        worthless.mint(PAYER, 5);
        _allow(worthless, PAYER, address(router));
        vm.prank(PAYER);
        router.payRecorded(address(worthless), PAYEE, 5, bytes32(uint256(1)));
        vm.expectPartialRevert(ServiceRegistry.PaymentNotRecorded.selector);
        _rate(id, PAYEE, 5, 1, 5);
    }

    function testAPaymentToSomebodyElseIsNotRated() public {
        uint256 id = _register();
        _pay(PAYER, OTHER_PAYEE, 5, 1);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotPayeeOfService.selector, id, OTHER_PAYEE));
        _rate(id, OTHER_PAYEE, 5, 1, 5);
        vm.expectRevert(abi.encodeWithSelector(ServiceRegistry.NotPayeeOfService.selector, 9, OTHER_PAYEE));
        _rate(9, OTHER_PAYEE, 5, 1, 5);
    }

    function testANewPayeeShedsNoRating() public {
        uint256 id = _register();
        _pay(PAYER, PAYEE, 100e6, 1);
        vm.prank(OWNER);
        registry.update(id, OTHER_PAYEE, URI);
        _rate(id, PAYEE, 100e6, 1, 1);
        assert(registry.scoreE18(id) == 2e18);
        _pay(PAYER, OTHER_PAYEE, 200e6, 2);
        _rate(id, OTHER_PAYEE, 200e6, 2, 5);
        assert(registry.scoreE18(id) == 3.5e18);
    }

    /// The bound that the score's documentation states, in both directions and whatever came before.
    function testFuzzSelfPaymentsMoveTheScoreByTheirShareOfAllWeight(
        uint256 earlier,
        uint8 earlierStars,
        uint256 total,
        uint8 stars
    ) public {
        uint256 id = _register();
        earlier = earlier % (FUNDS / 2);
        total = 1 + total % (FUNDS / 2);
        if (earlier > 0) _payAndRate(id, earlier, 1, 1 + earlierStars % 5);
        uint256 scoreBefore = registry.scoreE18(id);
        _payAndRate(id, total, 2, 1 + stars % 5);
        uint256 scoreAfter = registry.scoreE18(id);
        uint256 moved = scoreAfter > scoreBefore ? scoreAfter - scoreBefore : scoreBefore - scoreAfter;
        // the range is 4 stars; each of the two scores was rounded down
        assert(moved <= 4e18 * total / (registry.PRIOR() + earlier + total) + 1);
        assert(scoreAfter >= 1e18 && scoreAfter <= 5e18);
    }

    function testFuzzASumCountsTheSameHoweverItIsDivided(uint256[4] memory cuts, uint8 stars) public {
        (uint256 whole, uint256 divided) = (_register(), _register());
        uint256 total;
        for (uint256 i; i < cuts.length; ++i) {
            uint256 part = 1 + cuts[i] % (FUNDS / 10);
            _payAndRate(divided, part, 10 + i, 1 + stars % 5);
            total += part;
        }
        _payAndRate(whole, total, 1, 1 + stars % 5);
        assert(registry.scoreE18(whole) == registry.scoreE18(divided));
        assert(registry.service(whole).weight == registry.service(divided).weight);
    }

    // Views

    function testFuzzServicesArePaged(uint256 offset, uint256 limit) public {
        for (uint256 i; i < 5; ++i) {
            _register();
        }
        offset = offset % 2 == 0 ? offset : (offset >> 1) % 6;
        limit = limit % 2 == 0 ? limit : (limit >> 1) % 6;
        (ServiceRegistry.Service[] memory page, uint256 total) = registry.services(offset, limit);
        uint256 left = offset < 5 ? 5 - offset : 0;
        assert(total == 5 && page.length == (limit < left ? limit : left));
        for (uint256 i; i < page.length; ++i) {
            assert(page[i].id == offset + i + 1);
            assert(keccak256(abi.encode(page[i])) == keccak256(abi.encode(registry.service(page[i].id))));
        }
    }

    function testThePagesAreWhole() public {
        _register();
        _register();
        (ServiceRegistry.Service[] memory page,) = registry.services(1, 5);
        assert(page.length == 1 && page[0].id == 2);
        (page,) = registry.services(0, 1);
        assert(page.length == 1 && page[0].id == 1);
        (page,) = registry.services(2, 1);
        assert(page.length == 0);
    }

    function testWhatIsNotThereIsNotActive() public {
        ServiceRegistry free = new ServiceRegistry(token, router, ARBITER, 0, DELAY);
        assert(!registry.isActive(1) && !free.isActive(1));
        assert(registry.service(1).id == 0 && registry.service(1).owner == address(0));
        vm.prank(OWNER);
        uint256 id = free.register(PAYEE, URI, 0);
        assert(free.isActive(id));
    }

    // Hostile tokens

    function _registryOf(MintableToken hostile) private returns (ServiceRegistry other) {
        other = new ServiceRegistry(hostile, router, ARBITER, MIN_STAKE, DELAY);
        hostile.mint(OWNER, FUNDS);
        _allow(hostile, OWNER, address(other));
    }

    function testAStakeThatDoesNotArriveIsNoStake() public {
        MintableToken[5] memory hostile = [
            MintableToken(new FeeOnTransferToken()),
            new SilentToken(),
            new ExtraFeeToken(),
            new FalseToken(),
            new RebasingToken()
        ];
        bytes4[5] memory refusals = [
            ExactTransfer.WrongArrival.selector,
            ExactTransfer.WrongArrival.selector,
            ExactTransfer.WrongOutflow.selector,
            SafeERC20.SafeERC20FailedOperation.selector,
            ExactTransfer.WrongArrival.selector
        ];
        RebasingToken(address(hostile[4])).rebaseOnNextTransfer(1, 2);
        for (uint256 i; i < hostile.length; ++i) {
            ServiceRegistry other = _registryOf(hostile[i]);
            vm.expectPartialRevert(refusals[i]);
            vm.prank(OWNER);
            other.register(PAYEE, URI, MIN_STAKE);
        }
    }

    /// A token that takes more on the way out would take it from the stakes of others.
    function testAStakeGoesOutAsExactlyAsItCame() public {
        TurningToken turning = new TurningToken();
        ServiceRegistry other = _registryOf(turning);
        vm.startPrank(OWNER);
        uint256 id = other.register(PAYEE, URI, MIN_STAKE);
        other.register(PAYEE, URI, MIN_STAKE);
        vm.stopPrank();
        turning.turn(1, 0);
        vm.expectPartialRevert(ExactTransfer.WrongOutflow.selector);
        vm.prank(ARBITER);
        other.slash(id, 5, VICTIM, REASON);
        turning.turn(0, 1);
        vm.expectPartialRevert(ExactTransfer.WrongArrival.selector);
        vm.prank(ARBITER);
        other.slash(id, 5, VICTIM, REASON);
    }

    function testATokenWithoutAnswersIsAStake() public {
        NoReturnToken mute = new NoReturnToken();
        ServiceRegistry other = _registryOf(mute);
        vm.startPrank(OWNER);
        uint256 id = other.register(PAYEE, URI, MIN_STAKE);
        other.requestLeave(id);
        vm.warp(NOW + DELAY);
        other.takeStakeBack(id);
        vm.stopPrank();
        assert(mute.balanceOf(OWNER) == FUNDS);
    }

    function testATokenCannotReenter() public {
        ReentrantToken reentrant = new ReentrantToken();
        ServiceRegistry other = _registryOf(reentrant);
        bytes[4] memory calls = [
            abi.encodeCall(other.register, (PAYEE, URI, MIN_STAKE)),
            abi.encodeCall(other.addStake, (1, 5)),
            abi.encodeCall(other.takeStakeBack, (1)),
            abi.encodeCall(other.slash, (1, 5, VICTIM, REASON))
        ];
        for (uint256 i; i < calls.length; ++i) {
            reentrant.reenter(address(other), calls[i]);
            vm.prank(OWNER);
            uint256 id = other.register(PAYEE, URI, MIN_STAKE);
            _requireLockedOut(reentrant);
            vm.prank(OWNER);
            other.addStake(id, 5);
            _requireLockedOut(reentrant);
            vm.prank(ARBITER);
            other.slash(id, 5, VICTIM, REASON);
            _requireLockedOut(reentrant);
            vm.prank(OWNER);
            other.requestLeave(id);
            vm.warp(block.timestamp + DELAY);
            vm.prank(OWNER);
            other.takeStakeBack(id);
            _requireLockedOut(reentrant);
        }
    }

    function _requireLockedOut(ReentrantToken reentrant) private {
        assert(bytes4(reentrant.answer()) == ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
        reentrant.forget();
    }
}
