"""Extracts the file from a model's complete answer, with the reason if the result is uncertain.

Asked for a file and nothing else, models put it into a code block, after a title, before a remark with
further blocks, into a tag, or into a JSON string:

    **src/app.py**            the file is the first block that can be it; what follows must be prose with
    ```python                 closed blocks
    ...
    ```
    Run it with: ...

A file without such a wrapper is taken as it stands, to the byte.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gencode.codegen.code_blocks import Block, blocks_in, is_prose
from gencode.codegen.code_fences import (
    MAX_FENCES,
    first_lines,
    has_too_many_fences,
    is_fence,
    is_markdown,
    is_readme_or_md,
    is_unclosed,
    may_have_fences,
    split_lines,
    strip_markdown_fence,
    without_stray_end,
)
from gencode.codegen.fence_languages import can_hold_fences, is_code
from gencode.codegen.non_file_answers import doubt_about
from gencode.codegen.tag_and_json_wrappers import unwrapped

MAX_WRAPPERS = 4
"""The most nested wrappers, such as a tag around a code block around a tag."""
UNCLOSED = "it opens a code block that it does not close"
_INVISIBLE = "\u200b\u2060"
"""Characters that are removed from the beginning of a file, whose first line they would break. A byte order
mark is part of a file, but not before the fence around it."""
_MARKDOWN_BLOCK = re.compile(r"^```(?:markdown|md)[ \t]*$", re.MULTILINE)
_NAMED_BLOCK = re.compile(
    r"^```[ \t]*\n\s*(?:\*\*|#{1,6} |`)[`*]*[\w./-]{1,80}\.\w{1,8}[`*:]*[ \t]*\n\s*```", re.MULTILINE
)
_CHAT = re.compile(
    r"(?:Sure|Certainly|Of course|Okay|Here is|Here's|Here are|Below is|This (?:README|file|document)"
    r"|Let me know|I hope|I've|I have|Feel free|好的|以下是|这是)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """`text`: the most probable text of the file. `doubt`: why it may not be the file; "" if it certainly
    is."""

    text: str
    doubt: str = ""


def read_answer(text: str, path: str) -> Reading:
    """The file `path` in an answer that the model has ended by itself."""
    if has_too_many_fences(text):
        return Reading(text=text, doubt=f"it has more than {MAX_FENCES} code fences")
    text = _without_invisible_start(text)
    doubt, answer = "", text
    for _ in range(MAX_WRAPPERS):
        reading = _read_once(text, path)
        doubt = doubt or reading.doubt
        if reading.text == text:
            break
        text = reading.text
    if not doubt and text != answer and is_markdown(path) and _is_between_fences(text):
        doubt = "it may have a code block around the file, or begin and end with one"
    return Reading(text=text, doubt=doubt or doubt_about(text, path))


def _without_invisible_start(text: str) -> str:
    """The text without invisible characters, and without blank lines before what must be in the first
    line."""
    text = text.lstrip(_INVISIBLE)
    if text.startswith(("\ufeff```", "\ufeff~~~")):
        text = text[1:]
    bare = text.lstrip()
    return bare if bare.startswith(("#!", "<?xml")) else text


def _is_between_fences(text: str) -> bool:
    lines = [line for line in split_lines(text) if line.strip()]
    return bool(lines) and is_fence(lines[0]) and is_fence(lines[-1])


def file_in_answer(text: str, path: str) -> str:
    """The text that read_answer finds, whether it is certain or not."""
    return read_answer(text, path).text


def _read_once(text: str, path: str) -> Reading:
    inner, is_closed = unwrapped(text, path)
    if inner != text:
        return Reading(text=inner, doubt="" if is_closed else "it opens a tag that it does not close")
    if is_markdown(path):
        return _read_markdown(text, path)
    return _read_source(text, path) if may_have_fences(text) else Reading(text=text)


def _read_source(text: str, path: str) -> Reading:
    lines = split_lines(text)
    blocks = blocks_in(lines, path)
    if not blocks:
        return Reading(text=without_stray_end(text, lines, path))
    head = lines[: blocks[0].start]
    if is_prose(head, path):
        return _chosen(blocks, lines, path)
    if len(blocks) == 1 and blocks[0].is_stray(lines) and not lines[blocks[0].start][0].isspace():
        return Reading(text="".join(head))
    if can_hold_fences(path):
        return Reading(text=text)
    return Reading(text=text, doubt="it goes on with a code block after the file, or has text before it")


def _chosen(blocks: Sequence[Block], lines: Sequence[str], path: str) -> Reading:
    """The first of the blocks that fit the file best."""
    chosen = max(blocks, key=lambda block: block.fit)
    text = "".join(lines[chosen.start + 1 : chosen.end])
    if is_code(chosen.info, path):
        return Reading(text=text, doubt="its first line stands behind the code fence")
    if any(block.end is None for block in blocks):
        return Reading(text=text, doubt=UNCLOSED)
    if chosen.fit < 0:
        return Reading(text=text, doubt="it is another file")
    rivals = [block for block in blocks if block is not chosen and block.rivals(chosen)]
    if rivals:
        return Reading(text=text, doubt="it has several code blocks that could be the file")
    end = blocks[-1].end
    if not is_prose(lines[len(lines) if end is None else end + 1 :], path):
        return Reading(text=text, doubt="it goes on after the code block of the file")
    return Reading(text=chosen.dedented(lines))


def _read_markdown(text: str, path: str) -> Reading:
    if may_have_fences(text):
        return _read_fenced_markdown(text, path)
    return Reading(text=text, doubt=_remark(first_lines(text, 2), path))


def _is_titled(text: str, path: str = "") -> bool:
    """Whether a block of Markdown stands in the text, or a block after the name of a file that is no part of
    the text before: "```", a blank line, "**other.txt**", "```". With a path, only a block with that name."""
    if path:
        name = re.escape(path.rpartition("/")[2])
        titled = rf"^(?:\*\*|#{{1,6}} |`)[^\n]{{0,40}}{name}[^\n]{{0,10}}\n\s*```(?:markdown|md)?[ \t]*$"
        return re.search(titled, text, re.MULTILINE) is not None
    return _MARKDOWN_BLOCK.search(text) is not None or _NAMED_BLOCK.search(text) is not None


def _remark(lines: Sequence[str], path: str) -> str:
    """Why the first lines of a Markdown file show that it is not the file alone."""
    has_remark = _is_readme(path) and lines and _CHAT.match(lines[0])
    return "it begins with a remark about the file" if has_remark and _has_title(lines) else ""


def _has_title(lines: Sequence[str]) -> bool:
    return any(line.startswith("# ") for line in lines[1:2])


def _is_readme(path: str) -> bool:
    return path.rpartition("/")[2].lower().startswith("readme")


def _read_fenced_markdown(text: str, path: str) -> Reading:
    inner, is_closed = strip_markdown_fence(text, path)
    if inner != text and _is_titled(inner):
        return Reading(text=inner, doubt="it has several code blocks that could be the file")
    if inner != text:
        return Reading(text=inner, doubt="" if is_closed else UNCLOSED)
    lines = [line.strip() for line in split_lines(text) if line.strip()]
    if doubt := _remark(lines, path):
        return Reading(text=text, doubt=doubt)
    if lines and is_fence(lines[0]) and (sum(map(is_fence, lines)) % 2 or is_unclosed(lines)):
        return Reading(text=text, doubt=UNCLOSED)
    if is_readme_or_md(path) and is_unclosed(lines):
        return Reading(text=text, doubt=UNCLOSED)
    if _is_titled(text, path):
        return Reading(text=text, doubt="it has several code blocks that could be the file")
    wrapped = bool(lines) and re.match(r"[`~]{3,} *(?:markdown|md)\b", lines[0]) is not None
    if wrapped and (_is_readme(path) or _CHAT.match(lines[-1])):
        return Reading(text=text, doubt="it goes on after the code block of the file")
    return Reading(text=text)
