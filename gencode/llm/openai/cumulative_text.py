"""Recognises servers that repeat the whole answer so far in every event."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from gencode.llm.errors import LLMBadOutput

_MIN_GROWTHS = 3
_MIN_CHARACTERS = 4
"""Different ones: a row of dashes in growing events is not proof."""
_MIN_REPEATED_EVENTS = 4
_MIN_PAIRS = 4
_MIN_REPEATED = 24
"""Characters of two equal events at the beginning or end of an answer that are one, sent twice."""
_UNSTABLE = "\ufffd" + "".join(map(chr, range(0xD800, 0xDC00)))
"""The end of a cumulative text while a character is incomplete."""


class CumulativeText:
    """Turns the texts of events into the new text that each adds.

    While each event extends the one before it, the text is either cumulative or repeats itself, so all but
    the first event is held back. The first event that does not extend its predecessor proves that texts are
    increments, which is nearly always the second one. If none does until the end, at least three growths
    prove a cumulative text; fewer prove nothing, and the answer is refused instead of delivered twice over.
    """

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._length = 0
        self._undecided = True
        self._whole = ""

    def feed(self, text: str) -> str:
        """Raises LLMBadOutput for text that is cumulative in one part and not in another."""
        if self._undecided:
            return self._compare(text) if text else ""
        if len(text) >= self._length and len(self._texts) >= _MIN_REPEATED_EVENTS:
            self._check_repetition(text)
        self._texts.append(text)
        self._length += len(text)
        return text

    def repeats(self, text: str) -> bool:
        """Whether the text is that of the last event, and too long for a coincidence."""
        return not self._undecided and self._texts[-1] == text and _is_long(text)

    def confirm(self, whole: str) -> bool:
        """Whether this is the whole text so far, as some servers add at the end; it decides."""
        if whole == "".join(self._texts) or (self._undecided and whole == self._texts[-1]):
            self._whole = whole
            return True
        return False

    def close(self, *, whole: bool) -> str:
        """The text that was held back. If it is uncertain, it is left out of an answer that a limit has cut,
        and raises LLMBadOutput for a `whole` one."""
        if not self._undecided:
            self._check_doubled()
        if not self._undecided or not self._texts:
            return ""
        if not whole:
            text = self._texts[-1] if self._is_cumulative(self._texts) else self._texts[0]
            return _stable(text)[len(_stable(self._texts[0])) :]
        return self._settled()[len(_stable(self._texts[0])) :]

    def _settled(self) -> str:
        """The whole text, while each event extended the one before it."""
        if self._whole:
            return self._whole
        if not self._growths(self._texts):
            return "".join(self._texts)
        if not self._is_cumulative(self._texts):
            raise _ambiguous()
        return self._texts[-1]

    def _compare(self, text: str) -> str:
        texts = self._texts
        texts.append(text)
        self._length += len(text)
        if len(texts) == 1:
            return _stable(text)
        before = _stable(texts[-2])
        if before and text.startswith(before) and not _is_repeated(texts):
            return ""
        if self._is_cumulative(texts[:-1]):
            raise _ambiguous()
        if texts[0] == texts[1] != text and _is_long(texts[0]):
            raise _doubled()
        self._undecided = False
        return "".join(texts)[len(_stable(texts[0])) :]

    def _growths(self, texts: Sequence[str]) -> int:
        return sum(len(later) > len(text) for text, later in pairwise(texts))

    def _is_cumulative(self, texts: Sequence[str]) -> bool:
        return self._growths(texts) >= _MIN_GROWTHS and len(set(texts[-1])) >= _MIN_CHARACTERS

    def _check_doubled(self) -> None:
        """Some gateways send each event twice. No text of any length consists of pairs of equal tokens."""
        texts = self._texts
        pairs = len(texts) // 2
        if pairs < _MIN_PAIRS or texts[: 2 * pairs : 2] != texts[1::2][:pairs]:
            return
        if len(set(texts)) >= _MIN_CHARACTERS:
            raise _doubled()

    def _check_repetition(self, text: str) -> None:
        """An event that repeats all before it, after events that did not."""
        if text.startswith("".join(self._texts)):
            raise _ambiguous()


def _is_long(text: str) -> bool:
    return len(text) >= _MIN_REPEATED and len(set(text)) >= _MIN_CHARACTERS


def _stable(text: str) -> str:
    return text.rstrip(_UNSTABLE)


def _is_repeated(texts: list[str]) -> bool:
    """Three equal events are increments: a cumulative text grows."""
    return len(texts) == 3 and texts[0] == texts[1] == texts[2]


def _doubled() -> LLMBadOutput:
    return LLMBadOutput("The server sends events of its answer twice. Choose another server, or try again.")


def _ambiguous() -> LLMBadOutput:
    return LLMBadOutput(
        "The server seems to repeat its whole text in each event, but not consistently, so the answer cannot "
        "be told from one that repeats itself. Set the server to incremental output, or try again."
    )
