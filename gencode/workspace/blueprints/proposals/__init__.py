"""Proposed changes of a draft, which a task made and a person accepts or rejects."""
