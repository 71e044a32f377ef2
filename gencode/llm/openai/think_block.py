"""Separates the reasoning with which some models begin their answer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from gencode.llm.errors import LLMBadOutput
from gencode.llm.port import ChatRequest
from gencode.llm.special_tokens import THINK_TAGS as _BLOCKS
from gencode.llm.special_tokens import UNOPENED_THINK_TAGS as _UNOPENED

_LONGEST = max(map(len, (*_BLOCKS, *_BLOCKS.values())))
_QUOTES = "\"'`"
_QUOTED = tuple(_QUOTES)
# fmt: off
_FIRST_WORDS = (
    "Okay", "Ok", "OK", "Alright", "Let", "First", "Hmm", "So", "We", "I", "I'll", "I'm", "I've",
    "The user", "The task", "To", "Now", "Well", "Wait", "Looking", "Thinking", "My", "Since",
    "Need", "User", "Got it", "嗯", "好的", "好，", "首先", "用户", "我", "让我", "现在", "根据",
)
"""Words with which reasoning begins, and files rarely do. Text that begins so is held back until its end."""
_CODE_WORDS = frozenset((
    "import", "from", "package", "module", "use", "using", "include", "def", "class", "func",
    "function", "fn", "public", "private", "const", "let", "var", "return", "set", "export",
    "namespace",
))
# fmt: on
_SENTENCE = re.compile(r"[^={}<>;$#@\\/_*|`\[\]]*[\w.,:;!?…)。，：！？]")
_SENTENCE_PART = re.compile(r"[A-Z\u3400-\u9fff][^={}<>;$#@\\/_*|`\[\]\n]*")
_SENTENCE_ENDS = (".", ":", "!", "?", "…", "。", "：", "！", "？")
_MAX_SENTENCE = 1000
_WORD_END = re.compile(r"[\s,.:;!?…，。：]")
_BLANK_LINES = re.compile(r"[ \t]*\r?\n(?:[ \t]*\r?\n)*")
_CLOSED_LINE = re.compile(
    rf"(?<![{_QUOTES}])(?:{'|'.join(map(re.escape, _UNOPENED))})[ \t]*(?:\r?\n|\Z)", re.IGNORECASE
)
_OPENING = re.compile("|".join(map(re.escape, _BLOCKS)), re.IGNORECASE)
_ANY_UNOPENED = "|".join(map(re.escape, _UNOPENED))
_ANY_TAG = re.compile(f"(?P<opening>{_OPENING.pattern})|{_ANY_UNOPENED}", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class ModelHabits:
    """What is known about a model.

    native_prefix    it continues a prefix natively, character by character
    thinks           it has begun an answer with a block of reasoning
    reasons_in_text  it has reasoned without an opening tag: all text is held back
    """

    native_prefix: bool = False
    thinks: bool = False
    reasons_in_text: bool = False


NOTHING_KNOWN = ModelHabits()


class UnopenedReasoning(LLMBadOutput):
    """Reasoning without an opening tag has been delivered as text. Another attempt can hold the text back."""


class ThinkBlock:
    """Cuts one leading block of reasoning out of the text of an answer.

    A block with its opening tag is cut as it arrives. Without one, text is reasoning until a closing tag only
    if it reads as prose; such text is held back until its end, and other text after its first line at most.
    A file that mentions the tags further down stays whole. Of a request for prose, nothing is held back
    unless the model is known to reason so.

    An answer that continues a text may begin anywhere in it, also before a `<think>` of the file itself.
    There, a block at the beginning is reasoning unless the request or the text mentions the tag: then it is a
    part of the file if the model continues natively and is not known to think, and otherwise the answer is
    refused.

    has_block     the answer, which is no continuation, begins with a block
    has_unopened  it begins with a block without an opening tag
    passes        what comes is all text
    """

    def __init__(self, request: ChatRequest, habits: ModelHabits) -> None:
        self._request = request
        self._continues = bool(request.prefix)
        self._native = habits.native_prefix
        self._thinks = habits.thinks
        self._hold = habits.reasons_in_text
        self._closing = _ANY_TAG
        self._buffer = ""
        self._parts: list[str] = []
        self._step: Callable[[], tuple[str, str]] = self._begin
        self.has_block = self.has_unopened = self.passes = False

    def feed(self, text: str) -> tuple[str, str]:
        """Reasoning and text. Raises LLMBadOutput if they cannot be told apart."""
        if self.passes:
            return "", text
        self._buffer += text
        return self._step()

    def close(self, delivered: str, *, whole: bool) -> tuple[str, str]:
        """The rest of the answer. `delivered`: its text so far."""
        rest = "".join([*self._parts, self._buffer])
        if self._step == self._reason:
            return rest, ""
        if (self._step == self._after and not rest.strip()) or (
            self._step in (self._begin, self._after) and not whole
        ):
            return "", ""  # what is cut off in a tag is asked for again
        if self._step == self._held and not whole and self._is_unended_reasoning(rest):
            return rest, ""
        if self._step == self._after:
            rest = self._without_blanks(rest)
        _check(self._request.prefix, delivered + rest)
        return "", rest

    def _is_unended_reasoning(self, text: str) -> bool:
        """Whether a model that reasons without an opening tag was cut before the closing one. It rarely
        reasons before a native continuation."""
        if self._continues and self._native:
            is_code = "\n" in text.strip() and not (_begins_as_reasoning(text) or _reads_as_prose(text))
            return self._hold and not is_code
        return self._hold

    # --- steps: each consumes what it can of the buffer ------------------------------------------------

    def _begin(self) -> tuple[str, str]:
        """Holds text back until the first characters decide."""
        head = self._buffer.lstrip()
        if blanks := self._buffer[: len(self._buffer) - len(head)]:
            self._parts.append(blanks)
            self._buffer = head
        start = head[:_LONGEST].lower()
        if not head or _may_become_tag(start):
            return "", ""
        if not self._continues and (tag := next((tag for tag in _UNOPENED if start.startswith(tag)), "")):
            self.has_block, self._parts, self._buffer = True, [], head[len(tag) :]
            return self._go_on(self._after)  # the reasoning before the tag came in a field of its own
        if opening := _opening_of(head):
            return self._open(opening, head)
        if self._is_held(head):
            return self._go_on(self._held)
        if not self._takes_prose and (
            any(word.startswith(head) for word in _FIRST_WORDS) or _begins_sentence(head)
        ):
            return "", ""
        return self._go_on(self._pass)

    def _open(self, opening: str, head: str) -> tuple[str, str]:
        request = self._request
        if self._continues and _mentions(opening, request):
            if self._thinks or not self._native:
                raise _undecidable(opening)
            return self._go_on(self._pass)
        self.has_block, self._parts = not self._continues, []
        self._closing, self._buffer = (
            re.compile(re.escape(_BLOCKS[opening]), re.IGNORECASE),
            head[len(opening) :],
        )
        return self._go_on(self._reason)

    def _reason(self) -> tuple[str, str]:
        """Reads the inside of a block."""
        found, keep = _find(self._closing, self._buffer)
        end = found.start() if found else keep
        reasoning, self._buffer = self._buffer[:end], self._buffer[found.end() if found else keep :]
        more, text = self._go_on(self._after) if found else ("", "")
        return reasoning + more, text

    def _held(self) -> tuple[str, str]:
        """Text that may be reasoning without an opening tag."""
        found, keep = _find(_ANY_TAG, self._buffer)
        end = found.start() if found else keep
        self._parts.append(self._buffer[:end])
        self._buffer = self._buffer[end:]
        if not found:
            return "", ""
        if found["opening"]:
            return self._go_on(self._pass)
        reasoning, tag = "".join(self._parts), found[0]
        if not (self._request.json or _begins_as_reasoning(reasoning) or _reads_as_prose(reasoning)):
            raise _unopened(tag)
        self.has_unopened = True
        self._parts, self._buffer = [], self._buffer[len(tag) :]
        more, text = self._go_on(self._after)
        return reasoning + more, text

    def _after(self) -> tuple[str, str]:
        """After a block: white space belongs to it up to the next line that is not blank; in a continuation,
        where blank lines may be the file's, two line ends at most."""
        head = self._buffer.lstrip()
        if blanks := self._buffer[: len(self._buffer) - len(head)]:
            self._parts.append(blanks)
            self._buffer = head
        if not head or _may_become_tag(head[:_LONGEST].lower()):
            return "", ""
        if not self._continues and (opening := _opening_of(head)) and not _mentions(opening, self._request):
            return self._open(opening, head)
        rest, self._parts = "".join([*self._parts, self._buffer]), []
        self._buffer = self._without_blanks(rest)
        if _opening_of(self._buffer.lstrip()):
            raise _undecidable(self._buffer.lstrip()[:_LONGEST].split("\n")[0])
        return self._go_on(self._pass)

    def _without_blanks(self, text: str) -> str:
        if self._continues:
            return re.sub(r"\A(?:[ \t]*\r?\n){1,2}", "", text)
        blank = _BLANK_LINES.match(text)
        return text[blank.end() :] if blank else text.lstrip(" \t")

    def _pass(self) -> tuple[str, str]:
        self.passes = True
        text, self._parts, self._buffer = "".join([*self._parts, self._buffer]), [], ""
        return "", text

    def _go_on(self, step: Callable[[], tuple[str, str]]) -> tuple[str, str]:
        self._step = step
        return step()

    def _is_held(self, head: str) -> bool:
        if self._request.json and not self._continues:
            return not head.startswith(("{", "[", "`"))
        if self._takes_prose:
            return False
        return self._hold or _begins_as_reasoning(head) or _is_sentence(head)

    @property
    def _takes_prose(self) -> bool:
        """Whether prose is text, unless the model is known to reason without an opening tag."""
        return self._request.prose and not self._hold


