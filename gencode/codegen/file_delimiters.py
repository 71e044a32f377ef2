"""Lines before and after a file that say where it begins and ends, and the next turn of a conversation.

BEGIN FILE                --- a.sql ---                [file name]: a.sql
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gencode.codegen.error_answers import error_at_end
from gencode.codegen.inspected_file import HASH, InspectedFile

_TURN = re.compile(
    r"(?:#{2,6} *(?:instruction|human|user|end)\b|(?:user|human|用户) *[:：]).*", re.IGNORECASE
)
_SIGNS = r"[-=*#%<>~+\[\]【】]"
_FRAME = re.compile(
    rf"{_SIGNS}{{2,12}} ?(?P<word>begin|start|end|eof)?(?: of)? ?(?:the )?(?P<what>.{{0,120}}?)[:：]? ?"
    rf"{_SIGNS}{{2,12}}",
    re.IGNORECASE,
)
_BEGIN_END = re.compile(
    r"[\[【(<]*(?:(?:begin|start|end)(?: of)?[ _]?file\b(?: content)?(?:[ :]+\S+)?|file content (?:begin|end)"
    r"|文件(?:开始|结束))[\])】>]*|\[file name\]:.*|\(?(?:end of (?:file|answer|output)|end|eof)\)?|%?eof",
    re.IGNORECASE,
)
_FILE_WORDS = frozenset({"", "file", "answer", "code", "content", "output", "response"})
_FILE_LABEL = re.compile(
    r"(?:file(?:[ _]?(?:name|path))?|path|文件(?:名)?) *[:：] *[`*\"]*(?P<path>\S+?)[`*\"]*", re.IGNORECASE
)
_RULE = re.compile(r"([-=*_~#:$%+])\1{2,}|\"\"\"|\'\'\'|\$\$|:::\w*")


def first_line(file: InspectedFile, line: str) -> str:
    """The name of the file, or a line that says that the file begins."""
    bare = line.lstrip("#").strip() if _is_title(file, line) else line
    label = _FILE_LABEL.fullmatch(bare)
    is_name = file.names(bare) or (label and file.names(label["path"]))
    is_rule = line.startswith(("%%%", "===", "***", ">>>", "<<<")) and file.names(line.strip("%=*<> "))
    if is_name or is_rule or (len(line) > 5 and _BEGIN_END.fullmatch(line)):
        return line
    found = _FRAME.fullmatch(line)
    what = found["what"].strip() if found else ""
    return line if found and (file.names(what) or (found["word"] and what.lower() in _FILE_WORDS)) else ""


def _is_title(file: InspectedFile, line: str) -> bool:
    """Whether a line that begins with # can be a title of the answer: neither a comment nor the file's."""
    if not line.startswith("#") or file.language in HASH:
        return False
    return (
        not file.is_document or line.startswith("###") or _FILE_LABEL.fullmatch(line.strip("# ")) is not None
    )


def last_line(file: InspectedFile, line: str) -> str:
    """A line that says that the file ends, the message of an error, or the next turn of a conversation."""
    if _BEGIN_END.fullmatch(line) and line.lower() != "end":
        return "" if file.has_before(line) else line
    if (found := _FRAME.fullmatch(line)) and found["word"]:
        what = found["what"].strip().lower()
        return line if what in _FILE_WORDS or what.endswith(file.name) else ""
    if not file.is_document and line[:2] != "# " and _TURN.fullmatch(line):
        return line
    return error_at_end(file, line)


def rules_around(file: InspectedFile, first: str, lines: Sequence[str]) -> str:
    """A line of equal signs, or of quotes, before and after the file."""
    last, second = lines[-1].strip(), next((line for line in lines[1:] if line.strip()), "")
    if (first, last) == ("START", "END"):
        return first
    opening = _RULE.fullmatch(first)
    if not opening or last != first[: max(3, len(last))] or file.language in ("yaml", "python", ""):
        return ""
    if first[0] == "#" and file.language in HASH:
        return ""
    return first if not file.is_document or second.startswith("# ") or first in ('"""', "'''") else ""
