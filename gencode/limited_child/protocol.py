"""The protocol between the service and its limited child, over pipes.

A request is one line of JSON, then the texts that it names and the data; the answer is one line of JSON for
each step that begins, and one for the result. Nothing is pickled: the parsers in the child are C code that
reads hostile text, so its answers are untrusted, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO

READY = b"gencode child 1\n"
"""The first bytes of a child; anything else is the message of a process that could not start."""
MAX_LINE = 2**25
"""Bytes of one answer; 5,000 findings are about one MB."""
OUT_OF_MEMORY = 12
"""The exit status of a child that ran out of memory (ENOMEM)."""
STEP, RESULT, ERROR = "step", "result", "error"
"""Keys of an answer. STEP: the index of the text that is parsed next, or -1 for the rules across texts."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ChildRequest:
    """A function of the child's program with its texts by name, in the order in which they are parsed.

    arguments  JSON
    data       bytes, such as an uploaded file
    """

    function: str
    texts: Mapping[str, str]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    data: bytes = b""

    @property
    def size(self) -> int:
        """Characters of all texts."""
        return sum(map(len, self.texts.values()))

    def name(self, step: int) -> str:
        """The text of a step; "" for the rules across texts. Raises IndexError."""
        return "" if step < 0 else list(self.texts)[step]


def encoded_head(request: ChildRequest, sizes: Sequence[int]) -> bytes:
    """The first line of a request. `sizes`: bytes of each text, as `encoded` makes them."""
    head = {"function": request.function, "arguments": request.arguments}
    texts = list(zip(request.texts, sizes, strict=True))
    return json.dumps({**head, "texts": texts, "data": len(request.data)}).encode() + b"\n"


def encoded(text: str) -> bytes:
    """A model may send half of a surrogate pair, which plain UTF-8 cannot hold."""
    return text.encode("utf-8", "surrogatepass")


def read_request(source: BinaryIO) -> ChildRequest | None:
    """None at the end of the input."""
    if not (line := source.readline()):
        return None
    head = json.loads(line)
    texts = {name: source.read(size).decode("utf-8", "surrogatepass") for name, size in head["texts"]}
    data = source.read(head["data"])
    return ChildRequest(function=head["function"], texts=texts, arguments=head["arguments"], data=data)


def encoded_answer(key: str, value: Any) -> bytes:
    """Half of a surrogate pair may be in it, as in a request."""
    return encoded(json.dumps({key: value}, ensure_ascii=False)) + b"\n"
