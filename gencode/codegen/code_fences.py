"""Code fences that a model puts around a file although it was asked not to."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FENCE = re.compile(r"\s*(?P<mark>`{3,}|~{3,})(?P<info>[^`\n]*)\n?\Z")
_SENTENCE = re.compile(r"[^\W\d_].* .*[:：.。!！]\s*\Z")
_MARKDOWN = (".md", ".markdown", ".mdown", ".mdx", ".qmd", ".rmd", ".txt")


def unfence(text: str, path: str) -> str:
    """The file in a whole answer: without a fence around all of it, and what was said around the fence.

    Fences inside the file stay. They come in pairs, so an odd one out is the end of the outer fence.
    """
    lines = split_lines(text)
    start = _wrapper(lines, path)
    if start is None:
        return text if is_markdown(path) else _without_stray_end(text, lines, path)
    body = lines[start + 1 :]
    end = closing(body, lines[start], path)
    if is_markdown(path) and not _wraps_markdown(lines[start], body, end):
        return text
    return "".join(body[:end])


def is_markdown(path: str) -> bool:
    """Whether a fence can be the file's own first line; in source code it never is."""
    name = path.rpartition("/")[2].lower()
    return name.endswith(_MARKDOWN) or ("." not in name and name.startswith("readme"))


def split_lines(text: str) -> list[str]:
    """The lines with their ends; only a line feed ends one."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def is_fence(line: str) -> bool:
    return bool(_FENCE.match(line))


def surely_wraps(line: str, path: str) -> bool:
    """Whether a fence in front of a file, or of a part of it, cannot be the file's own."""
    return is_fence(line) and (_info(line) in ("markdown", "md") or not is_markdown(path))


def closing(lines: Sequence[str], opening: str, path: str, *, inside: bool = False) -> int | None:
    """Where the fence that `opening` (a line) began is closed; None if it is not. `inside`: the lines begin
    within a code block of the file's own."""
    fences = [n for n, line in enumerate(lines) if _weighs(line, opening)]
    if not fences or _info(lines[fences[-1]]):
        return None
    at_the_end = not "".join(lines[fences[-1] + 1 :]).strip() and not lines[fences[-1]][0].isspace()
    odd = (len(fences) + inside) % 2 == 1
    return fences[-1] if odd or (at_the_end and not is_markdown(path)) else None


def _wrapper(lines: Sequence[str], path: str) -> int | None:
    """Where a fence stands that may wrap what follows: the first line, or after "Here is the file:"."""
    said = [n for n, line in enumerate(lines) if line.strip()][:2]
    if said and is_fence(lines[said[0]]):
        return said[0]
    if len(said) == 2 and _SENTENCE.match(lines[said[0]]) and surely_wraps(lines[said[1]], path):
        return said[1]
    return None


def _weighs(line: str, opening: str) -> bool:
    """Shorter fences, and those of the other sign, are text within a longer one."""
    return is_fence(line) and line.strip().startswith(_mark(opening))


def _mark(line: str) -> str:
    match = _FENCE.match(line)
    return match["mark"] if match else ""


def _info(line: str) -> str:
    match = _FENCE.match(line)
    return match["info"].strip().lower() if match else ""


def _without_stray_end(text: str, lines: Sequence[str], path: str) -> str:
    """Source code whose last line is a fence that nothing opened: the opening went with an earlier piece."""
    fences = [n for n, line in enumerate(lines) if is_fence(line)]
    if len(fences) % 2 == 0 or lines[fences[-1]][0].isspace() or "".join(lines[fences[-1] + 1 :]).strip():
        return text
    return "".join(lines[: closing(lines, "```", path)])


def _wraps_markdown(opening: str, body: Sequence[str], end: int | None) -> bool:
    """Markdown may itself begin and end with a fence; it is wrapped only if the fence says so, or if a bare
    one is closed by the last line and by none before."""
    at_the_end = end is not None and not "".join(body[end + 1 :]).strip()
    if _info(opening) in ("markdown", "md"):
        return at_the_end or end is None
    return at_the_end and not _info(opening) and _balanced(body[:end], opening)


def _balanced(body: Sequence[str], opening: str) -> bool:
    opened = 0
    for line in (line for line in body if _weighs(line, opening)):
        if _info(line):
            opened += 1
        elif opened:
            opened -= 1
        else:
            return False
    return not opened
