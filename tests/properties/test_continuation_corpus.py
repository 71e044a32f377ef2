"""Files of many languages, truncated and continued in every manner: the result is never another file.

The campaign (`python -m tests.campaigns.seams`) does the same with every file that the machine has.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence

import pytest

from tests.campaigns.corpus import FIXED, LANGUAGES, source_files
from tests.campaigns.seams import REFUSED, RIGHT, SMALL, WRONG, cases, cuts, variants

NEVER_REJECTED = ("native prefix", "exact", "in a fence", "anew", "restarts the line", "repeats 40 lines")
"""Manners whose answers prove their place, or continue exactly."""
CORPUS = source_files([FIXED])


@pytest.mark.parametrize("language", sorted(set(LANGUAGES.values())))
def test_every_language_has_a_small_and_a_large_file(language: str) -> None:
    sizes = [path.stat().st_size for path in CORPUS[language]]
    assert any(100 <= size <= 250 for size in sizes), sizes
    assert any(size >= 2_000 for size in sizes), sizes


@pytest.mark.parametrize("language", sorted(CORPUS))
def test_the_merged_text_is_the_file_or_the_answer_is_rejected(language: str) -> None:
    chance = random.Random(language)
    counts: Counter[tuple[str, str]] = Counter()
    for path in CORPUS[language]:
        text = path.read_text(encoding="utf-8")
        for whole in variants(text) if len(text) > SMALL else (text,):
            for cut in some_cuts(whole, chance):
                counts.update(cases(whole, cut, path.name))
    assert not {case for case in counts if case[1] == WRONG}, language
    refused = {manner: count for (manner, outcome), count in counts.items() if outcome == REFUSED}
    assert not refused.keys() & set(NEVER_REJECTED), language
    assert sum(refused.values()) < 0.01 * sum(counts.values()), (language, refused)


def some_cuts(whole: str, chance: random.Random) -> Sequence[int]:
    """A small file is cut at every third position, a large one at six."""
    places = cuts(whole, 6, chance)
    return places[chance.randrange(3) :: 3] if len(whole) <= SMALL else places


COMMAND = """\
**To cancel a booking**

The following example cancels a booking and tells the guest why.

Command::

  bookings cancel --hotel "Hôtel du Lac" --room 2 --guest "Amélie Dupont" --reason "The room is being painted"

Output::

  None.
"""
"""About half of it is one line; an answer that is cut late in that line, or after it, has no resume point."""
REPEATING = {f"repeats {count} lines" for count in (1, 2, 3, 5, 8, 13, 20, 40)}
REPEATING |= {f"{manner}, in a fence" for manner in REPEATING}
REPEATING |= {"preamble, repeats 5 lines", "anew", "anew, in a fence", "preamble, anew, in a fence"}


@pytest.mark.parametrize(
    ("received", "refused"),
    [
        (
            '--reason "The room is being pa',
            {"repeats 2 lines", "repeats 2 lines, in a fence", "preamble, blank line"},
        ),
        ('is being painted"\n', REPEATING | {"preamble, blank line", "preamble"}),
    ],
    ids=["in a long line", "after a long line"],
)
def test_what_may_be_a_repetition_or_equal_lines_of_the_file_is_refused(
    received: str, refused: set[str]
) -> None:
    """Where no text is withheld, none proves the place of an answer.

    After the long line, an answer that begins with that line (or with all lines from the first one) repeats
    it, or the file has it twice. Within the long line, an answer that begins with an end of line ends that
    line, or repeats the blank line before it.
    """
    cut = COMMAND.index(received) + len(received)
    outcomes = dict(cases(COMMAND, cut, "cancel.rst"))
    assert {manner for manner, outcome in outcomes.items() if outcome != RIGHT} == refused
    assert WRONG not in outcomes.values()
