"""Writes a diff as a patch in Git's format, which `git apply` and `parse_patch` read.

What was not compared by lines (binary and oversized files) is named by Git's line "Binary files a/x and b/x
differ".
"""

from __future__ import annotations

from collections.abc import Iterator

from gencode.diffs.paths import path_bytes
from gencode.diffs.values import FileDiff, FileKind, Hunk, Status

MEDIA_TYPE = "text/x-diff"
_NULL = b"/dev/null"
_NAMED = dict(zip(b"\a\b\t\n\v\f\r", (b"\\a", b"\\b", b"\\t", b"\\n", b"\\v", b"\\f", b"\\r"), strict=True))
_ESCAPES = {
    **{code: b"\\%03o" % code for code in (*range(32), 127)},
    **_NAMED,
    ord('"'): b'\\"',
    ord("\\"): b"\\\\",
}
_DEFAULT_MODE = 0o100644
_MOVED = {Status.RENAMED: b"rename", Status.COPIED: b"copy"}


def write_file(file: FileDiff) -> Iterator[bytes]:
    """The part of a patch that is about one file, in pieces."""
    old, new = (path_bytes(path or file.path) for path in (file.old_path, file.new_path))
    yield b"diff --git %b %b\n" % (quoted(b"a/" + old), quoted(b"b/" + new))
    yield from _modes(file)
    if verb := _MOVED.get(file.status):
        yield b"%b from %b\n%b to %b\n" % (verb, quoted(old), verb, quoted(new))
    yield from _index(file)
    before = _NULL if file.old_path is None else quoted(b"a/" + old)
    after = _NULL if file.new_path is None else quoted(b"b/" + new)
    if file.kind in (FileKind.BINARY, FileKind.OVERSIZED):
        yield b"Binary files %b and %b differ\n" % (before, after)
    elif file.hunks:
        yield b"--- %b\n+++ %b\n" % (_ended(before), _ended(after))
        yield from map(_hunk, file.hunks)


def quoted(path: bytes) -> bytes:
    """As Git writes it with core.quotePath=false: in quotation marks, if it has control characters, quotation
    marks or backslashes."""
    escaped = b"".join(_ESCAPES.get(byte) or bytes((byte,)) for byte in path)
    return path if escaped == path else b'"%b"' % escaped


def _ended(name: bytes) -> bytes:
    """Git ends a name with a space in it by a tab, since other programs write a time there."""
    return name + b"\t" if b" " in name and not name.startswith(b'"') else name


def _modes(file: FileDiff) -> Iterator[bytes]:
    if file.old_path is None:
        yield b"new file mode %06o\n" % (file.new_mode or _DEFAULT_MODE)
    elif file.new_path is None:
        yield b"deleted file mode %06o\n" % (file.old_mode or _DEFAULT_MODE)
    elif file.mode_changed:
        yield b"old mode %06o\nnew mode %06o\n" % (file.old_mode or 0, file.new_mode or 0)


def _index(file: FileDiff) -> Iterator[bytes]:
    """Nothing where an id is unknown, or none has changed."""
    none = "0" * max(len(file.old_id), len(file.new_id))
    old, new = file.old_id or none, file.new_id or none
    if old == new:
        return
    is_same_mode = file.old_mode is not None and file.old_mode == file.new_mode
    mode = b" %06o" % (file.old_mode or 0) if is_same_mode else b""
    yield b"index %b..%b%b\n" % (old.encode(), new.encode(), mode)


def _hunk(hunk: Hunk) -> bytes:
    section = b" " + hunk.section if hunk.section else b""
    return hunk.header.encode() + section + b"\n" + hunk.body
