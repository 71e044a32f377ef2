"""Archives of template sets: what is good is read, what is hostile is named."""

from __future__ import annotations

import io
import json
import stat
import zipfile
from collections.abc import Mapping

import pytest

from gencode.blueprints.template_sets import ContentError, read_archive, read_content, write_archive
from gencode.blueprints.template_sets.content import MAX_BYTES, MAX_FILE_BYTES

MANIFEST = {"name": "x", "version": "1.0.0", "files": [{"path": "a.py", "template": "a.py.j2"}]}
GOOD = {"manifest.json": json.dumps(MANIFEST), "a.py.j2": "print(1)\n"}


def zipped(files: Mapping[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def test_an_archive_is_read_and_written_alike() -> None:
    content = read_archive(zipped(GOOD))
    assert (content.manifest.name, dict(content.sources)) == ("x", {"a.py.j2": "print(1)\n"})
    in_folder = read_archive(
        zipped({"my set/": "", **{f"my set/{name}": text for name, text in GOOD.items()}})
    )
    assert in_folder.sha256 == content.sha256
    assert read_content(**_arguments(content.document)).sha256 == content.sha256
    assert write_archive(content.sources) == write_archive(dict(reversed(content.sources.items())))


def _arguments(document: Mapping[str, object]) -> dict[str, object]:
    return {"manifest": document["manifest"], "sources": document["files"]}


HOSTILE: Mapping[str, tuple[Mapping[str, str | bytes], str]] = {
    "parent": ({**GOOD, "../a": "x"}, "../a"),
    "absolute": ({**GOOD, "/etc/passwd": "x"}, "/etc/passwd"),
    "drive": ({**GOOD, "C:/a": "x"}, "C:/a"),
    "backslash": ({**GOOD, "..\\a": "x"}, "..\\a"),
    "git": ({**GOOD, ".git/config": "x"}, ".git/config"),
    "device": ({**GOOD, "con.j2": "x"}, "con.j2"),
    "binary": ({**GOOD, "a.png": b"\x89PNG\xff"}, "a.png"),
    "nul": ({**GOOD, "a": "x\0"}, "a"),
    "bomb": ({**GOOD, "a": b"\0" * (40 * 2**20)}, "a"),
    "many bytes": (
        {**GOOD, **{f"a{n}": "x" * MAX_FILE_BYTES for n in range(MAX_BYTES // MAX_FILE_BYTES + 1)}},
        "a",
    ),
    "many files": ({**GOOD, **{f"a{n}": "" for n in range(601)}}, "files"),
    "many entries": ({f"a{n}/": "" for n in range(1201)}, "file"),
    "no manifest": ({"a": "x"}, "manifest.json"),
    "two folders": ({"a/manifest.json": "{}", "b/x": ""}, "manifest.json"),
    "no JSON": ({**GOOD, "manifest.json": "{"}, "manifest.json"),
    "deep JSON": ({**GOOD, "manifest.json": "[" * 100_000}, "manifest.json"),
    "no object": ({**GOOD, "manifest.json": "[]"}, "manifest"),
    "no template": ({"manifest.json": GOOD["manifest.json"]}, "manifest.files.0.template"),
    "unknown field": ({**GOOD, "manifest.json": '{"name": "x", "run": "sh"}'}, "manifest"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_is_hostile_is_refused_by_its_name(what: str) -> None:
    files, field = HOSTILE[what]
    with pytest.raises(ContentError) as caught:
        read_archive(zipped(files))
    assert caught.value.field.startswith(field)


def test_links_encryption_and_other_methods_are_refused() -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("manifest.json", GOOD["manifest.json"])
        archive.writestr(link, "/etc/passwd")
    encrypted = bytearray(zipped(GOOD, zipfile.ZIP_STORED))
    encrypted[encrypted.index(b"PK\x01\x02") + 8] |= 1
    for data, words in (
        (buffer.getvalue(), "links are not followed"),
        (bytes(encrypted), "encrypted"),
        (zipped(GOOD, zipfile.ZIP_LZMA), "neither stored nor deflated"),
        (b"", "no zip"),
        (zipped(GOOD)[:-30], "no zip"),
        (zipped(GOOD).replace(b"PK\x03\x04", b"PK\x03\x05"), "no zip"),
    ):
        with pytest.raises(ContentError, match=words):
            read_archive(data)


def test_a_file_that_stands_twice_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a", "1")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "2")
    with pytest.raises(ContentError, match="twice"):
        read_archive(buffer.getvalue())
