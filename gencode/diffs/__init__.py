"""Diffs as values, and lines that are proven: the ground of code review and test generation.

    diff = diff_commits(repository, merge_base(repository, base, head), head)     # or
    diff = parse_patch(uploaded_bytes).commits[0].diff
    plan = plan_review(diff, BundleLimits())
    for bundle in plan.bundles:
        ...                                            # bundle.text: each line with an anchor, "12#a3f1"
    placement = place(Claim(path=..., anchor="12#a3f1", quote="x = 1"), file, {Side.NEW: blob_lines(data)})
    plan.ledger.reviewed(answered)                     # which lines were read, excluded (why), or over budget
    carried = carry_over(known_findings, diff_commits(...), read_old, read_new)   # at the next push
    made = apply_suggestion(data, Suggestion(first=12, last=12, old="x = 1", replacement="x = 2"))

`values` has the records, `errors` the errors. Nothing here keeps state, and only `tree_diff` reads anything,
from the repository that it is given. What takes long (a patch of 10 MB, a diff of thousands of files, about
two seconds) blocks: call it in a thread.
"""

from gencode.diffs.anchors import Anchor, Claim, Outcome, Placement, anchor_of, parse_anchor, place
from gencode.diffs.errors import DiffError, DiffTooLarge, MissingObject, PatchError
from gencode.diffs.exclusions import ExclusionRules, Reason, exclusion_of
from gencode.diffs.finding_identity import (
    CarriedFinding,
    Fate,
    TrackedFinding,
    carry_over,
    distinct_identities,
    finding_identity,
)
from gencode.diffs.line_text import blob_lines, display_line, hunk_lines
from gencode.diffs.patch_parser import parse_patch
from gencode.diffs.patch_reader import PatchLimits
from gencode.diffs.patch_writer import write_file
from gencode.diffs.paths import display_path, path_bytes, path_text
from gencode.diffs.renames import RenameLimits
from gencode.diffs.rendering import render_file_head, render_hunk
from gencode.diffs.review_bundles import Bundle, BundleLimits, NewFile, ReviewPlan, plan_review
from gencode.diffs.review_ledger import Coverage, LedgerEntry, ReviewLedger
from gencode.diffs.suggestions import Refusal, Suggestion, apply_suggestion, apply_suggestions
from gencode.diffs.text_diff import diff_texts, split_lines
from gencode.diffs.tree_diff import TreeDiffLimits, diff_commits, diff_trees, merge_base
from gencode.diffs.values import (
    Diff,
    FileDiff,
    FileKind,
    Hunk,
    Line,
    LineKind,
    Patch,
    PatchCommit,
    Side,
    Stats,
    Status,
)

__all__ = [
    "Anchor",
    "Bundle",
    "BundleLimits",
    "CarriedFinding",
    "Claim",
    "Coverage",
    "Diff",
    "DiffError",
    "DiffTooLarge",
    "ExclusionRules",
    "Fate",
    "FileDiff",
    "FileKind",
    "Hunk",
    "LedgerEntry",
    "Line",
    "LineKind",
    "MissingObject",
    "NewFile",
    "Outcome",
    "Patch",
    "PatchCommit",
    "PatchError",
    "PatchLimits",
    "Placement",
    "Reason",
    "Refusal",
    "RenameLimits",
    "ReviewLedger",
    "ReviewPlan",
    "Side",
    "Stats",
    "Status",
    "Suggestion",
    "TrackedFinding",
    "TreeDiffLimits",
    "anchor_of",
    "apply_suggestion",
    "apply_suggestions",
    "blob_lines",
    "carry_over",
    "diff_commits",
    "diff_texts",
    "diff_trees",
    "display_line",
    "display_path",
    "distinct_identities",
    "exclusion_of",
    "finding_identity",
    "hunk_lines",
    "merge_base",
    "parse_anchor",
    "parse_patch",
    "path_bytes",
    "path_text",
    "place",
    "plan_review",
    "render_file_head",
    "render_hunk",
    "split_lines",
    "write_file",
]
