from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from tests.campaigns.anchors import ACCEPTED, EXACT, MISPLACED, MOVED, REFUSED, replay
from tests.campaigns.reviewers import REVIEWERS
from tests.servers.git_repository import GitRepository

pytestmark = pytest.mark.campaign

_WORDS = [b"}", b"    return None", b"", b"    x = 1", b"    }", b"import os", b"    call(a, b)", b"\tpass\r"]


def _history(folder: Path) -> None:
    """Files of a few lines again and again, so that most have a duplicate nearby."""
    rng = random.Random(7)
    files: dict[str | bytes, bytes] = {}
    repository = GitRepository(folder)
    for _ in range(12):
        for name in ("a.py", "关于/b.go", "c"):
            files[name] = b"\n".join(rng.choices(_WORDS, k=60)) + b"\n"
        repository.commit(files)


def test_no_scripted_reviewer_places_a_finding_on_a_line_that_it_does_not_mean(tmp_path: Path) -> None:
    _history(tmp_path)
    counts = replay(tmp_path, 20, seed=1)
    by_reviewer = {
        name: Counter({v: n for (who, v), n in counts.items() if who == name}) for name in REVIEWERS
    }
    assert not any(counts[name, MISPLACED] for name in REVIEWERS)
    assert sum(counts[name, ACCEPTED] for name in REVIEWERS) <= counts.total() / 1000
    assert set(by_reviewer["right"]) == set(by_reviewer["context line"]) == {EXACT}
    assert by_reviewer["number off by 1 to 3"][MOVED] > by_reviewer["number off by 1 to 3"][REFUSED]
    assert by_reviewer["number of a duplicate line"][MOVED]
    for name in ("wrong file", "wrong side", "anchor of a neighbour", "number off, without a quote"):
        assert by_reviewer[name][REFUSED] == by_reviewer[name].total() > 100
