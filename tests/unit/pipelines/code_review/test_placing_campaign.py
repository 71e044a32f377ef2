from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.campaigns.review_answers import MISPLACED, REFUSED, RIGHT, replay
from tests.servers.git_repository import GitRepository

pytestmark = pytest.mark.campaign

_WORDS = [b"}", b"    return None", b"", b"    x = 1", b"    }", b"import os", b"    call(a, b)", b"\tpass\r"]


def _history(folder: Path) -> None:
    """Many lines have a duplicate nearby; some are there once."""
    rng = random.Random(11)
    files: dict[str | bytes, bytes] = {}
    repository = GitRepository(folder)
    for _ in range(8):
        for name in ("a.py", "关于/b.go", "c"):
            lines = rng.choices(_WORDS, k=50) + [
                b"    unique_line(%d)" % rng.randrange(10**6) for _ in range(6)
            ]
            rng.shuffle(lines)
            files[name] = b"\n".join(lines) + b"\n"
        repository.commit(files)


@pytest.mark.parametrize("has_blob", [False, True])
def test_no_scripted_reviewer_has_a_finding_misplaced(tmp_path: Path, has_blob: bool) -> None:
    _history(tmp_path)
    counts = replay(tmp_path, 20, 3, has_blob=has_blob)
    wrong = {key: count for key, count in counts.items() if key[2] == MISPLACED}
    assert not {key for key in wrong if key[0] != "invented hash"}  # that is right once in 65,536
    assert sum(wrong.values()) <= counts.total() / 1000
    assert counts["right", False, REFUSED] == 0
    assert counts["right", True, RIGHT] > 10
