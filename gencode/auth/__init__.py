"""Authentication: API keys, the file they are kept in, tickets for event streams."""
