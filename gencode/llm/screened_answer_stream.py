"""Publishes the text of one answer as it arrives, and screens it for secrets of this service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gencode.domain.errors import SecretFound
from gencode.domain.phrase import Phrase
from gencode.engine.ports.pipeline import Emit, StageUpdate
from gencode.llm.usage_meter import CallMeter
from gencode.security.secret_detector import SecretDetector

OnText = Callable[[str], None]
"""Called with each chunk of an attempt's text as it arrives; an exception ends the call."""


class ScreenedAnswerStream:
    """Accumulates the text of one answer. `secrets`: those of this service."""

    def __init__(self, meter: CallMeter, emit: Emit, secrets: Sequence[str], on_text: OnText | None) -> None:
        self._about = meter.about
        self._prefix = meter.request.prefix
        self._emit = emit
        self._on_text = on_text
        self._detector = SecretDetector(secrets, self._prefix)
        self._parts: list[str] = []
        self._length = 0

    def feed(self, chunk: str) -> str:
        """Screens a chunk. Returns the text that can be published now. Raises SecretFound."""
        passed = self._detector.feed(chunk)
        if passed is None:
            line = (self._prefix + self.whole()).count("\n") + 1
            raise own_secret_found(f"{self._about} line {line}")
        return passed

    def finish(self) -> str:
        """Returns the rest of the text at the end of the answer."""
        return self._detector.finish()

    async def pass_on(self, text: str) -> None:
        """Publishes text that `feed` or `finish` returned. Raises the errors of the callback."""
        self._parts.append(text)
        data = {"about": self._about, "offset": self._length, "text": text}
        await self._emit(StageUpdate(kind="delta", data=data, live=True))
        self._length += len(text)
        if self._on_text:
            self._on_text(text)

    def whole(self) -> str:
        """The complete text so far. The halves of a surrogate pair that arrived in two chunks are joined; a
        lone half becomes U+FFFD."""
        text = "".join(self._parts)
        if text.isascii():
            return text
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def own_secret_found(where: str) -> SecretFound:
    """The failure of a task whose model has written a secret of this service. `where`: where the secret was
    found, such as a path and line."""
    return SecretFound(
        Phrase(
            "{where} holds a secret of this service, which the model has written. The answer "
            "was not stored and nothing was pushed; replace that secret",
            where=where[:200],
        )
    )
