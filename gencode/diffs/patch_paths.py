"""The paths in the headers of a patch, and the prefixes a/ and b/ (or i/, w/, old/, none) before them."""

from __future__ import annotations

from gencode.diffs.paths import quoted_prefix

DEV_NULL = b"/dev/null"


def git_header_names(text: bytes) -> tuple[bytes, bytes] | None:
    """The two names of a line "diff --git a/x b/x", with prefixes.

    Names with spaces are not quoted, so the line can be split only where both halves name the same file; None
    for a rename, whose names stand in lines of their own.
    """
    if b'"' in text[:1] or text.endswith(b'"'):
        return _with_quotes(text)
    middle = len(text) // 2
    left, right = text[:middle], text[middle + 1 :]
    is_middle = text[middle : middle + 1] == b" "
    if is_middle and (left == right or _without_prefix(left) == _without_prefix(right)):
        return left, right
    names = text.split(b" ", 2)
    return (names[0], names[1]) if len(names) == 2 else None


def _with_quotes(text: bytes) -> tuple[bytes, bytes] | None:
    if text.startswith(b'"'):
        if not (first := quoted_prefix(text)):
            return None
        old, rest = first
        new = whole_name(rest.removeprefix(b" "))
        return None if new is None else (old, new)
    begin = text.find(b' "')
    second = quoted_prefix(text[begin + 1 :])
    return (text[:begin], second[0]) if second and not second[1] else None


def whole_name(text: bytes) -> bytes | None:
    """The name that is all of a text, quoted or not; None if its quotation is damaged."""
    if not text.startswith(b'"'):
        return text
    found = quoted_prefix(text)
    return found[0] if found and not found[1] else None


def name_before_tab(text: bytes) -> bytes | None:
    """Of a line after "--- " or "+++ ": a tab ends the name, and diff writes the time after it."""
    if text.startswith(b'"'):
        found = quoted_prefix(text)
        return found[0] if found and found[1][:1] in (b"", b"\t") else None
    return text.partition(b"\t")[0]


def without_prefixes(old: bytes, new: bytes) -> tuple[bytes, bytes]:
    """Equal names have no prefixes (`git diff --no-prefix`); names that are equal without their first
    directory, or begin with a/ and b/, have. /dev/null has none."""
    if old != new and (_is_prefixed(old, new) or _without_prefix(old) == _without_prefix(new) != b""):
        return _stripped(old), _stripped(new)
    return old, new


def is_name_of(name: bytes, path: bytes) -> bool:
    """Whether a name, with a prefix or without, is of the file at `path`."""
    return path in (name, _without_prefix(name))


def _is_prefixed(old: bytes, new: bytes) -> bool:
    return (old == DEV_NULL or old.startswith(b"a/")) and (new == DEV_NULL or new.startswith(b"b/"))


def _stripped(name: bytes) -> bytes:
    return name if name == DEV_NULL else _without_prefix(name)


def _without_prefix(name: bytes) -> bytes:
    """b"" for a name without directories."""
    return name.partition(b"/")[2]
