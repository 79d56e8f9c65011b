"""`paygent …`: the commands."""
