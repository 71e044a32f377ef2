"""Names of the kind, its stages (public statuses), events and checkpoints."""

from __future__ import annotations

NAME = "code_review"

COLLECTING, REVIEWING, JUDGING, DELIVERING = "collecting", "reviewing", "judging", "delivering"
POSTING = "posting"

COLLECTED_EVENT, FINDING_EVENT, REVIEWED_EVENT, JUDGED_EVENT = "collected", "finding", "reviewed", "judged"
POSTED_EVENT = "posted"

DIFF, PLAN, JUDGED, REVIEW, POSTED = "diff", "plan", "judged", "review", "posted"
PLACED = "placed:"
"""Before the number of a bundle: its placed findings."""
SKIPPED = "skipped"
"""Which bundles were not reviewed, and why."""


def about_bundle(number: int) -> str:
    """Names the call for a bundle in events and on the bill."""
    return f"bundle {number}"


def placed_checkpoint(number: int) -> str:
    return f"{PLACED}{number}"
