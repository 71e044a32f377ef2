"""Files in several languages, truncated at random and continued in the manners of models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, assume, given, settings

from gencode.codegen.code_fences import is_fence, split_lines
from gencode.codegen.continuation_merge import continuation, file_text, joined_text, resume_point
from gencode.codegen.file_checkpoints import Piece
from gencode.llm.errors import LLMBadOutput
from tests.campaigns.corpus import FIXED
from tests.campaigns.seams import RIGHT, WRONG, cases

PREAMBLES = (
    "Here is the rest:\n",
    "Here's the remaining part of the file:\n\n",
    "Continuing from where I left off:\n",
    "Sure! Here is the continuation.\n\n",
    "好的，以下是剩余部分：\n",
)


def sources() -> dict[str, str]:
    """The offline model's projects and some of the fixed files, some of them with fences inside."""
    found = dict(_templates(files("gencode") / "embedded/offline/templates"))
    for name in ("application.py", "orders.py", "api_client.ts", "InvoiceService.java"):
        found[name] = (FIXED / name).read_text(encoding="utf-8")
    return {name: text for name, text in found.items() if len(text) > 600}


def _templates(folder: Traversable) -> Iterator[tuple[str, str]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _templates(entry)
        elif entry.name.endswith(".tmpl"):
            yield entry.name.removesuffix(".tmpl"), entry.read_text(encoding="utf-8")


SOURCES = sources()
FILES = st.sampled_from(sorted(SOURCES))
quick = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])


def line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, max(at, 0)) + 1


@st.composite
def cuts(draw: st.DrawFn, min_size: int = 400) -> tuple[str, str, int]:
    """A file's name, its text (at most ten answers long), and the length of an answer."""
    name = draw(FILES)
    size = draw(st.integers(min_size, 6000))
    lines = split_lines(SOURCES[name][: 10 * size].rpartition("\n")[0] + "\n")
    while len(lines) > 1 and (is_fence(lines[-1]) or not lines[-1].rstrip()):
        lines.pop()  # no source file ends like this
    return name, "".join(lines), size


@quick
@given(cuts(min_size=1))
def test_native_pieces_make_the_file(cut: tuple[str, str, int]) -> None:
    name, whole, size = cut
    parts = [whole[at : at + size] for at in range(0, len(whole), size)][:40]
    pieces = [Piece(text=part, follows=n * size, whole=n == len(parts) - 1) for n, part in enumerate(parts)]
    assert joined_text(pieces) == "".join(parts)
    if "".join(parts) == whole:
        assert file_text(pieces, name) == whole


@quick
@given(cuts(), st.data())
def test_the_answers_of_an_instructed_model_make_the_file_in_every_manner(
    cut: tuple[str, str, int], data: st.DataObject
) -> None:
    """Exactly, after repeated lines, from the start of the line or the top; in a fence, after a sentence."""
    name, whole, size = cut
    wrapped = data.draw(st.booleans(), "the first answer opens a fence")
    opening = fence_of(name) if wrapped else ""
    pieces = [Piece(text=(opening + whole)[:size], whole=not opening and len(whole) <= size)]
    while not pieces[-1].whole:
        written = joined_text(pieces)
        assert (opening + whole).startswith(written)
        point = resume_point(written, len(pieces[-1].text))
        answer, done = continued(whole, point - len(opening), size, name, wrapped, data.draw)
        text = continuation(written, point, answer, name, whole=done)
        pieces.append(Piece(text=text, follows=point, whole=done))
    assert file_text(pieces, name) == whole


def continued(
    whole: str, point: int, size: int, name: str, wrapped: bool, draw: Callable[..., Any]
) -> tuple[str, bool]:
    """An answer that continues in one of the manners of models, and whether it is the last one."""
    start = point
    for _ in range(draw(st.sampled_from([0, 0, 1, 2, 5, 40]), label="lines repeated")):
        start = line_start(whole, start - 1)
    if draw(st.integers(0, 9), label="from the top") == 0:
        start = 0
    preamble = draw(st.sampled_from(["", "", *PREAMBLES]), label="preamble")
    fence = draw(st.sampled_from(["", fence_of(name)]), label="fence")
    rest = whole[start:]
    done = len(rest) <= size + point - start
    end = "```\n" if done and (fence or wrapped) else ""
    return preamble + fence + rest[: size + point - start] + end, done


def fence_of(name: str) -> str:
    return f"```{name.rpartition('.')[2].replace('md', 'markdown')}\n"


@quick
@given(cuts(), st.data())
def test_lost_indentation_is_restored(cut: tuple[str, str, int], data: st.DataObject) -> None:
    """Chat templates strip the leading white space of an answer."""
    name, whole, size = cut
    assume(size < len(whole))
    written = whole[:size]
    point = resume_point(written, size)
    rest = continuation(written, point, whole[point:].lstrip(), name, whole=True)
    pieces = [Piece(text=written, whole=False), Piece(text=rest, follows=point, whole=True)]
    assert file_text(pieces, name) == whole


@quick
@given(cuts(), st.integers(0, 100))
def test_every_call_advances(cut: tuple[str, str, int], more: int) -> None:
    _, whole, size = cut
    written = whole[: size + more]
    newest = min(size, len(written))
    assert len(written) - newest // 2 <= resume_point(written, newest) + max(
        map(len, written.splitlines(True)), default=0
    )
    assert resume_point(written, newest) <= len(written)


