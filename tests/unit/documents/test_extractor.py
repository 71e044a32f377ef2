"""Reading in limited children: results, limits, ends, and programs of others."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import anyio
import pytest

from gencode.documents import external_readers
from gencode.documents import extractor as extractor_module
from gencode.documents.child_main import LIMITS
from gencode.documents.document import (
    MAX_CHARACTERS,
    MAX_SECTIONS,
    DocumentKind,
    Section,
    WarningCode,
)
from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentKindError,
    DocumentReaderFailed,
    DocumentTooLarge,
    DocumentUnreadable,
    OldWordFormat,
)
from gencode.documents.extractor import DocumentExtractor
from gencode.limited_child.process import LimitedChild
from tests.unit.documents.pdf_files import encrypted_pdf, pdf_file
from tests.unit.documents.word_files import binary_word_file, paragraph, word_file

TEXT = "系统应支持用户登录，响应时间不超过 2 秒。"
FILES = {
    "需求.txt": TEXT.encode(),
    "需求.md": f"# 需求\n{TEXT}".encode(),
    "需求.pdf": pdf_file([[(50, 700, TEXT)]]),
    "需求.docx": word_file(paragraph(TEXT)),
    "需求.doc": binary_word_file(f"{TEXT}\r"),
}


@pytest.mark.parametrize("name", FILES)
async def test_each_kind_is_read_the_same_each_time(name: str) -> None:
    async with DocumentExtractor() as documents:
        first, second = [await documents.extract(name, FILES[name]) for _ in range(2)]
    assert first == second
    assert TEXT in first.text
    assert first.kind is DocumentKind(name.rpartition(".")[2])
    assert first.sections[-1].end == len(first.text) == first.counts.characters
    assert all(isinstance(section, Section) for section in first.sections)


async def test_each_document_has_a_child_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a document made of its reader cannot reach the next one."""
    started = list[LimitedChild]()
    start = LimitedChild.start

    async def counted(program: str) -> LimitedChild:
        started.append(await start(program))
        return started[-1]

    monkeypatch.setattr(LimitedChild, "start", counted)
    async with DocumentExtractor() as documents:
        for _ in range(2):
            await documents.extract("a.txt", b"text")
            assert not started[-1].is_alive
    assert len(started) == 2


async def test_errors_of_the_reader_are_those_of_the_caller() -> None:
    async with DocumentExtractor() as documents:
        with pytest.raises(DocumentEncrypted, match="Save it without a password"):
            await documents.extract("a.pdf", encrypted_pdf("密", user_password=b"x"))
        with pytest.raises(DocumentKindError):
            await documents.extract("a.pdf", b"text")
        with pytest.raises(DocumentTooLarge, match="more than 3"):
            await documents.extract("a.txt", b"text", max_characters=3)


async def test_no_child_is_started_for_another_kind_or_a_large_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    monkeypatch.setattr(extractor_module, "MAX_BYTES", 3)
    async with DocumentExtractor() as documents:
        with pytest.raises(DocumentKindError):
            await documents.extract("a.exe", b"MZ")
        with pytest.raises(DocumentTooLarge, match="larger than"):
            await documents.extract("a.txt", b"text")
        with pytest.raises(DocumentReaderFailed, match="cannot be started"):
            await documents.extract("a.txt", b"abc")


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("""echo '{"result": {"document": 1}}'; read x""", DocumentReaderFailed),
        (
            """echo '{"result": {"error": "SystemExit", "message": "olefile"}}'; read x""",
            DocumentReaderFailed,
        ),
        ("""echo '{"error": "KeyError()"}'; read x""", DocumentUnreadable),
        ("kill -SEGV $$", DocumentUnreadable),
        ("kill -TRAP $$", DocumentUnreadable),
        ("kill -KILL $$", DocumentReaderFailed),
        ("kill -XCPU $$", DocumentTooLarge),
        ("exit 12", DocumentTooLarge),
        ("exit 1", DocumentReaderFailed),
    ],
)
async def test_each_end_of_a_child_has_an_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, error: type[Exception]
) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho gencode child 1; read x\n{program}\n")
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    async with DocumentExtractor() as documents:
        with pytest.raises(error):
            await documents.extract("a.txt", b"text\n")


async def test_a_cancelled_reading_ends_its_child() -> None:
    async with DocumentExtractor() as documents:
        with anyio.move_on_after(0):
            await documents.extract("a.txt", b"text")
        assert documents._pool._idle == []
        assert (await documents.extract("a.txt", b"text")).text == "text"


def test_the_limits_are_as_promised() -> None:
    """With those of two programs of others, of a second each, 10 s of processor time and 512 MB."""
    assert LIMITS.step_cpu_seconds + 2 <= 10
    assert LIMITS.max_memory == 512 * 2**20
    assert external_readers._LIMITS.cpu_seconds == 1


# --- programs of others --------------------------------------------------------------------------------

OLD = binary_word_file("old\r", version=0x68)


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, **programs: str) -> None:
    for name, script in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(folder / name) if name in programs else None)


async def test_an_old_file_is_read_by_the_first_program_that_can(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", "ghp_canary")
    shown = 'echo "${GITHUB_TOKEN:-no secret} $#"; head -c 8 /dev/stdin | od -An -tx1; ulimit -v; ulimit -f'
    install(monkeypatch, tmp_path, antiword="exit 1", catdoc=shown)
    async with DocumentExtractor() as documents:
        document = await documents.extract("a.doc", OLD)
    assert document.text == "no secret 4\n d0 cf 11 e0 a1 b1 1a e1\n262144\n0\n"
    assert document.warnings[0].code is WarningCode.EXTERNAL_READER
    assert document.warnings[0].values == {"program": "catdoc"}
    assert document.kind is DocumentKind.DOC


@pytest.mark.parametrize(
    "script",
    ["exit 1", "echo", "kill -SEGV $$", r"printf '\377'", "echo Êîìïàíèÿ", "while :; do echo text; done"],
)
async def test_a_program_that_fails_or_misreads_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, script: str
) -> None:
    install(monkeypatch, tmp_path, antiword=script)
    async with DocumentExtractor() as documents:
        with pytest.raises(OldWordFormat, match=r"Save it as \.docx"):
            await documents.extract("a.doc", OLD)


async def test_without_programs_an_old_file_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    async with DocumentExtractor() as documents:
        with pytest.raises(OldWordFormat):
            await documents.extract("a.doc", OLD)


async def test_the_letters_of_an_old_chinese_file_are_not_guessed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    install(monkeypatch, tmp_path, antiword="echo ÏµÍ³")
    chinese = bytearray(OLD)
    at = chinese.index(b"\xec\xa5\x68\x00")
    chinese[at + 6 : at + 8] = b"\x04\x08"
    async with DocumentExtractor() as documents:
        with pytest.raises(DocumentUnreadable) as refused:
            await documents.extract("a.doc", bytes(chinese))
    assert type(refused.value) is DocumentUnreadable


async def test_the_longest_document_that_is_allowed_arrives() -> None:
    """With as many and as long titles as there may be: the answer of the child has a limit of its own."""
    title = "章" * 195
    text = f"# {title}\n\n" * MAX_SECTIONS
    assert len(text) < MAX_CHARACTERS
    async with DocumentExtractor() as documents:
        document = await documents.extract("a.md", text.encode(), max_characters=MAX_CHARACTERS)
    assert (len(document.sections), document.text) == (MAX_SECTIONS, text)
