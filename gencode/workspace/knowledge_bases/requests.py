"""The request of a task that indexes, as far as the routes of knowledge bases make it."""

from __future__ import annotations

from typing import Annotated

from pydantic import StringConstraints

from gencode.http.base_models import CallbackURL, TaskRequest
from gencode.workspace.resources.models import PRINTABLE, RowId

INDEX = "index"
"""The kind of the task."""
RefName = Annotated[str, StringConstraints(min_length=1, max_length=250, pattern=PRINTABLE)]


class IndexRequest(TaskRequest):
    """document_id    null: what is missing of the whole base, such as the vectors of another encoder
    repository_id  in place of document_id: the files of a Git repository
    ref            its branch, tag or commit; null: the default branch
    """

    knowledge_base_id: RowId
    document_id: RowId | None = None
    repository_id: RowId | None = None
    ref: RefName | None = None
    callback_url: CallbackURL | None = None
