"""An event: one row of a task's log, and its bytes on an event stream."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
"""Shared, because json.dumps with these options creates an encoder for each call, which takes half of its
time."""

RECONNECT_MILLISECONDS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Ids are 1, 2, 3, ... within a task, without a gap; `kind` is the SSE event name."""

    task_id: str
    id: int
    kind: str
    data: Mapping[str, Any]


def encode(event: Event) -> bytes:
    """The event in event-stream format (WHATWG HTML, 9.2). JSON escapes CR, LF and NUL.

    The first event of a task also has the field `retry`, the time before clients reconnect. It is not a
    separate message, because some clients treat `retry` alone as an event.
    """
    retry = b"retry: %d\n" % RECONNECT_MILLISECONDS if event.id == 1 else b""
    return b"event: %b\nid: %d\ndata: %b\n%b\n" % (event.kind.encode(), event.id, dump(event.data), retry)


def encode_delta(data: Mapping[str, Any]) -> bytes:
    return encode_live("delta", data)


def encode_live(kind: str, data: Mapping[str, Any]) -> bytes:
    """A live-only message: no id, so that a client never resumes from it."""
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), dump(data))


def dump(data: Mapping[str, Any]) -> bytes:
    """One line of UTF-8 JSON; a lone surrogate (a model can send one) becomes "?"."""
    return _ENCODER.encode(data).encode("utf-8", "replace")
