"""Archives unpacked to a folder, hostile ones included."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gencode.client import BadArchive, unpack
from gencode.domain.tree import MAX_RENDERED_FILES


def archive_of(files: dict[str, bytes], top: str = "hello/") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in files.items():
            archive.writestr(top + path, data)
    return stream.getvalue()


def test_the_files_are_written_below_the_folder(tmp_path: Path) -> None:
    files = {"a.txt": b"a\n", "src/b/c.py": b"", ".github/workflows/ci.yml": b"on: push\n"}
    assert sorted(unpack(archive_of(files), tmp_path / "new")) == sorted(files)
    found = {
        p.relative_to(tmp_path / "new").as_posix(): p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()
    }
    assert found == files


@pytest.mark.parametrize(
    "path",
    ["../evil", "a/../../evil", "/etc/evil", "..", "C:/evil", "a\\..\\evil", ".git/config", "CON"],
)
def test_no_path_escapes_the_folder(path: str, tmp_path: Path) -> None:
    into = tmp_path / "deep" / "new"
    with pytest.raises(BadArchive):
        unpack(archive_of({"good.txt": b"", path: b"x"}), into)
    assert list(tmp_path.rglob("*")) == []


def archive_with_symlink() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("hello/link")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


def test_a_symbolic_link_becomes_a_plain_file(tmp_path: Path) -> None:
    unpack(archive_with_symlink(), tmp_path / "new")
    assert not (tmp_path / "new/link").is_symlink()
    assert (tmp_path / "new/link").read_text() == "/etc/passwd"


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"no archive",
        lambda: archive_of({"a": b"x" * 100})[:-30],
        lambda: archive_of({"bomb": b"\0" * (3 * 2**20)}),
        lambda: archive_of({f"f{n}": b"\0" * (2 * 2**20) for n in range(17)}),
        lambda: archive_of({f"f{n}": b"" for n in range(MAX_RENDERED_FILES + 1)}),
        lambda: archive_of({"a": b"", "A": b""}),
    ],
)
def test_invalid_archives_are_rejected(make: Callable[[], bytes], tmp_path: Path) -> None:
    with pytest.raises(BadArchive):
        unpack(make(), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_empty_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(BadArchive, match="not empty"):
        unpack(archive_of({"mine": b"y"}), tmp_path)
    assert (tmp_path / "mine").read_text() == "x"
