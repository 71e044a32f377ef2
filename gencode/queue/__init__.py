"""Queues of task ids that wait for a worker."""
