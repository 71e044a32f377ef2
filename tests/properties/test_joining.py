"""Real files in several languages, cut at random and gone on with in the ways that models have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, assume, given, settings

from gencode.codegen.code_fences import is_fence, split_lines
from gencode.codegen.continuation_merge import continuation, file_text, joined_text, resume_point
from gencode.codegen.pieces import Piece
from gencode.llm.errors import LLMBadOutput

PREAMBLES = (
    "Here is the rest:\n",
    "Here's the remaining part of the file:\n\n",
    "Continuing from where I left off:\n",
    "Sure! Here is the continuation.\n\n",
    "好的，以下是剩余部分：\n",
)


def sources() -> dict[str, str]:
    """Files of this project and of its dependencies, some of them with fences of their own inside."""
    found = dict(_templates(files("gencode") / "embedded/offline/templates"))
    libraries = [("starlette", "routing.py"), ("fastapi", "applications.py"), ("httpx", "_models.py")]
    for package, name in libraries:
        found[name] = (files(package) / name).read_text(encoding="utf-8")
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
def cuts(draw: st.DrawFn, least: int = 400) -> tuple[str, str, int]:
    """A file's name, its text (at most ten answers of it), and how long a model's answers are."""
    name = draw(FILES)
    size = draw(st.integers(least, 6000))
    lines = split_lines(SOURCES[name][: 10 * size].rpartition("\n")[0] + "\n")
    while len(lines) > 1 and (is_fence(lines[-1]) or not lines[-1].rstrip()):
        lines.pop()  # no source file ends so
    return name, "".join(lines), size


@quick
@given(cuts(least=1))
def test_native_pieces_make_the_file(cut: tuple[str, str, int]) -> None:
    name, whole, size = cut
    parts = [whole[at : at + size] for at in range(0, len(whole), size)][:40]
    pieces = [Piece(text=part, follows=n * size, whole=n == len(parts) - 1) for n, part in enumerate(parts)]
    assert joined_text(pieces) == "".join(parts)
    if "".join(parts) == whole:
        assert file_text(pieces, name) == whole


@quick
@given(cuts(), st.data())
def test_a_model_asked_in_words_makes_the_file_however_it_goes_on(
    cut: tuple[str, str, int], data: st.DataObject
) -> None:
    """Round after round: exactly, after lines said before, from the start of the line, from the top; in a
    fence, after a sentence."""
    name, whole, size = cut
    wrapped = data.draw(st.booleans(), "the first answer opens a fence")
    opening = fence_of(name) if wrapped else ""
    pieces = [Piece(text=(opening + whole)[:size], whole=not opening and len(whole) <= size)]
    while not pieces[-1].whole:
        said = joined_text(pieces)
        assert (opening + whole).startswith(said)
        point = resume_point(said, len(pieces[-1].text))
        answer, done = go_on(whole, point - len(opening), size, name, wrapped, data.draw)
        text = continuation(said, point, answer, name, whole=done)
        pieces.append(Piece(text=text, follows=point, whole=done))
    assert file_text(pieces, name) == whole


def go_on(
    whole: str, point: int, size: int, name: str, wrapped: bool, draw: Callable[..., Any]
) -> tuple[str, bool]:
    """An answer to "go on" in one of the ways that models have, and whether it is the last one."""
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
def test_lost_indentation_comes_back(cut: tuple[str, str, int], data: st.DataObject) -> None:
    """Chat templates strip what an answer begins with."""
    name, whole, size = cut
    assume(size < len(whole))
    said = whole[:size]
    point = resume_point(said, size)
    rest = continuation(said, point, whole[point:].lstrip(), name, whole=True)
    pieces = [Piece(text=said, whole=False), Piece(text=rest, follows=point, whole=True)]
    assert file_text(pieces, name) == whole


@quick
@given(cuts(), st.integers(0, 100))
def test_a_round_always_gets_on(cut: tuple[str, str, int], more: int) -> None:
    _, whole, size = cut
    said = whole[: size + more]
    newest = min(size, len(said))
    assert len(said) - newest // 2 <= resume_point(said, newest) + max(
        map(len, said.splitlines(True)), default=0
    )
    assert resume_point(said, newest) <= len(said)


def test_a_file_begun_anew_in_other_words_is_refused() -> None:
    said = SOURCES["routing.py"][:5000]
    point = resume_point(said, 5000)
    other = said[:300] + "# something else\n" + said[300:point].replace(" = ", " := ") + "more\n" * 900
    with pytest.raises(LLMBadOutput, match="anew"):
        continuation(said, point, other, "a.py", whole=True)


def test_a_farewell_in_place_of_the_rest_is_refused() -> None:
    said = SOURCES["routing.py"][:5000]
    point = resume_point(said, 5000)
    assert point < 5000
    for answer in ("", "Done.", "```\n"):
        with pytest.raises(LLMBadOutput, match="less"):
            continuation(said, point, answer, "a.py", whole=True)
