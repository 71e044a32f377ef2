"""Splits the bytes of a body into lines."""

from __future__ import annotations

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineSplitter:
    """Takes blocks of bytes and returns the lines that they complete, without their ends.

    A line ends with LF, CRLF or CR (the rule of server-sent events), and never at U+2028 or NEL, which JSON
    strings may contain. One byte order mark before the first line is removed.
    """

    def __init__(self) -> None:
        self._partial = bytearray()
        self._started = False
        self._after_cr = False

    @property
    def pending(self) -> int:
        """Bytes of the line that has not ended."""
        return len(self._partial)

    def feed(self, block: bytes) -> list[bytes]:
        if self._started and block.endswith(b"\n") and not (self._partial or self._after_cr):
            return block.splitlines()  # whole events, as most servers send them
        if not self._started:
            block = self._start(block)
        if self._after_cr and block:
            block, self._after_cr = block.removeprefix(b"\n"), False
        if b"\n" not in block and b"\r" not in block:
            self._partial += block
            return []
        lines = (bytes(self._partial) + block).splitlines()
        ends_line = block.endswith((b"\n", b"\r"))
        self._after_cr = block.endswith(b"\r")
        self._partial = bytearray(b"" if ends_line else lines.pop())
        return lines

    def close(self) -> list[bytes]:
        """The last line, if the body does not end with a line end."""
        last, self._partial = bytes(self._partial), bytearray()
        return last.splitlines()

    def _start(self, block: bytes) -> bytes:
        """Wait for three bytes, then remove the mark."""
        head = bytes(self._partial) + block
        self._partial = bytearray()
        if len(head) < len(_BYTE_ORDER_MARK) and _BYTE_ORDER_MARK.startswith(head):
            self._partial += head
            return b""
        self._started = True
        return head.removeprefix(_BYTE_ORDER_MARK)
