"""Runs functions on hostile texts, in a process whose processor time is limited.

Nothing is decided by speed: a linear pass over such a text takes milliseconds, one that takes time by the
square of its length takes minutes. What took noticeably long is run again with a text that is LARGE_FACTOR
times as long, where that difference is as much larger.
"""

from __future__ import annotations

import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

from gencode.domain.errors import GencodeError
from gencode.outbound.url_policy import UrlRefused
from tests.growth import answers, diffs
from tests.growth.functions import FUNCTIONS, Function
from tests.growth.streams import STREAMED, streamed_texts
from tests.growth.texts import LARGE_FACTOR, hostile_texts

SECONDS = 10
"""Of processor time, for one function and one text."""
NOTICEABLE = 0.02
SHORTER = 8
"""Functions that read each text in many ways, line by line, are given a shorter part of it."""


def seconds(function: Function, text: str) -> float:
    """Ends the process at the limit, by a timer of its own: over minutes, the processor time that the kernel
    compares with RLIMIT_CPU and the one that a process measures drift apart."""
    begin = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    with suppress(GencodeError, UrlRefused):
        function(text)
    signal.setitimer(signal.ITIMER_PROF, 0)
    return time.process_time() - begin


def texts_for(name: str) -> Iterator[tuple[str, str, str]]:
    """What a text is, the text, and a larger one, or "" if the text is as large as its function takes."""
    if name in STREAMED:
        yield from ((described, text, "") for described, text in streamed_texts())
        return
    part = SHORTER if name in (*answers.FUNCTIONS, *diffs.FUNCTIONS, "model error", "terms", "quotes") else 1
    large = dict(hostile_texts(LARGE_FACTOR))
    for described, text in hostile_texts():
        yield described, text[: len(text) // part], large[described][: len(large[described]) // part]


def main(names: list[str]) -> None:
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for name in names or FUNCTIONS:
        for described, text, large in texts_for(name):
            print(f"{name}: {described}", flush=True)
            took = seconds(FUNCTIONS[name], text)
            if took > NOTICEABLE and large:
                print(f"{name}: {described}, large ({took:.2f})", flush=True)
                print(f"   took {seconds(FUNCTIONS[name], large):.2f}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
