"""Retries, and the wait that the headers of a response ask for."""
