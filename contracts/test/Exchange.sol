// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155} from "@openzeppelin/contracts/token/ERC1155/ERC1155.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";

/// What a protocol gives out and can take back without an allowance, as it does with shares and positions.
abstract contract Seizable {
    address internal immutable EXCHANGE = msg.sender;

    modifier onlyExchange() {
        require(msg.sender == EXCHANGE, "only the exchange");
        _;
    }
}

contract Shares is Seizable, ERC20("Shares", "SHR") {
    function issue(address to, uint256 amount) external onlyExchange {
        _mint(to, amount);
    }

    function seize(address from, address to, uint256 amount) external onlyExchange {
        _transfer(from, to, amount);
    }
}

contract Positions is Seizable, ERC721("Positions", "POS") {
    function issue(address to, uint256 id) external onlyExchange {
        _mint(to, id);
    }

    function seize(address to, uint256 id) external onlyExchange {
        _update(to, id, address(0));
    }
}

contract Tickets is Seizable, ERC1155("") {
    function issue(address to, uint256 id, uint256 amount) external onlyExchange {
        _mint(to, id, amount, "");
    }

    function seize(address from, address to, uint256 id, uint256 amount) external onlyExchange {
        _update(from, to, _one(id), _one(amount));
    }

    function _one(uint256 value) private pure returns (uint256[] memory list) {
        list = new uint256[](1);
        list[0] = value;
    }
}

/// A protocol as bad as an owner may happen to allow: anybody sets its price, it calls whom a path names, whoever asks gets
/// what somebody's allowance lets it take, and while a holder's call is under way that holder's shares, too.
contract Exchange {
    using SafeERC20 for IERC20;

    Shares public immutable SHARES = new Shares();
    Positions public immutable POSITIONS = new Positions();
    Tickets public immutable TICKETS = new Tickets();

    uint256 public pricePercent = 100;
    mapping(address account => mapping(address token => uint256)) public deposits;
    mapping(address account => uint256) public rewards;
    address private _customer;

    modifier onlyDuringACall() {
        require(_customer != address(0), "nobody's call");
        _;
    }

    receive() external payable {}

    function issue(address to, uint256 id, uint256 amount) external {
        SHARES.issue(to, amount);
        POSITIONS.issue(to, id);
        TICKETS.issue(to, id, amount);
    }

    function setPrice(uint256 percent) external {
        pricePercent = percent;
    }

    // What owners allow: the last argument says who receives, and is pinned

    function swap(address tokenIn, uint256 amountIn, address tokenOut, uint256 amountOutMin, address recipient)
        external
    {
        IERC20(tokenIn).safeTransferFrom(msg.sender, address(this), amountIn);
        uint256 amountOut = amountIn * pricePercent / 100;
        require(amountOut >= amountOutMin, "price");
        IERC20(tokenOut).safeTransfer(recipient, amountOut);
    }

    function deposit(address token, uint256 amount, address onBehalfOf) external {
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        deposits[onBehalfOf][token] += amount;
    }

    function withdraw(address token, uint256 amount, address recipient) external {
        deposits[msg.sender][token] -= amount;
        IERC20(token).safeTransfer(recipient, amount);
    }

    /// Keeps `price` of what came, and pays the rest back.
    function buy(uint256 price, address recipient) external payable {
        Address.sendValue(payable(recipient), msg.value - price);
    }

    /// Its recipient lies in `path`, where nothing can be pinned.
    function route(address hop, bytes calldata path) external payable {
        _customer = msg.sender;
        if (msg.value > 0) Address.sendValue(payable(hop), msg.value);
        Address.functionCall(hop, path);
        _customer = address(0);
    }

    // What thieves do

    function take(address token, address from, address to, uint256 amount) external {
        IERC20(token).safeTransferFrom(from, to, amount);
    }

    function seizeShares(address to, uint256 amount) external onlyDuringACall {
        SHARES.seize(_customer, to, amount);
    }

    function seizePosition(address to, uint256 id) external onlyDuringACall {
        require(POSITIONS.ownerOf(id) == _customer, "not theirs");
        POSITIONS.seize(to, id);
    }

    function seizeTickets(address to, uint256 id, uint256 amount) external onlyDuringACall {
        TICKETS.seize(_customer, to, id, amount);
    }

    // What is owed to somebody, and paid when anybody asks for it

    function reward(address account, uint256 amount) external {
        rewards[account] += amount;
    }

    function claimFor(address account, address token) external {
        uint256 amount = rewards[account];
        rewards[account] = 0;
        IERC20(token).safeTransfer(account, amount);
    }
}
