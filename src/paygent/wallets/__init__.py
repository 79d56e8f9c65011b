"""Wallets: the pocket, an account of ours with a small balance that signs payments."""
