"""Names that are stored, or public."""

from __future__ import annotations

NAME = "build"
RENDERING, WRITING, ARCHIVING, VERIFYING = "rendering", "writing_holes", "archiving", "verifying"
APPROVING = "approving_migration"
CREATING_REPO, PUSHING = "creating_repo", "pushing"
"""Stages; these two are of gencode.delivery."""
UPDATING = "updating_repo"
UPDATED = "updated"
"""Checkpoint: what is in the repository since."""
RENDERED, HOLES, ARCHIVED, QA, CERTIFICATE = "rendered", "holes", "archived", "qa", "certificate"
"""Checkpoints."""
