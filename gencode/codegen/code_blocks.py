"""The code blocks of an answer for a file that is not Markdown, and the prose between them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from gencode.codegen.code_fences import fence_info, fence_mark, is_fence, split_lines
from gencode.codegen.fence_languages import fit
from gencode.codegen.multiline_literals import LiteralState

MAX_BLOCKS = 30
MAX_REMARKS = 8
"""The most lines of remarks before a file."""
MAX_INTRODUCTION = 300
"""Characters of the line before a block in which the name of a file is searched."""
MAX_REMARK_CHARACTERS = 600
_USAGE = re.compile(
    r"\b(?:run|build|usage|us(?:e|ing|ed)|examples?|tests?|start|install|execute|launch|then|output|commands?)\b"
    r"|运行|使用|示例|例如|构建|安装|启动|测试|执行",
    re.IGNORECASE,
)
_NAME = re.compile(r"[\w.@+\[\]/-]*[\w\]]\.\w{1,12}\b|\b(?:Dockerfile|Makefile|Containerfile)\b")
_TITLE = re.compile(r"\s*(?:#{1,6} |\*\*|__|`|File(?:name)?\s*[:：]|文件(?:名)?\s*[:：])", re.IGNORECASE)
_MARKED = re.compile(r"\s*(?:(?:[-*+•]|\d{1,3}[.)])\s+\S|#{1,6} +\S|\*\*|__|>|\||-{3,}\s*$|\*{3,}\s*$|`)")
_CJK = re.compile(r"[\u4e00-\u9fff].*[\u4e00-\u9fff]")
_CODE_END = (";", "{", "(", "[", "=", "\\")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """start, end  the indexes of its fences; end is None if it is not closed
    fit         how well it matches the file: 3 has its name, 2 has its language, 1 names no language, 0
                another language, -1 another name
    is_usage    whether its introduction says that it shows the usage of the file
    """

    start: int
    end: int | None
    info: str
    fit: int
    is_usage: bool

    def rivals(self, chosen: Block) -> bool:
        """Whether this block could be the file as well as the chosen one, or a part of it."""
        return self.fit >= max(chosen.fit, 1) and not self.is_usage

    def is_stray(self, lines: Sequence[str]) -> bool:
        """Whether it is only a closing fence at the end of the answer."""
        return self.end is None and not self.info and not "".join(lines[self.start + 1 :]).strip()

    def dedented(self, lines: Sequence[str]) -> str:
        """The content, without the indentation of the fence if every line has it."""
        body, indent = lines[self.start + 1 : self.end], _indent(lines[self.start])
        if not indent or not all(line.startswith(indent) for line in body if line.strip()):
            return "".join(body)
        return "".join(line.removeprefix(indent) for line in body)


def blocks_in(lines: Sequence[str], path: str) -> list[Block]:
    """The blocks in order, without those within strings and comments of a file that is not in a block."""
    found: list[Block] = []
    literal, fences, at = LiteralState(path), Fences(lines), 0
    while at < len(lines) and len(found) < MAX_BLOCKS:
        if not is_fence(lines[at]) or (not found and literal.may_be_open):
            if not found:
                literal.add(lines[at])
            at += 1
            continue
        start, end = at, closing_line(lines, at, path, fences=fences)
        found.append(_block(lines, start, end, path, found[-1].end or 0 if found else -1))
        at = len(lines) if end is None else end + 1
    return found


def is_prose(lines: Iterable[str], path: str) -> bool:
    """Whether the lines are all remarks to the reader: none can be a line of the file."""
    return all(_is_remark(line, path) for line in lines if line.strip())


def holds_only_remarks(text: str, path: str) -> bool:
    """Whether a text that was cut ends before the first line of the file: after remarks, a fence or a tag."""
    lines = [line for line in split_lines(text) if line.strip() and not is_fence(line)]
    return (
        len(lines) < MAX_REMARKS
        and len(text) < MAX_REMARK_CHARACTERS
        and all(
            _is_remark(line, path) or line.lstrip().startswith(("<", "`", "~", "*", "#")) for line in lines
        )
    )


def _is_remark(line: str, path: str) -> bool:
    bare = line.strip()
    name = path.rpartition("/")[2].lower()
    if _MARKED.match(line) or _CJK.search(bare) or bare.rstrip(":：").lower() in (path.lower(), name):
        return True
    if bare.endswith(_CODE_END):
        return False
    is_sentence = (
        bare.endswith((":", "：", ".", "!", "?", "。")) and bare[0].isalpha() and bare[-2:-1].isalnum()
    )
    return is_sentence or len(bare.split()) >= 4


def _block(lines: Sequence[str], start: int, end: int | None, path: str, previous: int) -> Block:
    introduction = [line for line in lines[max(previous + 1, start - 4) : start] if line.strip()][-2:]
    info = fence_info(lines[start])
    return Block(
        start=start,
        end=end,
        info=info,
        fit=_fit(info, introduction, path),
        is_usage=any(_USAGE.search(line) for line in introduction),
    )


def _fit(info: str, introduction: Sequence[str], path: str) -> int:
    own = path.rpartition("/")[2].lower()
    for line in introduction:
        names = {name.rpartition("/")[2].lower() for name in _NAME.findall(line[:MAX_INTRODUCTION])}
        if own in line.lower():
            return 3
        if names and (_TITLE.match(line) or len(line.split()) == 1):
            return -1
    return fit(info, path)


class Fences:
    """The fences of an answer, each read once however many blocks the answer has."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._all = [
            (n, _indent(line), fence_mark(line), not fence_info(line))
            for n, line in enumerate(lines)
            if line.lstrip()[:1] in "`~" and is_fence(line)
        ]
        self._by_opening: dict[tuple[str, str], _Closings] = {}

    def after(self, start: int) -> Iterator[tuple[int, bool, bool]]:
        """The fences that can close the one in line `start`: its line, whether it is bare, and whether those
        after it are closed blocks. Shorter fences, those of the other character, and those that are
        indented otherwise are text."""
        indent, mark = _indent(self._lines[start]), fence_mark(self._lines[start])
        found = self._by_opening.get((indent, mark))
        if not found:
            matching = [(n, bare) for n, i, m, bare in self._all if i == indent and m.startswith(mark)]
            bares = [bare for _, bare in matching]
            found = self._by_opening[indent, mark] = _Closings(
                [n for n, _ in matching], bares, _closed_rests(bares)
            )
        for k in range(bisect_right(found.lines, start), len(found.lines)):
            yield found.lines[k], found.bare[k], found.rest[k + 1]


