"""Merges the answers for a file that the token limit truncated.

A provider with native prefix completion continues exactly, to the character. Any other model is instructed to
continue, and may begin with a sentence, a code fence, lines that it wrote before, or the whole file again. So
that the place where its answer belongs can be found, such a model is shown its text only up to an anchor, a
line that occurs once; the text after the anchor is withheld. An answer that repeats the anchor, or continues
with the withheld text, proves where it belongs.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate, islice
from typing import NamedTuple

from gencode.codegen.code_blocks import blocks_in, closing_line, is_prose
from gencode.codegen.code_fences import (
    closing,
    fence_mark,
    is_fence,
    is_markdown,
    is_outer_fence,
    opens_bare_block,
    split_lines,
)
from gencode.codegen.file_checkpoints import Piece, Pieces
from gencode.codegen.file_extraction import file_in_answer
from gencode.codegen.multiline_literals import LiteralState
from gencode.llm.errors import LLMBadOutput
from gencode.resilience.thread_offload import run_on_text

MIN_DISTINCTIVE = 8
"""Characters; a shorter line ("}", "else:") occurs in too many places to identify one."""
SHORT = 200
"""Characters; no real token limit cuts a file so early, so little is lost by a request from the beginning."""
MAX_OVERLAPS = 100
"""Occurrences of the anchor to examine; usually there is one, or a few if no better anchor exists."""
MAX_SKIPPED = 20
"""Lines before a continuation that may be a preamble."""
_BLANK = re.compile(r"\s*+")
_LEFT_OPEN = "asked to go on with a file that was cut, the model left it open where it goes on"
_PREAMBLE = re.compile(
    r"(?:(?:Sure|Certainly|Of course|Ok|OK|Okay|Understood)\b.{0,40}[.!:]"
    r"|(?:Here|Below|This)\b.{0,60}\b(?:rest|remain\w*|continuation|continued)\b.{0,80}[:.]"
    r"|(?:Continu|Resum|Pick|Go)ing\b.{0,120}[:.…]"
    r"|(?:好的|当然|继续|接着|以下|剩余|其余|余下).{0,60}[：:。])\s*\Z"
)


def joined_text(pieces: Sequence[Piece]) -> str:
    """The pieces as one text."""
    text = ""
    for piece in pieces:
        text = text[: piece.follows] + piece.text
    return text


def file_text(pieces: Sequence[Piece], path: str) -> str:
    """The text of the file: the pieces joined, without a code fence around the whole."""
    if pieces and pieces[-1].joined:
        return pieces[-1].text
    return file_in_answer(joined_text(pieces), path)


async def file_texts(files: Pieces) -> dict[str, str]:
    """The text of each file, by path."""
    size = sum(len(piece.text) for pieces in files.values() for piece in pieces)
    return await run_on_text(size, _file_texts, files)


def _file_texts(files: Pieces) -> dict[str, str]:
    return {path: file_text(pieces, path) for path, pieces in files.items()}


def without_overlap(before: str, text: str) -> str:
    """`text`, which is to follow `before`, without a repetition of the end of `before`.

    Only a repetition of a line (or lines) that occurs once in `before` is removed, since files may repeat
    themselves.
    """
    anchor = _anchor(before)
    return text[max([0, *_overlaps(before, text)]) :] if anchor and before.count(anchor) == 1 else text


def resume_point(written: str, newest: int) -> int:
    """How many characters of `written` to show a model that is instructed to continue.

    Up to the end of a line, of an anchor if possible, so that the text after it, which is withheld, occurs
    only there: an answer that begins with that text continues exactly, one that has it after an overlap
    repeats, and none does both. A whole line is withheld if possible, since nearly equal lines begin alike.
    At least half of the newest answer (of length `newest`) stays, so that each call advances. If a SHORT text
    has no such place, or no text can serve as an anchor, nothing is shown, and the file is requested from its
    beginning.
    """
    lines, least = _whole_lines(written), len(written) - newest // 2
    ends = [end for end in lines if end >= least]
    anchors = _anchors(written, lines, ends)
    once, distinctive = _occurs_once(written), _distinctive_end(written)
    whole = _distinctive_end(written[: written.rfind("\n") + 1])
    certain = [(anchors, min(whole, once)), (anchors, min(distinctive, once)), (ends, min(distinctive, once))]
    if len(written) < SHORT:
        others = [(ends, once), (list(lines), min(distinctive, once))]
    else:
        others = [(anchors, whole), (anchors, distinctive), (ends, distinctive)]
    for places, last in (*certain, *others):
        if point := max((place for place in places if place <= last), default=0):
            return point if _is_distinctive(written[:point]) else 0
    return 0 if len(written) < SHORT else _uncertain_point(written, ends)


def _uncertain_point(written: str, ends: Sequence[int]) -> int:
    """The first of the ends of lines; without one, all that is written."""
    point = ends[0] if ends else len(written)
    start = written.rfind("\n", 0, point) + 1
    if not _is_distinctive(written[start:point]):
        point = start  # a restart of a few characters would look like their continuation
    return point if _is_distinctive(written[:point]) else 0


def _whole_lines(text: str) -> dict[int, str]:
    """Each line that ends with LF, by the offset of its end."""
    lines = split_lines(text)
    ends = accumulate(map(len, lines))
    return {end: line for end, line in zip(ends, lines, strict=True) if line.endswith("\n")}


def _anchors(written: str, lines: Mapping[int, str], ends: Sequence[int]) -> list[int]:
    """Those of the ends of lines that are the ends of anchors."""
    counts = Counter(line.strip() for line in split_lines(written))
    alone = (end for end in ends if counts[lines[end].strip()] == 1)
    return [end for end in alone if _is_distinctive(lines[end]) and not is_fence(lines[end])]


def _occurs_once(text: str) -> int:
    """The last place from which on the text, without white space around it, occurs nowhere before; -1 if
    there is none. The longer such a text, the rarer it is, so the place is found by halving."""
    text = text.rstrip()

    def repeats(place: int) -> bool:
        rest = text[place:].lstrip()
        return text.find(rest) < len(text) - len(rest)

    return bisect_left(range(len(text)), True, key=repeats) - 1


def continuation(written: str, point: int, answer: str, path: str, *, whole: bool) -> str:
    """The text of an instructed answer that follows `written[:point]`.

    whole  the model ended the answer by itself

    Raises LLMBadOutput for an answer that visibly does not continue there. An answer without a
    recognisable overlap counts as an exact continuation.
    """
    before, withheld = written[:point], written[point:]
    alignments = (_align(before, withheld, text, fence) for text, fence in _candidates(answer))
    best = max(alignments, key=lambda alignment: alignment.evidence, default=_Alignment("", "", 0))
    agreeing = _only_agreeing(before, withheld, answer)
    if best.evidence < MIN_DISTINCTIVE:
        best = agreeing or _exact_continuation(written, point, answer, path)
    elif agreeing and best.overlap < MIN_DISTINCTIVE:  # many lines end like the previous one
        best = agreeing
    elif agreeing and agreeing.text != best.text:  # the line before the cut and the cut one are nearly equal
        raise LLMBadOutput(_LEFT_OPEN)
    return _without_own_fence(before, best.text, best.fence, path) if whole and best.fence else best.text


class _Alignment(NamedTuple):
    """A reading of an answer.

    text      the continuation
    fence     the opening code fence before it, or ""
    evidence  characters of the answer that are known from the earlier pieces
    overlap   those of them that precede the resume point
    """

    text: str
    fence: str
    evidence: int
    overlap: int = 0


def _only_agreeing(before: str, withheld: str, answer: str) -> _Alignment | None:
    """The only reading that continues with the withheld text. Raises LLMBadOutput if there are several."""
    found: dict[str, _Alignment] = {}
    cut_line = withheld.lstrip()
    for text, fence in _candidates(answer) if withheld.strip() else ():
        for end in [0, *_short_overlaps(before, text), *_overlaps(before, text)]:
            if text.startswith(cut_line, _after_blanks(text, end)):
                alignment = _Alignment(_with_leading_space(text[end:], withheld), fence, 0)
                found[alignment.text] = alignment
            if len(found) > 1:
                raise LLMBadOutput(_LEFT_OPEN)
    return next(iter(found.values()), None)


def _exact_continuation(written: str, point: int, answer: str, path: str) -> _Alignment:
    """The alignment of an answer without a recognisable overlap. Raises LLMBadOutput if it cannot continue
    there."""
    text, fence = _without_preamble(answer, path)
    _reject_restart(written, point, text)
    _reject_ambiguous(answer, text, path)
    return _Alignment(_with_leading_space(text, written[point:]), fence, 0)


def _candidates(answer: str) -> Iterator[tuple[str, str]]:
    """The answer, then its rest after each line that may be a preamble, with the fence before it."""
    lines, fence = split_lines(answer), ""
    for skipped, line in islice(enumerate(lines), MAX_SKIPPED):
        yield "".join(lines[skipped:]), fence
        if line.strip() and not is_fence(line) and not _PREAMBLE.match(line):
            return
        fence = line if is_fence(line) else fence


def _align(before: str, withheld: str, text: str, fence: str) -> _Alignment:
    """The reading whose overlap with `before` and agreement with the withheld text are the longest."""
    ends = [0, *_short_overlaps(before, text), *_overlaps(before, text)]
    begins = {end: _after_blanks(text, end) for end in ends}
    agreeing = {begin: _agreeing_characters(text[begin:], withheld) for begin in set(begins.values())}
    agreed = {end: agreeing[begin] for end, begin in begins.items()}
    end = max(ends, key=lambda end: len(text[:end].strip()) + agreed[end])
    overlap = len(text[:end].strip())
    if overlap >= MIN_DISTINCTIVE and not withheld.strip():
        _reject_repetitive(before, text, ends)
    return _Alignment(_with_leading_space(text[end:], withheld), fence, overlap + agreed[end], overlap)


def _with_leading_space(text: str, withheld: str) -> str:
    """The text with the leading white space of the withheld text, which models drop."""
    least = min(MIN_DISTINCTIVE, len(withheld.strip()))
    if not withheld.strip() or _agreeing_characters(text, withheld) < least:
        return text
    return withheld[: len(withheld) - len(withheld.lstrip())] + text.lstrip()


def _agreeing_characters(text: str, withheld: str) -> int:
    """How many characters of the withheld text `text` begins with, leading white space aside; in whole lines,
    because many lines begin alike."""
    text, withheld = text.lstrip(), withheld.lstrip()
    if text.startswith(withheld):
        return len(withheld)
    return withheld.rfind("\n", 0, _equal_characters(text, withheld)) + 1


def _equal_characters(text: str, other: str) -> int:
    """The length of the beginning that both have; halves are compared, since a loop over the characters of
    megabytes takes long."""
    equal, most = 0, min(len(text), len(other))
    while equal < most:
        end = (equal + most + 1) // 2
        if text[equal:end] == other[equal:end]:
            equal = end
        else:
            most = end - 1
    return equal


def _after_blanks(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    return found.end() if found else start


def _overlaps(before: str, text: str) -> list[int]:
    """The ends of beginnings of `text` that repeat the end of `before`, apart from the first indentation."""
    anchor, ends, at = _anchor(before), [], -1
    for _ in range(MAX_OVERLAPS if anchor else 0):
        at = text.find(anchor, at + 1)
        if at < 0:
            break
        if before.endswith(text[: at + len(anchor)].lstrip()):
            ends.append(at + len(anchor))
    return ends


def _short_overlaps(before: str, text: str) -> list[int]:
    """The same for lines that are too short to prove anything on their own."""
    ends, end = [], 0
    for line in split_lines(text[:200]):
        end += len(line)
        if _is_distinctive(text[:end]):
            break
        if line.endswith("\n") and before.endswith(text[:end].lstrip(" \t")):
            ends.append(end)
    return ends


def _anchor(before: str) -> str:
    """The last line, or lines, that are distinctive; "" if all of them together are not."""
    last = _distinctive_end(before)
    return before[before.rfind("\n", 0, last) + 1 :].lstrip() if last >= 0 else ""


def _distinctive_end(text: str) -> int:
    """The last place from which on the text is distinctive; -1 if all of it is not."""
    end = len(text.rstrip()) - MIN_DISTINCTIVE + 1
    return len(text[:end].rstrip()) - 1 if end > 0 else -1


def _without_own_fence(before: str, text: str, fence: str, path: str) -> str:
    """The text without the closing fence of the code block that the answer opened. If the file is itself in a
    block, that is closed. Raises LLMBadOutput if the answer does not close its block."""
    lines, wrapper = split_lines(text), _open_wrapper(before, path)
    content = split_lines(before.lstrip())
    if wrapper:
        content = content[content.index(wrapper) + 1 :]
    inside = sum(is_fence(line) for line in content) % 2 == 1
    literal = LiteralState.after((line for line in content if not is_fence(line)), path)
    if is_markdown(path) and not wrapper and opens_bare_block(content):
        raise LLMBadOutput("asked to go on with a file in a code block, the model opened another one")
    if is_markdown(path) or fence[:1].isspace() or literal.may_be_open:
        end = closing(lines, fence, path, inside=inside)  # the fence may be the file's own
        if end is None:
            return text
    else:
        end = _closing_line(lines, fence, path, literal, inside)
    return "".join(lines[:end]) + (f"{fence_mark(wrapper)}\n" if wrapper else "")


def _closing_line(lines: Sequence[str], fence: str, path: str, literal: LiteralState, inside: bool) -> int:
    end = closing_line([fence, *lines], 0, path, literal=literal, inside=inside)
    if end is None:
        raise LLMBadOutput("asked to go on with a file that was cut, the model opened a code block for good")
    return end - 1


def _open_wrapper(before: str, path: str) -> str:
    """The fence of the block that the file itself is in and that is not closed yet; "" if there is none."""
    lines = split_lines(before.lstrip())
    if is_markdown(path):
        return lines[0] if lines and is_outer_fence(lines[0], path) else ""
    blocks = blocks_in(lines, path)
    if blocks and blocks[-1].end is None and is_prose(lines[: blocks[0].start], path):
        return lines[blocks[-1].start]
    return ""


def _without_preamble(answer: str, path: str) -> tuple[str, str]:
    """The answer without leading sentences (with a blank line after each) and fence, and that fence."""
    lines, fence, start = split_lines(answer), "", 0
    for n, line in enumerate(lines):
        announced = _PREAMBLE.match(line) or (not line.strip() and n and _PREAMBLE.match(lines[n - 1]))
        if is_outer_fence(line, path) and not fence:
            fence = line
        elif not announced:
            if line.strip():
                break
            continue
        start = n + 1
    return "".join(lines[start:]), fence


def _reject_restart(written: str, point: int, text: str) -> None:
    """Raises LLMBadOutput for less text than was withheld, and for the file from its beginning."""
    head = [line for line in split_lines(written) if line.strip() and not is_fence(line)][:2]
    again = [line for line in split_lines(text) if line.strip()][:2]
    if len(text.strip()) < len(written[point:].strip()):
        raise LLMBadOutput("asked to go on with a file that was cut, the model said less than it had before")
    if len(head) == 2 and head == again and _is_distinctive("".join(head)):
        raise LLMBadOutput("asked to go on with a file that was cut, the model began it anew, and otherwise")


def _reject_ambiguous(answer: str, text: str, path: str) -> None:
    """Raises LLMBadOutput if two readings are possible: a blank line after a sentence may belong to the file,
    and so may a fence in front of Markdown."""
    skipped = split_lines(answer[: len(answer) - len(text)])
    announced = any(_PREAMBLE.match(line) for line in skipped) and not any(is_fence(line) for line in skipped)
    first = next((line for line in split_lines(text) if line.strip()), "")
    if announced and (not skipped[-1].strip() or text[:1].isspace()):
        raise LLMBadOutput(_LEFT_OPEN)
    if is_fence(first) and is_markdown(path):
        raise LLMBadOutput("asked to go on with a file that was cut, the model began with a code fence")


def _reject_repetitive(before: str, text: str, ends: Sequence[int]) -> None:
    """Raises LLMBadOutput for an overlap that may be an equal line or part of a line, where no withheld text
    decides: the file was cut at the end of a line, or its last line consists of equal parts."""
    anchor, at_line_end = _anchor(before), text.lstrip(" \t").startswith(("\n", "\r"))
    is_periodic = (anchor + anchor).find(anchor, 1) < len(anchor)
    if before.endswith("\n") or at_line_end or is_periodic or len({0, *ends}) > 2:
        raise LLMBadOutput(_LEFT_OPEN)


def _is_distinctive(text: str) -> bool:
    return len(text.strip()) >= MIN_DISTINCTIVE
