"""Names that are stored, or public."""

from __future__ import annotations

NAME = "test_generation"
COLLECTING, WRITING, VERIFYING = "collecting", "writing_tests", "verifying_tests"
"""Stages."""
SOURCES, TARGETS, WRITTEN, TESTS = "sources", "targets", "written", "tests"
"""Checkpoints."""
