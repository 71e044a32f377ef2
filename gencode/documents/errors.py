"""Why a file was not read as a document."""

from __future__ import annotations

from gencode.domain.errors import GencodeError, RetryHelps, Transient


class DocumentError(GencodeError):
    """The cause is the file, unless a class says otherwise."""

    code = "DOCUMENT_UNREADABLE"
    http_status = 422
    retry_helps = RetryHelps.NEVER
    concerns_operator = False
    meaning = "The file cannot be read as a document"


class DocumentUnreadable(DocumentError):
    """It is damaged, or a parser crashes at it."""


class OldWordFormat(DocumentUnreadable):
    """A .doc file that is older or unusual; another program may be able to read it."""


class DocumentKindError(DocumentError):
    """The content is of no kind that is read, or of another kind than the name says."""

    code = "DOCUMENT_KIND"


class DocumentEncrypted(DocumentError):
    code = "DOCUMENT_ENCRYPTED"


class DocumentWithoutText(DocumentError):
    code = "DOCUMENT_WITHOUT_TEXT"


class DocumentTooLarge(DocumentError):
    """It exceeds a limit in bytes, characters, pages or elements, or in processor time or memory."""

    code = "DOCUMENT_TOO_LARGE"


class DocumentReaderFailed(Transient):
    """The process that reads documents could not be started, or another process ended it; the file may be
    good."""

    code = "DOCUMENT_READER_FAILED"
    http_status = 503
    meaning = "The process that reads documents failed"
