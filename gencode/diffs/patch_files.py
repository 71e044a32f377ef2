"""Reads the part of a patch that is about one file: Git's header, or the two lines of `diff -u`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gencode.diffs.patch_hunks import read_hunks
from gencode.diffs.patch_paths import (
    DEV_NULL,
    git_header_names,
    is_name_of,
    name_before_tab,
    whole_name,
    without_prefixes,
)
from gencode.diffs.patch_reader import PatchReader
from gencode.diffs.paths import path_text
from gencode.diffs.values import FileDiff, FileKind, Hunk, Status, kind_of_mode

GIT_HEADER = b"diff --git "
_INDEX = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: ([0-7]{6}))?")
_BINARY = (b"Binary files ", b"Files ")
_EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"
_DIFFER = b" differ"
_BINARY_DATA = b"GIT binary patch"


@dataclass(kw_only=True, slots=True)
class _Headers:
    """What the header lines of a file say; names with their prefixes, except in `moved_from`, `moved_to`."""

    names: tuple[bytes, bytes] | None = None
    moved_from: bytes | None = None
    moved_to: bytes | None = None
    status: Status | None = None
    old_mode: int | None = None
    new_mode: int | None = None
    old_id: str = ""
    new_id: str = ""
    is_binary: bool = False
    crlf: bool = False


def begins_git_file(reader: PatchReader) -> bool:
    return reader.starts_with(GIT_HEADER)


def read_git_file(reader: PatchReader) -> FileDiff:
    """From a line "diff --git" to the end of its hunks or binary data."""
    begin = reader.at
    headers = _Headers(crlf=reader.has_carriage_return())
    headers.names = git_header_names(reader.next().removeprefix(GIT_HEADER))
    while _read_header(reader, headers):
        pass
    paths = _paths(reader, headers, begin)
    if paths and not begins_plain_file(reader):
        _check_without_hunks(reader, headers, begin)
        return _file(reader, headers, paths, ())
    paths = _read_file_names(reader, paths)
    if not reader.starts_with(b"@@ "):
        raise reader.error("this file has no hunks: the patch is cut off, or was changed", begin)
    return _file(reader, headers, paths, read_hunks(reader, crlf=headers.crlf))


def _check_without_hunks(reader: PatchReader, headers: _Headers, begin: int) -> None:
    """Refuse a header without changes at the end of a patch. With -w, Git may leave out hunks of a file."""
    ids = {headers.old_id, headers.new_id}
    is_empty = any(_EMPTY_BLOB.startswith(name) for name in ids)
    if reader.is_at_end and len(ids) == 2 and not (headers.is_binary or is_empty):
        raise reader.error("the patch ends before the changes of this file: it is cut off", begin)


def _read_header(reader: PatchReader, headers: _Headers) -> bool:
    """Read one of Git's extended header lines. False for any other line, which is left."""
    line = reader.peek()
    for beginning, read in _READERS.items():
        if line.startswith(beginning):
            read(reader, headers, line[len(beginning) :])
            reader.skip()
            return True
    return _read_index(reader, headers, line) or _read_binary(reader, headers, line)


def _read_index(reader: PatchReader, headers: _Headers, line: bytes) -> bool:
    if not (found := _INDEX.fullmatch(line)):
        return False
    headers.old_id, headers.new_id = found[1].decode(), found[2].decode()
    if found[3]:
        headers.old_mode = headers.new_mode = int(found[3], 8)
    reader.skip()
    return True


def _read_binary(reader: PatchReader, headers: _Headers, line: bytes) -> bool:
    if line == _BINARY_DATA:
        headers.is_binary = True
        _skip_binary_data(reader)
        return True
    if line.startswith(_BINARY) and line.endswith((_DIFFER, b"files differ")):
        headers.is_binary = True
        reader.skip()
        return True
    return False


def _skip_binary_data(reader: PatchReader) -> None:
    """One or two blocks ("literal 123" or "delta 123", lines in base 85), each ended by an empty line."""
    begin = reader.at
    reader.skip()
    blocks = 0
    while reader.starts_with(b"literal ", b"delta "):
        while reader.peek():
            reader.skip()
        if reader.is_at_end:
            raise reader.error("the patch ends within this binary data: it is cut off", begin)
        reader.skip()
        blocks += 1
    if not blocks:
        raise reader.error("this binary patch has no data", begin)


def _mode(digits: bytes, reader: PatchReader) -> int:
    if not re.fullmatch(rb"[0-7]{5,6}", digits):
        raise reader.error("this is not the mode of a file")
    return int(digits, 8)


