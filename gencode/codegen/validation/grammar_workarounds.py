"""Parses source code, with workarounds for syntax that the tree-sitter grammars are known not to support.

A grammar that lags behind its language rejects valid files. So a syntax error counts only if it remains when
newer syntax is rewritten as older (of the same length, so that lines stay the same). In languages whose files
are often beyond any grammar (macros, hacks for old browsers) it counts only if brackets or keywords do not
balance either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from gencode.codegen.validation.findings import excerpt
from gencode.codegen.validation.parse_limits import ParseError
from gencode.codegen.validation.treesitter import captures, first_error, line_of, parse, text_of

_TYPE_SYNTAX = "[(type_annotation) (interface_declaration) (type_alias_declaration) (as_expression)] @type"
_TEMPLATE_MARKS = ("{%", "<%", "{{cookiecutter", "{{ cookiecutter", "{{range", "{{end", "@VERSION")
_IMPORTED_TYPE = re.compile(r"typeof import\([^()\n]*\)")
_EXPORTED_TYPES = re.compile(r"\bexport type(?= *\*)")
_TAG_OR_TEXT = re.compile(
    r"(?P<tag>(?s:<!--.*?-->)|<(?!\?xml)[a-zA-Z/!?][^<>]*+>)|<\?xml[^<>]*+>|&(?!#?\w+;)|<(?![a-zA-Z/!?])|>"
)
"""Tags stay; any other `<`, `>` or `&` is text to browsers, and so is the first line of XHTML."""
_NEW_STATEMENT = re.compile(r"(?<=\})(\s*\n\s*)\s(?=[\[(])")
"""Matches the line end after the body of an arrow function, where JavaScript inserts a semicolon."""
# Possessive, and a missing end matches too: each character is read once, whatever the text.
_IGNORED = re.compile(r'/\*(?:[^*]|\*(?!/))*+(?:\*/)?|"(?:[^"\\\n]|\\.)*+"?|\'(?:[^\'\\\n]|\\.)*+\'?')
_LINE_COMMENT = re.compile(r"//[^\n]*+")
_SHELL_KEYWORDS = re.compile(
    r"(?:^|[;|&(){!]|\b(?:then|do|else)\b)[ \t]*+(if|fi|case|esac|for|while|until|select|done)\b",
    re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class SyntaxTree:
    """A parsed text. `language`: that of the grammar that parsed it."""

    language: str
    root: Node


def parse_source(language: str, text: str) -> SyntaxTree | None:
    """None when nothing is known: the text is too long, or a template engine has to render it first.

    Raises ParseError.
    """
    root = parse(language, text)
    if root is None:
        return None
    if language == "html":
        _check_page(text)
    error = first_error(root)
    if error is None:
        return SyntaxTree(language=language, root=root)
    if parsed := _parse_rewritten(language, text):
        return parsed
    if _is_excused(language, text):
        return None
    raise ParseError(line_of(error), _reason(error))


def _check_page(text: str) -> None:
    """A whole page must end with `</html>`, although the grammar accepts an end anywhere."""
    if not _is_fragment(text) and "</html" not in text.lower():
        raise ParseError(text.rstrip().count("\n") + 1, "the page ends without '</html>'")


def _parse_rewritten(language: str, text: str) -> SyntaxTree | None:
    if language not in _REWRITES:
        return None
    other, rewrite = _REWRITES[language]
    root = parse(other, rewrite(text))
    if root is None or first_error(root):
        return None
    if language == "javascript" and "@flow" not in text[:1000] and captures(other, _TYPE_SYNTAX, root):
        return None  # TypeScript in a .js file does not run
    return SyntaxTree(language=other, root=root)


def _is_excused(language: str, text: str) -> bool:
    if any(mark in text for mark in _TEMPLATE_MARKS) or (language == "php" and "{{" in text):
        return True
    is_balanced = _BALANCE_CHECKS.get(language)
    return is_balanced is not None and is_balanced(text)


def _reason(error: Node) -> str:
    if error.is_missing:
        return f"{error.type!r} is missing"
    return f"unexpected {excerpt(text_of(error))!r}"


# --- newer syntax as older --------------------------------------------------------------------------


def _rewrite_types(text: str) -> str:
    named = _IMPORTED_TYPE.sub(lambda found: "x" * len(found[0]), text)
    return _EXPORTED_TYPES.sub("export     ", named)


def _rewrite_jsx(text: str) -> str:
    """`&` is text in JSX, which the grammar rejects; in an expression `|` is allowed in the same places."""
    return _NEW_STATEMENT.sub(r"\1;", _rewrite_types(text)).replace("&", "|")


def _rewrite_html(text: str) -> str:
    return _TAG_OR_TEXT.sub(lambda found: found["tag"] or "+" * len(found[0]), text)


_REWRITES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "c": ("cpp", str),
    "html": ("html", _rewrite_html),
    "javascript": ("tsx", _rewrite_jsx),
    "tsx": ("tsx", _rewrite_jsx),
    "typescript": ("typescript", _rewrite_types),
}

# --- balance: whether the file can be whole although its grammar rejects it -------------------------


def _braces_balance(text: str) -> bool:
    if text.count("#if") > 1 or "#el" in text:  # each branch of a condition may have its own half of a pair
        return True
    bare = _LINE_COMMENT.sub("", _IGNORED.sub("", text))
    return bare.count("{") == bare.count("}") and not _ends_in_comment(text)


def _css_braces_balance(text: str) -> bool:
    bare = _IGNORED.sub("", text)
    return bare.count("{") == bare.count("}") and not _ends_in_comment(text)


def _ends_in_comment(text: str) -> bool:
    return text.rfind("/*") > text.rfind("*/")


def _shell_keywords_balance(text: str) -> bool:
    words = _SHELL_KEYWORDS.findall(text)
    loops = sum(map(words.count, ("for", "while", "until", "select")))
    pairs = ((words.count("if"), words.count("fi")), (words.count("case"), words.count("esac")))
    return loops == words.count("done") and all(opened == closed for opened, closed in pairs)


def _is_fragment(text: str) -> bool:
    """Checks whole pages only, because browsers accept any HTML."""
    return "<html" not in text.lower()


_BALANCE_CHECKS: Mapping[str, Callable[[str], bool]] = {
    "bash": _shell_keywords_balance,
    "c": _braces_balance,
    "cpp": _braces_balance,
    "css": _css_braces_balance,
    "html": _is_fragment,
}
