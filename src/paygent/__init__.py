"""Paygent: software that people trust with an AI agent's money."""

__version__ = "0.1.0"
