// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AgentWallet} from "../src/AgentWallet.sol";
import {AgentWalletFactory, Setup, TokenLimits} from "../src/AgentWalletFactory.sol";
import {Approval, ApproverSignature, Call, Receive, Spend, Transfer} from "../src/Approvals.sol";
import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {PaymentRouter} from "../src/PaymentRouter.sol";
import {vm} from "./Vm.sol";

/// Signs as approvers do, from the text of EIP-712 and of the types, and not from the contract's constants.
abstract contract ApproverSigning {
    string internal constant TERMS = "bytes32 intentId,uint256 deadline,uint256 approverSet)";
    string internal constant TRANSFER = "Transfer(address token,address to,uint256 amount)";
    string internal constant SPEND = "Spend(address token,uint256 amountMax)";
    string internal constant RECEIVE = "Receive(address token,uint256 amountMin)";

    function domainOf(address wallet) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("Paygent AgentWallet"),
                keccak256("1"),
                block.chainid,
                wallet
            )
        );
    }

    function hashPayment(Transfer memory t, bytes32 intentId, uint256 deadline, uint256 set)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256(abi.encodePacked("Payment(address token,address to,uint256 amount,", TERMS));
        return keccak256(abi.encode(kind, t.token, t.to, t.amount, intentId, deadline, set));
    }

    function hashBatch(Transfer[] memory ts, bytes32 intentId, uint256 deadline, uint256 set)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256(abi.encodePacked("Batch(Transfer[] transfers,", TERMS, TRANSFER));
        bytes memory items;
        for (uint256 i; i < ts.length; ++i) {
            items = abi.encodePacked(
                items, keccak256(abi.encode(keccak256(bytes(TRANSFER)), ts[i].token, ts[i].to, ts[i].amount))
            );
        }
        return keccak256(abi.encode(kind, keccak256(items), intentId, deadline, set));
    }

    function hashCall(Call memory c, bytes32 intentId, uint256 deadline, uint256 set) internal pure returns (bytes32) {
        string memory head = "Call(address target,uint256 value,bytes data,Spend[] spends,Receive[] receives,";
        bytes32 kind = keccak256(abi.encodePacked(head, TERMS, RECEIVE, SPEND));
        bytes memory spends;
        for (uint256 i; i < c.spends.length; ++i) {
            bytes32 item = keccak256(abi.encode(keccak256(bytes(SPEND)), c.spends[i].token, c.spends[i].amountMax));
            spends = abi.encodePacked(spends, item);
        }
        bytes memory receives;
        for (uint256 i; i < c.receives.length; ++i) {
            bytes32 item =
                keccak256(abi.encode(keccak256(bytes(RECEIVE)), c.receives[i].token, c.receives[i].amountMin));
            receives = abi.encodePacked(receives, item);
        }
        bytes32 inner = keccak256(c.data);
        return keccak256(
            abi.encode(kind, c.target, c.value, inner, keccak256(spends), keccak256(receives), intentId, deadline, set)
        );
    }

    function hashCharge(uint256 id, Transfer memory t, bytes32 intentId, uint256 deadline, uint256 set)
        internal
        pure
        returns (bytes32)
    {
        string memory head = "SubscriptionCharge(uint256 subscriptionId,address token,address merchant,uint256 amount,";
        bytes32 kind = keccak256(abi.encodePacked(head, TERMS));
        return keccak256(abi.encode(kind, id, t.token, t.to, t.amount, intentId, deadline, set));
    }

    function signatureOf(uint256 key, bytes32 domain, bytes32 structHash) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }
}

