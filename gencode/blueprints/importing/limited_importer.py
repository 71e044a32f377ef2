"""Imports texts of users in limited children: their parsers may take long, or crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from pydantic import ValidationError

from gencode.blueprints.importing.imported import Imported, ImportFailed, SourceFormat
from gencode.limited_child.pool import ChildPool
from gencode.limited_child.process import Cause, ChildFailed
from gencode.limited_child.protocol import ChildRequest

log = structlog.get_logger(__name__)

CHILD_PROGRAM = "gencode.blueprints.importing.child_main"
_MESSAGES: Mapping[Cause, str] = {
    Cause.TIME: "the text takes too long to read: import it in parts",
    Cause.MEMORY: "the text needs too much memory to read: import it in parts",
    Cause.CRASH: "the parser of this format crashed on the text",
    Cause.ERROR: "the text has a form that the importer does not know",
}


class LimitedImporter:
    """Two texts are imported at a time, each in a process of its own, which ends with it."""

    def __init__(self) -> None:
        self._pool = ChildPool(CHILD_PROGRAM, reused=False)

    async def import_text(self, source: SourceFormat, text: str, dialect: str = "") -> Imported:
        """Raises ImportFailed, or ChildFailed if another attempt may succeed."""
        arguments = {"format": source.value, "dialect": dialect}
        request = ChildRequest(function="import", texts={"text": text}, arguments=arguments)
        try:
            async with self._pool.lend(request.size) as child:
                return _imported(await child.call(request))
        except ChildFailed as failure:
            log.warning("a text was not imported", cause=failure.cause, reason=failure.reason)
            if failure.cause is Cause.OTHER:
                raise
            raise ImportFailed(_MESSAGES[failure.cause]) from None


def _imported(answer: Any) -> Imported:
    """Raises ImportFailed, ChildFailed."""
    try:
        if "imported" in answer:
            return Imported.model_validate_json(answer["imported"])
        message, line, column = str(answer["error"]), int(answer["line"]), int(answer["column"])
    except (ValidationError, TypeError, KeyError, ValueError):
        raise ChildFailed("its answer is malformed") from None
    raise ImportFailed(message, line, column)
