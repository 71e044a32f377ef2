"""Encoders of texts: an OpenAI-compatible API, and one that works offline."""
