"""Real files of many languages, truncated and continued in every manner: the result is never another file.

The campaign (`python -m tests.campaigns.seams`) does the same with every file that it finds.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import cache

import pytest

from tests.campaigns.corpus import sample, source_files
from tests.campaigns.seams import REFUSED, SMALL, WRONG, cases, cuts, variants
from tests.properties.test_continuation_merge import SOURCES

NEVER_REJECTED = ("native prefix", "exact", "in a fence", "anew", "restarts the line", "repeats 40 lines")
"""Manners whose answers prove their place, or continue exactly."""


@cache
def corpus() -> dict[str, list[tuple[str, str]]]:
    """By language, a small file and some larger ones; and the files of the offline model's projects."""
    chosen = {}
    for language, paths in source_files(system=False).items():
        small, large = sample(paths, 1, 100, 250), sample(paths, 1, 2_000, 12_000)
        chosen[language] = [(path.name, text) for path, text in [*small, *large]]
    for name in ("go", "html", "css", "js", "toml", "yaml"):
        of_kind = [(path, text) for path, text in sorted(SOURCES.items()) if path.endswith(f".{name}")]
        chosen[f"offline {name}"] = of_kind[:2]
    return {language: texts for language, texts in chosen.items() if texts}


PARTS = 8
"""Of the languages, for processes that share the work: only those that run a part list the files."""


def test_the_corpus_has_ten_languages() -> None:
    assert len({language.removeprefix("offline ").lower() for language in corpus()}) >= 10, sorted(corpus())


@pytest.mark.parametrize("part", range(PARTS))
def test_the_merged_text_is_the_file_or_the_answer_is_rejected(part: int) -> None:
    for language in sorted(corpus())[part::PARTS]:
        check_language(language)


def check_language(language: str) -> None:
    chance = random.Random(language)
    counts: Counter[tuple[str, str]] = Counter()
    for name, text in corpus()[language]:
        for whole in variants(text) if len(text) > SMALL else (f"{text.rstrip()}\n",):
            for cut in cuts(whole, 6, chance):
                counts.update(cases(whole, cut, name))
    assert not {case for case in counts if case[1] == WRONG}, language
    refused = {manner: count for (manner, outcome), count in counts.items() if outcome == REFUSED}
    assert not refused.keys() & set(NEVER_REJECTED), language
    assert sum(refused.values()) < 0.01 * sum(counts.values()), (language, refused)
