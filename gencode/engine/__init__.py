"""Runs tasks of any kind: submission, queue, workers, stages, the task log, pauses, retries, recovery; and the ports it needs."""
