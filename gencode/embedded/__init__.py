"""Servers that run on loopback in gencode's own event loop: the offline model and the local Git forge."""
