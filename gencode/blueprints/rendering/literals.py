"""Values as literals of the languages of a project.

Texts of a blueprint are of people and models: a label may contain quotes, line ends, `*/`, `</script>`.
Every such text reaches a file through one of these, never as it is.
"""

from __future__ import annotations

import json
import re

from pydantic import JsonValue

_NOT_PRINTABLE = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


def python(value: JsonValue) -> str:
    """A literal of Python; Chinese stays readable, what could hide or end a line is escaped."""
    if isinstance(value, str):
        body = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{_escaped(body)}"'
    if isinstance(value, list):
        return f"[{', '.join(map(python, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{python(key)}: {python(one)}' for key, one in value.items())}}}"
    return repr(value)


def typescript(value: JsonValue) -> str:
    """A literal of TypeScript that may stand within a script of a page, too."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return _escaped(text).replace("</", "<\\/").replace("<!--", "<\\!--")


def sql(value: str) -> str:
    """A text of SQL on both databases (MySQL reads backslashes)."""
    return "'" + value.replace("\\", "\\\\").replace("'", "''").replace("\x00", "") + "'"


def line(value: str) -> str:
    """A text on one line, for a comment: what ends a comment in any language is broken up."""
    text = " ".join(_NOT_PRINTABLE.sub(" ", value).split())
    return text.replace("*/", "* /").replace("-->", "-- >").replace('"""', "'''").replace("\\", "/")


def docstring(value: str) -> str:
    """A text on one line within three double quotes."""
    return line(value).replace('"', "'")


def markdown(value: str) -> str:
    """A text within a paragraph of Markdown."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~])", r"\\\1", line(value))


def _escaped(text: str) -> str:
    return _NOT_PRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
