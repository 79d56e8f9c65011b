"""From a sentence to a plan."""
