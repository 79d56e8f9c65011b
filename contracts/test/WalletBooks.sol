// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletFactory, Setup, TokenLimits} from "../src/AgentWalletFactory.sol";
import {LimitKind, Watched, WatchedKind} from "../src/AgentWalletSettings.sol";
import {Approval} from "../src/Approvals.sol";
import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {PaymentRouter} from "../src/PaymentRouter.sol";
import {Subscriptions} from "../src/router/Subscriptions.sol";
import {Exchange} from "./Exchange.sol";
import {
    ExtraFeeToken,
    FeeOnTransferToken,
    MintableToken,
    NoReturnToken,
    RebasingToken,
    ReentrantToken,
    StickyAllowanceToken
} from "./HostileTokens.sol";
import {Thief} from "./Thief.sol";
import {vm} from "./Vm.sol";
import {ApproverSigning} from "./WalletFixture.sol";

/// A value that its owner loosens with a delay.
struct Schedule {
    uint256 current;
    uint256 next;
    uint256 nextFrom;
}

/// A wallet of an owner, all that it holds, and books beside it: kept from balances and from what the owner did, never
/// from what the wallet says of itself. They are closed, and compared, after each step.
abstract contract WalletBooks is ApproverSigning {
    uint256 internal constant START = 20_000 days + 8 hours;
    address internal constant NATIVE = address(0);
    address internal constant OWNER = address(0xA11CE);
    address internal constant GUARDIAN = address(0x6A4D);
    address internal constant PAYEE = address(0xB0B);
    address internal constant OPERATOR = address(0x09E4);
    address internal constant OPERATOR_2 = address(0x09E5);
    address internal constant STRANGER = address(0x5742);

    uint112 internal constant DAILY = 100e6;
    uint112 internal constant THRESHOLD = 50e6;
    uint112 public constant CEILING = 20e6;
    uint256 internal constant WEALTH = 1e15;

    AgentWallet public wallet;
    /// Another wallet of this owner, with the same operator and approvers: nothing leaves it without approval.
    AgentWallet internal sibling;
    AgentWalletFactory internal factory;
    PaymentRouter internal router;
    Exchange internal exchange;
    Thief public thief;
    BridgedUSDC internal usdc;
    ReentrantToken internal reentrant;
    RebasingToken internal rebasing;
    address[] public tokens;
    address[] internal operators;
    address[] private _thieves;
    address[] private _spenders;

    uint256 internal clock;
    bool internal paused;
    bool internal isAllowlistOn;
    uint256 internal approverSet;
    mapping(address operator => uint256) internal expiryOf;
    mapping(LimitKind kind => mapping(address token => Schedule)) private _limits;
    Schedule internal raiseDelay;

    /// What operators made leave on a day, and how much the owner let leave on it at most.
    mapping(address token => mapping(uint256 day => uint256)) public left;
    mapping(address token => mapping(uint256 day => uint256)) public allowed;
    mapping(address token => uint256) public leftInAll;
    mapping(address token => uint256) public allowedInAll;
    /// What the thief's accounts had of their own.
    mapping(address token => uint256) internal ownWealth;
    mapping(bytes4 action => uint256) public successes;

    // The step that is under way
    uint256 private _seed;
    /// As the last step left them.
    bytes32 private _settingsBefore;
    mapping(address token => uint256) private _balanceBefore;
    bool internal mayFall;
    bool internal isOwnersStep;
    address internal withdrawn;

    modifier step(uint256 seed) {
        _begin(seed);
        _;
        _close();
    }

    constructor() {
        moveTo(START);
        router = new PaymentRouter();
        factory = new AgentWalletFactory(router);
        exchange = new Exchange();
        _makeTokens();
    }

    // How a campaign begins

    /// The wallets, the day before the theft: the pocket of an honest operator is filled.
    function _open(address[] memory approvers) internal {
        vm.prank(OWNER);
        wallet = factory.createWallet("vault", _setup(approvers, THRESHOLD, CEILING));
        vm.prank(OWNER);
        sibling = factory.createWallet("sibling", _setup(approvers, 0, 0));
        thief = new Thief(wallet, router, exchange);
        operators.push(OPERATOR);
        operators.push(OPERATOR_2);
        operators.push(address(thief));
        _thieves = [OPERATOR, OPERATOR_2, STRANGER, address(thief), address(exchange)];
        _spenders =
            [OPERATOR, OPERATOR_2, STRANGER, address(thief), address(exchange), address(router), address(factory)];
        reentrant.reenter(address(thief), abi.encodeCall(Thief.strike, ()));
        approverSet = 1;
        raiseDelay.current = 1 hours;
        _ownersBeginning();
        _fund();
        for (uint256 i; i < tokens.length; ++i) {
            // Some tokens cannot be sent exactly, and such a pocket stays empty.
            vm.prank(OPERATOR);
            (bool done,) = address(wallet).call(abi.encodeCall(AgentWallet.refill, (tokens[i])));
            assert(!done || balanceOf(tokens[i], OPERATOR) <= CEILING);
        }
        moveTo(START + 1 days);
        _settingsBefore = _settings();
    }

    function _setup(address[] memory approvers, uint112 threshold, uint112 ceiling)
        private
        view
        returns (Setup memory setup)
    {
        setup.guardian = GUARDIAN;
        setup.operator = OPERATOR;
        setup.operatorExpiresAt = uint64(START + 3 days);
        setup.raiseDelay = 1 hours;
        setup.approvers = approvers;
        setup.quorum = 2;
        setup.limits = new TokenLimits[](tokens.length);
        for (uint256 i; i < tokens.length; ++i) {
            setup.limits[i] = TokenLimits(tokens[i], DAILY, threshold, ceiling);
        }
    }

    function _makeTokens() private {
        usdc = new BridgedUSDC(address(this));
        reentrant = new ReentrantToken();
        rebasing = new RebasingToken();
        tokens.push(NATIVE);
        tokens.push(address(usdc));
        tokens.push(address(reentrant));
        tokens.push(address(rebasing));
        tokens.push(address(new FeeOnTransferToken()));
        tokens.push(address(new ExtraFeeToken()));
        tokens.push(address(new StickyAllowanceToken()));
        tokens.push(address(new NoReturnToken()));
    }

    function _ownersBeginning() private {
        expiryOf[OPERATOR] = START + 3 days;
        expiryOf[OPERATOR_2] = START + 2 days;
        expiryOf[address(thief)] = START + 60 days;
        for (uint256 i; i < tokens.length; ++i) {
            _limits[LimitKind.Daily][tokens[i]].current = DAILY;
            _limits[LimitKind.ApprovalThreshold][tokens[i]].current = THRESHOLD;
            _limits[LimitKind.PocketCeiling][tokens[i]].current = CEILING;
        }
        vm.startPrank(OWNER);
        wallet.setOperator(OPERATOR_2, uint64(expiryOf[OPERATOR_2]));
        wallet.setOperator(address(thief), uint64(expiryOf[address(thief)]));
        wallet.setRecipient(PAYEE, true);
        wallet.setRecipient(address(router), true);
        _allow(Exchange.swap.selector, 4);
        _allow(Exchange.deposit.selector, 2);
        _allow(Exchange.withdraw.selector, 2);
        _allow(Exchange.buy.selector, 1);
        wallet.allowCall(address(exchange), Exchange.route.selector, new uint16[](0));
        wallet.allowCall(address(router), Subscriptions.subscribe.selector, new uint16[](0));
        wallet.allowCall(address(router), Subscriptions.cancel.selector, new uint16[](0));
        wallet.watch(Watched(address(exchange.SHARES()), WatchedKind.Balance, 0));
        wallet.watch(Watched(address(exchange.POSITIONS()), WatchedKind.Nft, thief.POSITION()));
        wallet.watch(Watched(address(exchange.TICKETS()), WatchedKind.Shares, thief.POSITION()));
        vm.stopPrank();
    }

    function _allow(bytes4 selector, uint16 argument) private {
        uint16[] memory offsets = new uint16[](1);
        offsets[0] = 32 * argument;
        wallet.allowCall(address(exchange), selector, offsets);
    }

    function _fund() private {
        exchange.issue(address(wallet), thief.POSITION(), 100);
        vm.deal(address(wallet), WEALTH);
        vm.deal(address(sibling), WEALTH);
        vm.deal(address(exchange), WEALTH);
        for (uint256 i = 1; i < tokens.length; ++i) {
            MintableToken(tokens[i]).mint(address(wallet), WEALTH);
            MintableToken(tokens[i]).mint(address(sibling), WEALTH);
            MintableToken(tokens[i]).mint(address(exchange), WEALTH);
        }
        for (uint256 i; i < tokens.length; ++i) {
            ownWealth[tokens[i]] = thievesWealth(tokens[i]);
        }
    }

    // What is read

    function balanceOf(address token, address account) internal view returns (uint256) {
        return token == NATIVE ? account.balance : IERC20(token).balanceOf(account);
    }

    function thievesWealth(address token) internal view returns (uint256 sum) {
        for (uint256 i; i < _thieves.length; ++i) {
            sum += balanceOf(token, _thieves[i]);
        }
    }

    /// How much less the wallet has than when the step began.
    function fallOf(address token) internal view returns (uint256) {
        uint256 balance = balanceOf(token, address(wallet));
        return balance < _balanceBefore[token] ? _balanceBefore[token] - balance : 0;
    }

    /// What the thief has, its pocket of the first day included, that was not its own.
    function loot(address token) public view returns (uint256) {
        uint256 wealth = thievesWealth(token);
        return wealth > ownWealth[token] ? wealth - ownWealth[token] : 0;
    }

    function tokenCount() external view returns (uint256) {
        return tokens.length;
    }

    function limitNow(LimitKind kind, address token) internal view returns (uint256) {
        return _now(_limits[kind][token]);
    }

    /// The limits' own rule, told a second time: lowering holds at once, raising when the delay has passed.
    function _schedule(LimitKind kind, address token, uint256 value) internal {
        uint256 delay = value > limitNow(kind, token) ? _now(raiseDelay) : 0;
        _delayed(_limits[kind][token], value, delay);
    }

    function _scheduleDelay(uint256 value) internal {
        uint256 present = _now(raiseDelay);
        _delayed(raiseDelay, value, value < present ? present : 0);
    }

    function _now(Schedule storage s) private view returns (uint256) {
        return s.nextFrom != 0 && clock >= s.nextFrom ? s.next : s.current;
    }

    function _delayed(Schedule storage s, uint256 value, uint256 delay) private {
        uint256 current = _now(s);
        if (delay == 0) (s.current, s.next, s.nextFrom) = (value, 0, 0);
        else (s.current, s.next, s.nextFrom) = (current, value, clock + delay);
    }

    // How a step begins and ends

    function _begin(uint256 seed) private {
        vm.warp(clock);
        _seed = seed;
        (mayFall, isOwnersStep, withdrawn) = (false, false, address(this));
        for (uint256 i; i < tokens.length; ++i) {
            _balanceBefore[tokens[i]] = balanceOf(tokens[i], address(wallet));
            _allowAtMost(tokens[i], limitNow(LimitKind.Daily, tokens[i]));
        }
    }

    /// The most that the owner let leave on this day so far.
    function _allowAtMost(address token, uint256 limit) private {
        uint256 known = allowed[token][clock / 1 days];
        if (limit <= known) return;
        allowed[token][clock / 1 days] = limit;
        allowedInAll[token] += limit - known;
    }

    function _close() private {
        for (uint256 i; i < tokens.length; ++i) {
            _bookFall(tokens[i]);
            _requireNoAllowance(tokens[i]);
            assert(balanceOf(tokens[i], address(sibling)) >= WEALTH);
        }
        assert(exchange.SHARES().balanceOf(address(wallet)) == 100);
        assert(exchange.POSITIONS().ownerOf(thief.POSITION()) == address(wallet));
        assert(exchange.TICKETS().balanceOf(address(wallet), thief.POSITION()) == 100);
        bytes32 settings = _settings();
        assert(isOwnersStep || settings == _settingsBefore);
        _settingsBefore = settings;
    }

    function _bookFall(address token) private {
        uint256 amount = fallOf(token);
        if (amount == 0 || token == withdrawn) return;
        assert(mayFall && !paused && !isOwnersStep);
        leftInAll[token] += amount;
        left[token][clock / 1 days] += amount;
        assert(left[token][clock / 1 days] <= limitNow(LimitKind.Daily, token));
    }

    function _requireNoAllowance(address token) private view {
        if (token == NATIVE) return;
        for (uint256 i; i < _spenders.length; ++i) {
            assert(IERC20(token).allowance(address(wallet), _spenders[i]) == 0);
        }
    }

    /// All that only the owner writes.
    function _settings() private view returns (bytes32 hash) {
        hash = keccak256(abi.encode(wallet.owner(), wallet.pendingOwner(), wallet.guardian(), wallet.paused()));
        hash = keccak256(abi.encode(hash, wallet.quorum(), wallet.approverSet(), wallet.isAllowlistOn()));
        hash = keccak256(abi.encode(hash, wallet.FACTORY(), wallet.ROUTER(), address(wallet).codehash));
        hash = keccak256(abi.encode(hash, wallet.raiseDelay(), wallet.watched()));
        for (uint256 i; i < tokens.length; ++i) {
            hash = keccak256(
                abi.encode(
                    hash,
                    wallet.scheduledLimitOf(LimitKind.Daily, tokens[i]),
                    wallet.scheduledLimitOf(LimitKind.ApprovalThreshold, tokens[i]),
                    wallet.scheduledLimitOf(LimitKind.PocketCeiling, tokens[i])
                )
            );
        }
        for (uint256 i; i < _spenders.length; ++i) {
            address account = _spenders[i];
            hash = keccak256(abi.encode(hash, wallet.operatorExpiresAt(account), wallet.isRecipient(account)));
        }
        bytes4[5] memory calls = [
            Exchange.swap.selector,
            Exchange.deposit.selector,
            Exchange.route.selector,
            Exchange.take.selector,
            IERC20.transfer.selector
        ];
        for (uint256 i; i < calls.length; ++i) {
            hash = keccak256(abi.encode(hash, wallet.callRule(address(exchange), calls[i])));
        }
    }

    // Small things

    function moveTo(uint256 time) internal {
        clock = time;
        vm.warp(time);
    }

    /// A number below `n`, the next one of those that the step's seed gives.
    function pick(uint256 n) internal returns (uint256) {
        _seed = uint256(keccak256(abi.encode(_seed)));
        return _seed % n;
    }

    function oneOf(uint256 n) internal returns (bool) {
        return pick(n) == 0;
    }

    function none() internal pure returns (Approval memory) {}
}
