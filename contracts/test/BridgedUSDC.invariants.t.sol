// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {Authorization, ContractPayer, Signing} from "./Actors.sol";
import {vm} from "./Vm.sol";

/// Does what holders of the token can do, in any order, and keeps books of its own beside it.
contract Holders is Signing {
    uint256 public constant COUNT = 4;

    BridgedUSDC public immutable TOKEN;
    address[COUNT] public holders;
    mapping(address => uint256) public expected;
    uint256 public minted;

    mapping(address => mapping(bytes32 => bool)) private _gone;

    constructor() {
        TOKEN = new BridgedUSDC(address(this));
        for (uint256 i; i < COUNT; ++i) {
            address owner = vm.addr(_key(i));
            // the last holder is a contract
            holders[i] = i < COUNT - 1 ? owner : address(new ContractPayer(owner));
        }
    }

    function mint(uint256 to, uint64 value) external {
        TOKEN.mint(holders[to % COUNT], value);
        expected[holders[to % COUNT]] += value;
        minted += value;
    }

    function pay(uint256 from, uint256 to, uint256 value, uint8 nonce, bool vrs, bool receives) external {
        Authorization memory a = _authorization(from, to, value, nonce);
        bytes memory signature = _sign(from, hashOf(receives ? RECEIVE : TRANSFER, a));
        bool possible = !_gone[a.from][a.nonce] && a.value <= expected[a.from];
        if (receives) vm.prank(a.to);
        (bool done,) = address(TOKEN).call(_callData(a, signature, vrs, receives));
        assert(done == possible);
        if (done) _book(a);
    }

    function cancel(uint256 from, uint8 nonce) external {
        address authorizer = holders[from % COUNT];
        bytes32 id = bytes32(uint256(nonce % 16));
        bytes memory signature = _sign(from, keccak256(abi.encode(CANCEL, authorizer, id)));
        try TOKEN.cancelAuthorization(authorizer, id, signature) {
            assert(!_gone[authorizer][id]);
            _gone[authorizer][id] = true;
        } catch {
            assert(_gone[authorizer][id]);
        }
    }

    function permitAndTake(uint256 from, uint256 to, uint256 value) external {
        Authorization memory a = _authorization(from, to, value, 0);
        bytes32 structHash =
            keccak256(abi.encode(PERMIT, a.from, address(this), a.value, TOKEN.nonces(a.from), block.timestamp));
        TOKEN.permit(a.from, address(this), a.value, block.timestamp, _sign(from, structHash));
        try TOKEN.transferFrom(a.from, a.to, a.value) {
            expected[a.from] -= a.value;
            expected[a.to] += a.value;
        } catch {
            assert(a.value > expected[a.from]);
        }
    }

    function _book(Authorization memory a) private {
        _gone[a.from][a.nonce] = true;
        expected[a.from] -= a.value;
        expected[a.to] += a.value;
    }

    function _authorization(uint256 from, uint256 to, uint256 value, uint8 nonce)
        private
        view
        returns (Authorization memory)
    {
        address payer = holders[from % COUNT];
        // at most a quarter more than there is, so that most payments have cover
        uint256 limit = expected[payer] + expected[payer] / 4 + 1;
        return
            Authorization(payer, holders[to % COUNT], value % limit, 0, type(uint256).max, bytes32(uint256(nonce % 16)));
    }

    function _callData(Authorization memory a, bytes memory signature, bool vrs, bool receives)
        private
        pure
        returns (bytes memory)
    {
        string memory name = receives ? "receive" : "transfer";
        string memory arguments = "WithAuthorization(address,address,uint256,uint256,uint256,bytes32,";
        bytes memory head = abi.encode(a.from, a.to, a.value, a.validAfter, a.validBefore, a.nonce);
        if (vrs) {
            (uint8 v, bytes32 r, bytes32 s) = split(signature);
            bytes4 selector = bytes4(keccak256(abi.encodePacked(name, arguments, "uint8,bytes32,bytes32)")));
            return abi.encodePacked(selector, head, abi.encode(v, r, s));
        }
        bytes4 bytesSelector = bytes4(keccak256(abi.encodePacked(name, arguments, "bytes)")));
        return abi.encodePacked(bytesSelector, head, abi.encode(uint256(224), signature.length), signature, bytes31(0));
    }

    function _sign(uint256 holder, bytes32 structHash) private view returns (bytes memory) {
        return sign(_key(holder % COUNT), domainOf(address(TOKEN)), structHash);
    }

    function _key(uint256 holder) private pure returns (uint256) {
        return 0xA11CE + holder;
    }
}

contract BridgedUSDCInvariantsTest {
    Holders private holders;

    function setUp() public {
        holders = new Holders();
        for (uint256 i; i < holders.COUNT(); ++i) {
            holders.mint(i, 100e6);
        }
    }

    /// What Foundry calls in random order.
    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(holders);
    }

    /// forge-config: default.invariant.runs = 32
    /// forge-config: mutants.invariant.runs = 4
    /// forge-config: chaos.invariant.runs = 600
    /// forge-config: default.invariant.depth = 64
    /// forge-config: chaos.invariant.depth = 200
    /// forge-config: default.invariant.fail-on-revert = true
    /// forge-config: chaos.invariant.fail-on-revert = true
    function invariantBalancesAreWhatWasSignedAndSumToTheSupply() public view {
        BridgedUSDC token = holders.TOKEN();
        uint256 sum;
        for (uint256 i; i < holders.COUNT(); ++i) {
            address holder = holders.holders(i);
            assert(token.balanceOf(holder) == holders.expected(holder));
            sum += token.balanceOf(holder);
        }
        assert(sum == holders.minted());
        assert(token.totalSupply() == sum);
    }
}
