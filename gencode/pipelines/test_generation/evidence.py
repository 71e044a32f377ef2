"""What is known of the tests of one file after they were run, or why they were not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gencode.pipelines.test_generation.results import LineCoverage


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """By the name of a test, except:

    unverified      why the tests were not run; "" if they were
    faults          why a test is discarded
    killed          how many mutants it fails on
    fails_before    whether it fails on the version before the patch; empty without one
    lines           of the tested functions, that it runs
    mutants         that were tried; None if none were
    target_lines    lines of the tested functions that can be run
    baseline        how the existing tests went; "" if there are none
    baseline_lines  that the existing tests run; None if those were not run
    """

    unverified: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)
    killed: Mapping[str, int] = field(default_factory=dict)
    fails_before: Mapping[str, bool] = field(default_factory=dict)
    lines: Mapping[str, frozenset[int]] = field(default_factory=dict)
    mutants: int | None = None
    target_lines: frozenset[int] = frozenset()
    baseline: str = ""
    baseline_lines: frozenset[int] | None = None

    def coverage(self, names: Sequence[str]) -> LineCoverage | None:
        """With these tests."""
        if self.unverified or not self.target_lines:
            return None
        known = self.baseline_lines
        after = (known or frozenset()).union(*(self.lines.get(name, frozenset()) for name in names))
        before = None if known is None else len(known)
        return LineCoverage(lines=len(self.target_lines), before=before, after=len(after))
