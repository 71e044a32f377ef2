"""Retries with back-off, Retry-After, limits of concurrent calls, and offloading to threads."""
