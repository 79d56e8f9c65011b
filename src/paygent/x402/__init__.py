"""x402 v2, scheme `exact` by EIP-3009: messages, seller and facilitator.

Specification: x402-specification-v2.md, transports-v2/http.md and schemes/exact/scheme_exact_evm.md of x402.
"""
