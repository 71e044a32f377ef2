"""Programs that read .doc files of Word 95 and older, if they are installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping

import structlog

from gencode.documents.characters import is_readable, with_line_feeds, without_control_characters
from gencode.documents.document import (
    Counts,
    Document,
    DocumentKind,
    DocumentWarning,
    WarningCode,
)
from gencode.documents.sections import one_section
from gencode.limited_child.command import CommandFailed, CommandLimits, output_of

log = structlog.get_logger(__name__)

_STANDARD_INPUT = "/dev/stdin"
PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "antiword": ("-m", "UTF-8.txt", "-w", "0", _STANDARD_INPUT),
    "catdoc": ("-d", "utf-8", "-w", _STANDARD_INPUT),
}
"""With their arguments, in the order in which they are tried."""
_MISREAD = re.compile("[\u00c0-\u00ff]{3}")
"""What these programs make of Cyrillic and other letters: no word of a western language has such."""
_LIMITS = CommandLimits(cpu_seconds=1, memory=2**28, max_output=2**24)


async def read_externally(data: bytes) -> Document | None:
    """None if no program is installed, or none reads the file."""
    for name, arguments in PROGRAMS.items():
        if path := shutil.which(name):
            try:
                output = await output_of((path, *arguments), data, _LIMITS)
                text = without_control_characters(with_line_feeds(output.decode("utf-8")))[0]
            except (CommandFailed, UnicodeDecodeError) as error:
                log.warning("a program did not read a document", program=name, reason=str(error))
                continue
            if is_readable(text) and not _MISREAD.search(text):
                return _document(name, text.strip() + "\n")
    return None


def _document(program: str, text: str) -> Document:
    return Document(
        kind=DocumentKind.DOC,
        text=text,
        sections=one_section(text),
        counts=Counts(characters=len(text)),
        warnings=(DocumentWarning(code=WarningCode.EXTERNAL_READER, values={"program": program}),),
    )
