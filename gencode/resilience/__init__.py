"""Retries, the Retry-After header, and bodies that are decoded within bounds."""
