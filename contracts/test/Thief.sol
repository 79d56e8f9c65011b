// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {ERC721Holder} from "@openzeppelin/contracts/token/ERC721/utils/ERC721Holder.sol";
import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletSettings} from "../src/AgentWalletSettings.sol";
import {Approval, Call, Receive, Spend, Transfer} from "../src/Approvals.sol";
import {PaymentRouter} from "../src/PaymentRouter.sol";
import {Exchange} from "./Exchange.sol";

/// What the thief does when somebody calls it in the midst of something.
struct Plan {
    /// Bit n stands for move n of `Thief`.
    uint256 moves;
    address token;
    /// What it pays itself.
    uint256 amount;
    /// What it makes the exchange take.
    uint256 take;
    uint256 subscriptionId;
    bytes32 intentId;
}

/// A contract that is an operator, the hop of a path, a merchant, and whom a token calls within each transfer.
contract Thief is ERC721Holder {
    address private constant NATIVE = address(0);
    uint256 public constant POSITION = 7;

    // Moves of a plan. The first five are entry points of the wallet, none of which may open from within another.
    uint256 public constant ENTRY_POINTS = 5;
    uint256 public constant TAKE = 5;
    uint256 public constant PULL = 6;
    uint256 public constant CHARGE = 7;
    uint256 public constant GIVE_BACK = 8;
    uint256 public constant SEIZE_SHARES = 9;
    uint256 public constant SEIZE_POSITION = 10;
    uint256 public constant SEIZE_TICKETS = 11;
    uint256 public constant WITHDRAW = 12;
    uint256 public constant INSTALL = 13;
    uint256 public constant MOVES = 14;

    AgentWallet private immutable WALLET;
    PaymentRouter private immutable ROUTER;
    Exchange private immutable EXCHANGE;

    Plan private _plan;
    bool private _isStriking;
    /// How often each move worked. What is undone afterwards was not done.
    mapping(uint256 move => uint256) public hits;
    uint256 public strikes;

    constructor(AgentWallet wallet, PaymentRouter router, Exchange exchange) {
        WALLET = wallet;
        ROUTER = router;
        EXCHANGE = exchange;
    }

    receive() external payable {
        strike();
    }

    function arm(Plan calldata plan) external {
        _plan = plan;
    }

    function disarm() external {
        delete _plan;
    }

    function give(address token, address to, uint256 amount) external {
        _give(token, to, amount);
    }

    function strike() public {
        if (_isStriking || _plan.moves == 0) return;
        _isStriking = true;
        ++strikes;
        Plan memory plan = _plan;
        for (uint256 move; move < MOVES; ++move) {
            if (plan.moves & (1 << move) == 0) continue;
            (address target, bytes memory data) = _moveOf(plan, move);
            (bool done,) = target.call(data);
            if (done) ++hits[move];
        }
        _isStriking = false;
    }

    /// How often something worked that must not.
    function breakIns() external view returns (uint256 count) {
        for (uint256 move; move < ENTRY_POINTS; ++move) {
            count += hits[move];
        }
        count += hits[PULL] + hits[CHARGE] + hits[WITHDRAW] + hits[INSTALL];
    }

    function _moveOf(Plan memory plan, uint256 move) private view returns (address target, bytes memory data) {
        if (move < ENTRY_POINTS) return (address(WALLET), _entryOf(plan, move));
        if (move == TAKE) {
            data = abi.encodeCall(Exchange.take, (plan.token, address(WALLET), address(this), plan.take));
            return (address(EXCHANGE), data);
        }
        if (move == PULL) {
            // Nobody is at home at the coin's address, and nobody says no.
            target = plan.token == NATIVE ? address(EXCHANGE) : plan.token;
            return (target, abi.encodeCall(IERC20.transferFrom, (address(WALLET), address(this), plan.amount)));
        }
        if (move == CHARGE) return (address(ROUTER), abi.encodeCall(ROUTER.charge, (plan.subscriptionId)));
        if (move == GIVE_BACK) {
            return (address(this), abi.encodeCall(this.give, (plan.token, address(WALLET), plan.amount)));
        }
        if (move == SEIZE_SHARES) {
            return (address(EXCHANGE), abi.encodeCall(Exchange.seizeShares, (address(this), 1)));
        }
        if (move == SEIZE_POSITION) {
            return (address(EXCHANGE), abi.encodeCall(Exchange.seizePosition, (address(this), POSITION)));
        }
        if (move == SEIZE_TICKETS) {
            return (address(EXCHANGE), abi.encodeCall(Exchange.seizeTickets, (address(this), POSITION, 1)));
        }
        if (move == WITHDRAW) {
            return (address(WALLET), abi.encodeCall(WALLET.withdraw, (plan.token, address(this), plan.amount)));
        }
        data = abi.encodeCall(AgentWalletSettings.setOperator, (address(EXCHANGE), type(uint64).max));
        return (address(WALLET), data);
    }

    function _entryOf(Plan memory plan, uint256 move) private view returns (bytes memory) {
        Approval memory none;
        // Each under an id of its own, or the first one that opens would close the others.
        bytes32 id = keccak256(abi.encode(plan.intentId, move));
        if (move == 0) {
            return
                abi.encodeCall(
                    AgentWallet.executePayment, (plan.token, address(this), plan.amount, plan.intentId, none)
                );
        }
        if (move == 1) {
            Transfer[] memory transfers = new Transfer[](1);
            transfers[0] = Transfer(plan.token, address(this), plan.amount);
            return abi.encodeCall(AgentWallet.executeBatch, (transfers, id, none));
        }
        if (move == 2) return abi.encodeCall(AgentWallet.executeCall, (_deposit(plan), id, none));
        if (move == 3) return abi.encodeCall(AgentWallet.chargeSubscription, (plan.subscriptionId, id, none));
        return abi.encodeCall(AgentWallet.refill, (plan.token));
    }

    function _deposit(Plan memory plan) private view returns (Call memory call) {
        call.target = address(EXCHANGE);
        call.data = abi.encodeCall(Exchange.deposit, (plan.token, plan.amount, address(WALLET)));
        call.spends = new Spend[](1);
        call.spends[0] = Spend(plan.token, plan.amount);
        call.receives = new Receive[](0);
    }

    function _give(address token, address to, uint256 amount) private {
        bool done;
        if (token == NATIVE) (done,) = to.call{value: amount}("");
        else (done,) = token.call(abi.encodeCall(IERC20.transfer, (to, amount)));
        require(done, "nothing to give");
    }
}
