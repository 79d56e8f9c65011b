"""Intents: the one door for everything that moves value."""