def _old_mode(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    headers.old_mode = _mode(rest, reader)


def _new_mode(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    headers.new_mode = _mode(rest, reader)


def _deleted(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    headers.status, headers.old_mode = Status.DELETED, _mode(rest, reader)


def _added(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    headers.status, headers.new_mode = Status.ADDED, _mode(rest, reader)


def _moved_from(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    headers.moved_from = _name(reader, whole_name(rest))


def _renamed_to(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    headers.status, headers.moved_to = Status.RENAMED, _name(reader, whole_name(rest))


def _copied_to(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    headers.status, headers.moved_to = Status.COPIED, _name(reader, whole_name(rest))


def _ignored(reader: PatchReader, headers: _Headers, rest: bytes) -> None:
    pass


_READERS: Mapping[bytes, Callable[[PatchReader, _Headers, bytes], None]] = {
    b"old mode ": _old_mode,
    b"new mode ": _new_mode,
    b"deleted file mode ": _deleted,
    b"new file mode ": _added,
    b"rename from ": _moved_from,
    b"rename to ": _renamed_to,
    b"copy from ": _moved_from,
    b"copy to ": _copied_to,
    b"similarity index ": _ignored,
    b"dissimilarity index ": _ignored,
}


def _name(reader: PatchReader, name: bytes | None) -> bytes:
    if not name or b"\0" in name:
        raise reader.error("this line names no file, or its quotation marks are damaged")
    if len(name) > reader.limits.max_path:
        raise reader.error(f"a path is longer than {reader.limits.max_path} bytes")
    return name


Paths = tuple[bytes, bytes]
"""The old and the new path without prefixes, or /dev/null."""


def _paths(reader: PatchReader, headers: _Headers, begin: int) -> Paths | None:
    """None if only the lines "--- name", "+++ name", which come next, can tell."""
    if headers.moved_from is not None and headers.moved_to is not None:
        return headers.moved_from, headers.moved_to
    if headers.moved_from is not None or headers.moved_to is not None:
        raise reader.error("only one of the two names of a renamed or copied file is here", begin)
    old, new = without_prefixes(*headers.names) if headers.names else (b"", b"")
    if old == new != b"":
        return _name(reader, old), new
    if not begins_plain_file(reader):
        raise reader.error("the names of this file cannot be read", begin)
    return None


def _read_file_names(reader: PatchReader, paths: Paths | None) -> Paths:
    """The lines "--- name", "+++ name". Both must name the file of the header."""
    begin = reader.at
    names = [_name(reader, name_before_tab(reader.next()[4:])) for _ in range(2)]
    if paths is None:
        return without_prefixes(*names)
    for name, path in zip(names, paths, strict=True):
        if name != DEV_NULL and not is_name_of(name, path):
            raise reader.error("this line names another file than the header above it", begin)
    return paths


def begins_plain_file(reader: PatchReader) -> bool:
    """Whether lines "--- name", "+++ name" come next."""
    if not reader.starts_with(b"--- "):
        return False
    return reader.data.startswith(b"+++ ", reader.position_after_next())


def begins_plain_hunks(reader: PatchReader) -> bool:
    """The same with a hunk after them; in a message, such lines may be text."""
    if not begins_plain_file(reader):
        return False
    third = reader.data.find(b"\n", reader.position_after_next()) + 1
    return third > 0 and reader.data.startswith(b"@@ -", third)


def read_plain_file(reader: PatchReader) -> FileDiff:
    """A file of `diff -u` or difflib, which may leave the names empty."""
    headers = _Headers(crlf=reader.has_carriage_return())
    old, new = (_plain_name(reader, name_before_tab(reader.next()[4:])) for _ in range(2))
    return _file(reader, headers, without_prefixes(old, new), read_hunks(reader, crlf=headers.crlf))


def _plain_name(reader: PatchReader, name: bytes | None) -> bytes:
    return name if name == b"" else _name(reader, name)


def begins_plain_binary(reader: PatchReader) -> bool:
    """Whether `diff -r` says here that binary files differ."""
    return reader.starts_with(b"Binary files ") and reader.peek().endswith(_DIFFER)


def read_plain_binary(reader: PatchReader) -> FileDiff:
    names = reader.peek().removeprefix(b"Binary files ").removesuffix(_DIFFER).split(b" and ", 2)
    if len(names) != 2:
        raise reader.error("the names of these binary files cannot be read")
    old, new = (_name(reader, whole_name(name)) for name in names)
    reader.skip()
    return _file(reader, _Headers(is_binary=True), without_prefixes(old, new), ())


def _file(reader: PatchReader, headers: _Headers, paths: Paths, hunks: Iterable[Hunk]) -> FileDiff:
    reader.count_file()
    read = tuple(hunks)
    status = headers.status or _status(headers, paths, bool(read))
    old, new = (None if path == DEV_NULL else path_text(path) for path in paths)
    return FileDiff(
        old_path=None if status is Status.ADDED else old,
        new_path=None if status is Status.DELETED else new,
        status=status,
        kind=_kind(headers),
        old_mode=headers.old_mode,
        new_mode=headers.new_mode,
        old_id=_known(headers.old_id),
        new_id=_known(headers.new_id),
        hunks=read,
    )


def _status(headers: _Headers, paths: Paths, has_hunks: bool) -> Status:
    if DEV_NULL in paths:
        return Status.ADDED if paths[0] == DEV_NULL else Status.DELETED
    if has_hunks or headers.is_binary or headers.old_mode == headers.new_mode:
        return Status.MODIFIED
    return Status.MODE_CHANGED


def _kind(headers: _Headers) -> FileKind:
    if headers.is_binary:
        return FileKind.BINARY
    return kind_of_mode(headers.new_mode or headers.old_mode)


def _known(blob: str) -> str:
    """Zeros stand for a file that does not exist."""
    return blob if blob.strip("0") else ""
