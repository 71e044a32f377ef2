"""Submission, views and operations of the kind `build`."""
