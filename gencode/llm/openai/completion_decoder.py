"""Turns the bytes of one response into chunks: all deviations of servers are handled here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gencode.llm.errors import LLMBadOutput, LLMIncomplete, ProviderError
from gencode.llm.openai.answer_completeness import EndEvidence
from gencode.llm.openai.choice_index_repair import ChoiceIndex
from gencode.llm.openai.completion_event_parser import CompletionEvent, completion_event, plain_text
from gencode.llm.openai.finish_reasons import Mark
from gencode.llm.openai.second_answer import AnswerIdentity
from gencode.llm.openai.server_events import JsonObject, ServerEvents
from gencode.llm.openai.text_filters import TextFilters
from gencode.llm.openai.think_block import NOTHING_KNOWN, ModelHabits
from gencode.llm.openai.usage_fields import merged, usage_of
from gencode.llm.port import ChatChunk, ChatRequest, Usage
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.error_objects import error_object
from gencode.llm.streaming.event_json import MAX_EVENT, too_large
from gencode.llm.streaming.line_splitter import LineSplitter
from gencode.llm.streaming.provider import BodyEnd

_MAX_BLANKS = 2000
"""Characters in a row within JSON: in JSON mode, small models write them until the token limit."""
_MIN_COUNTED = 1000
_MAX_PER_TOKEN = 32
"""Characters of an answer from which its count is compared with them, and most of a token on average. Some
servers count each event by itself."""
_MAX_REFUSAL = 2000
"""Characters of the model's own words: their beginning is shown."""