class _Closings(NamedTuple):
    lines: Sequence[int]
    bare: Sequence[bool]
    rest: Sequence[bool]


def closing_line(
    lines: Sequence[str],
    start: int,
    path: str,
    *,
    literal: LiteralState | None = None,
    inside: bool = False,
    fences: Fences | None = None,
) -> int | None:
    """The line that closes the block that line `start` opens, if the rest can be prose with closed blocks.

    A fence without a language may also open a block of the file's own. So the first one counts that is not
    within a string or comment; failing that, the only one. `literal` and `inside`: whether the block begins
    within a string or comment, and within a block of the file's own. `fences`: of these lines.
    """
    literal, at, is_open, possible = literal or LiteralState(path), start + 1, inside, list[int]()
    for n, is_bare, is_rest_closed in (fences or Fences(lines)).after(start):
        for line in lines[at:n]:
            literal.add(line)
        at = n + 1
        if is_bare and not is_open and is_rest_closed:
            if not literal.may_be_open:
                return n
            possible.append(n)
        if not is_bare and is_open:
            break
        is_open = not is_open
    return possible[0] if len(possible) == 1 else None


def _closed_rests(bare: Sequence[bool]) -> list[bool]:
    """Whether the fences from each one on are closed blocks; the last entry is for none."""
    closed, opened = [True], [False]
    for is_bare in reversed(bare):
        before = closed[-1]
        closed.append(opened[-1])
        opened.append(is_bare and before)
    return closed[::-1]


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
