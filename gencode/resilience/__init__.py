"""Repeating calls to other servers: attempts, back-off, Retry-After."""
