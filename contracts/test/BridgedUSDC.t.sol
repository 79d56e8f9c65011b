// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {BridgedUSDC} from "../src/BridgedUSDC.sol";
import {Authorization, ContractPayer, Signing} from "./Actors.sol";
import {vm} from "./Vm.sol";

/// A fuzzed `bool vrs` presents a signature in one of its two forms: what holds for one holds for the other.
contract BridgedUSDCTest is Signing {
    uint256 private constant KEY = 0xA11CE;
    uint256 private constant OTHER_KEY = 0xE7E;
    address private constant PAYEE = address(0xB0B);
    address private constant SPENDER = address(0x5BE);
    bytes32 private constant NONCE = keccak256("nonce");
    uint256 private constant NOW = 1_000;
    uint256 private constant FUNDS = 100e6;
    /// The order of secp256k1's group: s and ORDER - s sign the same.
    uint256 private constant ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;

    BridgedUSDC private token;
    address private payer;
    address private vault;

    function setUp() public {
        vm.warp(NOW);
        vm.roll(50);
        token = new BridgedUSDC(address(this));
        payer = vm.addr(KEY);
        vault = address(new ContractPayer(payer));
        token.mint(payer, FUNDS);
        token.mint(vault, FUNDS);
    }

    function _authorization(address from) private pure returns (Authorization memory) {
        return Authorization(from, PAYEE, 5, NOW - 1, NOW + 1, NONCE);
    }

    function _sign(bytes32 kind, Authorization memory a) private view returns (bytes memory) {
        return sign(KEY, domainOf(address(token)), hashOf(kind, a));
    }

    function _signCancel(uint256 key, address authorizer) private view returns (bytes memory) {
        return sign(key, domainOf(address(token)), keccak256(abi.encode(CANCEL, authorizer, NONCE)));
    }

    function _signPermit(uint256 key, address owner, uint256 value, uint256 nonce, uint256 deadline)
        private
        view
        returns (bytes memory)
    {
        bytes32 structHash = keccak256(abi.encode(PERMIT, owner, SPENDER, value, nonce, deadline));
        return sign(key, domainOf(address(token)), structHash);
    }

    function _presentPermit(address owner, uint256 value, uint256 deadline, bytes memory signature, bool vrs) private {
        if (vrs) {
            (uint8 v, bytes32 r, bytes32 s) = split(signature);
            token.permit(owner, SPENDER, value, deadline, v, r, s);
        } else {
            token.permit(owner, SPENDER, value, deadline, signature);
        }
    }

    function _refuseTransfer(Authorization memory a, bytes memory signature, bool vrs) private {
        vm.expectRevert(BridgedUSDC.ERC3009InvalidSignature.selector);
        presentTransfer(token, a, signature, vrs);
        assert(token.balanceOf(a.from) == FUNDS);
        assert(!token.authorizationState(a.from, a.nonce));
    }

    function _withHighS(bytes memory signature) private pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = split(signature);
        return abi.encodePacked(r, bytes32(ORDER - uint256(s)), v == 27 ? uint8(28) : uint8(27));
    }

    // What the token is

    function testItSaysWhatStargatesTokenSays() public view {
        assert(keccak256(bytes(token.name())) == keccak256("Bridged USDC (Stargate)"));
        assert(keccak256(bytes(token.symbol())) == keccak256("USDC.e"));
        assert(keccak256(bytes(token.version())) == keccak256("1"));
        assert(token.decimals() == 6);
        assert(token.DOMAIN_SEPARATOR() == domainOf(address(token)));
    }

    function testItsTypeHashesAreThoseOfTheSpecifications() public view {
        assert(token.TRANSFER_WITH_AUTHORIZATION_TYPEHASH() == TRANSFER);
        assert(token.RECEIVE_WITH_AUTHORIZATION_TYPEHASH() == RECEIVE);
        assert(token.CANCEL_AUTHORIZATION_TYPEHASH() == CANCEL);
        assert(token.PERMIT_TYPEHASH() == PERMIT);
        // EIP-3009 prints these values
        assert(TRANSFER == 0x7c7c6cdb67a18743f49ec6fa9b35f50d52ed05cbed4cc592e13b44501c1a2267);
        assert(RECEIVE == 0xd099cc98ef71107a616c4f0f941f04c322d8e254fe26b3c6668db87aae413de8);
        assert(CANCEL == 0x158b0a9edf7a828aad02f63cd515c68ef2f50ba807396f6d12842833a1597429);
    }

    function testFuzzOnlyTheMinterMints(address caller) public {
        assert(token.MINTER() == address(this));
        vm.assume(caller != address(this));
        vm.prank(caller);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.NotMinter.selector, caller));
        token.mint(caller, 1);
    }

    // transferWithAuthorization

    function testFuzzTransferMovesExactlyWhatWasSigned(uint256 value, bool vrs, bool contractPays) public {
        Authorization memory a = _authorization(contractPays ? vault : payer);
        a.value = value % (FUNDS + 1);
        bytes memory signature = _sign(TRANSFER, a);
        assert(!token.authorizationState(a.from, NONCE));
        vm.expectEmit(address(token));
        emit IERC3009.AuthorizationUsed(a.from, NONCE);
        vm.expectEmit(address(token));
        emit IERC20.Transfer(a.from, PAYEE, a.value);
        presentTransfer(token, a, signature, vrs);
        assert(token.balanceOf(PAYEE) == a.value);
        assert(token.balanceOf(a.from) == FUNDS - a.value);
        assert(token.authorizationState(a.from, NONCE));
    }

    function testFuzzTransferIsMadeOnce(bool vrs, bool vrsAgain) public {
        Authorization memory a = _authorization(payer);
        bytes memory signature = _sign(TRANSFER, a);
        presentTransfer(token, a, signature, vrs);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC3009UsedAuthorization.selector, payer, NONCE));
        presentTransfer(token, a, signature, vrsAgain);
        assert(token.balanceOf(PAYEE) == a.value);
    }

    function testFuzzAUsedNonceIsUsedForAnotherPayment(bool vrs) public {
        Authorization memory a = _authorization(payer);
        presentTransfer(token, a, _sign(TRANSFER, a), vrs);
        a.value = 6;
        bytes memory signature = _sign(TRANSFER, a);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC3009UsedAuthorization.selector, payer, NONCE));
        presentTransfer(token, a, signature, vrs);
    }

    function testANonceIsItsAuthorizersOwn() public {
        Authorization memory a = _authorization(payer);
        presentTransfer(token, a, _sign(TRANSFER, a), true);
        assert(!token.authorizationState(vault, NONCE));
        a.from = vault;
        presentTransfer(token, a, _sign(TRANSFER, a), true);
        assert(token.balanceOf(PAYEE) == 10);
    }

    function testFuzzTransferIsValidStrictlyBetweenItsTimes(
        uint256 validAfter,
        uint256 validBefore,
        uint256 time,
        bool vrs
    ) public {
        Authorization memory a = _authorization(payer);
        // the fuzzer loves the extremes, the edges need help
        a.validAfter = validAfter % 4 == 0 ? validAfter : NOW - 2 + validAfter % 4;
        a.validBefore = validBefore % 4 == 0 ? validBefore : NOW - 2 + validBefore % 4;
        vm.warp(NOW - 2 + time % 4);
        bytes memory signature = _sign(TRANSFER, a);
        bool open = block.timestamp > a.validAfter && block.timestamp < a.validBefore;
        if (!open) _expectInvalidTime(a);
        presentTransfer(token, a, signature, vrs);
        assert(token.balanceOf(PAYEE) == (open ? a.value : 0));
    }

    function testFuzzTransferHasExpiredAtItsEnd(bool vrs) public {
        Authorization memory a = _authorization(payer);
        a.validBefore = NOW;
        bytes memory signature = _sign(TRANSFER, a);
        _expectInvalidTime(a);
        presentTransfer(token, a, signature, vrs);
    }

    function testFuzzTransferIsNotYetValidAtItsStart(bool vrs) public {
        Authorization memory a = _authorization(payer);
        a.validAfter = NOW;
        bytes memory signature = _sign(TRANSFER, a);
        _expectInvalidTime(a);
        presentTransfer(token, a, signature, vrs);
    }

    /// Bit 47 makes a block number of a time in OpenZeppelin's draft; these blocks contain the present one.
    function testTimesAreNeverBlockNumbers() public {
        Authorization memory a = _authorization(payer);
        a.validAfter = 1 << 47;
        a.validBefore = (1 << 47) + 1_000_000;
        bytes memory signature = _sign(TRANSFER, a);
        _expectInvalidTime(a);
        presentTransfer(token, a, signature, true);
    }

    function testAnAuthorizationMayBeValidForever() public {
        Authorization memory a = _authorization(payer);
        a.validAfter = 0;
        a.validBefore = type(uint256).max;
        presentTransfer(token, a, _sign(TRANSFER, a), true);
        assert(token.balanceOf(PAYEE) == a.value);
    }

    function _expectInvalidTime(Authorization memory a) private {
        vm.expectRevert(
            abi.encodeWithSelector(BridgedUSDC.ERC3009InvalidAuthorizationTime.selector, a.validAfter, a.validBefore)
        );
    }

    function testFuzzAnyOtherFieldIsNotSigned(uint8 field, uint256 other, bool vrs) public {
        Authorization memory a = _authorization(payer);
        bytes memory signature = _sign(TRANSFER, a);
        field = field % 6;
        if (field == 0) a.from = vault;
        if (field == 1) a.to = address(uint160(uint256(keccak256(abi.encode(other)))));
        if (field == 2) a.value = other % FUNDS;
        if (field == 3) a.validAfter = other % NOW;
        if (field == 4) a.validBefore = NOW + 1 + other % NOW;
        if (field == 5) a.nonce = bytes32(other);
        vm.assume(hashOf(TRANSFER, a) != hashOf(TRANSFER, _authorization(payer)));
        _refuseTransfer(a, signature, vrs);
    }

    function testFuzzAnotherKeyCannotPay(uint256 key, bool vrs, bool contractPays) public {
        key = 1 + key % (ORDER - 1);
        vm.assume(key != KEY);
        Authorization memory a = _authorization(contractPays ? vault : payer);
        _refuseTransfer(a, sign(key, domainOf(address(token)), hashOf(TRANSFER, a)), vrs);
    }

    function testFuzzNoSignatureIsNoSignature(bytes memory signature) public {
        Authorization memory a = _authorization(payer);
        _refuseTransfer(a, signature, false);
        _refuseTransfer(a, new bytes(65), true);
    }

    /// ecrecover answers 0 for what is no signature: that must never be taken for the zero address's consent.
    function testTheZeroAddressSignsNothing() public {
        Authorization memory a = _authorization(address(0));
        vm.expectRevert(BridgedUSDC.ERC3009InvalidSignature.selector);
        presentTransfer(token, a, new bytes(65), true);
    }

    function testFuzzTheHighSFormIsRefused(bytes32 nonce, bool vrs) public {
        Authorization memory a = _authorization(payer);
        a.nonce = nonce;
        _refuseTransfer(a, _withHighS(_sign(TRANSFER, a)), vrs);
    }

    function testFuzzASignatureForAnotherTokenIsRefused(address elsewhere, bool vrs) public {
        vm.assume(elsewhere != address(token));
        Authorization memory a = _authorization(payer);
        _refuseTransfer(a, sign(KEY, domainOf(elsewhere), hashOf(TRANSFER, a)), vrs);
    }

    function testFuzzASignatureForAnotherChainIsRefused(uint64 chainId, bool vrs) public {
        vm.assume(chainId != block.chainid && chainId != 0);
        Authorization memory a = _authorization(payer);
        bytes memory signature = _sign(TRANSFER, a);
        vm.chainId(chainId);
        _refuseTransfer(a, signature, vrs);
    }

    function testFuzzAnotherKindOfSignatureIsRefused(bool vrs) public {
        Authorization memory a = _authorization(payer);
        _refuseTransfer(a, _sign(RECEIVE, a), vrs);
        bytes memory signature = _sign(TRANSFER, a);
        vm.expectRevert(BridgedUSDC.ERC3009InvalidSignature.selector);
        vm.prank(PAYEE);
        presentReceive(token, a, signature, vrs);
        vm.expectRevert(BridgedUSDC.ERC3009InvalidSignature.selector);
        presentCancel(token, payer, NONCE, signature, vrs);
    }

    function testMoreThanTheBalanceIsNotMovedAndTheNonceStays() public {
        Authorization memory a = _authorization(payer);
        a.value = FUNDS + 1;
        bytes memory signature = _sign(TRANSFER, a);
        vm.expectRevert(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, payer, FUNDS, FUNDS + 1));
        presentTransfer(token, a, signature, true);
        assert(!token.authorizationState(payer, NONCE));
    }

    // Contract payers (ERC-1271)

    function testAContractPaysWithASignatureOfItsOwnShape() public {
        Authorization memory a = _authorization(vault);
        bytes memory signature = abi.encodePacked(_sign(TRANSFER, a), "and what else it wants to know");
        presentTransfer(token, a, signature, false);
        assert(token.balanceOf(PAYEE) == a.value);
    }

    function testAContractWithoutErc1271PaysNothing() public {
        token.mint(address(token), FUNDS);
        Authorization memory a = _authorization(address(token));
        _refuseTransfer(a, _sign(TRANSFER, a), false);
    }

    // receiveWithAuthorization

    function testFuzzOnlyThePayeeReceives(address caller, bool vrs, bool contractPays) public {
        vm.assume(caller != PAYEE);
        Authorization memory a = _authorization(contractPays ? vault : payer);
        bytes memory signature = _sign(RECEIVE, a);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.NotPayee.selector, caller, PAYEE));
        vm.prank(caller);
        presentReceive(token, a, signature, vrs);
        vm.expectEmit(address(token));
        emit IERC3009.AuthorizationUsed(a.from, NONCE);
        vm.prank(PAYEE);
        presentReceive(token, a, signature, vrs);
        assert(token.balanceOf(PAYEE) == a.value);
        assert(token.balanceOf(a.from) == FUNDS - a.value);
    }

    function testFuzzReceiptIsMadeOnce(bool vrs) public {
        Authorization memory a = _authorization(payer);
        bytes memory signature = _sign(RECEIVE, a);
        vm.prank(PAYEE);
        presentReceive(token, a, signature, vrs);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC3009UsedAuthorization.selector, payer, NONCE));
        vm.prank(PAYEE);
        presentReceive(token, a, signature, vrs);
    }

    function testFuzzReceiptIsValidStrictlyBetweenItsTimes(bool vrs) public {
        Authorization memory a = _authorization(payer);
        bytes memory signature = _sign(RECEIVE, a);
        vm.warp(a.validAfter);
        _expectInvalidTime(a);
        vm.prank(PAYEE);
        presentReceive(token, a, signature, vrs);
        vm.warp(a.validBefore);
        _expectInvalidTime(a);
        vm.prank(PAYEE);
        presentReceive(token, a, signature, vrs);
    }

    // cancelAuthorization

    function testFuzzACancelledPaymentCannotBeMade(bool vrs, bool contractPays) public {
        Authorization memory a = _authorization(contractPays ? vault : payer);
        bytes memory signature = _sign(TRANSFER, a);
        bytes memory cancellation = _signCancel(KEY, a.from);
        vm.expectEmit(address(token));
        emit IERC3009Cancel.AuthorizationCanceled(a.from, NONCE);
        presentCancel(token, a.from, NONCE, cancellation, vrs);
        assert(token.authorizationState(a.from, NONCE));
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC3009UsedAuthorization.selector, a.from, NONCE));
        presentTransfer(token, a, signature, vrs);
        assert(token.balanceOf(a.from) == FUNDS);
    }

    function testFuzzNobodyElseCancels(bool vrs, bool contractPays) public {
        address authorizer = contractPays ? vault : payer;
        bytes memory signature = _signCancel(OTHER_KEY, authorizer);
        vm.expectRevert(BridgedUSDC.ERC3009InvalidSignature.selector);
        presentCancel(token, authorizer, NONCE, signature, vrs);
        assert(!token.authorizationState(authorizer, NONCE));
    }

    function testFuzzWhatIsPaidIsNotCancelled(bool vrs) public {
        Authorization memory a = _authorization(payer);
        presentTransfer(token, a, _sign(TRANSFER, a), vrs);
        bytes memory signature = _signCancel(KEY, payer);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC3009UsedAuthorization.selector, payer, NONCE));
        presentCancel(token, payer, NONCE, signature, vrs);
    }

    function testACancellationIsForItsNonceOnly() public {
        bytes memory signature = _signCancel(KEY, payer);
        vm.expectRevert(BridgedUSDC.ERC3009InvalidSignature.selector);
        token.cancelAuthorization(payer, keccak256("another"), signature);
    }

    // permit

    function testFuzzPermitAllowsWhatWasSignedOnce(uint256 value, bool vrs, bool contractOwns) public {
        address owner = contractOwns ? vault : payer;
        bytes memory signature = _signPermit(KEY, owner, value, 0, NOW);
        vm.expectEmit(address(token));
        emit IERC20.Approval(owner, SPENDER, value);
        _presentPermit(owner, value, NOW, signature, vrs);
        assert(token.allowance(owner, SPENDER) == value);
        assert(token.nonces(owner) == 1);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC2612InvalidSignature.selector, owner));
        _presentPermit(owner, value, NOW, signature, vrs);
    }

    function testFuzzPermitExpires(uint256 deadline, bool vrs) public {
        deadline = deadline % NOW;
        bytes memory signature = _signPermit(KEY, payer, 5, 0, deadline);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC2612ExpiredSignature.selector, deadline));
        _presentPermit(payer, 5, deadline, signature, vrs);
    }

    function testFuzzNobodyElsePermits(bool vrs, bool contractOwns) public {
        address owner = contractOwns ? vault : payer;
        bytes memory signature = _signPermit(OTHER_KEY, owner, 5, 0, NOW);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC2612InvalidSignature.selector, owner));
        _presentPermit(owner, 5, NOW, signature, vrs);
        signature = _withHighS(_signPermit(KEY, payer, 5, 0, NOW));
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC2612InvalidSignature.selector, payer));
        _presentPermit(payer, 5, NOW, signature, vrs);
        assert(token.nonces(owner) == 0);
    }

    function testFuzzAnotherPermitIsNotSigned(uint256 value, uint256 deadline, bool vrs) public {
        deadline = NOW + deadline % NOW;
        vm.assume(value != 5 || deadline != NOW);
        bytes memory signature = _signPermit(KEY, payer, 5, 0, NOW);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC2612InvalidSignature.selector, payer));
        _presentPermit(payer, value, deadline, signature, vrs);
    }

    function testAPermitIsForItsSpenderOnly() public {
        bytes memory signature = _signPermit(KEY, payer, 5, 0, NOW);
        vm.expectRevert(abi.encodeWithSelector(BridgedUSDC.ERC2612InvalidSignature.selector, payer));
        token.permit(payer, PAYEE, 5, NOW, signature);
    }
}
