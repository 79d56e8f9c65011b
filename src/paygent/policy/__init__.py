"""Policy: what a session may spend. Deny by default."""
