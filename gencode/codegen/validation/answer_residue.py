"""Parts of a model's answer in files in which they cannot be content: reasoning at the beginning, a special
token at the end, code fences, and HTML entities in place of operators.

The provider layer and the reader of answers remove them. This is a second look, mainly at files that no
grammar reads. In doubt a text is content: files of unknown kinds and documents may be about such marks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gencode.codegen.code_fences import closing, fence_info, fence_mark, split_lines
from gencode.codegen.validation.findings import Finding, answer_residue, excerpt
from gencode.codegen.validation.languages import language_of
from gencode.codegen.validation.sql_marks import sql_mark_findings
from gencode.llm.special_tokens import END_TOKENS, THINK_TAGS, UNOPENED_THINK_TAGS

_PLAIN_NAME = re.compile(
    r"(?:dockerfile|containerfile|makefile|gnumakefile|procfile)(?:\.[\w-]+)?|\.env(?:\.[\w.-]+)?|\.\w+ignore"
    r"|\.editorconfig|\.gitattributes|go\.mod|(?:requirements|constraints)[\w.-]*\.txt"
    r"|.+\.(?:dockerfile|mk|sql|ini|cfg|conf|properties|env)"
)
"""Files that no grammar reads and whose language has no code fences."""
_MARKUP = frozenset({"html", "xml", "vue", "svelte", "php"})
"""Suffixes of files that may begin with any tag."""
_README = re.compile(r"(?:readme|changelog|contributing|license|security)[\w-]*(?:\.(?:md|markdown))?")
_BLANK = "\ufeff \t\r\n"
_FENCE = re.compile(r"(?:`{3,5}|~{3,5})[\w+#.-]*[ \t]*\r?$", re.MULTILINE)
_COLUMN_0_FENCE = re.compile(f"^{_FENCE.pattern}", re.MULTILINE)
_MARKDOWN_FENCE = re.compile(r"(?:`{3,5}|~{3,5})(?:markdown|md)[ \t]*\r?\n\s*#", re.IGNORECASE)
_OPENING = re.compile("|".join(map(re.escape, THINK_TAGS)), re.IGNORECASE)
_UNOPENED_LINE = re.compile(
    rf"^(?:{'|'.join(map(re.escape, UNOPENED_THINK_TAGS))})[ \t]*\r?$", re.MULTILINE | re.IGNORECASE
)
_TOKENS = tuple(END_TOKENS)
_RELATIVES = (*_TOKENS, *(opener for openers in END_TOKENS.values() for opener in openers))
_BEFORE_VALUE = tuple(" \t=:,|([{<\\")
"""Characters after which a token may be a value, as in `STOP=<eos>`."""
_TEMPLATE_MARK = re.compile(r"[{%$]")
"""A character of a template. The last line of a template may end with a token, as in `{prompt}</s>`."""
_MULTILINE_TEXT = re.compile(r"\"\"\"|'''|<<|\[=*\[|^define\b", re.MULTILINE)
_DOLLAR_QUOTE = re.compile(r"\$\w*\$")
_EMPTY_OR_ESCAPED = re.compile(r"\\.|''|\"\"|``")
_COMMENT = re.compile(r"\s*(?:[*;]|//|--|#(?!include))")
_BLOCK_COMMENT = re.compile(r"/\*(?:[^*]|\*(?!/))*+(?:\*/)?")
# fmt: off
_WITH_OPERATORS = frozenset((
    "bash", "c", "cpp", "csharp", "dart", "go", "java", "javascript", "kotlin", "lua", "make", "rust",
    "scala", "sql", "swift", "typescript",
))
# fmt: on
_ENTITIES = {r"\u003c": "&lt;", r"\u003e": "&gt;", r"\u0026": "&amp;"}
"""How JSON is escaped within HTML, where it was escaped twice."""
_ESCAPED_OPERATOR = re.compile("|".join(map(re.escape, _ENTITIES)))
_ENTITY = re.compile(r"&(?:lt|gt|amp);")
_RAW_OPERATOR = re.compile(r"[<>]|&&")
_ENTITY_OPERATOR = re.compile(
    r"\s&amp;&amp;(?:\s|$)|\s&(?:lt|gt);=?\s|[-=]&gt;(?:\s|$)|\b[A-Z]\w*&lt;[\w, ?]{1,80}&gt;|#include &lt;"
)


def residue_findings(path: str, text: str) -> Iterator[Finding]:
    """The findings of one file, in time linear in the length of the text."""
    kind = _Kind(path)
    yield from _leading_reasoning(kind, text)
    yield from _trailing_token(kind, text)
    yield from _markdown_wrapper(kind, text) if kind.is_markdown else _fences(kind, text)
    yield from _entities(kind, text)
    yield from sql_mark_findings(path, text) if kind.language == "sql" else ()


class _Kind:
    """Properties of a file by its path.

    is_plain   no grammar reads it, and its language has no code fences
    is_source  in a known language, no document
    is_readme  a document whose name says what it is about: neither a prompt nor a sample
    """

    def __init__(self, path: str) -> None:
        name = path.rpartition("/")[2].lower()
        self.path = path
        self.language = language_of(path)
        self.is_plain = "{" not in path and _PLAIN_NAME.fullmatch(name) is not None
        self.is_source = self.is_plain or self.language not in ("", "prose")
        self.is_readme = _README.fullmatch(name) is not None
        self.is_markdown = self.is_readme or name.endswith((".md", ".markdown"))

    def finding(self, text: str, at: int, what: str) -> Finding:
        return answer_residue(self.path, text.count("\n", 0, at) + 1, what)


def _leading_reasoning(kind: _Kind, text: str) -> Iterator[Finding]:
    start = _first_character(text)
    opening = _OPENING.match(text, start)
    if opening and _cannot_begin_with(opening[0].lower(), kind, text[opening.end() :].lower()):
        yield kind.finding(text, start, f"The model's reasoning ({opening[0]})")
    end = _UNOPENED_LINE.search(text) if kind.is_plain and not opening else None
    if end and not _OPENING.search(text, 0, end.start()) and not _may_be_quoted(kind, text[: end.start()]):
        yield kind.finding(text, end.start(), f"The end of the model's reasoning ({end[0].strip()})")


def _cannot_begin_with(opening: str, kind: _Kind, rest: str) -> bool:
    """Whether a file of this kind cannot begin with this tag. (In an ini file, `[think]` may be a
    section.)"""
    end = THINK_TAGS[opening]
    if kind.is_readme:
        _, closed, after = rest.partition(end)
        return bool(closed) and opening not in after and end not in after
    return kind.is_source and kind.language not in _MARKUP and (opening != "[think]" or end in rest)


def _trailing_token(kind: _Kind, text: str) -> Iterator[Finding]:
    """A token at the end of the last line or alone in it, in a file without another such token."""
    whole = text.rstrip()
    end = len(whole)
    if not (kind.is_source or kind.is_markdown) or not whole.endswith(_TOKENS):
        return
    while token := next((token for token in _TOKENS if whole.endswith(token, 0, end)), ""):
        end -= len(token)
        while end and whole[end - 1] in "\r\n":
            end -= 1
    rest, run = whole[:end], whole[end:]
    if rest.endswith(_BEFORE_VALUE) or any(mark in rest for mark in _RELATIVES):
        return
    if run[0] in "\r\n" or not _TEMPLATE_MARK.search(rest.rpartition("\n")[2]):
        yield kind.finding(text, len(whole), f"The special token {excerpt(run)}")


def _fences(kind: _Kind, text: str) -> Iterator[Finding]:
    if not kind.is_source or ("```" not in text and "~~~" not in text):
        return
    start = _first_character(text)
    if fence := _FENCE.match(text, start):
        if kind.language != "php" or text[fence.end() : fence.end() + 10].lstrip().startswith("<?"):
            yield kind.finding(text, start, f"The code fence {fence[0].strip()}")
        return
    found = _COLUMN_0_FENCE.search(text) if kind.is_plain else None
    if found and not _may_be_quoted(kind, text[: found.start()]):
        yield kind.finding(text, found.start(), f"The code fence {found[0].strip()}")


def _markdown_wrapper(kind: _Kind, text: str) -> Iterator[Finding]:
    """A fence that names Markdown around a whole document; its end may be missing."""
    start = _first_character(text)
    if not _MARKDOWN_FENCE.match(text, start):
        return
    opening, *body = split_lines(text[start:])
    end = closing(body, opening, kind.path)
    is_at_the_end = end is None or not "".join(body[end + 1 :]).strip()
    if is_at_the_end and _are_paired(body[:end], fence_mark(opening)):
        yield kind.finding(text, start, f"The code fence {opening.strip()}")


def _are_paired(lines: list[str], mark: str) -> bool:
    """Whether fences with a language open code blocks, and fences without one close them."""
    is_open = False
    for line in (line for line in lines if fence_mark(line).startswith(mark)):
        if is_open == bool(fence_info(line)):
            return False
        is_open = not is_open
    return not is_open


def _entities(kind: _Kind, text: str) -> Iterator[Finding]:
    """Operators of the code are entities, and the file has none that is not."""
    text = _ESCAPED_OPERATOR.sub(lambda found: _ENTITIES[found[0]], text)
    if kind.language not in _WITH_OPERATORS or not _ENTITY.search(text) or _RAW_OPERATOR.search(text):
        return
    code = _BLOCK_COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    lines = [line for line in code.split("\n") if not _COMMENT.match(line)]
    operators = [found for line in lines if (found := _ENTITY_OPERATOR.search(line)) and _has_no_quote(line)]
    is_sure = len(operators) > 1 or any("&amp;&amp;" in found[0] for found in operators)
    if is_sure and not _may_be_quoted(kind, code):
        at = text.index(operators[0].string)
        yield kind.finding(text, at, f"The HTML entity in {excerpt(operators[0].string)!r}")


def _has_no_quote(line: str) -> bool:
    return not any(quote in line for quote in "\"'`")


def _may_be_quoted(kind: _Kind, before: str) -> bool:
    """Whether what follows this text may be within a string, a here-document or a definition of more than one
    line."""
    if _MULTILINE_TEXT.search(before) or before.rstrip("\r\n").endswith("\\"):
        return True
    if kind.language == "sql" and _DOLLAR_QUOTE.search(before):
        return True
    lines = (_EMPTY_OR_ESCAPED.sub("", line) for line in before.split("\n") if not _COMMENT.match(line))
    return any(line.count(quote) % 2 for line in lines for quote in "\"'`")


def _first_character(text: str) -> int:
    return len(text) - len(text.lstrip(_BLANK))
