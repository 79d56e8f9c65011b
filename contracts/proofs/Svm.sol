// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// The cheat codes of halmos that our proofs use; Foundry's (`vm`) work in proofs too.
interface Svm {
    /// From here on `target` may hold anything at all, not only what its constructor left.
    function enableSymbolicStorage(address target) external;

    /// Any call of any function of the contract of that name that can change its state.
    function createCalldata(string calldata contractName) external pure returns (bytes memory);
}

Svm constant svm = Svm(address(uint160(uint256(keccak256("svm cheat code")))));
