"""Decodes the Content-Encoding of a response in small pieces, so that its reader can stop in time.

httpx decompresses each chunk completely and applies every encoding that the header lists: a 10 KB response
can expand to 3 GB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

MAX_PIECE = 256 * 1024
"""Bytes of one decoded piece."""


class UnreadableEncoding(ValueError):
    """The encoding is not supported, or the body is not valid in it."""


class ContentDecoder:
    """Decodes bodies without an encoding and bodies with one layer of gzip. Requests accept identity only,
    but proxies may compress a response all the same, and they use gzip.

    encoding   the value of Content-Encoding. Raises UnreadableEncoding for any other value, also for gzip
               that is applied twice
    """

    def __init__(self, encoding: str) -> None:
        name = encoding.strip().lower()
        if name not in ("", "identity", "gzip", "x-gzip"):
            raise UnreadableEncoding(f"it answers in the encoding {name[:40]!r}")
        self._gzip = zlib.decompressobj(wbits=31) if name.endswith("gzip") else None

    def decode(self, raw: bytes) -> Iterator[bytes]:
        """Yield the decoded bytes in pieces of at most MAX_PIECE, none of them empty. A caller that has read
        enough stops the iteration. Raises UnreadableEncoding."""
        if self._gzip is None:
            yield from (raw[start : start + MAX_PIECE] for start in range(0, len(raw), MAX_PIECE))
            return
        while raw:
            if self._gzip.eof:
                raise UnreadableEncoding("bytes follow the end of its gzip")
            if piece := _inflate(self._gzip, raw):
                yield piece
            raw = self._gzip.unconsumed_tail

    def finish(self) -> bytes:
        """Return the remaining decoded bytes, nearly always none. Raises UnreadableEncoding if the encoded
        data is incomplete."""
        if self._gzip is None:
            return b""
        rest = self._gzip.flush()  # at most one gzip window
        if not self._gzip.eof:
            raise UnreadableEncoding("its gzip ends too early")
        return rest


def _inflate(gzip: zlib._Decompress, raw: bytes) -> bytes:
    try:
        piece = gzip.decompress(raw, MAX_PIECE)
    except zlib.error as error:
        raise UnreadableEncoding(f"it is not the gzip that it claims to be ({error})") from error
    if gzip.unused_data:
        raise UnreadableEncoding("bytes follow the end of its gzip")
    return piece
