"""Decides whether an answer is complete: by its end marks, its text and how its body ended."""

from __future__ import annotations

from gencode.llm.openai.finish_reasons import Mark
from gencode.llm.streaming.provider import BodyEnd


class EndEvidence:
    """Collects the end marks of one answer.

    A mark counts only if no text follows it. Some servers put one into every event, so a "stop" proves that
    the answer is whole only if its event has no text, text came before, and none followed a mark at any time;
    otherwise the end of the body must prove it. A "length" needs no proof: what has arrived is continued.
    """

    def __init__(self) -> None:
        self._mark = Mark.NONE
        self._final = Mark.NONE
        self._was_cut = False
        self._has_text = False
        self._stands_alone = False
        self._contradicted = False
        self._reason = ""

    def add(self, *, has_text: bool, mark: Mark, reason: str) -> None:
        """One event, in the order of arrival."""
        if has_text:
            self.add_text()
        if mark:
            if mark >= max(self._mark, self._final):
                self._reason = reason
            self._mark = max(self._mark, mark)
            self._stands_alone = self._has_text and not has_text
            if mark in (Mark.TOOL, Mark.UNAVAILABLE, Mark.REFUSED):
                self._final = max(self._final, mark)

    def add_text(self) -> None:
        """An event with text and without a mark."""
        self._has_text = True
        if self._mark:
            self._contradicted = True
            self._was_cut |= self._mark is Mark.LENGTH
            self._mark = Mark.NONE

    @property
    def is_proven(self) -> bool:
        """Whether a failure from now on does not affect the answer."""
        if not self._mark:
            return False
        return self._mark is not Mark.STOP or (self._stands_alone and not self._contradicted)

    @property
    def reason(self) -> str:
        """The server's word for the mark."""
        return self._reason

    def mark(self, end: BodyEnd) -> Mark:
        """STOP only for an answer that is whole; NONE if its end is not proven."""
        mark = max(self._mark, self._final)
        if mark is Mark.NONE and self._was_cut:
            return Mark.LENGTH
        if mark is Mark.STOP and end not in (BodyEnd.DONE, BodyEnd.COMPLETE) and not self.is_proven:
            return Mark.NONE
        return mark