/// A wallet as a user would have it: an operator for a day, a guardian, two of three approvers, limits for two tokens.
abstract contract WalletFixture is ApproverSigning {
    uint256 internal constant NOW = 20_000 days + 8 hours;
    uint256 internal constant DEADLINE = NOW + 1 hours;
    address internal constant NATIVE = address(0);
    address internal constant OWNER = address(0xA11CE);
    address internal constant GUARDIAN = address(0x6A4D);
    address internal constant OPERATOR = address(0x09E4);
    address internal constant STRANGER = address(0x5742);
    address internal constant PAYEE = address(0xB0B);
    bytes32 internal constant ID = keccak256("intent");

    uint112 internal constant DAILY = 100e6;
    uint112 internal constant THRESHOLD = 50e6;
    uint112 internal constant CEILING = 20e6;

    BridgedUSDC internal usdc;
    PaymentRouter internal router;
    AgentWalletFactory internal factory;
    AgentWallet internal wallet;
    uint256 private _payments;
    uint256[3] internal approverKeys;
    address[3] internal approvers;

    function setUp() public virtual {
        vm.warp(NOW);
        usdc = new BridgedUSDC(address(this));
        router = new PaymentRouter();
        factory = new AgentWalletFactory(router);
        _makeApprovers();
        vm.prank(OWNER);
        wallet = factory.createWallet("first", _setup());
        usdc.mint(address(wallet), 1_000e6);
        vm.deal(address(wallet), 100 ether);
    }

    function _setup() internal view returns (Setup memory setup) {
        setup.guardian = GUARDIAN;
        setup.operator = OPERATOR;
        setup.operatorExpiresAt = uint64(NOW + 30 days);
        setup.approvers = new address[](3);
        for (uint256 i; i < 3; ++i) {
            setup.approvers[i] = approvers[i];
        }
        setup.quorum = 2;
        setup.limits = new TokenLimits[](2);
        setup.limits[0] = TokenLimits(NATIVE, 10 ether, 5 ether, 1 ether);
        setup.limits[1] = TokenLimits(address(usdc), DAILY, THRESHOLD, CEILING);
    }

    /// Keys whose addresses rise.
    function _makeApprovers() private {
        uint256 found;
        for (uint256 key = 0xC0FFEE; found < 3; ++key) {
            address account = vm.addr(key);
            if (found > 0 && account <= approvers[found - 1]) continue;
            (approverKeys[found], approvers[found]) = (key, account);
            ++found;
        }
    }

    // What is signed

    function none() internal pure returns (Approval memory) {}

    /// By the approvers `first` and `second` of the fixture, in that order.
    function approvalBy(uint256 first, uint256 second, bytes32 structHash) internal view returns (Approval memory a) {
        a.deadline = DEADLINE;
        a.signatures = new ApproverSignature[](2);
        a.signatures[0] = signedBy(first, structHash);
        a.signatures[1] = signedBy(second, structHash);
    }

    function signedBy(uint256 index, bytes32 structHash) internal view returns (ApproverSignature memory) {
        bytes memory signature = signatureOf(approverKeys[index], domainOf(address(wallet)), structHash);
        return ApproverSignature(approvers[index], signature);
    }

    // What operators do

    function pay(uint256 amount) internal {
        pay(address(usdc), PAYEE, amount, bytes32(++_payments));
    }

    function pay(address token, address to, uint256 amount, bytes32 id) internal {
        vm.prank(OPERATOR);
        wallet.executePayment(token, to, amount, id, none());
    }

    function call(Call memory c, bytes32 id) internal {
        vm.prank(OPERATOR);
        wallet.executeCall(c, id, none());
    }

    function transfers(address token, uint256 first, uint256 second) internal pure returns (Transfer[] memory list) {
        list = new Transfer[](2);
        list[0] = Transfer(token, PAYEE, first);
        list[1] = Transfer(token, address(0xCAFE), second);
    }

    function spending(address token, uint256 amountMax) internal pure returns (Spend[] memory list) {
        list = new Spend[](1);
        list[0] = Spend(token, amountMax);
    }

    function receiving(address token, uint256 amountMin) internal pure returns (Receive[] memory list) {
        list = new Receive[](1);
        list[0] = Receive(token, amountMin);
    }

    function nothingSpent() internal pure returns (Spend[] memory) {}

    function nothingReceived() internal pure returns (Receive[] memory) {}
}
