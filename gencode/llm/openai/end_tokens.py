"""Drops the special tokens with which some servers end an answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from gencode.llm.errors import LLMBadOutput
from gencode.llm.special_tokens import END_TOKENS as _OPENED_BY

_TOKENS = tuple(_OPENED_BY)
_LONGEST = max(map(len, _TOKENS))
_MAX_HELD = 4096
_FIRST = tuple({token[0] for token in _TOKENS})
_SPACES = " \t"
_BEFORE_VALUE = tuple("=:,(|-")
"""Characters after which a token may be a value."""


class EndTokens:
    """Holds back what may be end tokens, and drops them if they end a whole answer, with the spaces between
    the last line and them: " <|im_end|>".

    before  the text that the answer continues
    """

    def __init__(self, before: str = "") -> None:
        self._before = before
        self._held = ""

    def feed(self, text: str) -> str:
        """Raises LLMBadOutput for an endless row of end tokens."""
        if not self._held and text[-1:] not in _SPACES and not any(mark in text for mark in _FIRST):
            return text
        text = self._held + text
        at = _run_start(text)
        at = len(text[:at].rstrip(_SPACES))
        self._held = text[at:]
        if len(self._held) > _MAX_HELD:
            raise LLMBadOutput("The model repeats the token that ends its answer. Try again.")
        return text[:at]

    def close(self, delivered: str, *, whole: bool) -> str:
        """The rest of the answer, of which `delivered` is the beginning. If it is not whole, what may be end
        tokens is left out.

        Raises LLMBadOutput if an end token may be a part of the text.
        """
        held = self._held if whole else _leading_spaces(self._held)
        if held.rstrip().endswith(_TOKENS) and not _is_value(delivered, held):
            count = cache((self._before + delivered).count)
            while (end := _last_token(held)) and _is_extra(count, held, end[1]):
                held = held[: end[0]].rstrip(_SPACES)
        return held


def _is_value(delivered: str, held: str) -> bool:
    """Whether the token is a value of the file: "STOP=<eos>" and a line end. Raises LLMBadOutput without that
    line end, since the value may be empty, and the token the answer's."""
    before = delivered[-_LONGEST:].rstrip(_SPACES)
    if _leading_spaces(held) == held or before[-1:] not in _BEFORE_VALUE or not before:
        return False
    if held.endswith("\n"):
        return True
    raise _undecidable(held.strip())


def _leading_spaces(text: str) -> str:
    return text[: len(text) - len(text.lstrip(_SPACES))]


def _partial_start(text: str) -> int:
    """The offset of the beginning of an end token at the end of the text; the text's length if there is
    none."""
    end = text[-_LONGEST:]
    starts = (at for at, mark in enumerate(end) if mark in _FIRST)
    at = next((at for at in starts if any(token.startswith(end[at:]) for token in _TOKENS)), len(end))
    return len(text) - len(end) + at


def _run_start(text: str) -> int:
    """The offset of the tokens at the end, the last of which may be incomplete; of a long row, the offset of
    its last _MAX_HELD characters."""
    end = _partial_start(text)
    skipped = max(0, len(text[:end].rstrip()) - _MAX_HELD - _LONGEST)
    while last := _last_token(text[skipped:end]):
        end = skipped + last[0]
    return end


def _last_token(text: str) -> tuple[int, str] | None:
    """Position and text of the token at the end, white space after it aside."""
    text = text.rstrip()
    if not text.endswith(_TOKENS):
        return None
    token = next(token for token in _TOKENS if text.endswith(token))
    return len(text) - len(token), token


def _is_extra(count: Callable[[str], int], held: str, token: str) -> bool:
    """Whether the last of these tokens ends the answer, and nothing in it. `count`: in the text before."""
    before, at_end = count(token), held.count(token)
    opened = sum(count(opener) + held.count(opener) for opener in _OPENED_BY[token])
    extra = before + at_end - opened
    if extra > at_end:
        raise _undecidable(token)
    return extra > 0


def _undecidable(token: str) -> LLMBadOutput:
    return LLMBadOutput(
        f"The answer ends with {token}, which may be a part of the file or end the answer. Try again."
    )
