"""The tokens of DBML, and the values of its strings."""

from __future__ import annotations

import re
import textwrap

from gencode.blueprints.importing.scanning import Language, Token

DBML = Language(
    {
        "_space": r"\s+",
        "_comment": r"//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/",
        "text": r"'''(?:[^'\\]|\\.|'(?!''))*'''|'(?!'')(?:[^'\\\n]|\\.)*'|''(?!')",
        "quoted": r'"(?:[^"\\\n]|\\.)*"',
        "expression": r"`[^`]*`",
        "color": r"#[0-9a-fA-F]+",
        "number": r"\d+(?:\.\d+)?(?![\w.])",
        "word": r"(?:[A-Za-z0-9_]|[^\x00-\x7f\s])+",
        "sign": r"<>|[<>!=]=|\*\*|[-+*%!=<>:,.()\[\]{}~;?&|@$^]|/(?![/*])",
    },
    {
        "'''": "this text is not closed",
        "'": "this text is not closed on its line; a text of several lines stands between ''' and '''",
        '"': "this quoted name is not closed",
        "`": "this expression is not closed",
        "/*": "this comment is not closed",
    },
)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|\r?\n|.)", re.S)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "v": "\v"}


def value(token: Token) -> str:
    """What a string, an expression or a name says, without quotes."""
    if token.kind == "text" and token.text.startswith("'''"):
        return textwrap.dedent(_unescaped(token.text[3:-3])).strip("\n")
    if token.kind in ("text", "quoted"):
        return _unescaped(token.text[1:-1])
    if token.kind == "expression":
        return token.text[1:-1]
    return token.text


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(match: re.Match[str]) -> str:
    said = match[1]
    if len(said) == 5:
        return chr(int(said[1:], 16)) if not 0xD800 <= int(said[1:], 16) < 0xE000 else "\ufffd"
    return "" if said.strip() == "" and "\n" in said else _ESCAPES.get(said, said)
