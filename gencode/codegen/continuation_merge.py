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
from itertools import takewhile
from typing import NamedTuple

from gencode.codegen.code_fences import (
    closing,
    is_fence,
    is_markdown,
    split_lines,
    surely_wraps,
    unfence,
)
from gencode.codegen.pieces import Piece
from gencode.llm.errors import LLMBadOutput

TELLING = 8
"""Characters; a shorter line ("}", "else:") says nothing about where it stands."""
MOST_ECHOES = 100
"""Places of the anchor to look at; it stands in the text once, or a few times where there is no better."""
_PREAMBLE = re.compile(
    r"(?:(?:Sure|Certainly|Of course|Ok|OK|Okay|Understood)\b.{0,40}[.!:]"
    r"|(?:Here|Below|This)\b.{0,60}\b(?:rest|remain\w*|continuation|continued)\b.{0,80}[:.]"
    r"|(?:Continu|Resum|Pick|Go)ing\b.{0,120}[:.…]"
    r"|(?:好的|当然|继续|接着|以下|剩余|其余|余下).{0,60}[：:。])\s*\Z"
)


def joined_text(pieces: Sequence[Piece]) -> str:
    """What the model has said so far, as one answer."""
    text = ""
    for piece in pieces:
        text = text[: piece.follows] + piece.text
    return text


def file_text(pieces: Sequence[Piece], path: str) -> str:
    """The file that the pieces make: joined, without a fence around the whole."""
    if pieces and pieces[-1].joined:
        return pieces[-1].text
    return unfence(joined_text(pieces), path)


def without_echo(before: str, text: str) -> str:
    """`text`, which is to follow `before`, without a repetition of how `before` ends. Only one that holds a
    line (or lines) that `before` has but once is taken for that: files may well repeat themselves."""
    anchor = _anchor(before)
    return text[max([0, *_echoes(before, text)]) :] if anchor and before.count(anchor) == 1 else text


def resume_point(said: str, newest: int) -> int:
    """How much of `said` to show a model that is asked in words to go on.

    Up to the last anchor that is followed by enough to know the way on by; failing that, up to the end of
    a line. At least half of the newest answer (its length is `newest`) stays, so that each round gets on;
    but where all that was said is no anchor, nothing is shown, and the file is asked for from its beginning.
    """
    lines = split_lines(said)
    times = Counter(line.strip() for line in lines)
    point, end = len(said), len(said)
    for line in reversed(lines):
        if end < len(said) - newest // 2:
            break
        if line.endswith("\n"):
            followed = _tells(said[end:])
            if followed and times[line.strip()] == 1 and _tells(line) and not is_fence(line):
                return end
            if not _tells(said[point:]):
                point = end
        end -= len(line)
    start = said.rfind("\n", 0, point) + 1
    if not _tells(said[start:point]):
        point = start  # a few characters begun anew could not be told from their going on
    return point if _tells(said[:point]) else 0


def continuation(said: str, point: int, answer: str, path: str, *, whole: bool) -> str:
    """What follows `said[:point]`, of an answer that was asked for in words.

    Raises LLMBadOutput when the answer is seen not to go on from there; what cannot be seen is taken for an
    exact continuation. `whole`: the model said that it was done.
    """
    before, known = said[:point], said[point:]
    seams = [_seam(before, known, text, fence) for text, fence in _openings(answer)]
    best = max(seams, key=lambda seam: seam.evidence, default=_Seam("", "", 0))
    if best.evidence < TELLING:
        best = _agreeing(before, known, answer) or _taken_at_its_word(said, point, answer, path)
    elif 0 < best.echoed < TELLING:  # many a line ends as the one before
        best = _agreeing(before, known, answer) or best
    return _unclosed(before, best.text, best.fence, path) if whole else best.text


class _Seam(NamedTuple):
    """A reading of an answer: the text that goes on, the fence met before it, how many characters of the
    answer are then what the model is known to have said, and how many of these it said before the point."""

    text: str
    fence: str
    evidence: int
    echoed: int = 0


def _agreeing(before: str, known: str, answer: str) -> _Seam | None:
    """The only reading that goes on with the little that is known. Raises LLMBadOutput if there are more."""
    found: dict[str, _Seam] = {}
    for text, fence in _openings(answer) if known.strip() else ():
        for end in [0, *_short_echoes(before, text), *_echoes(before, text)]:
            if text[end:].lstrip().startswith(known.lstrip()):
                seam = _Seam(_aligned(text[end:], known), fence, 0)
                found[seam.text] = seam
    if len(found) > 1:
        raise LLMBadOutput("asked to go on with a file that was cut, the model left it open where it goes on")
    return next(iter(found.values()), None)


def _taken_at_its_word(said: str, point: int, answer: str, path: str) -> _Seam:
    """An answer that proves nothing about its place: it is an exact continuation, or is refused."""
    text, fence = _without_preamble(answer, path)
    _refuse_nonsense(said, point, text)
    _refuse_doubt(answer, text, path)
    return _Seam(_aligned(text, said[point:]), fence, 0)


