"""The facilitator: verifies payments for sellers, and settles them on chain once."""