def _may_become_tag(start: str) -> bool:
    """Whether this, the lower case beginning of a text, is the beginning of a tag."""
    return any(tag.startswith(start) and tag != start for tag in (*_BLOCKS, *_UNOPENED))


def _opening_of(text: str) -> str:
    """The opening tag with which a text begins; "" without one."""
    start = text[:_LONGEST].lower()
    return next((tag for tag in _BLOCKS if start.startswith(tag)), "")


def _begins_as_reasoning(text: str) -> bool:
    head = text.lstrip()
    return any(_begins_with(word, head) for word in _FIRST_WORDS)


def _begins_with(word: str, text: str) -> bool:
    return text.startswith(word) and (not word.isascii() or bool(_WORD_END.match(text, len(word))))


def _find(tag: re.Pattern[str], text: str) -> tuple[re.Match[str] | None, int]:
    """The first tag that is not quoted. Without one: how much of the text needs no second look."""
    searched = 0
    for found in tag.finditer(text):
        start, end = found.span()
        before, after = text[max(0, start - 1) : start], text[end : end + 1]
        if not (before and before in _QUOTES):
            return found, 0
        if not after:
            return None, start - 1
        if after not in _QUOTES:
            return found, 0
        searched = end
    return None, max(searched, len(text) - _LONGEST - 1, 0)


