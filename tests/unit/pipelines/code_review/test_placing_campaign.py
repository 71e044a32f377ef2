"""What scripted reviewers say goes the whole way, as the JSON of an answer, and is never misplaced."""

from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest
from dulwich.repo import Repo

from gencode.diffs import Side
from gencode.llm.session import Answer as ModelAnswer
from gencode.pipelines.code_review.answers import parse_review
from gencode.pipelines.code_review.placing import ReviewedFile, place_claim
from tests.campaigns.anchors import changes
from tests.campaigns.reviewers import REVIEWERS, Answer, Reviewed
from tests.servers.git_repository import GitRepository

pytestmark = pytest.mark.campaign

Line = tuple[Side, int]
_WORDS = [b"}", b"    return None", b"", b"    x = 1", b"    }", b"import os", b"    call(a, b)", b"\tpass\r"]


def _history(folder: Path) -> None:
    """Many lines have a duplicate nearby; some are there once."""
    rng = random.Random(11)
    files: dict[str | bytes, bytes] = {}
    repository = GitRepository(folder)
    for _ in range(12):
        for name in ("a.py", "关于/b.go", "c"):
            lines = rng.choices(_WORDS, k=50) + [
                b"    unique_line(%d)" % rng.randrange(10**6) for _ in range(6)
            ]
            rng.shuffle(lines)
            files[name] = b"\n".join(lines) + b"\n"
        repository.commit(files)


def _told(answer: Answer, *, is_bare: bool) -> str:
    """`is_bare`: the number alone, as models write it that do not copy anchors."""
    anchor = answer.claim.anchor.partition("#")[0].lstrip("-") if is_bare else answer.claim.anchor
    entry = {"path": answer.claim.path, "anchor": anchor, "quote": answer.claim.quote, "title": "wrong"}
    return f"```json\n{json.dumps({'findings': [entry]})}\n```"


def _blob(file: Reviewed) -> bytes:
    return b"".join(line + b"\n" for line in file.lines[Side.NEW].values())


_SAYS_THE_LINE = ("wrong side", "invented hash")
"""Their claims are wrong by the side or the hash alone: without those, they quote the line that they mean."""


def _verdict(
    answer: Answer, meant: Line | None, files: list[Reviewed], *, has_blob: bool, is_bare: bool
) -> str:
    (said,) = parse_review(ModelAnswer(text=_told(answer, is_bare=is_bare), truncated=False), 1000).findings
    shown = [
        ReviewedFile(number=n, file=one.file, blob=_blob(one) if has_blob else None)
        for n, one in enumerate(files)
    ]
    placed = place_claim(said, shown)
    if placed is None or placed.line is None:
        return "refused"
    return "right" if (placed.side, placed.line) == meant else "MISPLACED"


@pytest.mark.parametrize("has_blob", [False, True])
def test_nothing_is_misplaced(tmp_path: Path, has_blob: bool) -> None:
    _history(tmp_path)
    rng, counts = random.Random(3), Counter[tuple[str, bool, str]]()
    with Repo(str(tmp_path)) as repository:
        for files in changes(repository, 20):
            lines = [(file, *line) for file in files for line in file.shown]
            for file, side, line in rng.sample(lines, min(40, len(lines))):
                for name, reviewer in REVIEWERS.items():
                    if answer := reviewer(file, side, line, files, rng):
                        for is_bare in (False, True):
                            meant = (side, line) if is_bare and name in _SAYS_THE_LINE else answer.meant
                            verdict = _verdict(answer, meant, files, has_blob=has_blob, is_bare=is_bare)
                            counts[name, is_bare, verdict] += 1
    wrong = {key: count for key, count in counts.items() if key[2] == "MISPLACED"}
    allowed = counts.total() / 1000
    assert not {key: n for key, n in wrong.items() if key[0] != "invented hash"}
    assert sum(wrong.values()) <= allowed
    assert counts["right", False, "refused"] == 0
    assert counts["right", True, "right"] > 20
