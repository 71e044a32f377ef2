"""Merges continuations of cut files: every way in which models continue, at every place of a cut.

    python -m tests.campaigns.seams --seconds 60

prints, by language and by manner of the continuation, how many merged files equal the original, how many were
refused, and how many differ from the original, which must be none.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from gencode.codegen.continuation_merge import continuation, file_text, resume_point
from gencode.codegen.file_checkpoints import Piece
from gencode.llm.errors import LLMBadOutput
from tests.campaigns.corpus import sample, source_files

RIGHT, REFUSED, WRONG = "right", "refused", "wrong"
REPEATED = (1, 2, 3, 5, 8, 13, 20, 40)
PREAMBLE = "Here is the rest:\n"
SMALL = 700
"""Characters; smaller files are cut at every position."""
Case = tuple[str, str]
"""The manner of the continuation, and its outcome."""


def cases(whole: str, cut: int, name: str) -> Iterator[Case]:
    """Continue an answer that was cut after `cut` characters in every manner."""
    received = whole[:cut]
    yield "native prefix", _merged(whole, received, cut, whole[cut:], name)
    point = resume_point(received, len(received))
    for manner, answer in manners(whole, point, name):
        try:
            text = continuation(received, point, answer, name, whole=True)
        except LLMBadOutput:
            yield manner, REFUSED
        else:
            yield manner, _merged(whole, received, point, text, name)


def manners(whole: str, point: int, name: str) -> Iterator[tuple[str, str]]:
    """By manner: the answer of a model that was shown `whole[:point]`."""
    rest, fence = whole[point:], f"```{name.rpartition('.')[2]}\n"
    yield "exact", rest
    for count in REPEATED:
        again = whole[_back(whole, point, count) :]
        yield f"repeats {count} lines", again
        yield f"repeats {count} lines, in a fence", _fenced(fence, again)
    yield "restarts the line", whole[_line_start(whole, point) :]
    yield "in a fence", _fenced(fence, rest)
    yield "in a bare fence", _fenced("```\n", rest)
    yield "preamble", PREAMBLE + rest
    yield "preamble, blank line", f"{PREAMBLE}\n{rest}"
    yield "preamble, fence", f"{PREAMBLE}\n{_fenced(fence, rest)}"
    yield "preamble, repeats 5 lines", PREAMBLE + whole[_back(whole, point, 5) :]
    yield "anew", whole
    yield "anew, in a fence", _fenced(fence, whole)
    yield "preamble, anew, in a fence", f"{PREAMBLE}\n{_fenced(fence, whole)}"


def cuts(whole: str, count: int, chance: random.Random) -> Sequence[int]:
    places = range(1, len(whole))
    return places if len(whole) <= SMALL else sorted(chance.sample(places, min(count, len(places))))


def variants(text: str) -> Iterator[str]:
    """The file, and as another system writes it: with a byte order mark, and CR before each LF. The last line
    must end with LF: otherwise it could not be told from the LF before a closing fence."""
    whole = text if text.endswith("\n") else f"{text}\n"
    yield whole
    if "\r" not in whole:
        yield "\ufeff" + whole.replace("\n", "\r\n")


def _fenced(fence: str, text: str) -> str:
    return f"{fence}{text}```\n"


def _merged(whole: str, received: str, point: int, text: str, name: str) -> str:
    pieces = [Piece(text=received, whole=False), Piece(text=text, follows=point, whole=True)]
    return RIGHT if file_text(pieces, name) == whole else WRONG


def _line_start(whole: str, at: int) -> int:
    return whole.rfind("\n", 0, max(at, 0)) + 1


def _back(whole: str, point: int, lines: int) -> int:
    for _ in range(lines):
        point = _line_start(whole, point - 1)
    return point


def run(seconds: float, seed: int) -> Counter[tuple[str, str, str]]:
    """Counts by language, manner and outcome; wrong ones are printed with their position."""
    chance = random.Random(seed)
    corpus = {language: sample(files, 200, 200, 60_000, seed) for language, files in source_files().items()}
    counts: Counter[tuple[str, str, str]] = Counter()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        language = chance.choice(sorted(corpus))
        path, text = chance.choice(corpus[language])
        for whole in variants(text):
            for cut in cuts(whole, 20, chance)[:200]:
                for manner, outcome in cases(whole, cut, path.name):
                    counts[language, manner, outcome] += 1
                    if outcome == WRONG:
                        print(f"WRONG: {path} cut at {cut} ({manner}), first bytes {whole[:2].encode()!r}")
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts = run(options.seconds, options.seed)
    for axis in (0, 1):
        print(f"\n{'':<34}{RIGHT:>9}{REFUSED:>9}{WRONG:>7}")
        for name in sorted({key[axis] for key in counts}):
            print(
                f"{name:<34}", *(f"{_sum(counts, axis, name, kind):>8}" for kind in (RIGHT, REFUSED, WRONG))
            )
    total = Counter[str]()
    for (_, _, outcome), count in counts.items():
        total[outcome] += count
    print(f"\n{sum(total.values())} cases: {dict(total)}")
    return 1 if total[WRONG] else 0


def _sum(counts: Counter[tuple[str, str, str]], axis: int, name: str, outcome: str) -> int:
    return sum(count for key, count in counts.items() if key[axis] == name and key[2] == outcome)


if __name__ == "__main__":
    raise SystemExit(main())
