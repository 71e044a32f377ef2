"""Calls to language models: configuration, budget, retries, progress, and the OpenAI-compatible API."""
