"""Makes answers as servers with random quirks send them, from texts that models write."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from gencode.llm.openai.think_block import ModelHabits
from gencode.llm.port import ChatRequest, Message
from gencode.llm.streaming.provider import BodyEnd

Json = dict[str, Any]
_ENDS = ["stop", "STOP", "eos", "end_turn"]
_CUTS = ["length", "max_tokens", "MAX_TOKENS", "model_length"]
_TAGS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("◁think▷", "◁/think▷"),
    ("[THINK]", "[/THINK]"),
]
_TOKENS = ["<|im_end|>", "</s>", "<|eot_id|>", "<｜end▁of▁sentence｜>", "<end_of_turn>", "<|endoftext|>"]
_LINES = [
    "import os",
    "FROM python:3.12",
    "    return x + 1",
    "",
    "# 你好，世界 🚀",
    "<div class='a'>x</div>",
    'text = answer.split("</think>")[-1]',
    "<think>not reasoning</think>",
    "a <|im_start|>user b<|im_end|> c",
    "```bash",
    "```",
    "data: x",
    "[DONE]",
    "=" * 30,
    "x = 1",
    "x = 1",
    "The user wants a file.",
    "\u2028 and \u0085 and \t",
    "<s>old</s>",
]
_THOUGHTS = [
    "Okay, the user wants a file.",
    "Let me think.\nFROM wrong:1\nimport wrong",
    "首先，我们写文件。",
    'We could answer {"files": [{"path": "wrong.py"}]} here.',
    "I should not write `</think>` here.",
]
_BAD_THOUGHTS = ["x = 1\nnot prose {", "plan of the file"]
_NOISE = [
    b": keep-alive\n\n",
    b"event: ping\ndata: 2024-04-27 01:35:43\n\n",
    b"\n\n",
    b"data:\n\n",
    b'data: {"choices": []}\n\n',
    b"id: 7\nretry: 100\n\n",
]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """`text`: what the model wrote; `is_whole`: it ended by itself; `is_plain`: nothing excuses a refusal."""

    request: ChatRequest
    habits: ModelHabits
    text: str
    is_whole: bool
    is_plain: bool
    blocks: Sequence[bytes]
    end: BodyEnd
    quirks: Sequence[str]


class _Server:
    """One answer; each method adds a quirk, with a probability of its own."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.quirks: list[str] = []
        self.excused = False

    def has(self, quirk: str, probability: float, *, excuse: bool = False) -> bool:
        found = self.rng.random() < probability
        if found:
            self.quirks.append(quirk)
            self.excused |= excuse
        return found

    # --- what the model writes --------------------------------------------------------------------

    def request(self) -> tuple[ChatRequest, bool]:
        messages = (Message(role="user", content="Write this file now: a.txt"),)
        kind = self.rng.choice(["file", "file", "plan", "continuation"])
        self.quirks.append(kind)
        prefix = self._lines(3) if kind == "continuation" else ""
        request = ChatRequest(messages=messages, max_tokens=10**6, json=kind == "plan", prefix=prefix)
        return request, self.rng.random() < 0.5

    def text(self, request: ChatRequest) -> str:
        if request.json:
            files = [{"path": f"f{n}.py", "purpose": self._lines(1)} for n in range(self.rng.randint(1, 3))]
            return json.dumps({"summary": "s", "files": files}, ensure_ascii=False)
        text = self._lines(self.rng.randint(1, 8))
        if text.lstrip().startswith("<think>"):
            text = f"# {text}"  # at the beginning, it is taken for reasoning
        return text.lstrip("\r\n") if request.prefix else text.lstrip()

    def _lines(self, count: int) -> str:
        end = self.rng.choice(["\n", "\n", "\r\n"])
        return "".join(self.rng.choice(_LINES) + end for _ in range(count))

    # --- what the server adds to the text ----------------------------------------------------------

    def content(self, text: str, request: ChatRequest, *, whole: bool) -> str:
        """The text with reasoning before it and a token after it."""
        if self.has("think block", 0.3, excuse=_is_about_tags(text + request.prefix)):
            opening, closing = self.rng.choice(_TAGS)
            space = self.rng.choice(["", "\n\n"] if request.prefix else ["", "\n", "\n\n", "\r\n\r\n"])
            text = f"{opening}{self.rng.choice(_THOUGHTS)}{closing}{space}{text}"
        elif self.has("unopened reasoning", 0.2, excuse=_is_about_tags(text + request.prefix)):
            bad = self.has("that is not prose", 0.3, excuse=True)
            thought = self.rng.choice(_BAD_THOUGHTS if bad else _THOUGHTS)
            text = f"{thought}\n</think>\n\n{text}"
        if whole and self.has(
            "end token", 0.3, excuse="<|" in text + request.prefix or "</s>" in text + request.prefix
        ):
            text += self.rng.choice(_TOKENS) + self.rng.choice(["", "\n"])
        return text

    # --- events -------------------------------------------------------------------------------------

    def pieces(self, content: str) -> list[str]:
        """The content in the pieces of its events."""
        how = self.rng.choice(["tokens", "fixed", "random", "whole"])
        if how == "whole":
            return [content] if content else []
        if how == "tokens":
            return re.findall(r"\s?\w+|\s+|\S", content) if content else []
        size = self.rng.choice([1, 3, 20])
        pieces, at = [], 0
        while at < len(content):
            step = size if how == "fixed" else self.rng.randint(1, 2 * size)
            pieces.append(content[at : at + step])
            at += step
        return pieces

    def texts(self, pieces: list[str]) -> list[str]:
        """The text of each event."""
        if self.has("cumulative", 0.12, excuse=len(set("".join(pieces))) < 4 or len(pieces) < 5):
            return ["".join(pieces[: n + 1]) for n in range(len(pieces))]
        self.excused |= len(pieces) < 5 and all(b.startswith(a) for a, b in pairwise(pieces))
        if self.has("halved surrogates", 0.1):
            return list(_halved(pieces))
        return pieces

    def delta(self) -> Callable[[str], Json]:
        return self.rng.choice(
            [
                lambda text: {"content": text},
                lambda text: {"role": "assistant", "content": text, "reasoning_content": None},
                lambda text: {"content": [{"type": "text", "text": text}]},
                lambda text: {"content": text, "refusal": None, "tool_calls": None},
            ]
        )

    def events(self, texts: list[str], *, whole: bool) -> list[Json]:
        reason = self.rng.choice(_ENDS if whole else _CUTS)
        every = self.has("an end mark in every event", 0.15)
        with_text = not every and self.has("the end mark with the last text", 0.3)
        delta, key = self.delta(), self.rng.choice(["delta", "delta", "delta", "message"])
        events = [_event({"role": "assistant", "content": ""}, reason if every else None)]
        if self.has("reasoning field", 0.3):
            name = self.rng.choice(["reasoning_content", "reasoning", "thinking"])
            events.append(_event({name: "hm"}, reason if every else None))
        for n, text in enumerate(texts):
            marked = every or (with_text and n == len(texts) - 1)
            events.append(_event(delta(text), reason if marked else None, key))
        if not with_text or not texts:
            events.append(_event({}, reason))
        if not whole and self.has("an added stop", 0.2):
            events.append(_event({}, "stop"))
        return events + self._trailer(texts, key, reason)

    def _trailer(self, texts: list[str], key: str, reason: str) -> list[Json]:
        events: list[Json] = []
        if (
            key == "delta"
            and texts
            and "cumulative" not in self.quirks
            and self.has("a repeated message", 0.1)
        ):
            whole = "".join(texts).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
            events.append(_event({"content": whole}, reason, "message"))
            self.excused |= "halved surrogates" in self.quirks
        if self.has("usage", 0.5):
            usage = {"prompt_tokens": 9, "completion_tokens": self.rng.randint(1, 99)}
            events.append({"choices": [], "usage": usage})
        return events

    # --- bytes --------------------------------------------------------------------------------------

    def body(self, events: list[Json], content: str, *, whole: bool) -> tuple[bytes, bool]:
        """The bytes, and whether a cut is seen as one by its form."""
        mark = b"\xef\xbb\xbf" if self.has("byte order mark", 0.1) else b""
        if self.has("one JSON document", 0.1):
            reason = self.rng.choice(_ENDS if whole else _CUTS)
            self.quirks = [quirk for quirk in self.quirks if quirk != "cumulative"]
            document = {"choices": [_event({"content": content}, reason, "message")["choices"][0]]}
            return mark + json.dumps(document, indent=self.rng.choice([None, 2])).encode(), True
        done = b"data: [DONE]\n\n" if not self.has("no [DONE]", 0.3) else b""
        body = b"".join(self._framed(event) for event in events) + done
        if self.has("other line ends", 0.2):
            body = body.replace(b"\n", self.rng.choice([b"\r\n", b"\r"]))
        return mark + body, False

    def _framed(self, event: Json) -> bytes:
        noise = self.rng.choice(_NOISE) if self.rng.random() < 0.1 else b""
        data = json.dumps(event, ensure_ascii=self.rng.random() < 0.5 or _has_surrogate(event)).encode()
        if self.rng.random() < 0.03:
            lines = json.dumps(event, indent=1).splitlines()
            return noise + b"".join(b"data: %b\n" % line.encode() for line in lines) + b"\n"
        form = self.rng.choice(
            [b"data: %b\n\n", b"data: %b\n\n", b"data:%b\n\n", b"data: %b\n", b"event: message\ndata: %b\n\n"]
        )
        return noise + form % data


