// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155} from "@openzeppelin/contracts/token/ERC1155/IERC1155.sol";
import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";
import {AgentWalletSettings, LimitKind, Watched, WatchedKind} from "./AgentWalletSettings.sol";
import {Approval, Approvals, ApproverSignature, Call, Receive, Spend, Terms, Transfer} from "./Approvals.sol";
import {IntentIds} from "./IntentIds.sol";
import {PaymentRouter} from "./PaymentRouter.sol";
import {Subscriptions} from "./router/Subscriptions.sol";

/// @title The vault of one agent
/// @notice The owner's money, which operators (keys on a server) may spend within what the owner wrote here. Whoever
/// steals an operator's key and the whole server can take a UTC day's limit of each token, once a day until the owner
/// revokes the key or the guardian pauses, and whatever lies in the operator's own pocket; nothing more.
/// @dev Every entry point: guards, the intent's id is used up, money moves, what moved is measured and counted. It signs
/// nothing (no ERC-1271), so no permit and no authorization can be made in its name; it makes no delegatecall.
contract AgentWallet is AgentWalletSettings, IntentIds, ReentrancyGuardTransient, ERC721Holder, ERC1155Holder {
    using SafeERC20 for IERC20;

    event Received(address indexed from, uint256 amount);
    /// @notice `amount` of `token` left for `to`: a payment, an item of a batch, or a subscription's charge.
    event Paid(bytes32 indexed intentId, address indexed token, address indexed to, uint256 amount, address operator);
    event SubscriptionCharged(bytes32 indexed intentId, uint256 indexed subscriptionId);
    event Called(
        bytes32 indexed intentId, address indexed target, bytes4 indexed selector, uint256 value, address operator
    );
    /// @notice A call took `amount` of `token`.
    event Spent(bytes32 indexed intentId, address indexed token, address indexed target, uint256 amount);
    event Refilled(address indexed operator, address indexed token, uint256 amount);
    event Withdrawn(address indexed token, address indexed to, uint256 amount);
    event NftWithdrawn(address indexed token, address indexed to, uint256 id, uint256 amount);

    error NothingToPay();
    error BatchNotSorted(address token);
    error NothingToRefill(address token);
    error ApprovalMissing(address token, uint256 amount, uint256 threshold);
    error ApprovalExpired(uint256 deadline);
    error TooFewSignatures(uint256 given, uint256 quorum);
    error NotApprover(address account);
    error ApproversNotRising(address approver);
    error InvalidApproverSignature(address approver);
    error TokensNotRising(address token);
    error NothingToSpend(address token);
    error SpentAndReceived(address token);
    error SpentTooMuch(address token, uint256 amount, uint256 amountMax);
    error ReceivedTooLittle(address token, uint256 amount, uint256 amountMin);
    error UndeclaredOutflow(address token, uint256 id);
    error AllowanceLeft(address token, address spender);
    error UnexpectedOutflow(address token, uint256 amount);
    error NotOurSubscription(uint256 subscriptionId);

    constructor(PaymentRouter router) AgentWalletSettings(msg.sender, router) {}

    /// @dev An event and no more: a contract that sends with 2,300 gas (WCRO) must get through.
    receive() external payable {
        emit Received(msg.sender, msg.value);
    }

    // What operators may do

    /// @notice Pay `amount` of `token` to `to`.
    /// @param approval Empty, unless the amount is above the token's threshold. So it is in all entry points.
    function executePayment(address token, address to, uint256 amount, bytes32 intentId, Approval calldata approval)
        external
        onlyOperator
        whenNotPaused
        nonReentrant
    {
        _useIntent(intentId);
        if (_needsApproval(token, amount, approval)) {
            _requireApproved(Approvals.hashPayment(token, to, amount, _terms(intentId, approval)), approval);
        }
        _pay(token, to, amount, intentId);
    }

    /// @notice All of these payments, or none.
    /// @param transfers Sorted by token, so that each token's sum is known where its last one stands.
    function executeBatch(Transfer[] calldata transfers, bytes32 intentId, Approval calldata approval)
        external
        onlyOperator
        whenNotPaused
        nonReentrant
    {
        _useIntent(intentId);
        if (_doesBatchNeedApproval(transfers, approval)) {
            _requireApproved(Approvals.hashBatch(transfers, _terms(intentId, approval)), approval);
        }
        for (uint256 i; i < transfers.length; ++i) {
            _pay(transfers[i].token, transfers[i].to, transfers[i].amount, intentId);
        }
    }

    /// @notice Call a protocol, within what it is declared to take and to bring. What it may take is approved to the
    /// target for this call only, and counted by what it took; the coin that goes along, in full.
    function executeCall(Call calldata call, bytes32 intentId, Approval calldata approval)
        external
        onlyOperator
        whenNotPaused
        nonReentrant
    {
        _useIntent(intentId);
        _requireRecipient(call.target);
        _requireAllowedCall(call.target, call.data);
        _requireDeclarations(call);
        if (_doesCallNeedApproval(call, approval)) {
            _requireApproved(Approvals.hashCall(call, _terms(intentId, approval)), approval);
        }
        _callMeasured(call, intentId);
        emit Called(intentId, call.target, bytes4(call.data), call.value, msg.sender);
    }

    /// @notice Pay what is due of a subscription of this wallet's.
    function chargeSubscription(uint256 subscriptionId, bytes32 intentId, Approval calldata approval)
        external
        onlyOperator
        whenNotPaused
        nonReentrant
    {
        _useIntent(intentId);
        Subscriptions.Subscription memory due = ROUTER.subscription(subscriptionId);
        if (due.payer != address(this)) revert NotOurSubscription(subscriptionId);
        if (_needsApproval(due.token, due.amount, approval)) {
            Terms memory terms = _terms(intentId, approval);
            _requireApproved(Approvals.hashCharge(subscriptionId, due.token, due.merchant, due.amount, terms), approval);
        }
        _requirePayee(due.token, due.merchant);
        _countSpending(due.token, due.amount);
        _chargeOnce(subscriptionId, due.token, due.amount);
        emit Paid(intentId, due.token, due.merchant, due.amount, msg.sender);
        emit SubscriptionCharged(intentId, subscriptionId);
    }

    /// @notice Fill the calling operator's own account up to the ceiling, as far as today's limit and the balance reach.
    /// @dev Neither recipients nor thresholds are looked at: the ceiling is what bounds it.
    function refill(address token) external onlyOperator whenNotPaused nonReentrant returns (uint256 amount) {
        amount = Math.saturatingSub(limitOf(LimitKind.PocketCeiling, token), _balanceOf(token, msg.sender));
        amount = Math.min(amount, Math.min(remainingToday(token), _balanceOf(token, address(this))));
        // Zero comes of a full pocket, a used limit or an empty vault, whoever arranged for it.
        // slither-disable-next-line incorrect-equality
        if (amount == 0) revert NothingToRefill(token);
        _countSpending(token, amount);
        _send(token, msg.sender, amount);
        emit Refilled(msg.sender, token, amount);
    }

    // What the owner may always do

    /// @notice End a subscription of this wallet's, at once.
    function cancelSubscription(uint256 subscriptionId) external onlyOwner nonReentrant {
        ROUTER.cancel(subscriptionId);
    }

    /// @notice Take `amount` of `token` out, without limits, paused or not.
    function withdraw(address token, address to, uint256 amount) external onlyOwner nonReentrant {
        if (to == address(0)) revert InvalidRecipient(to);
        _transfer(token, to, amount);
        emit Withdrawn(token, to, amount);
    }

    /// @notice Take an ERC-721 token out.
    function withdrawERC721(address token, address to, uint256 id) external onlyOwner nonReentrant {
        IERC721(token).transferFrom(address(this), to, id);
        emit NftWithdrawn(token, to, id, 1);
    }

    /// @notice Take `amount` of an ERC-1155 id out.
    function withdrawERC1155(address token, address to, uint256 id, uint256 amount) external onlyOwner nonReentrant {
        IERC1155(token).safeTransferFrom(address(this), to, id, amount, "");
        emit NftWithdrawn(token, to, id, amount);
    }

    // What approvers ask

    /// @notice The EIP-712 domain of this wallet (ERC-5267): all of it but a salt.
    function eip712Domain()
        external
        view
        returns (
            bytes1 fields,
            string memory name,
            string memory version,
            uint256 chainId,
            address verifyingContract,
            bytes32 salt,
            uint256[] memory extensions
        )
    {
        return (0x0f, Approvals.NAME, Approvals.VERSION, block.chainid, address(this), bytes32(0), new uint256[](0));
    }

    // The steps of them

    function _pay(address token, address to, uint256 amount, bytes32 intentId) private {
        if (amount == 0) revert NothingToPay();
        _requirePayee(token, to);
        _countSpending(token, amount);
        _send(token, to, amount);
        emit Paid(intentId, token, to, amount, msg.sender);
    }

    /// @dev Neither the router nor a token can send on what is paid to it.
    function _requirePayee(address token, address to) private view {
        if (to == address(ROUTER) || to == token) revert InvalidRecipient(to);
        _requireRecipient(to);
    }

    /// @dev Whether approvers must sign. Where they must and nobody did, this is where it ends, and says for what.
    function _needsApproval(address token, uint256 amount, Approval calldata approval) private view returns (bool) {
        uint256 threshold = limitOf(LimitKind.ApprovalThreshold, token);
        if (amount <= threshold) return false;
        if (approval.signatures.length == 0) revert ApprovalMissing(token, amount, threshold);
        return true;
    }

    /// @dev By the sum for each token: splitting an amount within a batch gets around nothing.
    function _doesBatchNeedApproval(Transfer[] calldata transfers, Approval calldata approval)
        private
        view
        returns (bool needed)
    {
        if (transfers.length == 0) revert NothingToPay();
        address token = transfers[0].token;
        // It starts at zero.
        // slither-disable-next-line uninitialized-local
        uint256 sum;
        for (uint256 i; i < transfers.length; ++i) {
            if (transfers[i].token < token) revert BatchNotSorted(transfers[i].token);
            sum = transfers[i].token == token ? sum + transfers[i].amount : transfers[i].amount;
            token = transfers[i].token;
            if (_needsApproval(token, sum, approval)) needed = true;
        }
    }

    /// @dev By what it may take at most.
    function _doesCallNeedApproval(Call calldata call, Approval calldata approval) private view returns (bool needed) {
        needed = _needsApproval(NATIVE, call.value, approval);
        for (uint256 i; i < call.spends.length; ++i) {
            if (_needsApproval(call.spends[i].token, call.spends[i].amountMax, approval)) needed = true;
        }
    }

    /// @dev What every digest ends with.
    function _terms(bytes32 intentId, Approval calldata approval) private view returns (Terms memory) {
        return Terms(intentId, approval.deadline, approverSet);
    }

    /// @dev They are used up with the intent's id, which each of them binds.
    function _requireApproved(bytes32 structHash, Approval calldata approval) private view {
        // A proposer shifts the time of a block by seconds; what hangs on it here is hours and days.
        // slither-disable-next-line timestamp
        if (block.timestamp > approval.deadline) revert ApprovalExpired(approval.deadline);
        uint256 given = approval.signatures.length;
        // Without approvers the quorum is zero, and nobody can approve.
        if (quorum == 0 || given < quorum) revert TooFewSignatures(given, quorum);
        bytes32 digest = Approvals.digestOf(structHash);
        address previous = address(0);
        for (uint256 i; i < given; ++i) {
            ApproverSignature calldata signed = approval.signatures[i];
            if (signed.approver <= previous) revert ApproversNotRising(signed.approver);
            if (!isApprover(signed.approver)) revert NotApprover(signed.approver);
            if (!SignatureChecker.isValidSignatureNowCalldata(signed.approver, digest, signed.signature)) {
                revert InvalidApproverSignature(signed.approver);
            }
            previous = signed.approver;
        }
    }

    // Calls

    /// @dev Each list rises, so that no token stands in it twice, and none stands in both. A token of which nothing may be
    /// spent is not approved: that would be a call of any contract, with no limit above zero to name it. Nothing is spent
    /// where subscriptions are made, or a merchant could charge one within the call, past the list of recipients.
    function _requireDeclarations(Call calldata call) private view {
        if (call.target == address(ROUTER) && call.spends.length != 0) revert InvalidTarget(call.target);
        // The coin, which is the lowest, is not among them: it is spent as `value`.
        address previous = NATIVE;
        for (uint256 i; i < call.spends.length; ++i) {
            if (call.spends[i].amountMax == 0) revert NothingToSpend(call.spends[i].token);
            if (call.spends[i].token <= previous) revert TokensNotRising(call.spends[i].token);
            previous = call.spends[i].token;
        }
        for (uint256 i; i < call.receives.length; ++i) {
            address token = call.receives[i].token;
            if (i > 0 && token <= previous) revert TokensNotRising(token);
            if (_isSpent(call, token)) revert SpentAndReceived(token);
            previous = token;
        }
    }

    function _isSpent(Call calldata call, address token) private pure returns (bool) {
        if (token == NATIVE) return call.value != 0;
        for (uint256 i; i < call.spends.length; ++i) {
            if (call.spends[i].token == token) return true;
        }
        return false;
    }

    /// @dev What may be taken is counted first, and what was not taken is given back afterwards. The coin that goes along
    /// counts in full. Balances are read before and after; the list of what is watched is the one of before.
    function _callMeasured(Call calldata call, bytes32 intentId) private {
        Watched[] memory items = watched();
        uint256[] memory spendsBefore = new uint256[](call.spends.length);
        uint256[] memory receivesBefore = new uint256[](call.receives.length);
        uint256[] memory itemsBefore = new uint256[](items.length);
        for (uint256 i; i < spendsBefore.length; ++i) {
            spendsBefore[i] = _balanceOf(call.spends[i].token, address(this));
        }
        for (uint256 i; i < receivesBefore.length; ++i) {
            receivesBefore[i] = _balanceOf(call.receives[i].token, address(this));
        }
        for (uint256 i; i < itemsBefore.length; ++i) {
            itemsBefore[i] = _balanceOf(items[i]);
        }
        _countSpending(NATIVE, call.value);
        for (uint256 i; i < call.spends.length; ++i) {
            _countSpending(call.spends[i].token, call.spends[i].amountMax);
            IERC20(call.spends[i].token).forceApprove(call.target, call.spends[i].amountMax);
        }

        // What a protocol says is not believed: balances are measured.
        // slither-disable-next-line unused-return
        Address.functionCallWithValue(call.target, call.data, call.value);

        if (call.value != 0) emit Spent(intentId, NATIVE, call.target, call.value);
        for (uint256 i; i < call.spends.length; ++i) {
            _settleSpend(call.spends[i], call.target, spendsBefore[i], intentId);
        }
        for (uint256 i; i < call.receives.length; ++i) {
            _settleReceive(call.receives[i], receivesBefore[i]);
        }
        for (uint256 i; i < items.length; ++i) {
            // A declaration is of a token, never of its ids.
            if (items[i].kind == WatchedKind.Balance && _isSpent(call, items[i].token)) continue;
            if (_balanceOf(items[i]) < itemsBefore[i]) revert UndeclaredOutflow(items[i].token, items[i].id);
        }
    }

    /// @dev What was taken is what the allowance was used for, or by what the balance fell where that is more: a payment
    /// to this wallet that somebody makes arrive meanwhile must not hide what leaves.
    function _settleSpend(Spend calldata spend, address target, uint256 balanceBefore, bytes32 intentId) private {
        // As in _takeAllowanceBack.
        // slither-disable-next-line calls-loop
        uint256 unused = IERC20(spend.token).allowance(address(this), target);
        _takeAllowanceBack(spend.token, target);
        uint256 balance = _balanceOf(spend.token, address(this));
        uint256 fell = Math.saturatingSub(balanceBefore, balance);
        if (fell > spend.amountMax) revert SpentTooMuch(spend.token, fell, spend.amountMax);
        uint256 amount = Math.max(Math.saturatingSub(spend.amountMax, unused), fell);
        _giveBack(spend.token, spend.amountMax - amount);
        if (amount != 0) emit Spent(intentId, spend.token, target, amount);
    }

    function _settleReceive(Receive calldata expected, uint256 balanceBefore) private view {
        uint256 balance = _balanceOf(expected.token, address(this));
        // A token that is to come must not leave, even where zero is all that is asked for.
        uint256 amount = Math.saturatingSub(balance, balanceBefore);
        if (balance < balanceBefore || amount < expected.amountMin) {
            revert ReceivedTooLittle(expected.token, amount, expected.amountMin);
        }
    }

    // Moving

    /// @dev With an allowance of just this charge, for the length of it. The router sees to it that just as much leaves.
    function _chargeOnce(uint256 subscriptionId, address token, uint256 amount) private {
        IERC20(token).forceApprove(address(ROUTER), amount);
        ROUTER.charge(subscriptionId);
        _takeAllowanceBack(token, address(ROUTER));
    }

    function _takeAllowanceBack(address token, address spender) private {
        IERC20(token).forceApprove(spender, 0);
        // A batch and a call may name many tokens. One that fails is to fail all of it, and only the operator bears the gas.
        // slither-disable-next-line calls-loop
        if (IERC20(token).allowance(address(this), spender) != 0) revert AllowanceLeft(token, spender);
    }

    /// @dev What was counted is what left. A token may take more than it was told to, or move nothing and say yes.
    function _send(address token, address to, uint256 amount) private {
        uint256 balanceBefore = _balanceOf(token, address(this));
        _transfer(token, to, amount);
        // The coin is the chain's own: there it is so anyway, and a recipient may well send some of it back.
        if (token == NATIVE) return;
        if (_balanceOf(token, address(this)) != balanceBefore - amount) revert UnexpectedOutflow(token, amount);
    }

    function _transfer(address token, address to, uint256 amount) private {
        if (token == NATIVE) Address.sendValue(payable(to), amount);
        else IERC20(token).safeTransfer(to, amount);
    }

    function _balanceOf(address token, address account) private view returns (uint256) {
        // A batch and a call may name many tokens. One that fails is to fail all of it, and only the operator bears the gas.
        // slither-disable-next-line calls-loop
        return token == NATIVE ? account.balance : IERC20(token).balanceOf(account);
    }

    function _balanceOf(Watched memory item) private view returns (uint256) {
        // At most WATCHED_MAX of the owner's own choice, who can take off the list what hinders.
        // slither-disable-next-line calls-loop
        if (item.kind == WatchedKind.Shares) return IERC1155(item.token).balanceOf(address(this), item.id);
        if (item.kind == WatchedKind.Balance) return _balanceOf(item.token, address(this));
        // The same.
        // slither-disable-next-line calls-loop
        return IERC721(item.token).ownerOf(item.id) == address(this) ? 1 : 0;
    }
}
