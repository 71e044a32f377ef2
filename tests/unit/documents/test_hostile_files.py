"""Each hostile file ends in a text, or in an error that names its cause."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable

import pytest

from gencode.documents.errors import DocumentError
from gencode.documents.extractor import DocumentExtractor
from tests.unit.documents.hostile_files import FILES, Outcomes
from tests.unit.documents.pdf_files import pdf_file
from tests.unit.documents.word_files import binary_word_file, cell, paragraph, table, word_parts, zipped

pytestmark = pytest.mark.campaign

CODES = {
    "DOCUMENT_ENCRYPTED",
    "DOCUMENT_KIND",
    "DOCUMENT_TOO_LARGE",
    "DOCUMENT_UNREADABLE",
    "DOCUMENT_WITHOUT_TEXT",
}
GOOD_PARTS = word_parts(paragraph("第一章", "1") + table(cell("一") + cell("二")) + paragraph("结尾"))
GOOD = {
    "docx": zipped(GOOD_PARTS),
    "pdf": pdf_file([[(50, 700, "第一页")], [(50, 700, "第二页")]], [(0, 0, 9, 0)]),
    "doc": binary_word_file("第一章\r系统\x13 PAGE \x141\x15\r"),
    "txt": "第一章：系统应支持登录和查询的功能。".encode("gb18030"),
}


@pytest.fixture(autouse=True)
def _no_programs_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)


async def outcome(documents: DocumentExtractor, name: str, data: bytes) -> str:
    try:
        document = await documents.extract(name, data)
    except DocumentError as error:
        return error.code
    return "read" if document.text.strip() else "an empty text"


@pytest.mark.parametrize(
    ("suffix", "make", "expected"),
    [
        pytest.param(suffix, make, expected, id=f"{suffix}: {name}")
        for suffix, files in FILES.items()
        for name, (make, expected) in files.items()
    ],
)
async def test_a_hostile_file_has_a_stable_end(
    suffix: str, make: Callable[[], bytes], expected: Outcomes
) -> None:
    async with DocumentExtractor() as documents:
        assert await outcome(documents, f"a.{suffix}", make()) in expected


@pytest.mark.parametrize("suffix", GOOD)
async def test_a_damaged_file_is_read_or_refused(suffix: str) -> None:
    """Never a failure of the service, which DocumentReaderFailed would be."""
    chance = random.Random(11)
    async with DocumentExtractor() as documents:
        assert await outcome(documents, f"a.{suffix}", GOOD[suffix]) == "read"
        for _ in range(12):
            found = await outcome(documents, f"a.{suffix}", damaged(GOOD[suffix], chance))
            assert found in CODES | {"read"}


async def test_a_document_of_damaged_xml_is_read_or_refused() -> None:
    """The archive is whole, so that the readers of its parts get them."""
    chance = random.Random(12)
    parts = {name: part if isinstance(part, bytes) else part.encode() for name, part in GOOD_PARTS.items()}
    async with DocumentExtractor() as documents:
        for _ in range(16):
            name = chance.choice(sorted(parts))
            data = zipped(parts | {name: damaged(parts[name], chance)})
            assert await outcome(documents, "a.docx", data) in CODES | {"read"}


def damaged(data: bytes, chance: random.Random) -> bytes:
    """A few bytes are others, missing, doubled, or the end is cut off."""
    mutable = bytearray(data)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(max(len(mutable), 1))
        match chance.randrange(4):
            case 0:
                mutable[at : at + 1] = bytes([chance.randrange(256)])
            case 1:
                del mutable[at : at + chance.randint(1, 40)]
            case 2:
                mutable[at:at] = mutable[at : at + chance.randint(1, 40)]
            case 3 if chance.random() < 0.2:
                del mutable[at:]
    return bytes(mutable)
