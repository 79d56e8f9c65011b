// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Ownable, Ownable2Step} from "@openzeppelin/contracts/access/Ownable2Step.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IForbiddenCalls} from "./ForbiddenCalls.sol";
import {Limits} from "./Limits.sol";
import {PaymentRouter} from "./PaymentRouter.sol";
import {Subscriptions} from "./router/Subscriptions.sol";

/// @notice What there is one of for each token: how much may leave on a UTC day; up to which amount an operator needs no
/// approvers; up to which balance an operator's own account may be refilled.
enum LimitKind {
    Daily,
    ApprovalThreshold,
    PocketCeiling
}

/// @notice What of a contract is watched: the wallet's balance of it (of an ERC-20 token; of an ERC-721 collection, how many
/// of it), its balance of one ERC-1155 id, or whether it owns one ERC-721 id.
enum WatchedKind {
    Balance,
    Shares,
    Nft
}

/// @notice Something that no call may make less unless it declares it; `id` is zero for a balance.
struct Watched {
    address token;
    WatchedKind kind;
    uint256 id;
}

/// @title What the owner writes, and all that operators are bound by
/// @notice Deny by default: an unset limit, ceiling or threshold is zero, an unset operator, recipient or call is none.
abstract contract AgentWalletSettings is Ownable2Step, Pausable {
    using Limits for Limits.Limit;
    using Limits for Limits.DailySum;

    /// @notice How the chain's own coin is written where a token is asked for.
    address public constant NATIVE = address(0);
    /// @notice The longest delay, so that nobody locks limits up by a slip.
    uint32 public constant RAISE_DELAY_MAX = 30 days;
    /// @notice Each watched balance is read before and after a call.
    uint256 public constant WATCHED_MAX = 32;

    /// @notice The only one that can begin a wallet.
    address public immutable FACTORY;
    /// @notice Where this wallet's subscriptions are.
    PaymentRouter public immutable ROUTER;

    /// @notice Who can pause, and nothing else.
    address public guardian;
    /// @notice Whether operators can pay recipients of the list only.
    bool public isAllowlistOn;
    /// @notice How many approvers must sign what is above a threshold; zero when there are none.
    uint64 public quorum;
    /// @notice Which set of approvers is in force. Signatures name it, and die with it.
    uint256 public approverSet;

    /// @notice Until when (unix time, excluded) an operator may act; zero for everybody else.
    mapping(address operator => uint64) public operatorExpiresAt;
    /// @notice Who is on the list of recipients.
    mapping(address recipient => bool) public isRecipient;

    Limits.Limit private _raiseDelay;
    mapping(LimitKind kind => mapping(address token => Limits.Limit)) private _limits;
    mapping(address token => Limits.DailySum) private _spent;
    mapping(uint256 set => mapping(address approver => bool)) private _approvers;
    mapping(address target => mapping(bytes4 selector => CallRule)) private _calls;
    Watched[] private _watched;

    struct CallRule {
        bool allowed;
        uint16[] recipientOffsets;
    }

    event OperatorSet(address indexed operator, uint64 expiresAt);
    event GuardianSet(address indexed guardian);
    event RaiseDelaySet(uint32 delay, uint32 from);
    event LimitSet(LimitKind indexed kind, address indexed token, uint112 value, uint32 from);
    event AllowlistSet(bool on);
    event RecipientSet(address indexed recipient, bool allowed);
    event ApproversSet(uint256 indexed set, address[] approvers, uint64 quorum);
    event CallAllowed(address indexed target, bytes4 indexed selector, uint16[] recipientOffsets);
    event CallDisallowed(address indexed target, bytes4 indexed selector);
    event WatchedSet(address indexed token, WatchedKind kind, uint256 id, bool watched);

    error NotFactory(address caller);
    error NotOperator(address caller);
    error NotGuardian(address caller);
    error OwnershipIsKept();
    error ExpiryInThePast(uint64 expiresAt);
    error InvalidOperator(address operator);
    error RaiseDelayTooLong(uint32 delay);
    error InvalidApprovers(address approver);
    error InvalidQuorum(uint256 quorum, uint256 approvers);
    error InvalidRecipient(address recipient);
    error RecipientNotAllowed(address recipient);
    error InvalidTarget(address target);
    error ForbiddenSelector(bytes4 selector);
    error CallNotAllowed(address target, bytes4 selector);
    error RecipientNotPinned(uint256 offset);
    error TooManyWatched();
    error InvalidWatched(address token, WatchedKind kind, uint256 id);
    error NotWatched(address token, uint256 id);
    error DailyLimitExceeded(address token, uint256 amount, uint256 remaining);

    modifier onlyOperator() {
        _checkOperator();
        _;
    }

    constructor(address factory, PaymentRouter router) Ownable(factory) {
        FACTORY = factory;
        ROUTER = router;
    }

    /// @notice Begin. The factory owns a new wallet while it sets it up, and hands it over within the same transaction.
    function initialize(address firstOwner) external {
        bool isNew = owner() == address(0) || owner() == FACTORY;
        if (msg.sender != FACTORY || !isNew) revert NotFactory(msg.sender);
        _transferOwnership(firstOwner);
    }

    // Who

    /// @notice Let `operator` act until the unix time `expiresAt`; again to prolong or shorten.
    function setOperator(address operator, uint64 expiresAt) external onlyOwner {
        _setOperator(operator, expiresAt);
    }

    /// @notice Take an operator's rights away, at once.
    function revokeOperator(address operator) external onlyOwner {
        _revokeOperator(operator);
    }

    /// @notice Put `replacement` in the place of `operator`, at once.
    function rotateOperator(address operator, address replacement, uint64 expiresAt) external onlyOwner {
        _revokeOperator(operator);
        _setOperator(replacement, expiresAt);
    }

    function isOperator(address account) public view returns (bool) {
        // A proposer shifts the time of a block by seconds; what hangs on it here is hours and days.
        // slither-disable-next-line timestamp
        return block.timestamp < operatorExpiresAt[account];
    }

    /// @notice Name who can pause (zero: only the owner).
    function setGuardian(address newGuardian) external onlyOwner {
        // Zero: there is no guardian.
        // slither-disable-next-line missing-zero-check
        guardian = newGuardian;
        emit GuardianSet(newGuardian);
    }

    /// @notice Stop every operator. The guardian can, so that it need not wait for the owner.
    function pause() external {
        if (msg.sender != guardian && msg.sender != owner()) revert NotGuardian(msg.sender);
        _pause();
    }

    /// @notice Let operators act again; only the owner can, or a stolen guardian's key could undo its own pause.
    function unpause() external onlyOwner {
        _unpause();
    }

    /// @notice A wallet without an owner would keep its money for ever.
    function renounceOwnership() public pure override {
        revert OwnershipIsKept();
    }

    /// @notice Replace all approvers; what the old ones signed is void. None and a quorum of zero takes them away: then
    /// nothing above a threshold can leave.
    /// @param approvers Strictly rising; none of them an operator, since whoever proposes must not approve.
    function setApprovers(address[] calldata approvers, uint256 newQuorum) external onlyOwner {
        if (newQuorum > approvers.length || (newQuorum == 0) != (approvers.length == 0)) {
            revert InvalidQuorum(newQuorum, approvers.length);
        }
        uint256 set = ++approverSet;
        address previous = address(0);
        for (uint256 i; i < approvers.length; ++i) {
            // An expiry, as in isOperator.
            // slither-disable-next-line timestamp
            if (approvers[i] <= previous || isOperator(approvers[i])) revert InvalidApprovers(approvers[i]);
            previous = approvers[i];
            _approvers[set][previous] = true;
        }
        // at most as many as there are in this transaction's call data
        quorum = uint64(newQuorum);
        emit ApproversSet(set, approvers, quorum);
    }

    function isApprover(address account) public view returns (bool) {
        return _approvers[approverSet][account];
    }

    // How much

    /// @notice Set a limit of `token`, in base units. Lowering holds at once, raising when the raise delay has passed.
    /// (Around midnight, two days' daily limits can leave within minutes.)
    function setLimit(LimitKind kind, address token, uint112 value) external onlyOwner {
        bool raises = value > limitOf(kind, token);
        uint32 from = _limits[kind][token].set(value, raises ? raiseDelay() : 0);
        if (kind == LimitKind.Daily && raises && token != NATIVE) _watch(token, WatchedKind.Balance, 0);
        emit LimitSet(kind, token, value, from);
    }

    /// @notice How long a raise of a limit, threshold or ceiling waits. A longer delay holds at once, a shorter one only
    /// when the present one has passed.
    function setRaiseDelay(uint32 delay) external onlyOwner {
        if (delay > RAISE_DELAY_MAX) revert RaiseDelayTooLong(delay);
        uint32 present = raiseDelay();
        uint32 from = _raiseDelay.set(delay, delay < present ? present : 0);
        emit RaiseDelaySet(delay, from);
    }

    /// @notice The limit that holds now; one that is not set is zero.
    function limitOf(LimitKind kind, address token) public view returns (uint112) {
        return _limits[kind][token].value();
    }

    /// @notice A limit as stored, with what is scheduled and from when.
    function scheduledLimitOf(LimitKind kind, address token) external view returns (Limits.Limit memory) {
        return _limits[kind][token];
    }

    function raiseDelay() public view returns (uint32) {
        // set from 32 bits only
        return uint32(_raiseDelay.value());
    }

    /// @notice How much of `token` operators made leave on this UTC day.
    function spentToday(address token) external view returns (uint256) {
        return _spent[token].today();
    }

    /// @notice How much of `token` operators can still make leave on this UTC day.
    function remainingToday(address token) public view returns (uint256) {
        return _spent[token].remaining(limitOf(LimitKind.Daily, token));
    }

    // To whom

    /// @notice Turn the list of recipients on or off.
    function setAllowlist(bool on) external onlyOwner {
        isAllowlistOn = on;
        emit AllowlistSet(on);
    }

    /// @notice Put `recipient` on the list, or take it off.
    function setRecipient(address recipient, bool allowed) external onlyOwner {
        isRecipient[recipient] = allowed;
        emit RecipientSet(recipient, allowed);
    }

    // By which calls

    /// @notice Let operators call `selector` of `target`, with the wallet's own address at each of `recipientOffsets`.
    /// @param recipientOffsets Byte offsets behind the selector of those 32-byte words that say who receives: for an
    /// argument, the sum of what stands in front of it in the head (32 for each elementary or dynamic argument, all the
    /// words of a static struct or array). Only words of the head can be pinned: a function whose recipient lies inside of
    /// `bytes`, a dynamic array or a struct with such parts must not be allowed.
    function allowCall(address target, bytes4 selector, uint16[] calldata recipientOffsets) external onlyOwner {
        if (target == address(this) || target == FACTORY) revert InvalidTarget(target);
        if (IForbiddenCalls(FACTORY).isForbidden(selector)) revert ForbiddenSelector(selector);
        // Whatever else it does is paying, and that has entry points of its own, which look at the recipient.
        if (target == address(ROUTER) && !_isRouterCall(selector)) {
            revert ForbiddenSelector(selector);
        }
        _calls[target][selector] = CallRule(true, recipientOffsets);
        emit CallAllowed(target, selector, recipientOffsets);
    }

    /// @notice Take it back.
    function disallowCall(address target, bytes4 selector) external onlyOwner {
        delete _calls[target][selector];
        emit CallDisallowed(target, selector);
    }

    function callRule(address target, bytes4 selector) external view returns (CallRule memory) {
        return _calls[target][selector];
    }

    /// @notice Watch something in calls. A token is watched from when its daily limit is raised; the chain's coin always.
    function watch(Watched calldata item) external onlyOwner {
        if (item.token == NATIVE || (item.kind == WatchedKind.Balance && item.id != 0)) {
            revert InvalidWatched(item.token, item.kind, item.id);
        }
        _watch(item.token, item.kind, item.id);
    }

    /// @notice Watch it no more: the way out when a watched token hinders all calls.
    function unwatch(Watched calldata item) external onlyOwner {
        uint256 index = _indexOf(item.token, item.kind, item.id);
        if (index == _watched.length) revert NotWatched(item.token, item.id);
        _watched[index] = _watched[_watched.length - 1];
        _watched.pop();
        emit WatchedSet(item.token, item.kind, item.id, false);
    }

    function watched() public view returns (Watched[] memory) {
        return _watched;
    }

    // What the entry points ask

    function _checkOperator() private view {
        if (!isOperator(msg.sender)) revert NotOperator(msg.sender);
    }

    /// @dev Who an operator may pay: the zero address, this wallet or its factory never; with the list on, who is on it.
    function _requireRecipient(address recipient) internal view {
        if (recipient == address(0) || recipient == address(this) || recipient == FACTORY) {
            revert InvalidRecipient(recipient);
        }
        if (isAllowlistOn && !isRecipient[recipient]) revert RecipientNotAllowed(recipient);
    }

    /// @dev That the owner allowed this call, and that what it sends to whom names this wallet.
    function _requireAllowedCall(address target, bytes calldata data) internal view {
        bytes4 selector = bytes4(data);
        CallRule storage rule = _calls[target][selector];
        // bytes4() pads with zeros what is shorter
        if (data.length < 4 || !rule.allowed) revert CallNotAllowed(target, selector);
        uint256 count = rule.recipientOffsets.length;
        for (uint256 i; i < count; ++i) {
            uint256 offset = rule.recipientOffsets[i];
            uint256 end = 4 + offset + 32;
            if (data.length < end || bytes32(data[4 + offset:end]) != bytes32(uint256(uint160(address(this))))) {
                revert RecipientNotPinned(offset);
            }
        }
    }

    /// @dev Everything that an operator makes leave comes through here.
    function _countSpending(address token, uint256 amount) internal {
        uint112 limit = limitOf(LimitKind.Daily, token);
        if (!_spent[token].count(amount, limit)) {
            revert DailyLimitExceeded(token, amount, _spent[token].remaining(limit));
        }
    }

    /// @dev What was counted in this transaction and did not leave.
    function _giveBack(address token, uint256 amount) internal {
        _spent[token].giveBack(amount);
    }

    // How settings are written

    function _setOperator(address operator, uint64 expiresAt) private {
        if (operator == address(0) || operator == address(this) || isApprover(operator)) {
            revert InvalidOperator(operator);
        }
        // A proposer shifts the time of a block by seconds; what hangs on it here is hours and days.
        // slither-disable-next-line timestamp
        if (expiresAt <= block.timestamp) revert ExpiryInThePast(expiresAt);
        operatorExpiresAt[operator] = expiresAt;
        emit OperatorSet(operator, expiresAt);
    }

    function _revokeOperator(address operator) private {
        delete operatorExpiresAt[operator];
        emit OperatorSet(operator, 0);
    }

    function _watch(address token, WatchedKind kind, uint256 id) private {
        if (_indexOf(token, kind, id) < _watched.length) return;
        if (_watched.length == WATCHED_MAX) revert TooManyWatched();
        _watched.push(Watched(token, kind, id));
        emit WatchedSet(token, kind, id, true);
    }

    /// @dev Where it stands in the list; the list's length when it does not.
    function _indexOf(address token, WatchedKind kind, uint256 id) private view returns (uint256 index) {
        for (; index < _watched.length; ++index) {
            Watched storage item = _watched[index];
            if (item.token == token && item.kind == kind && item.id == id) break;
        }
    }

    function _isRouterCall(bytes4 selector) private pure returns (bool) {
        return selector == Subscriptions.subscribe.selector || selector == Subscriptions.cancel.selector;
    }
}
