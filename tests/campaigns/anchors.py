"""Replays the history of a repository, with scripted reviewers that are right or wrong in their own ways.

    python -m tests.campaigns.anchors --repository /path/to/repository --commits 300 --seed 1

prints for each reviewer how many claims were placed exactly, moved to the meant line, refused, and placed on
another line or placed although they may not be, which must be (nearly) none.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from dulwich.objects import ObjectID
from dulwich.repo import Repo

from gencode.diffs import FileDiff, FileKind, Outcome, diff_commits
from tests.campaigns.reviewers import REVIEWERS, Answer, Reviewed, reviewed_files

EXACT, MOVED, REFUSED = "exact", "moved", "refused"
MISPLACED, ACCEPTED = "MISPLACED", "ACCEPTED"
"""On another line than meant; on a line although nothing proves it."""
MAX_LINES = 40
"""Of each commit."""


def verdict(answer: Answer) -> str:
    placed = answer.placement()
    if placed.outcome is Outcome.UNANCHORED:
        return REFUSED
    if answer.meant is None:
        return ACCEPTED
    if (placed.side, placed.line) != answer.meant:
        return MISPLACED
    return EXACT if placed.outcome is Outcome.EXACT else MOVED


def verdicts(files: list[Reviewed], rng: random.Random) -> Iterator[tuple[str, str]]:
    """The name of a reviewer and the verdict on its claim, for some lines of a diff."""
    lines = [(file, *line) for file in files for line in file.shown]
    for file, side, line in rng.sample(lines, min(MAX_LINES, len(lines))):
        for name, reviewer in REVIEWERS.items():
            if answer := reviewer(file, side, line, files, rng):
                yield name, verdict(answer)


def changes(repository: Repo, most: int) -> Iterator[list[Reviewed]]:
    """The files of each commit with one parent, the newest first."""
    for count, entry in enumerate(repository.get_walker()):
        if count >= most:
            return
        parents = entry.commit.parents
        if len(parents) == 1:
            diff = diff_commits(repository, parents[0].decode(), entry.commit.id.decode())
            yield reviewed_files(diff, lambda file: contents(repository, file))


def contents(repository: Repo, file: FileDiff) -> tuple[bytes, bytes]:
    return _content(repository, file.old_id, file.kind), _content(repository, file.new_id, file.kind)


def _content(repository: Repo, name: str, kind: FileKind) -> bytes:
    if not name:
        return b""
    if kind is FileKind.SUBMODULE:
        return b"Subproject commit %b\n" % name.encode()
    return repository.object_store[ObjectID(name.encode())].as_raw_string()


def replay(path: Path, commits: int, seed: int) -> Counter[tuple[str, str]]:
    rng = random.Random(seed)
    counts: Counter[tuple[str, str]] = Counter()
    with Repo(str(path)) as repository:
        for files in changes(repository, commits):
            counts.update(verdicts(files, rng))
    return counts


def report(counts: Counter[tuple[str, str]]) -> None:
    columns = (EXACT, MOVED, REFUSED, MISPLACED, ACCEPTED)
    print(f"{'':30}" + "".join(f"{column:>11}" for column in columns))
    for name in REVIEWERS:
        print(f"{name:30}" + "".join(f"{counts[name, column]:11}" for column in columns))
    total = counts.total() or 1
    bad = sum(counts[name, column] for name in REVIEWERS for column in (MISPLACED, ACCEPTED))
    print(f"{total} claims, {bad} wrongly placed ({100 * bad / total:.4f} %)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--repository", type=Path, default=Path())
    parser.add_argument("--commits", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    counts = replay(options.repository, options.commits, options.seed)
    report(counts)
    sys.exit(any(counts[name, MISPLACED] for name in REVIEWERS))


if __name__ == "__main__":
    main()
