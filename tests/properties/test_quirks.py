"""A slice of the quirks campaign: whatever a server adds, the text is the model's or an error is raised."""

from __future__ import annotations

from tests.campaigns.quirks import RIGHT, WRONG, altered, cases, outcome, run


def test_no_mixture_of_quirks_changes_the_text_of_an_answer() -> None:
    counts = run(400, seed=7)
    assert counts[WRONG] == 0
    assert counts["plain, but not delivered"] == 0
    assert counts[RIGHT] > 100


def test_the_campaign_can_fail() -> None:
    """With text that the model did not write, it does."""
    _, answer = next(case for case in cases(1000, seed=7) if outcome(case[1]).kind == RIGHT)
    assert outcome(altered(answer)).kind == WRONG
