"""The request of a task that indexes, as far as the routes of knowledge bases make it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from gencode.http.base_models import CallbackURL, TaskRequest

INDEX = "index"
"""The kind of the task."""
RowId = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"),
    Field(json_schema_extra={"format": "uuid"}),
]
ROW_ID_PATTERN = "must be a UUID in lower case"


class IndexRequest(TaskRequest):
    """document_id  null: what is missing of the whole base, such as the vectors of another encoder"""

    knowledge_base_id: RowId
    document_id: RowId | None = None
    callback_url: CallbackURL | None = None