def quirky_answer(rng: random.Random) -> Answer:
    """One answer of one server."""
    server = _Server(rng)
    request, native = server.request()
    whole = not server.has("cut by the limit", 0.15)
    text = server.text(request)
    written = text if whole else text[: rng.randint(0, len(text))]
    content = server.content(written, request, whole=whole)
    thinks = "think block" in server.quirks
    reasons = "unopened reasoning" in server.quirks or rng.random() < 0.1
    habits = ModelHabits(native_prefix=native, thinks=thinks, reasons_in_text=reasons)
    pieces = server.pieces(content)
    events = server.events(server.texts(pieces), whole=whole)
    if server.has("an error", 0.05, excuse=True):
        events.insert(rng.randint(1, len(events)), {"error": {"message": "no", "code": 500}})
    body, _ = server.body(events, content, whole=whole)
    end = BodyEnd.COMPLETE if rng.random() < 0.6 else BodyEnd.CLOSED
    if server.has("broken off", 0.3, excuse=True):
        body, end = body[: rng.randint(0, len(body))], rng.choice([BodyEnd.CLOSED, BodyEnd.BROKEN])
    server.excused |= end is BodyEnd.CLOSED or not whole or not text.strip()
    return Answer(
        request=request,
        habits=habits,
        text=text,
        is_whole=whole,
        is_plain=not server.excused,
        blocks=_cut(body, rng),
        end=end,
        quirks=server.quirks,
    )


def _event(delta: Json, reason: str | None, key: str = "delta") -> Json:
    return {"choices": [{"index": 0, key: delta, "finish_reason": reason}]}


def _halved(pieces: Sequence[str]) -> Iterator[str]:
    """Pieces that end and begin in the middle of surrogate pairs."""
    units = "".join(pieces).encode("utf-16-le")
    size = 14
    for at in range(0, len(units), size):
        yield units[at : at + size].decode("utf-16-le", "surrogatepass")


def _has_surrogate(event: Json) -> bool:
    return bool(re.search("[\ud800-\udfff]", json.dumps(event, ensure_ascii=False)))


def _is_about_tags(text: str) -> bool:
    return "think" in text


def _cut(body: bytes, rng: random.Random) -> list[bytes]:
    """The body in the blocks of its reads."""
    size = rng.choice([1, *[50, 1000, 10**6] * 5])
    blocks, at = [], 0
    while at < len(body):
        step = rng.randint(1, size)
        blocks.append(body[at : at + step])
        at += step
    return blocks
