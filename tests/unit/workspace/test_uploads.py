"""Names of uploaded files, and files in the database."""

from __future__ import annotations

import pytest

from gencode.domain.errors import Invalid, NotFound
from gencode.workspace.uploads.names import MAX_NAME, check_extension, safe_name
from gencode.workspace.uploads.table import Upload
from tests.servers.workspace import workspace


@pytest.mark.parametrize(
    ("sent", "safe"),
    [
        ("a.md", "a.md"),
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\temp\\需求 v2.docx", "需求 v2.docx"),
        ("a\x00b\r\n.md", "ab.md"),
        ("evil\u202egpj.md", "evilgpj.md"),
        ("..hidden.md", "hidden.md"),
        ("a/", ""),
        ("..", ""),
        ("x" * 300 + ".docx", "x" * (MAX_NAME - 5) + ".docx"),
    ],
)
def test_a_name_is_safe(sent: str, safe: str) -> None:
    assert safe_name(sent) == safe


@pytest.mark.parametrize("name", ["a", "a.exe", "a.md.exe", "", ".md", "md", "a.md/", "a." + "x" * 300])
def test_other_extensions_are_refused(name: str) -> None:
    with pytest.raises(Invalid):
        check_extension(name, (".md", ".txt"))


def test_an_extension_counts_in_any_case() -> None:
    check_extension("A.MD", (".md",))


async def test_data_is_read_by_its_owner_only(database_url: str) -> None:
    data = bytes(range(256)) * 40
    async with workspace(database_url) as opened:
        row = Upload(
            owner="me", name="a.md", media_type="text/markdown", size=len(data), sha256="0", data=data
        )
        async with opened.database.transaction() as session:
            session.add(row)
        assert await opened.uploads.read(row.id, "me") == data
        with pytest.raises(NotFound):
            await opened.uploads.read(row.id, "somebody else")
