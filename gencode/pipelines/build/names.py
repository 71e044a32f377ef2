"""Names that are stored, or public."""

from __future__ import annotations

NAME = "build"
RENDERING, WRITING, ARCHIVING, VERIFYING = "rendering", "writing_holes", "archiving", "verifying"
"""Stages."""
RENDERED, HOLES, ARCHIVED, QA, CERTIFICATE = "rendered", "holes", "archived", "qa", "certificate"
"""Checkpoints."""