class CompletionDecoder:
    """bytes -> lines -> objects -> events of a completion -> text, reasoning, usage, end.

    It reads nothing and waits for nothing: feed it the blocks of a body as they arrive, then finish it.

    over      nothing more is to be read: the server sent [DONE], the answer has failed, or the server keeps
              sending white space
    is_alive  the last block showed that the model is generating
    """

    def __init__(
        self, request: ChatRequest, errors: ErrorMapper, habits: ModelHabits = NOTHING_KNOWN
    ) -> None:
        self._expects_json = request.json and not request.prefix
        self._continues = bool(request.prefix)
        self._max_tokens = request.max_tokens
        self._errors = errors
        self._lines = LineSplitter()
        self._events = ServerEvents(errors)
        self._index = ChoiceIndex()
        self._identity = AnswerIdentity()
        self._text = TextFilters(request, habits)
        self._end = EndEvidence()
        self._usage: Usage | None = None
        self._failure: ProviderError | None = None
        self._first_object: JsonObject | None = None
        self._has_choices = self._has_deltas = self._has_tool = self._has_reasoning = False
        self._is_blank = True
        self._blanks = 0
        self._received = 0
        self._refusal = ""
        self.is_alive = False

    @property
    def over(self) -> bool:
        return self._events.done or self._failure is not None or self._blanks > _MAX_BLANKS

    @property
    def is_proven(self) -> bool:
        """Whether the answer is complete even if nothing more arrives."""
        return self._end.is_proven and self._failure is None

    @property
    def habits(self) -> ModelHabits:
        """What the answer shows of its model."""
        return self._text.habits

    @property
    def usage(self) -> Usage | None:
        """The tokens that the server has counted so far; None if its count cannot be that of this call."""
        usage = self._usage
        if not usage or (self._has_answered and not usage.completion):
            return None
        if self._received >= _MIN_COUNTED and self._received > usage.completion * _MAX_PER_TOKEN:
            usage = replace(usage, completion=0)
        return usage

    @property
    def _has_answered(self) -> bool:
        return self._has_reasoning or not self._is_blank

    def feed(self, block: bytes) -> ChatChunk:
        """What the next bytes of the body add. A failure is kept for `finish`: nothing received is lost."""
        events = self._events
        objects = self._index.feed(events.feed(self._lines.feed(block)))
        if self._lines.pending > MAX_EVENT:
            events.failure = too_large()
        if len(objects) == 1 and events.failure is None and (text := plain_text(objects[0])):
            return self._plain_chunk(objects[0], text)
        return self._chunk(objects)

    def finish(self, end: BodyEnd) -> tuple[ChatChunk, ProviderError | None]:
        """The last chunk, and why the answer cannot be used, if it cannot. Without a failure, the chunk has a
        finish_reason."""
        rest = [] if self.over or end is BodyEnd.BROKEN else self._events.close(self._lines.close())
        rest = [*self._index.feed(rest), *self._index.close()]
        chunk = ChatChunk() if self._failure else self._chunk(rest)
        if self._events.done or (self._events.document and end is not BodyEnd.BROKEN):
            end = BodyEnd.DONE
        if failure := self._failure or self._events.failure:
            self._failure = self._events.failure = None  # its traceback may refer to this decoder
            return self._failed(chunk), failure
        try:
            mark = self._mark(end)
            reasoning, text = self._text.close(whole=mark is Mark.STOP)
            self._note(reasoning, text)
            self._check_content(mark)
        except ProviderError as error:
            return self._failed(chunk), error
        return replace(
            chunk,
            reasoning=chunk.reasoning + reasoning,
            text=chunk.text + text,
            usage=self.usage,
            finish_reason="length" if mark is Mark.LENGTH else "stop",
        ), None

    def _failed(self, chunk: ChatChunk) -> ChatChunk:
        """The last chunk of an answer that cannot be used. What was withheld counts in the account."""
        received = "".join([chunk.reasoning, *self._text.withheld])
        return replace(chunk, reasoning=received, usage=self.usage)

    def _plain_chunk(self, event: JsonObject, text: str) -> ChatChunk:
        """Nearly every block of nearly every server is one event that holds only text."""
        reasoning = ""
        try:
            reasoning, text = self._text.feed(self._plain(event, text))
        except ProviderError as error:
            self._failure, text = error, ""
        if reasoning or self._is_blank or self._expects_json:
            self._note(reasoning, text)
        self._received += len(text)
        return ChatChunk(text=text, reasoning=reasoning)

    def _chunk(self, objects: Sequence[JsonObject]) -> ChatChunk:
        self.is_alive = False
        usage = self._usage
        texts: list[str] = []
        thoughts: list[str] = []
        reasoning = text = ""
        try:
            for found in objects:
                self._read(found, texts, thoughts)
            self._failure = self._events.failure
        except ProviderError as error:
            self._failure = error
        try:
            reasoning, text = self._text.feed("".join(texts))
        except ProviderError as error:
            self._failure = error
        reasoning = "".join(thoughts) + reasoning
        self._note(reasoning, text)
        self._received += len(text)
        return ChatChunk(text=text, reasoning=reasoning, usage=self.usage if self._usage != usage else None)

    def _read(self, found: JsonObject, texts: list[str], thoughts: list[str]) -> None:
        plain = plain_text(found)
        if plain is not None:
            self._has_choices = True
            if plain:
                texts.append(self._plain(found, plain))
            return
        event = self._event(found)
        if event.unreadable:
            raise LLMBadOutput(
                f"The server sent {self._errors.quote(event.unreadable)} in place of text, so a part of the "
                "answer is lost. Choose another server or model, or try again."
            )
        if event.text:
            self._identity.add(found)
        if event.text or event.mark:
            texts.append(self._increment(event))
        if event.reasoning:
            thoughts.append(self._text.reasoning(event.reasoning))
        if event.other_text and self._end.is_proven:
            raise LLMBadOutput(
                "The server sends several answers at once. Request one (the provider's quirks)."
            )

    def _plain(self, event: JsonObject, text: str) -> str:
        """What the text of an event adds that holds nothing else."""
        self._identity.add(event)
        self._has_choices = self._has_deltas = self.is_alive = True
        self._end.add_text()
        return self._text.increment(text)

    def _event(self, found: JsonObject) -> CompletionEvent:
        if self._first_object is None:
            self._first_object = found
        if error := error_object(found):
            raise self._errors.from_error_object(error, is_first=not self._has_choices)
        if usage := usage_of(found):
            self._usage = merged(self._usage, usage)
        event = completion_event(found)
        self._has_choices = self._has_choices or "choices" in found or event.is_alive
        if event.is_alive:
            self.is_alive = True
            self._refusal += event.refusal[: _MAX_REFUSAL - len(self._refusal)]
            self._has_tool |= event.has_tool
        return event

    def _increment(self, event: CompletionEvent) -> str:
        """The new text of an event, which may also mark the end of the answer."""
        text = event.text
        if text and event.is_message and self._has_deltas:
            if not self._text.confirm(text):
                raise LLMBadOutput("The server repeated its answer at the end, and differently. Try again.")
            text = ""
        if text and not event.is_message:
            self._has_deltas = True
        if text and event.mark and not self._end.reason and self._text.repeats(text):
            raise LLMBadOutput("The last event of the answer repeats the one before it. Try again.")
        if text or event.mark:
            self._end.add(has_text=bool(text), mark=event.mark, reason=event.reason)
        return self._text.increment(text) if text else ""

    def _note(self, reasoning: str, text: str) -> None:
        self._has_reasoning = self._has_reasoning or bool(reasoning)
        if self._is_blank and text:
            self._is_blank = not text.strip()
        if self._expects_json and text:
            end = len(text.rstrip())
            self._blanks = len(text) - end + (0 if end else self._blanks)

    def _mark(self, end: BodyEnd) -> Mark:
        """STOP or LENGTH. Raises for every other end."""
        if self._blanks > _MAX_BLANKS:
            return Mark.LENGTH
        mark = self._end.mark(end)
        if self._refusal or mark is Mark.REFUSED:
            raise self._errors.refused(self._refusal)
        if mark is Mark.UNAVAILABLE:
            raise self._errors.unavailable(self._end.reason.replace("_", " "))
        if self._has_tool or mark is Mark.TOOL:
            raise LLMBadOutput("The model called a tool instead of answering. Try again.")
        if mark in (Mark.NONE, Mark.UNKNOWN):
            raise self._incomplete(mark, end)
        if mark is Mark.STOP and self._usage and self._usage.completion == self._max_tokens:
            return Mark.LENGTH  # some servers call every end "stop"
        return mark

    def _incomplete(self, mark: Mark, end: BodyEnd) -> ProviderError:
        if self._first_object is not None and not self._has_choices and end is not BodyEnd.BROKEN:
            quoted = self._errors.quote(str(self._first_object)[:300])
            return self._errors.wrong_address(f"it answers with {quoted}, which is no completion")
        reason = self._errors.quote(self._end.reason) or "none"
        if mark is Mark.NONE and self._end.reason:
            reason += ", but it came with text, so more may follow"
        return LLMIncomplete(f"The model's answer may not be whole (finish_reason: {reason}). Try again.")

    def _check_content(self, mark: Mark) -> None:
        """A continuation may be empty: its caller knows what that means."""
        if not self._is_blank or (self._continues and mark is Mark.LENGTH):
            return
        if self._has_reasoning:
            raise LLMBadOutput(
                "The model only reasoned and did not answer. Switch its thinking off (the provider's "
                "quirks), or try again."
            )
        if self._expects_json:
            raise LLMBadOutput("The model answered with blanks instead of JSON. Try again.")
