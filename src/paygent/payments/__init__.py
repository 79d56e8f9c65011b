"""Payments over x402: the action behind `paygent pay` and `paygent ask`."""
