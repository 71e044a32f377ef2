"""Blocks of reasoning within a file, in the marks of any model. The provider layer removes those that begin
an answer."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from gencode.codegen.code_fences import is_fence
from gencode.codegen.inspected_file import MARKUP, PLAIN, InspectedFile

MAX_LINE = 500
"""Characters of a line that are looked at."""
_THOUGHT = (
    r"(?:ds_|inner_|seed:|mm:|antml:)?(?:think(?:ing)?(?:_process)?|thoughts?|reason(?:ing)?(?:_content)?"
    r"|reflection|scratchpad|monologue|cot(?:_budget_reflect)?|chain[_ ]of[_ ]thought|analysis|internal|plan"
    r"|思考|推理)"
)
_THINK_LINE = re.compile(
    rf"[ \t]*(?:(?P<open><|&lt;|\[|\(|\{{|「|【|《)(?P<word>{_THOUGHT})(?:[ =][^>\])}}\n]{{0,60}})?"
    r"(?P<end>>|&gt;|\]|\)|\}|」|】|》)"
    r"|<details[^>]*>\s*<summary>[^<]{0,30}(?:think|thought|reasoning)|(?P<cli>Thinking\.\.\.)\s*$)",
    re.IGNORECASE,
)
_DONE_THINKING = re.compile(r"\.{3} ?done thinking\.?", re.IGNORECASE)
_SURELY_THOUGHT = re.compile(r"think|thought|reason|cot|chain|monologue", re.IGNORECASE)
_MAX_THOUGHTS = 20
_MAX_THOUGHT_LINES = 2000


def thoughts(file: InspectedFile, outside: Sequence[str]) -> Iterator[str]:
    """Blocks of reasoning, the openings of which begin a line. `outside`: the lines, see `unquoted`."""
    opened = [(n, found) for n, line in enumerate(outside) if line and (found := _THINK_LINE.match(line))]
    for n, found in opened[:_MAX_THOUGHTS]:
        closed = _is_thought(file, found, outside[n : n + _MAX_THOUGHT_LINES])
        if closed and not file.is_asked(found[0].strip()) and (len(opened) == 1 or not file.is_document):
            yield found[0].strip()


def _is_thought(file: InspectedFile, opening: re.Match[str], lines: Sequence[str]) -> bool:
    """Whether a block of reasoning begins here, which a later line closes."""
    if opening["cli"]:
        return any(_DONE_THINKING.search(line) for line in lines)
    if not opening["word"]:
        return not file.is_document or "</details>" in "".join(lines)
    if file.language in PLAIN and opening["end"] == ">" and _SURELY_THOUGHT.search(opening["word"]):
        return True
    if file.language in MARKUP and not _SURELY_THOUGHT.search(opening["word"]):
        return False
    closing = f"{opening['open']}/{opening['word']}{opening['end']}".lower()
    return any(closing in line.lower() for line in lines)


def unquoted(file: InspectedFile, lines: list[str]) -> Iterator[str]:
    """The lines, blank where they may be in a code block, a string or a comment."""
    is_quoted = False
    quotes = ('"""', "'''", "/*", "<<", "$$", "<!--", "`")
    for line in lines:
        if file.is_document:
            is_quoted ^= is_fence(line)
        elif any(quote in line for quote in quotes) or line.count("'") % 2 or line.count('"') % 2:
            is_quoted = True  # what follows may be quoted to the end of the file
        yield "" if is_quoted else line[:MAX_LINE]
