"""Typed Python for our contracts: a module each, and their errors. `make artifacts` writes it."""
