"""Runs tasks of any kind: submission, workers, stages, task log, pauses, recovery, and the ports it needs."""
