"""Code fences: recognises them, and removes those around a Markdown file."""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from itertools import islice

_FENCE = re.compile(r"\s*+(?P<mark>`{3,}+|~{3,}+)(?P<info>[^`\n]*+)\n?\Z")
_FENCES = re.compile(r"^[^\S\n]*+(?:`{3,}+|~{3,}+)[^`\n]*+$", re.MULTILINE)
MAX_FENCES = 10_000
"""Lines of one file; a README of two megabytes has a few hundred."""
_LETTER = re.compile(r"[^\W\d_]")
_SENTENCE_ENDS = (":", "：", ".", "。", "!", "！")
_MARKDOWN = (".md", ".markdown", ".mdown", ".mdx", ".qmd", ".rmd", ".txt")


def strip_markdown_fence(text: str, path: str) -> tuple[str, bool]:
    """A Markdown file without a fence around all of it and without text outside that fence; and whether that
    fence is closed.

    Fences inside the file stay. They come in pairs, so an unpaired one is the end of the outer fence.
    """
    lines = split_lines(text)
    start = _opening_fence(lines, path)
    if start is None:
        return text, True
    body = lines[start + 1 :]
    end = closing(body, lines[start], path)
    if not _wraps_markdown(lines[start], body, end, path):
        return text, True
    return "".join(body[:end]), end is not None


def without_stray_end(text: str, lines: Sequence[str], path: str) -> str:
    """Source code without an unpaired fence as its last line, whose opening an earlier piece lost."""
    fences = [n for n, line in enumerate(lines) if is_fence(line)]
    if len(fences) % 2 == 0 or lines[fences[-1]][0].isspace() or "".join(lines[fences[-1] + 1 :]).strip():
        return text
    return "".join(lines[: closing(lines, "```", path)])


def is_markdown(path: str) -> bool:
    """Whether a fence can be the first line of the file itself; in source code it never is."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(_MARKDOWN) or ("." not in name and name.startswith("readme"))


def is_readme_or_md(path: str) -> bool:
    """Whether a file is Markdown by its name, not any text."""
    name = path.rpartition("/")[2].lower()
    return name.endswith((".md", ".markdown")) or ("." not in name and name.startswith("readme"))


def split_lines(text: str) -> list[str]:
    """The lines with their line ends; only LF ends a line."""
    return list(io.StringIO(text, newline="\n"))


def first_lines(text: str, count: int) -> list[str]:
    """The first lines that are not blank, without white space around them."""
    lines = (line.strip() for line in io.StringIO(text, newline="\n"))
    return list(islice((line for line in lines if line), count))


def may_have_fences(text: str) -> bool:
    return "```" in text or "~~~" in text


def has_too_many_fences(text: str) -> bool:
    """Whether more lines than MAX_FENCES are fences: what reads them keeps all."""
    if text.count("```") + text.count("~~~") <= MAX_FENCES:
        return False
    return next(islice(_FENCES.finditer(text), MAX_FENCES, None), None) is not None


def is_fence(line: str) -> bool:
    return bool(_FENCE.match(line))


def fence_mark(line: str) -> str:
    """The characters of a fence; "" for another line."""
    match = _FENCE.match(line)
    return match["mark"] if match else ""


def fence_info(line: str) -> str:
    """The language, or whatever follows the characters of a fence, in lower case."""
    match = _FENCE.match(line)
    return match["info"].strip().lower() if match else ""


def is_outer_fence(line: str, path: str) -> bool:
    """Whether a line is a fence that cannot belong to the file itself."""
    return is_fence(line) and (_names_markdown(line, path) or not is_markdown(path))


def closing(lines: Sequence[str], opening: str, path: str, *, inside: bool = False) -> int | None:
    """The index of the line that closes the fence `opening` (a line); None if it is not closed. `inside`: the
    lines begin within a code block that belongs to the file."""
    mark = fence_mark(opening)
    fences = [n for n, line in enumerate(lines) if _matches_opening(line, mark)]
    if not fences or fence_info(lines[fences[-1]]):
        return None
    at_the_end = not "".join(lines[fences[-1] + 1 :]).strip() and not lines[fences[-1]][0].isspace()
    odd = (len(fences) + inside) % 2 == 1
    return fences[-1] if odd or (at_the_end and not is_markdown(path)) else None


def opens_bare_block(lines: Sequence[str]) -> bool:
    """Whether the first line opens a code block without a language that none of the lines closes. The file
    may be in that block, or begin with it."""
    first = next((line for line in lines if line.strip()), "")
    return is_fence(first) and not fence_info(first) and is_unclosed(lines)


def is_unclosed(lines: Sequence[str]) -> bool:
    """Whether a code block is open after these lines of Markdown. A fence closes it that has the same
    characters, as many or more, and names no language."""
    mark = ""
    for line in filter(is_fence, lines):
        if not mark:
            mark = fence_mark(line)
        elif fence_mark(line).startswith(mark) and not fence_info(line):
            mark = ""
    return bool(mark)


def _opening_fence(lines: Sequence[str], path: str) -> int | None:
    """The index of a fence that may wrap the rest: the first line, or after "Here is the file:"."""
    first = [n for n, line in enumerate(lines) if line.strip()][:2]
    if first and is_fence(lines[first[0]]):
        return first[0]
    if len(first) == 2 and _is_sentence(lines[first[0]]) and is_outer_fence(lines[first[1]], path):
        return first[1]
    return None


def _is_sentence(line: str) -> bool:
    """A remark of several words, such as "Here is the file:"."""
    bare = line.rstrip()
    return bool(_LETTER.match(bare)) and bare.endswith(_SENTENCE_ENDS) and " " in bare[1:]


def _matches_opening(line: str, mark: str) -> bool:
    """Shorter fences, and those of the other character, are text within a longer one."""
    return is_fence(line) and line.lstrip().startswith(mark)


def _names_markdown(line: str, path: str) -> bool:
    """Whether a fence names Markdown, or the file itself."""
    return fence_info(line) in ("markdown", "md") or path.rpartition("/")[2].lower() in fence_info(line)


def _wraps_markdown(opening: str, body: Sequence[str], end: int | None, path: str) -> bool:
    """Markdown may itself begin and end with a fence. It is wrapped only if the fence names Markdown, or if a
    bare fence is closed by the last line and by none before."""
    at_the_end = end is not None and not "".join(body[end + 1 :]).strip()
    if _names_markdown(opening, path):
        return at_the_end or end is None
    return at_the_end and not fence_info(opening) and _balanced(body[:end], opening)


def _balanced(body: Sequence[str], opening: str) -> bool:
    depth, mark = 0, fence_mark(opening)
    for line in (line for line in body if _matches_opening(line, mark)):
        if fence_info(line):
            depth += 1
        elif depth:
            depth -= 1
        else:
            return False
    return not depth
