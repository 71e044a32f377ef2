"""Replays the history of a repository through the reading and placing of reviews: what scripted reviewers say
goes the whole way, as the JSON of an answer.

    python -m tests.campaigns.review_answers --repository /path/to/repository --commits 100 --seed 1

prints for each reviewer, with anchors and with bare numbers, how many findings were placed on the meant line,
refused, and misplaced, which must be none.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dulwich.repo import Repo

from gencode.diffs import Side
from gencode.llm.session import Answer as ModelAnswer
from gencode.pipelines.code_review.answers import parse_review
from gencode.pipelines.code_review.placing import ReviewedFile, place_claim
from tests.campaigns.anchors import changes
from tests.campaigns.reviewers import REVIEWERS, Answer, Reviewed

RIGHT, REFUSED, MISPLACED = "right", "refused", "MISPLACED"
Line = tuple[Side, int]
Verdict = tuple[str, bool, str]
"""The reviewer, whether it gives bare numbers, and what became of its finding."""
_SAYS_THE_LINE = ("wrong side", "invented hash")
"""Their claims are wrong by the side or the hash alone: without those, they quote the line that they mean."""
_LINES = 40
"""Of each commit."""


def replay(path: Path, commits: int, seed: int, *, has_blob: bool) -> Counter[Verdict]:
    """`has_blob`: whether the new files are known, as in a repository; of a patch they are not."""
    rng, counts = random.Random(seed), Counter[Verdict]()
    with Repo(str(path)) as repository:
        for files in changes(repository, commits):
            counts.update(_verdicts(files, rng, has_blob=has_blob))
    return counts


def _verdicts(files: list[Reviewed], rng: random.Random, *, has_blob: bool) -> Iterator[Verdict]:
    shown = [
        ReviewedFile(number=n, file=one.file, blob=_blob(one) if has_blob else None)
        for n, one in enumerate(files)
    ]
    lines = [(file, *line) for file in files for line in file.shown]
    for file, side, line in rng.sample(lines, min(_LINES, len(lines))):
        for name, reviewer in REVIEWERS.items():
            if answer := reviewer(file, side, line, files, rng):
                for is_bare in (False, True):
                    meant = (side, line) if is_bare and name in _SAYS_THE_LINE else answer.meant
                    yield name, is_bare, _verdict(answer, meant, shown, is_bare=is_bare)


def _blob(file: Reviewed) -> bytes:
    return b"".join(line + b"\n" for line in file.lines[Side.NEW].values())


def _verdict(answer: Answer, meant: Line | None, files: list[ReviewedFile], *, is_bare: bool) -> str:
    said = parse_review(ModelAnswer(text=_told(answer, is_bare=is_bare), truncated=False), 1000)
    placed = place_claim(said.findings[0], files)
    if placed is None or placed.line is None:
        return REFUSED
    return RIGHT if (placed.side, placed.line) == meant else MISPLACED


def _told(answer: Answer, *, is_bare: bool) -> str:
    """`is_bare`: the number alone, as models write it that do not copy anchors."""
    anchor = answer.claim.anchor.partition("#")[0].lstrip("-") if is_bare else answer.claim.anchor
    entry = {"path": answer.claim.path, "anchor": anchor, "quote": answer.claim.quote, "title": "wrong"}
    return f"```json\n{json.dumps({'findings': [entry]})}\n```"


def report(counts: Counter[Verdict]) -> None:
    columns = (RIGHT, REFUSED, MISPLACED)
    print(f"{'':42}" + "".join(f"{column:>11}" for column in columns))
    for name in REVIEWERS:
        for is_bare in (False, True):
            label = f"{name}{' (bare number)' if is_bare else ''}"
            print(f"{label:42}" + "".join(f"{counts[name, is_bare, column]:11}" for column in columns))
    wrong = sum(count for key, count in counts.items() if key[2] == MISPLACED)
    print(f"{counts.total()} findings, {wrong} misplaced")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repository", type=Path, default=Path())
    parser.add_argument("--commits", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = 0
    for has_blob in (False, True):
        print("With the new files" if has_blob else "With the patch alone")
        counts = replay(options.repository, options.commits, options.seed, has_blob=has_blob)
        report(counts)
        wrong += sum(count for key, count in counts.items() if key[2] == MISPLACED)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
