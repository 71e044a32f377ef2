"""Secrets: which are valid now, and how texts are cleaned of them."""
