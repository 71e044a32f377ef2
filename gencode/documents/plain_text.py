"""Text and Markdown files."""

from __future__ import annotations

from gencode.documents.characters import with_line_feeds, without_control_characters
from gencode.documents.document import Counts, Document, DocumentKind, DocumentWarning, WarningCode
from gencode.documents.encodings import decoded
from gencode.documents.errors import DocumentKindError, DocumentWithoutText
from gencode.documents.sections import markdown_sections, one_section

_MAX_CONTROL_SHARE = 0.01
"""Of the characters; a text with more of them is something else."""


def read_text(kind: DocumentKind, data: bytes) -> Document:
    """Raises DocumentError."""
    raw, encoding = decoded(data)
    text, removed = without_control_characters(with_line_feeds(raw))
    if removed > max(8, _MAX_CONTROL_SHARE * len(raw)):
        raise DocumentKindError(
            f"The file is not a text: {removed} of its {len(raw)} characters are control characters"
        )
    if not text.strip():
        raise DocumentWithoutText("The file has no text")
    warnings = []
    if encoding:
        warnings.append(DocumentWarning(code=WarningCode.ENCODING_DETECTED, values={"encoding": encoding}))
    counted = (
        (WarningCode.CONTROL_CHARACTERS_REMOVED, removed),
        (WarningCode.REPLACEMENT_CHARACTERS, text.count("\ufffd")),
    )
    warnings += [DocumentWarning(code=code, values={"count": count}) for code, count in counted if count]
    sections = markdown_sections(text) if kind is DocumentKind.MD else one_section(text)
    return Document(
        kind=kind,
        text=text,
        sections=sections,
        counts=Counts(characters=len(text)),
        warnings=tuple(warnings),
    )
