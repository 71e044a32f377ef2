"""From the text of a program to its syntax tree, with a second look where a grammar is known to be behind.

A grammar that lags behind its language refuses good files. So an error counts only when a rewriting of the
newer forms (of the same length, so that lines stay) does not cure it, and, in languages whose files are often
beyond any grammar (macros, hacks for old browsers), when brackets or keywords do not pair up either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tree_sitter import Node

from gencode.codegen.validation.finding import shown
from gencode.codegen.validation.grammar import captures, first_error, line, parse, text_of

_TYPES = "(type_annotation) @t (interface_declaration) @t (type_alias_declaration) @t (as_expression) @t"
_TEMPLATE_MARKS = ("{%", "<%", "{{cookiecutter", "{{ cookiecutter", "{{range", "{{end", "@VERSION")
_IMPORTED_TYPE = re.compile(r"typeof import\([^()\n]*\)")
_EXPORTED_TYPES = re.compile(r"\bexport type(?= *\*)")
_TAG_OR_TEXT = re.compile(
    r"(?P<tag>(?s:<!--.*?-->)|<(?!\?xml)[a-zA-Z/!?][^<>]*+>)|<\?xml[^<>]*+>|&(?!#?\w+;)|<(?![a-zA-Z/!?])|>"
)
"""Tags stay; what else there is of marks is text to browsers, and so is the first line of XHTML."""
_NEW_STATEMENT = re.compile(r"(?<=\})(\s*\n\s*)\s(?=[\[(])")
"""After an arrow function's body, where JavaScript ends a statement by itself."""
# Possessive, and an end that is missing matches too: each character is looked at once, whatever the text.
_STRIPPED = re.compile(r'/\*(?:[^*]|\*(?!/))*+(?:\*/)?|"(?:[^"\\\n]|\\.)*+"?|\'(?:[^\'\\\n]|\\.)*+\'?')
_LINE_COMMENT = re.compile(r"//[^\n]*+")
_SHELL_WORDS = re.compile(
    r"(?:^|[;|&(){!]|\b(?:then|do|else)\b)[ \t]*+(if|fi|case|esac|for|while|until|select|done)\b",
    re.MULTILINE,
)


class Unparsable(Exception):
    """`reason` for a reader; `line` from 1."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """`language`: of the grammar that could read it."""

    language: str
    root: Node


def parse_source(language: str, text: str) -> Parsed | None:
    """None when nothing can be said: too long, or text that an engine fills in first.

    Raises Unparsable and GaveUp.
    """
    root = parse(language, text)
    if root is None:
        return None
    if language == "html":
        _check_page(text)
    error = first_error(root)
    if error is None:
        return Parsed(language=language, root=root)
    if parsed := _second_look(language, text):
        return parsed
    if _is_excused(language, text):
        return None
    raise Unparsable(line(error), _reason(error))


def _check_page(text: str) -> None:
    """HTML may end anywhere; people's pages end by closing what they opened first."""
    if not _is_fragment(text) and "</html" not in text.lower():
        raise Unparsable(text.rstrip().count("\n") + 1, "the page ends without '</html>'")


def _second_look(language: str, text: str) -> Parsed | None:
    if language not in _AGAIN:
        return None
    other, rewrite = _AGAIN[language]
    root = parse(other, rewrite(text))
    if root is None or first_error(root):
        return None
    if language == "javascript" and "@flow" not in text[:1000] and captures(other, _TYPES, root):
        return None  # TypeScript in a .js file does not run
    return Parsed(language=other, root=root)


def _is_excused(language: str, text: str) -> bool:
    if any(mark in text for mark in _TEMPLATE_MARKS) or (language == "php" and "{{" in text):
        return True
    opinion = _OPINIONS.get(language)
    return opinion is not None and opinion(text)


def _reason(error: Node) -> str:
    if error.is_missing:
        return f"{error.type!r} is missing"
    return f"unexpected {shown(text_of(error))!r}"


# --- newer forms as older ones ----------------------------------------------------------------------


def _older_types(text: str) -> str:
    named = _IMPORTED_TYPE.sub(lambda found: "x" * len(found[0]), text)
    return _EXPORTED_TYPES.sub("export     ", named)


def _plain_jsx(text: str) -> str:
    """`&` is text in JSX, which the grammar denies; in an expression `|` stands in the same places."""
    return _NEW_STATEMENT.sub(r"\1;", _older_types(text)).replace("&", "|")


def _plain_marks(text: str) -> str:
    return _TAG_OR_TEXT.sub(lambda found: found["tag"] or "+" * len(found[0]), text)


_AGAIN: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "c": ("cpp", str),
    "html": ("html", _plain_marks),
    "javascript": ("tsx", _plain_jsx),
    "tsx": ("tsx", _plain_jsx),
    "typescript": ("typescript", _older_types),
}

# --- second opinions: whether it can still be whole -------------------------------------------------


def _braces_pair(text: str) -> bool:
    if text.count("#if") > 1 or "#el" in text:  # a condition may hold half of a pair, its other branch too
        return True
    bare = _LINE_COMMENT.sub("", _STRIPPED.sub("", text))
    return bare.count("{") == bare.count("}") and not _ends_in_comment(text)


def _style_braces_pair(text: str) -> bool:
    bare = _STRIPPED.sub("", text)
    return bare.count("{") == bare.count("}") and not _ends_in_comment(text)


def _ends_in_comment(text: str) -> bool:
    return text.rfind("/*") > text.rfind("*/")


def _shell_words_pair(text: str) -> bool:
    words = _SHELL_WORDS.findall(text)
    loops = sum(map(words.count, ("for", "while", "until", "select")))
    pairs = ((words.count("if"), words.count("fi")), (words.count("case"), words.count("esac")))
    return loops == words.count("done") and all(opened == closed for opened, closed in pairs)


def _is_fragment(text: str) -> bool:
    """Browsers read any HTML; only a whole page is held to its own tags."""
    return "<html" not in text.lower()


_OPINIONS: Mapping[str, Callable[[str], bool]] = {
    "bash": _shell_words_pair,
    "c": _braces_pair,
    "cpp": _braces_pair,
    "css": _style_braces_pair,
    "html": _is_fragment,
}
