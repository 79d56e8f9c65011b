"""The API: the engine over HTTP, for whoever holds a key."""
