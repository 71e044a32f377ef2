"""Reads an uploaded patch: the output of git diff, git show, git log -p, git format-patch, diff -u, difflib.

Everything that is not part of a file's changes is skipped, as `git apply` does. What could be a change and
cannot be read is an error, so that no change is left out silently.
"""

from __future__ import annotations

import re
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message

from gencode.diffs.errors import PatchError
from gencode.diffs.patch_files import (
    begins_git_file,
    begins_plain_binary,
    begins_plain_hunks,
    read_git_file,
    read_plain_binary,
    read_plain_file,
)
from gencode.diffs.patch_reader import PatchLimits, PatchReader
from gencode.diffs.paths import path_text
from gencode.diffs.values import Diff, FileDiff, FileKind, Patch, PatchCommit, Status

_MAIL = re.compile(rb"From ([0-9a-f]{40}|[0-9a-f]{64}) [^\n]*\n(?=[A-Z][A-Za-z-]+: )")
_MAX_MAIL_HEADER = 16 * 1024
_MESSAGE_END = re.compile(rb"^(?:---\r?\n|From [0-9a-f]{40} )", re.MULTILINE)
_LOG_COMMIT = re.compile(rb"commit ([0-9a-f]{40}|[0-9a-f]{64})(?: \([^\n]*\))?\r?\n")
_LOG_HEADER = re.compile(rb"([A-Z][A-Za-z]*):\s+([^\r\n]*)")
_SUBMODULE = re.compile(rb"Submodule ([^\n]+) ([0-9a-f]{7,64})\.{2,3}([0-9a-f]{7,64})")
_COMBINED = (b"diff --cc ", b"diff --combined ", b"@@@ -")
_BEGINNING = re.compile(rb"^(?:diff --|--- |Binary files |Submodule |@@|From |commit )", re.MULTILINE)
"""Of all lines that are not skipped at once."""
_COLOUR = b"\x1b["
_MAX_TEXT, _MAX_RAW_TEXT = 500, 8000


def parse_patch(data: bytes, limits: PatchLimits | None = None) -> Patch:
    """Read a patch. Takes time and memory in proportion to its length.

    Raises PatchError for a text without any diff, and for a damaged one, with the number of the line;
    DiffTooLarge.
    """
    parser = _Parser(PatchReader(data, limits or PatchLimits()))
    commits = parser.read()
    if not commits:
        raise PatchError(_nothing_found(data))
    return Patch(commits=commits)


def _nothing_found(data: bytes) -> str:
    if _COLOUR in data:
        return "No diff is in this text, but codes of colours are: make it with `git diff --no-color`"
    return "No diff is in this text: upload the output of `git diff` or `git format-patch --stdout`"


class _Parser:
    """Goes through the lines outside of hunks."""

    def __init__(self, reader: PatchReader) -> None:
        self._reader = reader
        self._commits: list[PatchCommit] = []
        self._commit = PatchCommit(diff=Diff(files=()))
        self._files: list[FileDiff] = []

    def read(self) -> tuple[PatchCommit, ...]:
        while self._reader.skip_to(_BEGINNING):
            if not (self._read_commit() or self._read_file()):
                self._skip_line()
        self._end_commit()
        return tuple(self._commits)

    def _read_commit(self) -> bool:
        reader = self._reader
        if reader.starts_with(b"From ") and (mail := _MAIL.match(reader.data, reader.at)):
            self._end_commit()
            reader.count_commit()
            self._commit = self._mail(mail)
            return True
        if reader.starts_with(b"commit ") and (log := _LOG_COMMIT.match(reader.data, reader.at)):
            self._end_commit()
            reader.count_commit()
            self._commit = self._log_entry(log)
            return True
        return False

    def _end_commit(self) -> None:
        """Keep the commit that ends here; without an id it is what stood before the first one."""
        if self._files or self._commit.id:
            self._commits.append(
                PatchCommit(
                    id=self._commit.id,
                    subject=self._commit.subject,
                    author=self._commit.author,
                    diff=Diff(files=tuple(self._files)),
                )
            )
        self._files = []

    def _mail(self, mail: re.Match[bytes]) -> PatchCommit:
        """The message ends with a line "---"; it may contain what looks like a diff."""
        reader = self._reader
        head = reader.data[mail.end() : mail.end() + _MAX_MAIL_HEADER]
        head = head.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        headers = message_from_bytes(head, policy=policy.compat32)
        reader.at = mail.end()
        if (end := _MESSAGE_END.search(reader.data, reader.at)) and not end[0].startswith(b"From"):
            reader.at = end.end()
        subject = re.sub(r"^\[PATCH[^\]]*\]\s*", "", _header_text(headers, "Subject"))
        author = _header_text(headers, "From")
        return PatchCommit(id=mail[1].decode(), subject=subject, author=author, diff=Diff(files=()))

    def _log_entry(self, log: re.Match[bytes]) -> PatchCommit:
        """Of git log or git show: headers, an empty line, and the message, which is indented."""
        reader = self._reader
        reader.at = log.end()
        author = subject = ""
        while header := _LOG_HEADER.match(reader.peek()):
            author = _text(header[2]) if header[1] == b"Author" else author
            reader.skip()
        if not reader.peek():
            reader.skip()
        if reader.starts_with(b"    "):
            subject = _text(reader.next().strip())
        return PatchCommit(id=log[1].decode(), subject=subject, author=author, diff=Diff(files=()))

    def _read_file(self) -> bool:
        reader = self._reader
        if begins_git_file(reader):
            self._files.append(read_git_file(reader))
        elif begins_plain_hunks(reader):
            self._files.append(read_plain_file(reader))
        elif begins_plain_binary(reader):
            self._files.append(read_plain_binary(reader))
        elif reader.starts_with(b"Submodule ") and (found := _SUBMODULE.match(reader.peek())):
            self._files.append(_submodule(reader, found))
        else:
            return False
        return True

    def _skip_line(self) -> None:
        reader = self._reader
        if reader.starts_with(*_COMBINED):
            raise reader.error(
                "this is the diff of a merge against several parents: make it against one "
                "(`git diff BASE...HEAD`, `git show -m --first-parent`)"
            )
        if reader.starts_with(b"@@ -"):
            raise reader.error("this hunk belongs to no file")
        reader.skip()


def _submodule(reader: PatchReader, found: re.Match[bytes]) -> FileDiff:
    """`git diff --submodule=log` writes a line in place of a diff."""
    reader.count_file()
    reader.skip()
    path = path_text(found[1])
    return FileDiff(
        old_path=path,
        new_path=path,
        status=Status.MODIFIED,
        kind=FileKind.SUBMODULE,
        old_id=found[2].decode(),
        new_id=found[3].decode(),
    )


def _header_text(headers: Message, name: str) -> str:
    """A header, decoded as RFC 2047 says; as it stands if that fails."""
    raw = str(headers.get(name, ""))[:_MAX_RAW_TEXT]
    try:
        text = str(make_header(decode_header(raw)))
    except (ValueError, LookupError, HeaderParseError):
        text = raw
    return " ".join(text.split())[:_MAX_TEXT]


def _text(data: bytes) -> str:
    return data[:_MAX_TEXT].decode("utf-8", "replace")
