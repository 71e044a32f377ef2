"""The content of a file as Git stores it. Deflating is most of the work of a push, so each file is deflated
as soon as it is complete."""

from __future__ import annotations

import hashlib
import zlib


def blob_id(data: bytes) -> str:
    """Git's id of this content: 40 hex digits."""
    return hashlib.sha1(b"blob %d\0%b" % (len(data), data), usedforsecurity=False).hexdigest()


def deflated(text: str) -> tuple[str, bytes]:
    """The blob id and the zlib stream of a file. Takes some 20 ms for each megabyte: call it in a thread."""
    data = text.encode("utf-8", "replace")
    return blob_id(data), zlib.compress(data)