def _begins_sentence(text: str) -> bool:
    """Whether this part of the first line may be the beginning of a sentence."""
    return len(text) < _MAX_SENTENCE and bool(_SENTENCE_PART.fullmatch(text))


def _is_sentence(text: str) -> bool:
    """Whether the first line is complete, and a sentence as prose has it."""
    line, end, _ = text.partition("\n")
    return bool(end and _SENTENCE_PART.fullmatch(line)) and line.rstrip().endswith(_SENTENCE_ENDS)


def _reads_as_prose(text: str) -> bool:
    """Whether the first line is a sentence rather than code."""
    line = text.strip().partition("\n")[0].strip()
    words = line.split()
    if not words or words[0] in _CODE_WORDS or not _SENTENCE.fullmatch(line):
        return False
    return len(words) > 1 or not line.isascii()


def _mentions(opening: str, request: ChatRequest) -> bool:
    """Whether the request, or the text that the answer continues, is about such tags."""
    name = opening.strip("<>[]|◁▷")
    texts = (request.prefix, *(message.content for message in request.messages))
    tags = (opening, _BLOCKS[opening], f"{name}>")
    return any(tag in text.lower() for text in texts for tag in tags)


def _check(before: str, text: str) -> None:
    """Raises UnopenedReasoning for a closing tag at the end of a line that no tag before it opens."""
    folded = text.casefold()
    if not any(tag.casefold() in folded for tag in _UNOPENED) or not _CLOSED_LINE.search(text):
        return
    whole, opened = before + text, 0
    for found in _ANY_TAG.finditer(whole):
        start, end = found.span()
        if whole[start - 1 : start] in _QUOTED and whole[end : end + 1] in _QUOTED:
            continue
        if found["opening"]:
            opened += 1
        elif opened:
            opened -= 1
        elif start >= len(before) and _CLOSED_LINE.match(whole, start):
            raise _unopened(found[0])


def _unopened(tag: str) -> UnopenedReasoning:
    return UnopenedReasoning(
        f"The model's reasoning seems to stand in its answer, before {tag}. Switch its thinking off (the "
        "provider's quirks), or try again."
    )


def _undecidable(tag: str) -> LLMBadOutput:
    return LLMBadOutput(
        f"The model's answer begins with {tag}, which may be its reasoning or a part of the file. Switch its "
        "thinking off (the provider's quirks), or try again."
    )
