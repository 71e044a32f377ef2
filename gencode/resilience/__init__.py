"""Retries, and the Retry-After header."""