def _openings(answer: str) -> Iterator[tuple[str, str]]:
    """The answer; then what is left of it after each line that may be a preamble, with the fence met."""
    lines, fence = split_lines(answer), ""
    for skipped, line in enumerate(lines):
        yield "".join(lines[skipped:]), fence
        if line.strip() and not is_fence(line) and not _PREAMBLE.match(line):
            return
        fence = line if is_fence(line) else fence


def _seam(before: str, known: str, text: str, fence: str) -> _Seam:
    """Where in `text` an echo ends, judged by what is echoed and by how it agrees with what is known."""
    ends = [0, *_short_echoes(before, text), *_echoes(before, text)]
    agreed = {end: _agreement(text[end:], known) for end in ends}
    end = max(ends, key=lambda end: len(text[:end].strip()) + agreed[end])
    echoed = len(text[:end].strip())
    return _Seam(_aligned(text[end:], known), fence, echoed + agreed[end], echoed)


def _aligned(text: str, known: str) -> str:
    """The text with the white space that it is known to begin with: models drop it."""
    if not known.strip() or _agreement(text, known) < min(TELLING, len(known.strip())):
        return text
    return known[: len(known) - len(known.lstrip())] + text.lstrip()


def _agreement(text: str, known: str) -> int:
    """How many characters come as they were known, the white space at the beginning aside: in whole lines,
    since many a line begins like another."""
    text, known = text.lstrip(), known.lstrip()
    if text.startswith(known):
        return len(known)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(text, known, strict=False)))
    return known.rfind("\n", 0, same) + 1


def _echoes(before: str, text: str) -> list[int]:
    """Each end of a beginning of `text` that repeats the end of `before`, indentation of its start aside."""
    anchor, ends, at = _anchor(before), [], -1
    for _ in range(MOST_ECHOES if anchor else 0):
        at = text.find(anchor, at + 1)
        if at < 0:
            break
        if before.endswith(text[: at + len(anchor)].lstrip()):
            ends.append(at + len(anchor))
    return ends


def _short_echoes(before: str, text: str) -> list[int]:
    """The same of lines that alone prove nothing."""
    ends, end = [], 0
    for line in split_lines(text[:200]):
        end += len(line)
        if _tells(text[:end]):
            break
        if line.endswith("\n") and before.endswith(text[:end].lstrip(" \t")):
            ends.append(end)
    return ends


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
    end = closing(lines, fence, path, inside=_inside_block(before, path)) if fence else None
    return text if end is None else "".join(lines[:end])


def _inside_block(before: str, path: str) -> bool:
    """Whether `before` ends within a code block of the file's own."""
    lines = split_lines(before.lstrip())
    own = lines[1:] if lines and surely_wraps(lines[0], path) else lines
    return sum(is_fence(line) for line in own) % 2 == 1


def _without_preamble(answer: str, path: str) -> tuple[str, str]:
    """An answer that proves nothing about its place, without what is plainly no part of a file: sentences
    with a blank line after each, and a fence."""
    lines, fence, start = split_lines(answer), "", 0
    for n, line in enumerate(lines):
        announced = _PREAMBLE.match(line) or (not line.strip() and n and _PREAMBLE.match(lines[n - 1]))
        if surely_wraps(line, path) and not fence:
            fence = line
        elif not announced:
            if line.strip():
                break
            continue
        start = n + 1
    return "".join(lines[start:]), fence


def _refuse_nonsense(said: str, point: int, text: str) -> None:
    """What is seen to be no continuation: less than was there already, or the file from its beginning."""
    head = [line for line in split_lines(said) if line.strip() and not is_fence(line)][:2]
    again = [line for line in split_lines(text) if line.strip()][:2]
    if len(text.strip()) < len(said[point:].strip()):
        raise LLMBadOutput("asked to go on with a file that was cut, the model said less than it had before")
    if len(head) == 2 and head == again and _tells("".join(head)):
        raise LLMBadOutput("asked to go on with a file that was cut, the model began it anew, and otherwise")


def _refuse_doubt(answer: str, text: str, path: str) -> None:
    """Two readings, and nothing that was known to choose by: a blank line after a sentence may be the file's
    own; so may be a fence in front of Markdown."""
    said = split_lines(answer[: len(answer) - len(text)])
    announced = any(_PREAMBLE.match(line) for line in said) and not any(is_fence(line) for line in said)
    first = next((line for line in split_lines(text) if line.strip()), "")
    if announced and (not said[-1].strip() or text[:1].isspace()):
        raise LLMBadOutput("asked to go on with a file that was cut, the model left it open where it goes on")
    if is_fence(first) and is_markdown(path):
        raise LLMBadOutput("asked to go on with a file that was cut, the model began with a code fence")


def _tells(text: str) -> bool:
    return len(text.strip()) >= TELLING
