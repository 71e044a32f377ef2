"""Joining the pieces of a file that the token limit cut.

A provider with native prefix completion goes on exactly, to the character. Any other model is asked in
words, and may begin with a sentence, a fence, lines that it said before, or the whole file anew. So that
the seam can be found all the same, such a model is shown its text only up to an anchor, a line that stands
in it once, and what it had said after the anchor is known: an answer that repeats the anchor, or goes on
with the known line, proves where it belongs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from gencode.errors import LLMBadOutput
from gencode.pipelines.generate.artifacts import Piece
from gencode.pipelines.generate.fences import closing, is_fence, split_lines, surely_wraps, unfence

TELLING = 8
"""Characters; a shorter line ("}", "else:") says nothing about where it stands."""
_PREAMBLE = re.compile(
    r"(?:(?:Sure|Certainly|Of course|Ok|OK|Okay|Understood)\b.{0,40}[.!:]"
    r"|(?:Here|Below|This)\b.{0,60}\b(?:rest|remain\w*|continuation|continued)\b.{0,80}[:.]"
    r"|(?:Continu|Resum|Pick|Go)ing\b.{0,120}[:.…]"
    r"|(?:好的|当然|继续|接着|以下|剩余|其余|余下).{0,60}[：:。])\s*\Z"
)


def raw(pieces: Sequence[Piece]) -> str:
    """What the model has said so far, as one answer."""
    text = ""
    for piece in pieces:
        text = text[: piece.follows] + piece.text
    return text


def file_text(pieces: Sequence[Piece], path: str) -> str:
    """The file that the pieces make: joined, without a fence around the whole."""
    return unfence(raw(pieces), path)


def resume_point(said: str, newest: int) -> int:
    """How much of `said` to show a model that is asked in words to go on.

    Up to the last anchor that has a whole line after it; failing that, up to the end of a line. At least
    half of the newest answer (its length is `newest`) stays, so that each round gets on.
    """
    lines = split_lines(said)
    times = Counter(line.strip() for line in lines)
    least, line_end, end, followed = len(said) - newest // 2, 0, len(said), False
    for line in reversed(lines):
        if end < least:
            break
        if line.endswith("\n"):
            if followed and times[line.strip()] == 1 and _tells(line) and not is_fence(line):
                return end
            line_end = line_end or end
            followed = followed or bool(line.strip())
        end -= len(line)
    return line_end or len(said)


def continuation(said: str, point: int, answer: str, path: str, *, whole: bool) -> str:
    """What follows `said[:point]`, of an answer that was asked for in words.

    Raises LLMBadOutput when the answer is seen not to go on from there; what cannot be seen is taken for an
    exact continuation. `whole`: the model said that it was done.
    """
    before, known = said[:point], _first_line(said[point:])
    for text, fence in _openings(answer):
        if (found := _seam(before, known, text)) is not None:
            return _unclosed(before, found, fence, path) if whole else found
    text, fence = _without_preamble(answer, path)
    _refuse_nonsense(said, point, text)
    return _unclosed(before, text, fence, path) if whole else text


def _openings(answer: str) -> Iterator[tuple[str, str]]:
    """The answer; then what is left of it after each line that may be a preamble, with the fence met."""
    lines, fence = split_lines(answer), ""
    for skipped, line in enumerate(lines):
        yield "".join(lines[skipped:]), fence
        if line.strip() and not is_fence(line) and not _PREAMBLE.match(line):
            return
        fence = line if is_fence(line) else fence


def _seam(before: str, known: str, text: str) -> str | None:
    """What of the text follows `before`, if an echo or the known next line proves it."""
    echoes = list(_echoes(before, text))
    for end in [*reversed(echoes), 0]:
        rest = text[end:].lstrip()
        if known and rest.startswith(known.lstrip()):
            return known + rest[len(known.lstrip()) :]  # models drop the indentation that they begin with
    return text[echoes[-1] :] if echoes else None


def _echoes(before: str, text: str) -> Iterator[int]:
    """Each end of a beginning of `text` that repeats the end of `before`, indentation of its start aside."""
    anchor = _anchor(before)
    at = text.find(anchor) if anchor else -1
    while at >= 0:
        end = at + len(anchor)
        if before.endswith(text[:end].lstrip()):
            yield end
        at = text.find(anchor, at + 1)


def _anchor(before: str) -> str:
    """The last line or lines that tell where they stand; "" if even all of them together do not."""
    lines = split_lines(before)
    for first in range(len(lines) - 1, -1, -1):
        if _tells(text := "".join(lines[first:])):
            return text.lstrip()
    return ""


def _unclosed(before: str, text: str, fence: str, path: str) -> str:
    """The text without the end of the fence, if any, that the answer opened."""
    lines = split_lines(text)
    end = closing(lines, fence, inside=_inside_block(before, path)) if fence else None
    return text if end is None else "".join(lines[:end])


def _inside_block(before: str, path: str) -> bool:
    """Whether `before` ends within a code block of the file's own."""
    lines = split_lines(before.lstrip())
    own = lines[1:] if lines and surely_wraps(lines[0], path) else lines
    return sum(is_fence(line) for line in own) % 2 == 1


def _without_preamble(answer: str, path: str) -> tuple[str, str]:
    """An answer that proves nothing about its place, without what is plainly no part of a file."""
    text, fence = answer, ""
    lines = split_lines(answer)
    for n, line in enumerate(lines):
        if surely_wraps(line, path) and not fence:
            fence = line
        elif not _PREAMBLE.match(line):
            if line.strip():
                break
            continue
        text = "".join(lines[n + 1 :])
    return text, fence


def _refuse_nonsense(said: str, point: int, text: str) -> None:
    """What is seen to be no continuation: less than was there already, or the file from its beginning."""
    head = [line for line in split_lines(said) if line.strip() and not is_fence(line)][:2]
    again = [line for line in split_lines(text) if line.strip()][:2]
    if len(text.strip()) < len(said[point:].strip()):
        raise LLMBadOutput("asked to go on with a file that was cut, the model said less than it had before")
    if len(head) == 2 and head == again and _tells("".join(head)):
        raise LLMBadOutput("asked to go on with a file that was cut, the model began it anew, and otherwise")


def _first_line(tail: str) -> str:
    """What is known to follow, up to the end of the first line that is not blank."""
    match = re.match(r"\s*\S[^\n]*\n?", tail)
    return match[0] if match else ""


def _tells(text: str) -> bool:
    return len(text.strip()) >= TELLING
