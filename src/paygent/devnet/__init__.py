"""The embedded chain and all that runs on it: a real EVM, real contracts, real processes."""
