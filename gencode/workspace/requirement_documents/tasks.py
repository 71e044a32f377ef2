"""The tasks that work on requirement documents: their names and requests."""

from __future__ import annotations

from gencode.http.base_models import CallbackURL, TaskRequest
from gencode.workspace.resources.models import RowId

PARSE_DOCUMENT = "parse_document"
REQUIREMENT_ANALYSIS = "requirement_analysis"


class ParseDocumentRequest(TaskRequest):
    """Reads the file of a requirement document."""

    document_id: RowId
    callback_url: CallbackURL | None = None
