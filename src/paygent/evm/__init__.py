"""Talking to an EVM chain: JSON-RPC, ABI, EIP-712, signers, transactions, tokens."""
