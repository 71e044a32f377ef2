"""Durable storage of tasks, requests, events, checkpoints and callbacks."""
