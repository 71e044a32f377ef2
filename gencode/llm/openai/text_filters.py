"""The filters of an answer's text, one after another, fed with the texts of its events."""

from __future__ import annotations

from gencode.llm.errors import LLMBadOutput, LLMTooLarge
from gencode.llm.openai.cumulative_text import CumulativeText
from gencode.llm.openai.end_tokens import EndTokens
from gencode.llm.openai.start_tokens import StartTokens
from gencode.llm.openai.think_block import ModelHabits, ThinkBlock
from gencode.llm.port import ChatRequest
from gencode.llm.streaming.damaged_text import damage
from gencode.llm.streaming.surrogate_pairs import SurrogatePairs


class TextFilters:
    """Removes what servers add: text that is repeated, leading reasoning, end tokens.

    Text is returned as soon as it is certain, and never changed afterwards. Raises LLMBadOutput where the
    answer cannot be told from what the server added, and LLMTooLarge beyond the request's `max_text`, whether
    the text is returned or held back.

    withheld  what has arrived since text was last returned: billed, also if the answer fails
    """

    def __init__(self, request: ChatRequest, habits: ModelHabits) -> None:
        self._request = request
        self._increments = CumulativeText()
        self._last_reasoning = ""
        self._room = request.max_text
        self._max_text = request.max_text
        self._pairs = SurrogatePairs()
        self._think = ThinkBlock(request, habits)
        self._start = StartTokens(request)
        self._start_after_think = StartTokens(request)
        self._tokens = EndTokens(request.prefix)
        self._delivered: list[str] = []
        self.withheld: list[str] = []

    @property
    def habits(self) -> ModelHabits:
        """What the answer shows of its model."""
        return ModelHabits(thinks=self._think.has_block, reasons_in_text=self._think.has_unopened)

    def increment(self, text: str) -> str:
        """What the text of one event adds, before anything else is removed."""
        return self._increments.feed(text)

    def reasoning(self, text: str) -> str:
        """What an event adds to the reasoning. Only its length matters, so a guess that it is cumulative
        suffices."""
        self._start_after_think.dropped = True
        last, self._last_reasoning = self._last_reasoning, text
        return text[len(last) :] if last and len(text) > len(last) and text.startswith(last) else text

    def confirm(self, whole: str) -> bool:
        """Whether a server repeats the whole answer at its end."""
        return self._increments.confirm(whole)

    def repeats(self, text: str) -> bool:
        """Whether the text of the last event is that of the one before, and too long for a coincidence."""
        return self._increments.repeats(text)

    def feed(self, increments: str) -> tuple[str, str]:
        """Reasoning and text that are certain."""
        text = self._pairs.feed(increments)
        text = text if self._start.passes else self._start.feed(text)
        reasoning, text = ("", text) if self._think.passes else self._think.feed(text)
        text = text if self._start_after_think.passes else self._start_after_think.feed(text)
        self._room += len(reasoning) - len(increments)
        if self._room < 0:
            self.withheld.append(increments)
            raise LLMTooLarge(
                f"The model's answer exceeds {self._max_text} characters. Ask for a smaller project."
            )
        text = self._tokens.feed(text)
        if text:
            self._delivered.append(text)
        if reasoning or text:
            self.withheld.clear()
        elif increments:
            self.withheld.append(increments)
        return reasoning, text

    def close(self, *, whole: bool) -> tuple[str, str]:
        """The rest. `whole`: the model ended the answer, not a limit. Otherwise what may be half a character
        or a tag is left out: a continuation brings it again."""
        reasoning, text = self.feed(self._increments.close(whole=whole))
        if whole:
            text += self.feed(self._pairs.close())[1]
        held, rest = self._think.feed(self._start.close()) if whole else ("", "")
        delivered = "".join(self._delivered)
        more_reasoning, last = self._think.close(delivered + rest, whole=whole)
        rest = self._start_after_think.feed(rest + last)
        rest += self._start_after_think.close() if whole else ""
        reasoning += held
        rest = self._tokens.feed(rest)
        rest += self._tokens.close(delivered + rest, whole=whole)
        self._check_characters(delivered + rest)
        return reasoning + more_reasoning, text + rest

    def _check_characters(self, whole: str) -> None:
        """Raises LLMBadOutput for damaged text. Prose stays readable."""
        if self._request.prose:
            return
        if found := damage(whole, self._request):
            raise LLMBadOutput(
                f"The server damaged characters of the answer: it has {found!r} in place of others. Try "
                "again, or choose another server or model."
            )
