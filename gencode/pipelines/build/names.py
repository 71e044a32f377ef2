"""Names that are stored, or public."""

from __future__ import annotations

NAME = "build"
RENDERING, WRITING, ARCHIVING = "rendering", "writing_holes", "archiving"
"""Stages."""
RENDERED, HOLES, ARCHIVED, QA = "rendered", "holes", "archived", "qa"
"""Checkpoints."""
