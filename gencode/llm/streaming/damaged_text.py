"""Recognises text whose characters a server has damaged: lost, decoded twice, or left as the model's tokens.

会��员      cafÃ©      CREATEĠTABLE      <0xE8><0xA1><0xA8>      \\x1b[32mCREATE
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gencode.llm.port import ChatRequest

_QUOTED_REPLACEMENT = re.compile("([\"'`])\ufffd\\1")
"""The character itself, as the value of a string: a program that looks for it."""
_CONTINUATION = "".join(
    {bytes([code]).decode(name, "ignore") for code in range(0x80, 0xC0) for name in ("latin-1", "cp1252")}
)
_TWICE = re.compile(
    f"[\u00c2-\u00df][{_CONTINUATION}]|[\u00e0-\u00ef][{_CONTINUATION}]{{2}}"
    f"|[\u00f0-\u00f4][{_CONTINUATION}]{{3}}"
)
"""UTF-8 that was read as Latin-1 or Windows-1252."""
_NOT_ASCII = re.compile("[^\\x00-\\x7f]")
_BYTE_TOKENS = re.compile(r"(?<![`'\"\\])(?:<0x[89A-F][0-9A-F]>){2}|(?<![`'\"\\])<0x0A>")
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}m")
_SPACE_TOKENS = "\u2581\u0120"
"""What tokenizers write for a space."""
_MIN_SPACES = 3


def damage(text: str, request: ChatRequest) -> str:
    """What shows that the text is damaged; "" if nothing does. Such characters may also be asked for."""
    found = next((shown for check in _CHECKS if (shown := check(text))), "")
    asked = (request.prefix, *(message.content for message in request.messages))
    return "" if any(found in given for given in asked) else found


def _lost(text: str) -> str:
    has_lost = "\ufffd" in text and "\ufffd" in _QUOTED_REPLACEMENT.sub("", text)
    return "\ufffd" if has_lost else ""


def _decoded_twice(text: str) -> str:
    """Only if there is no other character that is not ASCII: a French text may have any two in a row."""
    if text.isascii() or not (found := _TWICE.search(text)):
        return ""
    return "" if _NOT_ASCII.search(_TWICE.sub("", text)) else found[0]


def _tokens(text: str) -> str:
    if found := _BYTE_TOKENS.search(text):
        return found[0]
    if text.isascii():
        return ""
    spaces = text.count(" ")
    return next((mark for mark in _SPACE_TOKENS if text.count(mark) > max(spaces, _MIN_SPACES)), "")


def _coloured(text: str) -> str:
    found = _COLOUR.search(text) if "\x1b[" in text else None
    return found[0] if found else ""


_CHECKS: tuple[Callable[[str], str], ...] = (_lost, _decoded_twice, _tokens, _coloured)