def test_a_restart_with_another_text_is_rejected() -> None:
    written = SOURCES["orders.py"][:5000]
    point = resume_point(written, 5000)
    other = written[:300] + "# something else\n" + written[300:point].replace(" = ", " := ") + "more\n" * 900
    with pytest.raises(LLMBadOutput, match="anew"):
        continuation(written, point, other, "a.py", whole=True)


def test_a_closing_remark_in_place_of_the_rest_is_rejected() -> None:
    written = SOURCES["orders.py"][:5000]
    point = resume_point(written, 5000)
    assert point < 5000
    for answer in ("", "Done.", "```\n"):
        with pytest.raises(LLMBadOutput, match="less"):
            continuation(written, point, answer, "a.py", whole=True)


REPORTS = """\
Output::

    {
        "reports": [
            "arn:aws:codebuild:<region-ID>:<user-ID>:report/<group-name>:<report ID>",
            "arn:aws:codebuild:<region-ID>:<user-ID>:report/<group-name>:<report ID>"
        ]
    }
"""


@pytest.mark.parametrize("repeated", [0, 1, 2])
def test_a_cut_between_nearly_equal_lines_loses_none_of_them(repeated: int) -> None:
    for cut in range(60, len(REPORTS)):
        point = resume_point(REPORTS[:cut], cut)
        start = point
        for _ in range(repeated):
            start = line_start(REPORTS, start - 1)
        try:
            text = continuation(REPORTS[:cut], point, REPORTS[start:], "a.rst", whole=True)
        except LLMBadOutput:
            continue
        assert REPORTS[:point] + text == REPORTS


def test_two_overlaps_that_give_different_files_are_rejected() -> None:
    """The answer is either exact or repeats the line before it: both continue with the line that was cut."""
    lines = ['    "the same text",\n', '    "the same text",\n', '    "the same text"\n', "]\n"]
    before, withheld = "x = [\n" + lines[0], '    "the same text'
    with pytest.raises(LLMBadOutput, match="left it open"):
        continuation(before + withheld, len(before), "".join(lines[1:]), "a.py", whole=True)


@pytest.mark.parametrize("mark", ["```", "````", "~~~"])
def test_a_block_opened_in_a_bare_block_around_markdown_is_rejected(mark: str) -> None:
    whole = "# Title\n\nA first paragraph.\n\nA second paragraph.\n\nA third paragraph.\n"
    written = f"{mark}\n{whole[:40]}"
    point = resume_point(written, len(written))
    answer = f"Here is the rest:\n\n```md\n{whole[point - len(mark) - 1 :]}```\n\nThat is all.\n"
    with pytest.raises(LLMBadOutput, match="opened another one"):
        continuation(written, point, answer, "a.md", whole=True)


HEADER = """\
#ifndef VECTORS_H_INCL
#define VECTORS_H_INCL

// What all vectors have in common

extern int vectors;

#endif  // VECTORS_H_INCL
"""
QUERIES = """\
((macro_invocation
  (token_tree) @injection.content)
 (#set! injection.language "rust")
 (#set! injection.include-children))

((macro_rule
  (token_tree) @injection.content)
 (#set! injection.language "rust")
 (#set! injection.include-children))
"""


@pytest.mark.parametrize(("name", "whole"), [("vectors.h", HEADER), ("queries.scm", QUERIES)])
def test_a_file_begun_anew_and_repeated_lines_are_accepted_at_every_cut(name: str, whole: str) -> None:
    """Also where the line that was cut begins like the first one, and where blocks of lines are equal."""
    counts = Counter(case for cut in range(1, len(whole)) for case in cases(whole, cut, name))
    assert {outcome for _, outcome in counts} == {RIGHT}, counts


def test_the_withheld_text_occurs_only_at_the_resume_point() -> None:
    for cut in range(1, len(QUERIES)):
        point = resume_point(QUERIES[:cut], cut)
        assert point == 0 or QUERIES.find(QUERIES[point:cut].strip()) >= point


LINES = st.sampled_from(
    [
        *("import os\n", "import osx\n", "    the same text,\n", "    the same text\n", "    the same"),
        *("========\n", "=\n", "}\n", "\n", "import os", "=========", "", " 0, 0, 0, 0,\n"),
        *(f"{'=' * 250}\n", f"[{'0, ' * 90}]\n"),
    ]
)


@quick
@given(st.lists(LINES, min_size=1, max_size=20), st.lists(LINES, max_size=3), st.integers(1, 9), st.data())
def test_a_file_of_equal_lines_is_never_another_file(
    lines: list[str], block: list[str], times: int, data: st.DataObject
) -> None:
    whole = ("".join(block) * times + "".join(lines)).rstrip() + "\n"
    assume(len(whole) > 2)
    cut = data.draw(st.integers(1, len(whole) - 1), "cut")
    assert not [manner for manner, outcome in cases(whole, cut, "a.cfg") if outcome == WRONG]


LONG = "".join(f"{number}, " for number in range(80))


@pytest.mark.parametrize(
    ("written", "answer"),
    [
        (f"{LONG}\n", f"{LONG}\nlast line\n"),
        (LONG, f"\n{LONG}\nlast line\n"),
        ("=" * 300, "=" * 400 + "\n"),
        (f"{LONG}x\n  {LONG}x", f"  {LONG}x\n  {LONG}x\n"),
    ],
    ids=["equal lines", "equal lines, cut before the line end", "equal characters", "two overlaps"],
)
def test_an_overlap_without_withheld_text_that_may_be_the_files_own_is_rejected(
    written: str, answer: str
) -> None:
    point = resume_point(written, len(written))
    assert point == len(written)
    with pytest.raises(LLMBadOutput, match="left it open"):
        continuation(written, point, answer, "a.csv", whole=True)
