"""Protocols that storage, queue, hub, observability and pipelines implement for the engine."""
