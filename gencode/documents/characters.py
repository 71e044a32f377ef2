"""Which characters a text may have, whatever kind of file it is from."""

from __future__ import annotations

import re
import unicodedata

_LINE_END = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffe\uffff\ud800-\udfff]")
"""Without tab and the ends of lines."""
_PRESENTATION_FORM = re.compile("[\u2e80-\u2fd5\ufb00-\ufb06]")
_UNREADABLE = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd-\uffff\U000f0000-\U0010ffff]")


def with_line_feeds(text: str) -> str:
    """Form feeds and Unicode's line separators end a line, too."""
    return _LINE_END.sub("\n", text)


def without_control_characters(text: str) -> tuple[str, int]:
    """The text without them, and how many there were. Lines must have been made by `with_line_feeds`."""
    return _CONTROL.subn("", text)


def without_presentation_forms(text: str) -> str:
    """Radicals in place of ideographs, and ligatures, which PDF files have, as ordinary characters."""
    return _PRESENTATION_FORM.sub(lambda found: unicodedata.normalize("NFKC", found[0]), text)


def is_readable(text: str) -> bool:
    """False for a text of glyph numbers: a font without a table of its characters."""
    visible = len("".join(text.split()))
    return bool(visible) and len(_UNREADABLE.findall(text)) <= 0.2 * visible
