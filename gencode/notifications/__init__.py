"""Telling others of a task: what its log says goes to the address that its client gave."""
