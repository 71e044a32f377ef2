"""Template sets as zip archives: read with suspicion, written alike for alike content."""

from __future__ import annotations

import io
import json
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from gencode.blueprints.template_sets.content import (
    MANIFEST,
    MAX_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    ContentError,
    SetContent,
    read_content,
)

ARCHIVE = "file"
"""The field of errors about the archive as a whole."""
MAX_ENTRIES = 2 * MAX_FILES
"""With folders."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1
_EPOCH = (1980, 1, 1, 0, 0, 0)


def read_archive(data: bytes) -> SetContent:
    """The set of a zip with `manifest.json` and its files, which may all be in one folder.

    Nothing is written to a disk; what an entry inflates to is bounded whatever it declares. Raises
    ContentError.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            texts = dict(_texts(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        if isinstance(error, ContentError):
            raise
        raise ContentError(ARCHIVE, f"it is no zip that can be read: {str(error)[:200]}") from None
    texts = _without_folder(texts)
    if MANIFEST not in texts:
        raise ContentError(MANIFEST, "the archive has none, neither at its top nor in its only folder")
    return read_content(_manifest(texts.pop(MANIFEST)), texts)


def write_archive(files: Mapping[str, str]) -> bytes:
    """The same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sorted(files.items()):
            entry = zipfile.ZipInfo(path, _EPOCH)
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, text.encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _texts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    entries = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise ContentError(ARCHIVE, f"the archive has more than {MAX_ENTRIES} entries")
    names: set[str] = set()
    left = MAX_BYTES
    for entry in entries:
        if entry.is_dir():
            continue
        _check(entry, names)
        data = _inflated(archive, entry, min(left, MAX_FILE_BYTES))
        left -= len(data)
        names.add(entry.filename)
        try:
            yield entry.filename, data.decode("utf-8")
        except UnicodeDecodeError:
            raise ContentError(
                entry.filename[:200], "it is not in UTF-8: only texts can be templates"
            ) from None


def _check(entry: zipfile.ZipInfo, names: set[str]) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ContentError(entry.filename[:200], "it is no regular file: links are not followed")
    if entry.flag_bits & _ENCRYPTED:
        raise ContentError(entry.filename[:200], "it is encrypted")
    if entry.compress_type not in _METHODS:
        raise ContentError(
            entry.filename[:200], "it is neither stored nor deflated: zip it with the usual method"
        )
    if entry.filename in names:
        raise ContentError(entry.filename[:200], "the archive has it twice")


def _inflated(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int) -> bytes:
    """At most `limit` bytes, whatever the entry declares."""
    with archive.open(entry) as stream:
        data = stream.read(limit + 1)
    if len(data) > limit:
        message = f"a file has at most {MAX_FILE_BYTES // 1024} KB, all together {MAX_BYTES // 2**20} MB"
        raise ContentError(entry.filename[:200], message)
    return data


def _without_folder(texts: dict[str, str]) -> dict[str, str]:
    """The files of the only folder, if the manifest is in it."""
    folders = {name.partition("/")[0] for name in texts}
    if len(folders) != 1 or f"{(folder := folders.pop())}/{MANIFEST}" not in texts:
        return texts
    return {name.removeprefix(f"{folder}/"): text for name, text in texts.items()}


def _manifest(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ContentError(MANIFEST, f"it is no JSON: {str(error)[:200]}") from None
