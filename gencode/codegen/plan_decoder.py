"""Makes a plan from its decoded JSON: lenient about hints, strict about the paths of files.

    {"file": "./src/app.py", "exports": "main", "lines": "~20"}  ->  src/app.py, exports ("main",), 20 lines

Entries that cannot be written (binary files, directories, workflows that are switched off, files that Git
reads) are left out of the plan, and the plan names them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from gencode.codegen.binary_files import is_binary
from gencode.codegen.plan import MAX_LINES, LeftOut, Plan, PlannedFile, Reason
from gencode.domain.errors import UnsafeTree
from gencode.domain.path_rules import PATH_BYTES, check_path, is_read_by_git, is_workflow
from gencode.domain.phrase import Phrase
from gencode.domain.tree import MAX_FILES
from gencode.llm.errors import LLMBadOutput

MAX_NAMES = 100
"""Exports, and needs, of one file that are read."""
MAX_NAME = 300
MAX_TEXT = 2000
"""Characters of a purpose and of the summary."""
MAX_PLAN_TEXT = 400_000
"""Characters of all hints of a plan: of more, each file keeps an equal share."""
_PATH_KEYS = ("path", "file", "filename", "file_name", "filepath", "file_path", "name")
_PURPOSE_KEYS = ("purpose", "description", "content_description", "role")
_AROUND_PATH = " \t\r\n`'\"\u200b\u2060\ufeff"
_DECORATION = re.compile(r"\A(?:\*\*|\d{1,3}[.)] +)|\*\*\Z| +\((?:new|updated|optional)(?: file)?\)\Z")
_ABSOLUTE = re.compile(r"/|[A-Za-z]:(?:/|\Z)|~/|file:|\Z")
_LINES = re.compile(r"\d{1,9}")
_CHILDREN = ("children", "files", "contents", "items", "entries")
_HINT_KEYS = frozenset(
    {*_PATH_KEYS, *_PURPOSE_KEYS, "exports", "needs", "lines", "type", "language", "content"}
)
_DESCRIBED = re.compile(r"\S+\.\w{1,12}(?: +[-–—:(#/→=]|: ).*|(?:[├└│─]|[-*+•] |\d+[.)] ).*", re.DOTALL)
"""A path with a description, or one that is drawn as a branch of a tree or as an item of a list."""
_ELISION = re.compile(
    r"(?:[^/]*/)*(?:\.{3,}|…+|\*+(?:\.\w+)?|etc\.|and so on)|(?:\.{3}|…)[^/].*|[^/]*(?:\.{3}|…)",
    re.IGNORECASE,
)
"""An entry in place of others: `...`, `src/...`, `tests/*.py`, `... more files`."""
ELIDED = 'name every file in "files", each with its own entry: no ellipsis, no pattern, no comment.'
_LISTED = re.compile(r"[,;]")


def read_plan(value: Mapping[str, Any], *, workflows: bool = False) -> Plan:
    """The plan in `{"files": ...}`. The paths of its files are not checked yet.

    Raises LLMBadOutput if it cannot be read, UnsafeTree for too many files, UnsafePath for an entry that is
    left out and dangerous.
    """
    entries = list(islice(_entries(value.get("files")), MAX_FILES + 1))
    if len(entries) > MAX_FILES:
        raise UnsafeTree(
            Phrase("the plan has more than {max_files} files; ask for a smaller project", max_files=MAX_FILES)
        )
    share = max(MAX_PLAN_TEXT // max(len(entries), 1), MAX_NAME)
    files = {file.path: file for file in (read_entry(entry, share) for entry in entries)}
    reasons = {path: reason for path in files if (reason := left_out(path, workflows=workflows))}
    written = tuple(_without_needs(file, reasons) for path, file in files.items() if path not in reasons)
    if not written:
        listed = ", ".join(islice(reasons, 5)) or "it is empty"
        raise LLMBadOutput(
            f"the model's plan names no file that can be written: {listed}",
            for_model="it planned no text file. Plan the source files of the project.",
        )
    summary = _text(value.get("summary"))[:MAX_TEXT]
    return Plan(summary=summary, files=written, left_out=_entries_left_out(reasons, written, files))


def read_entry(entry: Any, share: int = MAX_PLAN_TEXT) -> PlannedFile:
    """One entry, a string or an object. `share`: the most characters of its hints.

    Raises LLMBadOutput without a path, and for an absolute one.
    """
    fields = {"path": entry} if isinstance(entry, str) else entry
    if not isinstance(fields, dict):
        raise LLMBadOutput("an entry of the model's plan is neither an object nor a path")
    if any(isinstance(fields.get(key), list | dict) and fields[key] for key in _CHILDREN) or (
        isinstance(entry, str) and _DESCRIBED.fullmatch(entry.strip())
    ):
        raise _no_flat_list()
    purpose = next((_text(fields[key]) for key in _PURPOSE_KEYS if fields.get(key)), "")
    return PlannedFile(
        path=_path(next((fields[key] for key in _PATH_KEYS if fields.get(key)), None)),
        purpose=purpose[: min(MAX_TEXT, share)],
        exports=_within(_names(fields.get("exports")), share),
        needs=_within((need for name in _names(fields.get("needs")) if (need := _need(name))), share),
        lines=_lines(fields.get("lines")),
    )


def left_out(path: str, *, workflows: bool) -> Reason | None:
    """Why an entry is not written; None for a file that is. Raises UnsafePath for a path that is dangerous
    whether it is written or not."""
    if not (reason := _reason(path, workflows)):
        return None
    checked = _beside(path) if reason == "git" else path.rstrip("/")
    if checked:
        check_path(checked, workflows=True)
    return reason


def _beside(path: str) -> str:
    """A harmless name in the same directory."""
    return f"{path.rpartition('/')[0]}/x".removeprefix("/")


def _reason(path: str, workflows: bool) -> Reason | None:
    if path.endswith("/"):
        return "directory"
    if is_binary(path):
        return "binary"
    if is_read_by_git(path):
        return "git"
    return "workflow" if not workflows and is_workflow(path) else None


def _entries(files: Any) -> Iterator[Any]:
    """The entries of a list, or of an object by path; an object that has a path itself is one entry."""
    if isinstance(files, list):
        yield from files
    elif isinstance(files, dict) and any(isinstance(files.get(key), str) for key in _PATH_KEYS):
        yield files
    elif isinstance(files, dict):
        for path, about in files.items():
            if isinstance(about, dict) and any(isinstance(about.get(key), str) for key in _PATH_KEYS[:-1]):
                yield about  # the key is a number or a label
                continue
            if isinstance(about, list) or (
                isinstance(about, dict) and about and _HINT_KEYS.isdisjoint(about)
            ):
                raise _no_flat_list()
            yield {**(about if isinstance(about, dict) else {"purpose": about}), "path": path}
    else:
        raise LLMBadOutput('"files" in the model\'s plan is no list')


def _no_flat_list() -> LLMBadOutput:
    return LLMBadOutput(
        "the model's plan is a tree, or has descriptions in its paths",
        for_model='"files" must be a flat list of objects, each with the whole path of one file.',
    )


def _path(value: Any) -> str:
    """The relative path with forward slashes and composed characters; a directory keeps its last slash."""
    given = _undecorated(_text(value)).replace("\\", "/")
    if not isinstance(value, str) or not given:
        raise LLMBadOutput("an entry of the model's plan has no path")
    if _ELISION.fullmatch(given[: PATH_BYTES * 4]):
        raise LLMBadOutput(
            f"the model's plan leaves out files: it names {given[:200]!r} in their place", for_model=ELIDED
        )
    if len(given) > PATH_BYTES * 4 or _ABSOLUTE.match(given):
        reason = f"the model's plan names {given[:200]!r}, which is no path inside the project"
        raise LLMBadOutput(
            f"{reason}: paths are relative to its root",
            for_model=f"the path {given[:200]!r} is absolute. Give all paths relative to the project's root.",
        )
    parts = [part for part in unicodedata.normalize("NFC", given).split("/") if part not in ("", ".")]
    return "/".join(parts) + ("/" if given.endswith(("/", "/.")) or not parts else "")


def _undecorated(given: str) -> str:
    """The path without what models put around it: quotes, bold type, a number of the list, a colon."""
    given = _DECORATION.sub("", given.strip(_AROUND_PATH))
    return given.strip(_AROUND_PATH).removesuffix(":").strip(_AROUND_PATH)


def _need(name: str) -> str:
    """A needed path as entries have it; one that cannot be in the project is ignored."""
    try:
        return _path(name)
    except LLMBadOutput:
        return ""


def _names(value: Any) -> list[str]:
    """The names in a list, an object or a text; of objects within a list, their names or paths."""
    if isinstance(value, str):
        value = _LISTED.split(value[:MAX_PLAN_TEXT])
    listed = list(islice(value, MAX_NAMES)) if isinstance(value, list | dict) else []
    names = [_text(_named(entry)).strip() for entry in listed]
    return [name for name in dict.fromkeys(names) if name and len(name) <= MAX_NAME]


def _named(entry: Any) -> Any:
    if isinstance(entry, dict):
        return next((entry[key] for key in (*_PATH_KEYS, "symbol") if isinstance(entry.get(key), str)), None)
    return entry


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(_text(entry) for entry in value[:MAX_NAMES] if not isinstance(entry, list))
    return _valid_utf8(value) if isinstance(value, str) else ""


def _lines(value: Any) -> int:
    """The largest number in "20-30", "~20" or "about 80 lines"; 0: unknown."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return 0
    if isinstance(value, str):
        return min(max(map(int, _LINES.findall(value[:100])), default=0), MAX_LINES)
    return int(min(max(value, 0), MAX_LINES))


def _within(names: Iterable[str], share: int) -> tuple[str, ...]:
    """The first names that have no more than `share` characters together."""
    kept: list[str] = []
    for name in names:
        share -= len(name)
        if share < 0:
            break
        kept.append(name)
    return tuple(kept)


def _without_needs(file: PlannedFile, reasons: Mapping[str, Reason]) -> PlannedFile:
    needs = tuple(need for need in file.needs if need not in reasons)
    return file if needs == file.needs else file.model_copy(update={"needs": needs})


def _entries_left_out(
    reasons: Mapping[str, Reason], written: Sequence[PlannedFile], as_planned: Mapping[str, PlannedFile]
) -> tuple[LeftOut, ...]:
    users: dict[str, list[str]] = {path: [] for path in reasons}
    for file in written:
        for need in as_planned[file.path].needs:
            if need in users:
                users[need].append(file.path)
    return tuple(
        LeftOut(path=path, reason=reason, needed_by=tuple(users[path])) for path, reason in reasons.items()
    )


def _valid_utf8(text: str) -> str:
    """The text without lone surrogates; the halves of a pair are joined."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
