"""Unpacks an archive of a task; an untrusted archive cannot write outside the target folder."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from gencode.domain.errors import TreeError
from gencode.domain.tree import MAX_FILE_BYTES, MAX_RENDERED_FILES, MAX_TREE_BYTES, Tree


class BadArchive(Exception):
    """The archive cannot be unpacked to the folder; the message says why."""


def unpack(archive: bytes, into: Path) -> list[str]:
    """Write the files of `Client.archive` to a new or empty folder, without the archive's top-level folder.

    Returns their paths. Validates every path and reads every file before it writes anything. Raises
    BadArchive.
    """
    try:
        if into.exists() and any(into.iterdir()):
            raise BadArchive(f"{into} is not empty: name a folder that is new")
        tree = Tree.of(_read_files(archive), workflows=True, most=MAX_RENDERED_FILES)
        for path, data in tree.files.items():
            (into / path).parent.mkdir(parents=True, exist_ok=True)
            (into / path).write_bytes(data)
    except TreeError as error:
        raise BadArchive(f"the archive holds what no project may: {error.message}") from None
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError, ValueError) as error:
        raise BadArchive(f"this is not an archive of gencode: {error}") from None
    except OSError as error:
        raise BadArchive(f"{into} cannot be written to: {error.strerror}") from None
    return list(tree.files)


def _read_files(archive: bytes) -> dict[str, bytes]:
    """Contents by path below the top-level folder; stops at the size limits of a project."""
    found: dict[str, bytes] = {}
    remaining = MAX_TREE_BYTES
    with zipfile.ZipFile(io.BytesIO(archive)) as packed:
        if len(packed.infolist()) > MAX_RENDERED_FILES:
            raise BadArchive(f"the archive has more than {MAX_RENDERED_FILES} files")
        for entry in packed.infolist():
            if entry.is_dir():
                continue
            with packed.open(entry) as stream:
                data = stream.read(min(MAX_FILE_BYTES, remaining) + 1)
            remaining -= len(data)
            path = entry.filename.partition("/")[2]
            if remaining < 0 or len(data) > MAX_FILE_BYTES:
                raise BadArchive("the archive unpacks to more than a project may have")
            if path in found:
                raise BadArchive(f"the archive has {path!r} twice")
            found[path] = data
    return found
