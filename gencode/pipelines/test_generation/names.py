"""Names that are stored, or public."""

from __future__ import annotations

NAME = "test_generation"
COLLECTING, WRITING, VERIFYING, PUSHING = "collecting", "writing_tests", "verifying_tests", "pushing_branch"
"""Stages."""
SOURCES, TARGETS, WRITTEN, TESTS = "sources", "targets", "written", "tests"
"""Checkpoints."""
