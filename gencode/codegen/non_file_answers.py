"""Recognises answers that are not the requested file: a refusal, a patch, a listing with line numbers, quoted
or escaped text."""

from __future__ import annotations

import re
from itertools import islice

from gencode.codegen.code_fences import is_markdown
from gencode.codegen.fence_languages import is_patch_path
from gencode.codegen.line_syntax_checks import syntax_error

_PATCH = re.compile(
    r"\s*(?:diff --git |--- a?/\S[^\n]*+\n\+\+\+ |\*\*\* Begin Patch|<{5,9} ?SEARCH|@@ -\d+(?:,\d+)? \+\d)"
)
_NUMBERED = re.compile(r"[ \t]*(\d{1,6})(?:[ \t]*[|:\t]|[ \t]{2})")
_MAY_BE_LISTED = re.compile(
    r"(?:\A|/)(?:readme|makefile|dockerfile)[^/]*\Z|\.(?:md|markdown|mk|sh|bash|conf|cfg|html?|sql)\Z",
    re.IGNORECASE,
)
"""Files that can have numbered lines without an error of their grammar, and never have them."""
_MAY_BE_ESCAPED = re.compile(
    r"\.(?:ini|csv|tsv|txt|env|properties|ya?ml|toml|graphql|proto|tf)\Z|\A(?:.*/)?\.", re.IGNORECASE
)
"""Further files that have more than one line."""
_MIN_LINES = 3
"""Minimum number of lines of a listing."""
_REPLY = re.compile(
    r"(?:i'?m sorry|i am sorry|sorry|i apologi[sz]e|unfortunately)[,.!][^\n]{0,400}"
    r"|(?:as an ai|i (?:cannot|can't|can not|am unable to|'m unable to|won't)) [^\n=;{}()]{0,400}"
    r"|(?:error:|\[error\]|⚠️)[^\n]{0,400}|(?:抱歉|对不起|很抱歉|你好，我无法|我无法|作为(?:一个)?人工智能)[^\n]{0,200}"
    r"|[^\n=;{}()\"']{0,100}(?:请稍后(?:再试|重试)|try again later)[^\n=;{}()\"']{0,100}",
    re.IGNORECASE,
)
"""A whole answer of one line: a refusal, or the message of an error that a gateway passes on as text."""


def doubt_about(text: str, path: str) -> str:
    """Why the text may not be the file; "" if no check fails."""
    if "\0" in text:
        return "it has a NUL character"
    if _REPLY.fullmatch(text.strip()):
        return "it is a reply to the reader, not the file"
    if not is_patch_path(path) and (_is_patch(text, path) or _is_prefixed(text, "+")):
        return "it is a patch, not the file"
    if _MAY_BE_LISTED.search(path) and _is_prefixed(text, ">"):
        return "all of it is quoted"
    if _MAY_BE_LISTED.search(path) and _is_numbered(text):
        return "its lines are numbered"
    may_be_escaped = _MAY_BE_LISTED.search(path) or _MAY_BE_ESCAPED.search(path)
    if may_be_escaped and "\n" not in text.strip() and text.count("\\n") >= _MIN_LINES:
        return "its line ends are escaped"
    if path.lower().endswith((".html", ".htm")) and text.lstrip().startswith("&lt;"):
        return "its markup is escaped"
    if text.lstrip().startswith("\\begin{verbatim}") and not is_markdown(path):
        return "it is wrapped in LaTeX"
    return syntax_error(path, text)


def _is_patch(text: str, path: str) -> bool:
    """Markdown may begin with a patch, but not with one of itself."""
    if is_markdown(path):
        return re.match(rf"--- \S+\n\+\+\+ (?:b/)?{re.escape(path)}\s", text) is not None
    return _PATCH.match(text) is not None


def _is_prefixed(text: str, mark: str) -> bool:
    """Whether every line begins with a mark."""
    lines = text.rstrip("\n").split("\n")
    return len(lines) >= _MIN_LINES and all(line.startswith(mark) for line in lines)


def _is_numbered(text: str) -> bool:
    """Whether every line begins with its number, as in a listing."""
    lines = text.rstrip("\n").split("\n")
    if len(lines) < _MIN_LINES or not _NUMBERED.match(lines[0]):
        return False
    found = (_NUMBERED.match(f"{line}  ") for line in islice(lines, 1000))
    numbers = [int(one[1]) if one else -1 for one in found]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))
