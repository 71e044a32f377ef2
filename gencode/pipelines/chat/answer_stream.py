"""The text of an answer while the model writes it: published as it arrives, stored in pieces, and continued
when a call breaks off or the process ends.

Every viewer can have the stored text at any time: an event `text` replaces what follows its offset. Live
`delta` messages only show the same text sooner. So two viewers, and one who comes later, end with one text.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import anyio

from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.errors import LLMBadOutput
from gencode.llm.port import ChatRequest, Message
from gencode.workspace.conversations.settlement import USAGE
from gencode.workspace.conversations.written_text import WrittenText, piece

ABOUT = "answer"
REFUSED = "refused"
"""A checkpoint: the number of the round whose text may not be continued."""
PIECE_CHARACTERS = 2000
PIECE_SECONDS = 2.0
ANCHOR = 60
"""Characters at the end of the text that a model must repeat to prove that it continues there."""
LEAST = 40
"""A shorter text is begun again: little is lost."""
CONTINUE = (
    "Your answer was cut off. Continue it. Begin by repeating these last characters of it exactly, without "
    "quotes, and go on from there without a remark:\n"
)


class AnswerStream:
    """Implements Emit, for the session of the model, and ContinuedAnswer.

    is_continuable     whether the text may be continued, and was not refused by an earlier run
    has_native_prefix  whether the model continues a prefix exactly
    """

    def __init__(
        self, emit: Emit, request: ChatRequest, written: WrittenText, *, is_continuable: bool = True
    ) -> None:
        self._emit = emit
        self._request = request
        self._round = written.round
        self._parts = [written.text] if written.text else []
        self._unstored: list[str] = []
        self._length = self._stored = self._attempt_began = len(written.text)
        self._anchor = self._held = self._repeated = ""
        self._is_continuable = is_continuable
        self.has_native_prefix: Callable[[], bool] = lambda: False
        self.usage: dict[str, Any] | None = None

    @property
    def written(self) -> WrittenText:
        return WrittenText(round=self._round, text=self._text)

    @property
    def _text(self) -> str:
        if len(self._parts) > 1:
            self._parts = ["".join(self._parts)]
        return self._parts[0] if self._parts else ""

    @property
    def is_begun(self) -> bool:
        return self._length > 0

    async def next_request(self) -> ChatRequest:
        """The request that continues the text so far, if it can be proven that the answer does."""
        await self.store()
        self._anchor = self._held = self._repeated = ""
        self._attempt_began = self._length
        if not self.is_begun:
            return self._request
        text = self._text
        if self._is_continuable and self.has_native_prefix():
            return replace(self._request, prefix=text)
        if self._is_continuable and len(text.strip()) >= LEAST:
            return self._anchored_request(text)
        await self._begin_again()
        return self._request

    def _anchored_request(self, text: str) -> ChatRequest:
        said = text.rstrip()
        self._repeated = text[len(said) :]
        self._anchor = said[-ANCHOR:].lstrip()
        messages = (
            *self._request.messages,
            Message(role="assistant", content=text),
            Message(role="user", content=CONTINUE + self._anchor),
        )
        return replace(self._request, messages=messages)

    async def _begin_again(self) -> None:
        """Discards the text, and says so to everybody who has it."""
        self._round, self._is_continuable = self._round + 1, True
        self._parts, self._unstored = [], []
        self._length = self._stored = self._attempt_began = 0
        await self._emit(self._piece(0, ""))

    async def attempt_was_unusable(self) -> None:
        """Remembers, also for a later run of the stage, if the text is no beginning of an answer."""
        self._judge_attempt()
        if not self._is_continuable:
            await self._emit(StageUpdate(checkpoints={REFUSED: str(self._round)}, is_progress=False))

    def _judge_attempt(self) -> None:
        """What an unusable answer has added cannot be continued: it may be reasoning, which was not
        recognised before its end."""
        if self._length > self._attempt_began:
            self._is_continuable = False

    # --- what the session emits ---------------------------------------------------------------------------

    async def __call__(self, *updates: StageUpdate) -> None:
        if len(updates) == 1 and updates[0].live:
            await self._receive(updates[0].data["text"])
        else:
            await self._emit(*map(self._with_total, updates))

    def _with_total(self, update: StageUpdate) -> StageUpdate:
        """The task's result always has the usage of all its calls."""
        if update.kind == "retry" and update.data["code"] == LLMBadOutput.code:
            self._judge_attempt()
        if update.kind != "usage":
            return update
        self.usage = dict(update.data["total"])
        return replace(update, result={**update.result, USAGE: self.usage})

    async def _receive(self, received: str) -> None:
        """Raises LLMBadOutput if the model does not continue where it was told to."""
        text = self._continuation(received.replace("\x00", "\ufffd"))  # PostgreSQL stores no NUL
        if not text:
            return
        data = {"about": ABOUT, "round": self._round, "offset": self._length, "text": text}
        self._parts.append(text)
        self._unstored.append(text)
        self._length += len(text)
        await self._emit(StageUpdate(kind="delta", data=data, live=True))
        if self._length - self._stored >= PIECE_CHARACTERS:
            await self.store()

    def _continuation(self, received: str) -> str:
        """What of the received text follows the text so far."""
        if self._anchor:
            self._held = (self._held + received).lstrip()
            if not self._held.startswith(self._anchor[: len(self._held)]):
                raise self._unproven()
            if len(self._held) < len(self._anchor):
                return ""
            received, self._anchor = self._held.removeprefix(self._anchor), ""
        while self._repeated and received:  # white space that the text has already
            if received[0] != self._repeated[0]:
                self._repeated = ""
                break
            received, self._repeated = received[1:], self._repeated[1:]
        return received

    def _unproven(self) -> LLMBadOutput:
        self._is_continuable = False
        return LLMBadOutput("the model did not continue its answer where it broke off: it begins again")

    # --- storing ------------------------------------------------------------------------------------------

    async def store(self) -> None:
        """Stores what is not stored yet."""
        if self._unstored:
            await self._emit(self.last_piece())

    async def store_regularly(self) -> None:
        while True:
            await anyio.sleep(PIECE_SECONDS)
            await self.store()

    def last_piece(self) -> StageUpdate:
        """The update that stores the rest; none if everything is stored."""
        offset, self._stored = self._stored, self._length
        text, self._unstored = "".join(self._unstored), []
        return self._piece(offset, text) if text else StageUpdate()

    def _piece(self, offset: int, text: str) -> StageUpdate:
        data = {"round": self._round, "offset": offset, "text": text}
        return StageUpdate(kind="text", data=data, checkpoints=piece(self._round, offset, text))

    def check(self) -> None:
        """Raises LLMBadOutput for an answer without text, and for one that does not continue."""
        if self._anchor and self._held:
            raise self._unproven()
        if self._anchor or not self._text.strip():
            raise LLMBadOutput("the model answered with no text")
