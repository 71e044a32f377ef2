"""The body that submits a sync. The kind `sync_repository` is among the pipelines."""

from __future__ import annotations

from gencode.http.base_models import CallbackURL, TaskRequest
from gencode.workspace.resources.models import RowId

SYNC_REPOSITORY = "sync_repository"
"""The name of the kind."""


class SyncRepositoryRequest(TaskRequest):
    """Bring the clone of a repository to what its host has."""

    repository_id: RowId
    callback_url: CallbackURL | None = None
