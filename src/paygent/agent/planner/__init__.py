"""The embedded planner: a grammar reads payment commands, with no model and no key."""
