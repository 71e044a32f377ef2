"""Authentication: the authenticator of API keys, the store of keys, and tickets for event streams."""
