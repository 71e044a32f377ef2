"""Joins the halves of surrogate pairs."""

from __future__ import annotations


class SurrogatePairs:
    """Servers written in JavaScript can split an emoji into two events, half a surrogate pair in each."""

    def __init__(self) -> None:
        self._high = ""

    def feed(self, text: str) -> str:
        """The text up to a high half at its end. A lone half becomes U+FFFD."""
        if text.isascii() and not self._high:
            return text
        text, self._high = self._high + text, ""
        if text and "\ud800" <= text[-1] <= "\udbff":
            text, self._high = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def close(self) -> str:
        """The replacement of a lone half at the end."""
        high, self._high = self._high, ""
        return "\ufffd" if high else ""
