"""Feeds the decoder of model answers with every quirk of servers, combined and cut anywhere.

    python -m tests.campaigns.quirks --cases 100000 --seed 1

prints how many answers were delivered as the model wrote them, how many were refused and why, and how many
were delivered as other text, which must be none. No sockets are opened: the bytes are fed into the pipeline
that reads those of a server.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from gencode.llm.openai.completion_decoder import CompletionDecoder
from gencode.llm.streaming.error_mapping import ErrorMapper
from gencode.llm.streaming.provider import BodyEnd
from tests.campaigns.quirky_server import Answer, quirky_answer

RIGHT, CUT, WRONG = "right", "right, to be continued", "WRONG"
ERRORS = ErrorMapper("campaign")
Report = Callable[[int, Answer, str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """`kind`: RIGHT, CUT, WRONG, or the class of the error. `text`: what was delivered."""

    kind: str
    text: str


def outcome(answer: Answer) -> Outcome:
    """Decode one answer, and compare the text with the model's."""
    decoder = CompletionDecoder(answer.request, ERRORS, answer.habits)
    text = ""
    for block in answer.blocks:
        if decoder.over:
            break
        text += decoder.feed(block).text
    last, error = decoder.finish(BodyEnd.DONE if decoder.over else answer.end)
    text += last.text
    if error:
        return Outcome(kind=type(error).__name__, text=text)
    if last.finish_reason == "length":
        return Outcome(kind=CUT if answer.text.startswith(text) else WRONG, text=text)
    return Outcome(kind=RIGHT if answer.is_whole and text == answer.text else WRONG, text=text)


def altered(answer: Answer) -> Answer:
    """The same answer, as if the model had written something else."""
    return replace(answer, text=f"{answer.text}.")


def cases(count: int, seed: int) -> Iterator[tuple[int, Answer]]:
    """Numbered answers; each depends on the seed and its number alone."""
    for number in range(count):
        yield number, quirky_answer(random.Random(f"{seed}:{number}"))


def run(count: int, seed: int, report: Report = lambda number, answer, text: None) -> Counter[str]:
    """Counts by outcome. `report` is called for each wrong one, and for each plain one that was refused."""
    counts: Counter[str] = Counter()
    for number, answer in cases(count, seed):
        found = outcome(answer)
        counts[found.kind] += 1
        if answer.is_plain and found.kind != RIGHT:
            counts["plain, but not delivered"] += 1
        if found.kind == WRONG or (answer.is_plain and found.kind != RIGHT):
            report(number, answer, found.text)
    return counts


def _print(number: int, answer: Answer, text: str) -> None:
    print(f"case {number}: {', '.join(answer.quirks)}\n  model  {answer.text!r}\n  result {text!r}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    begin = time.monotonic()
    counts = run(options.cases, options.seed, _print)
    print(f"{options.cases} answers, seed {options.seed}, {time.monotonic() - begin:.0f} s")
    for kind, count in counts.most_common():
        print(f"{count:8} {kind}")
    return 1 if counts[WRONG] or counts["plain, but not delivered"] else 0


if __name__ == "__main__":
    sys.exit(main())
