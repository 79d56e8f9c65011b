// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {ExactTransfer} from "./ExactTransfer.sol";
import {PaymentRouter} from "./PaymentRouter.sol";

/// @title Paid services, what stands behind them and what their payers think of them
/// @notice A service has a stake, which an arbiter can slash, and a score, which only its recorded payments can change.
/// @dev The score is an average of stars, weighted by what was paid, so it is the same however a sum is divided among
/// payments and payers. `PRIOR` counts as so much paid by somebody who found the service neutral. Whoever pays himself a
/// total of T moves the score by at most T / (PRIOR + W + T) of its range, where W is all that was paid by raters before. T is
/// turnover: the same money can go in a circle, and costs its gas. A score says what payers of that much said, not that they
/// were customers; whoever reads it looks at the stake, too. A service names its payee by itself, and is rated by those who
/// paid there and chose to rate this service.
contract ServiceRegistry is ReentrancyGuardTransient {
    using ExactTransfer for IERC20;

    struct Entry {
        address owner;
        address payee;
        // When the stake may be taken back; 0: nobody asked to leave.
        uint64 leavableAt;
        bool hasLeft;
        uint256 stake;
        uint256 ratings;
        uint256 weight;
        uint256 weightedStars;
        string uri;
    }

    /// What a service looks like from outside.
    struct Service {
        uint256 id;
        address owner;
        address payee;
        string uri;
        uint256 stake;
        uint64 leavableAt;
        bool hasLeft;
        bool active;
        uint256 ratings;
        uint256 weight;
        uint256 scoreE18;
    }

    uint256 public constant MAX_URI_BYTES = 512;
    uint8 public constant STARS_MAX = 5;
    uint8 public constant STARS_NEUTRAL = 3;

    /// @notice What the neutral score of a new service weighs, in base units: 100 whole tokens.
    uint256 public immutable PRIOR;

    IERC20 public immutable TOKEN;
    PaymentRouter public immutable ROUTER;
    uint256 public immutable MIN_STAKE;
    uint64 public immutable LEAVE_DELAY;

    /// @notice Who may slash, and who may take that over by `acceptArbitration`.
    address public arbiter;
    address public pendingArbiter;

    /// @notice How many services there have been; their ids are 1 to this.
    uint256 public serviceCount;

    /// @notice Whether payments to `payee` are or were payments of the service: a new payee sheds no ratings.
    mapping(uint256 id => mapping(address payee => bool)) public isPayeeOf;

    /// @notice Whether the payment was rated, for whichever service.
    mapping(bytes32 paymentId => bool) public isRated;

    mapping(uint256 id => Entry) private _entries;

    event ServiceRegistered(
        uint256 indexed id, address indexed owner, address indexed payee, string uri, uint256 stake
    );
    event ServiceUpdated(uint256 indexed id, address indexed payee, string uri);
    event StakeAdded(uint256 indexed id, uint256 amount, uint256 stake);
    event LeaveRequested(uint256 indexed id, uint64 leavableAt);
    event ServiceLeft(uint256 indexed id, address indexed owner, uint256 stake);
    event ServiceRated(
        uint256 indexed id, address indexed payer, bytes32 indexed paymentId, uint256 amount, uint8 stars
    );
    event ServiceSlashed(
        uint256 indexed id, address indexed beneficiary, bytes32 indexed reasonHash, uint256 amount, uint256 stake
    );
    event ArbitrationOffered(address indexed arbiter, address indexed pendingArbiter);
    event ArbiterChanged(address indexed previousArbiter, address indexed arbiter);

    error InvalidConfiguration();
    error InvalidPayee(address payee);
    error UriTooLong(uint256 length);
    error ZeroAmount();
    error StakeTooSmall(uint256 stake, uint256 stakeMin);
    error NotServiceOwner(uint256 id, address caller);
    error NotArbiter(address caller);
    error NotPendingArbiter(address caller);
    error Leaving(uint256 id, uint256 leavableAt);
    error NotLeavable(uint256 id, uint256 leavableAt);
    error AlreadyLeft(uint256 id);
    error InvalidStars(uint8 stars);
    error NotPayeeOfService(uint256 id, address payee);
    error PaymentNotRecorded(bytes32 paymentId);
    error AlreadyRated(bytes32 paymentId);
    error StakeExceeded(uint256 id, uint256 amount, uint256 stake);

    constructor(IERC20 token, PaymentRouter router, address firstArbiter, uint256 minStake, uint64 leaveDelay) {
        bool areContracts = address(token).code.length > 0 && address(router).code.length > 0;
        if (!areContracts || firstArbiter == address(0)) revert InvalidConfiguration();
        TOKEN = token;
        PRIOR = 100 * 10 ** IERC20Metadata(address(token)).decimals();
        ROUTER = router;
        MIN_STAKE = minStake;
        LEAVE_DELAY = leaveDelay;
        arbiter = firstArbiter;
        emit ArbiterChanged(address(0), firstArbiter);
    }

    // The owner's side

    /// @notice Register a service that is paid at `payee` and described at `uri`, with `stake` out of the caller's
    /// allowance.
    function register(address payee, string calldata uri, uint256 stake) external nonReentrant returns (uint256 id) {
        if (stake < MIN_STAKE) revert StakeTooSmall(stake, MIN_STAKE);
        id = ++serviceCount;
        Entry storage entry = _entries[id];
        entry.owner = msg.sender;
        entry.stake = stake;
        _describe(id, payee, uri);
        TOKEN.pull(msg.sender, address(this), stake);
        emit ServiceRegistered(id, msg.sender, payee, uri, stake);
    }

    /// @notice Add to the stake: after a slash, say, that left less than the service needs to be active.
    function addStake(uint256 id, uint256 amount) external nonReentrant {
        Entry storage entry = _requireStaying(id);
        if (amount == 0) revert ZeroAmount();
        uint256 stake = entry.stake + amount;
        entry.stake = stake;
        TOKEN.pull(msg.sender, address(this), amount);
        emit StakeAdded(id, amount, stake);
    }

    /// @notice Change where the service is paid and described. What it earned by earlier payees stays its own.
    function update(uint256 id, address payee, string calldata uri) external {
        _requireStaying(id);
        _describe(id, payee, uri);
        emit ServiceUpdated(id, payee, uri);
    }

    /// @notice Begin to leave: the service is inactive from now on, its stake can be slashed until it is taken back.
    function requestLeave(uint256 id) external {
        Entry storage entry = _requireStaying(id);
        uint64 leavableAt = uint64(block.timestamp) + LEAVE_DELAY;
        entry.leavableAt = leavableAt;
        emit LeaveRequested(id, leavableAt);
    }

    /// @notice Take the stake back, `LEAVE_DELAY` after the request. The entry and its score stay to be read.
    function takeStakeBack(uint256 id) external nonReentrant {
        Entry storage entry = _requireOwner(id);
        // A proposer shifts the time of a block by seconds; what hangs on it here is hours and days.
        // slither-disable-next-line timestamp
        if (entry.leavableAt == 0 || block.timestamp < entry.leavableAt) revert NotLeavable(id, entry.leavableAt);
        uint256 stake = entry.stake;
        entry.stake = 0;
        entry.hasLeft = true;
        if (stake != 0) TOKEN.push(msg.sender, stake);
        emit ServiceLeft(id, msg.sender, stake);
    }

    // The payer's side

    /// @notice Rate a payment of the caller's that the router has on record, once, with 1 to 5 stars.
    function rate(uint256 id, address payee, uint256 amount, bytes32 paymentReference, uint8 stars) external {
        if (stars == 0 || stars > STARS_MAX) revert InvalidStars(stars);
        if (!isPayeeOf[id][payee]) revert NotPayeeOfService(id, payee);
        bytes32 paymentId = ROUTER.paymentIdOf(address(TOKEN), msg.sender, payee, amount, paymentReference);
        if (!ROUTER.isRecorded(paymentId)) revert PaymentNotRecorded(paymentId);
        if (isRated[paymentId]) revert AlreadyRated(paymentId);
        isRated[paymentId] = true;
        Entry storage entry = _entries[id];
        ++entry.ratings;
        entry.weight += amount;
        entry.weightedStars += amount * stars;
        emit ServiceRated(id, msg.sender, paymentId, amount, stars);
    }

    // The arbiter's side

    /// @notice Take `amount` of the stake for `beneficiary`. `reasonHash` names the decision, which is kept elsewhere.
    function slash(uint256 id, uint256 amount, address beneficiary, bytes32 reasonHash) external nonReentrant {
        if (msg.sender != arbiter) revert NotArbiter(msg.sender);
        if (amount == 0) revert ZeroAmount();
        Entry storage entry = _entries[id];
        if (amount > entry.stake) revert StakeExceeded(id, amount, entry.stake);
        uint256 stake = entry.stake - amount;
        entry.stake = stake;
        TOKEN.push(beneficiary, amount);
        emit ServiceSlashed(id, beneficiary, reasonHash, amount, stake);
    }

    /// @notice Offer the arbiter's place; nothing changes until it is accepted, and another offer replaces this one.
    function offerArbitration(address successor) external {
        if (msg.sender != arbiter) revert NotArbiter(msg.sender);
        // Zero: the offer is taken back.
        // slither-disable-next-line missing-zero-check
        pendingArbiter = successor;
        emit ArbitrationOffered(msg.sender, successor);
    }

    /// @notice Become the arbiter.
    function acceptArbitration() external {
        if (msg.sender != pendingArbiter) revert NotPendingArbiter(msg.sender);
        emit ArbiterChanged(arbiter, msg.sender);
        arbiter = msg.sender;
        pendingArbiter = address(0);
    }

    // Views

    /// @notice The service with this id; all zero (but a neutral score) for an id that was never given.
    function service(uint256 id) public view returns (Service memory) {
        Entry storage entry = _entries[id];
        return Service({
            id: entry.owner == address(0) ? 0 : id,
            owner: entry.owner,
            payee: entry.payee,
            uri: entry.uri,
            stake: entry.stake,
            leavableAt: entry.leavableAt,
            hasLeft: entry.hasLeft,
            active: isActive(id),
            ratings: entry.ratings,
            weight: entry.weight,
            scoreE18: scoreE18(id)
        });
    }

    /// @notice Up to `limit` services in the order of their ids, `offset` passed over, and how many there are in all.
    function services(uint256 offset, uint256 limit) external view returns (Service[] memory page, uint256 total) {
        total = serviceCount;
        page = new Service[](Math.min(limit, Math.saturatingSub(total, offset)));
        for (uint256 i; i < page.length; ++i) {
            page[i] = service(offset + i + 1);
        }
    }

    /// @notice Whether the service stays and its stake is large enough.
    function isActive(uint256 id) public view returns (bool) {
        Entry storage entry = _entries[id];
        return entry.owner != address(0) && entry.leavableAt == 0 && entry.stake >= MIN_STAKE;
    }

    /// @notice The service's stars times 1e18, between 1e18 and 5e18, rounded down.
    /// @dev (PRIOR * neutral + sum of amount * stars) / (PRIOR + sum of amounts). Another T at s stars moves it from A/B
    /// to (A + T s)/(B + T), where B = PRIOR + W: by T (s - A/B) / (B + T), at most T / (B + T) of the range of 4.
    function scoreE18(uint256 id) public view returns (uint256) {
        Entry storage entry = _entries[id];
        return (PRIOR * STARS_NEUTRAL + entry.weightedStars) * 1e18 / (PRIOR + entry.weight);
    }

    function _describe(uint256 id, address payee, string calldata uri) private {
        if (payee == address(0)) revert InvalidPayee(payee);
        if (bytes(uri).length > MAX_URI_BYTES) revert UriTooLong(bytes(uri).length);
        _entries[id].payee = payee;
        _entries[id].uri = uri;
        isPayeeOf[id][payee] = true;
    }

    function _requireOwner(uint256 id) private view returns (Entry storage entry) {
        entry = _entries[id];
        if (msg.sender != entry.owner) revert NotServiceOwner(id, msg.sender);
        if (entry.hasLeft) revert AlreadyLeft(id);
    }

    function _requireStaying(uint256 id) private view returns (Entry storage entry) {
        entry = _requireOwner(id);
        if (entry.leavableAt != 0) revert Leaving(id, entry.leavableAt);
    }
}
