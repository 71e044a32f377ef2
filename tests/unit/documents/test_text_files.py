"""Text files: every encoding that is certain, and no other."""

from __future__ import annotations

import pytest

from gencode.documents.document import Document, WarningCode
from gencode.documents.errors import DocumentError, DocumentKindError, DocumentUnreadable, DocumentWithoutText
from gencode.documents.reader import read_document

SIMPLIFIED = "第三章 功能需求：系统应支持用户登录、权限管理和操作日志查询，响应时间不超过两秒。\n"
TRADITIONAL = "系統應支援使用者登入、權限管理與操作日誌查詢，回應時間不得超過兩秒。本文件說明專案需求。\n"
JAPANESE = "このシステムはユーザーのログイン機能と権限管理機能を提供しなければならない。要件定義書\n"
KOREAN = "이 시스템은 사용자 로그인 기능과 권한 관리 기능을 제공해야 한다. 요구사항 문서\n"
FRENCH = "Le système doit gérer les accès des utilisateurs déjà enregistrés.\n"
RUSSIAN = "Система должна поддерживать вход пользователей и управление правами.\n"


def read(data: bytes, name: str = "需求.txt") -> Document:
    return read_document(name, data, 10_000)


@pytest.mark.parametrize("text", [SIMPLIFIED, TRADITIONAL, FRENCH, KOREAN, "plain\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_with_its_mark_is_read_exactly(text: str, encoding: str) -> None:
    document = read(text.encode(encoding))
    assert (document.text, document.warnings) == (text, ())


@pytest.mark.parametrize(
    ("text", "encoding", "name"),
    [
        (SIMPLIFIED, "gb18030", "GB18030"),
        (SIMPLIFIED + "𠀀", "gb18030", "GB18030"),
        ("登录页\n", "gbk", "GB18030"),
        (TRADITIONAL, "big5", "BIG5"),
        (TRADITIONAL, "gb18030", "GB18030"),
        (SIMPLIFIED, "utf-16-le", "UTF-16"),
        (SIMPLIFIED, "utf-16-be", "UTF-16"),
        ("plain text of one line\n", "utf-16-be", "UTF-16"),
    ],
)
def test_a_detected_encoding_is_told(text: str, encoding: str, name: str) -> None:
    document = read(text.encode(encoding))
    assert document.text == text
    assert [(warning.code, warning.values) for warning in document.warnings] == [
        (WarningCode.ENCODING_DETECTED, {"encoding": name})
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc_jp"),
        (KOREAN, "euc_kr"),
        (FRENCH, "cp1252"),
        ("ÊÇ: accented letters that are an ideograph in another encoding", "cp1252"),
        (RUSSIAN, "cp1251"),
        (RUSSIAN, "koi8-r"),
    ],
)
def test_what_is_uncertain_is_refused_with_what_to_do(text: str, encoding: str) -> None:
    with pytest.raises(DocumentUnreadable, match="Save it as UTF-8"):
        read(text.encode(encoding))


def test_a_mark_that_is_untrue_is_refused() -> None:
    with pytest.raises(DocumentUnreadable, match="UTF-8 and is not valid as such at byte 1"):
        read(b"\xef\xbb\xbfa\xff")


@pytest.mark.parametrize("data", [b"\x00\x01\x02\x03" * 50, b"ab\x00", bytes(100)])
def test_a_binary_file_is_no_text(data: bytes) -> None:
    with pytest.raises(DocumentKindError, match="not a text"):
        read(data)


def test_control_characters_are_removed_and_told() -> None:
    document = read("red: \x1b[31m\r\nnext\x0cpage\u2028line\n".encode())
    assert document.text == "red: [31m\nnext\npage\nline\n"
    assert document.warnings[0].message() == "1 control characters were removed"
    assert document.warnings[0].message("zh") == "删除了 1 个控制字符"


def test_a_text_of_control_characters_is_something_else() -> None:
    with pytest.raises(DocumentKindError, match="control characters"):
        read(b"\x01\x02\x03\x04\x05text" * 20)


def test_characters_that_were_lost_before_are_told() -> None:
    assert read("a\ufffdb".encode()).warnings[0].code is WarningCode.REPLACEMENT_CHARACTERS


@pytest.mark.parametrize("data", [b"", b" \n\t\n", b"\xef\xbb\xbf"])
def test_an_empty_text_is_an_error(data: bytes) -> None:
    with pytest.raises(DocumentWithoutText):
        read(data)


def test_markdown_has_sections_that_cover_the_text() -> None:
    text = "前言\n# 第一章 #\n内容\n```\n# no heading\n```\n## 1.1 C#\n结尾\n"
    document = read(text.encode(), "a.md")
    found = [(one.level, one.title, document.text[one.start : one.end]) for one in document.sections]
    assert found == [
        (0, "", "前言\n"),
        (1, "第一章", "# 第一章 #\n内容\n```\n# no heading\n```\n"),
        (2, "1.1 C#", "## 1.1 C#\n结尾\n"),
    ]
    assert document.section_at(text.index("结尾")).title == "1.1 C#"
    with pytest.raises(ValueError, match="no character"):
        document.section_at(len(text))


def test_a_text_file_is_one_section_whatever_it_says() -> None:
    assert len(read(b"# a\n# b\n").sections) == 1


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.txt", b"%PDF-1.7\n", "name it .pdf"),
        ("a.txt", b"PK\x03\x04", "name it .docx"),
        ("a.md", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "name it .doc"),
        ("a.doc", b"PK\x03\x04", "name it .docx"),
        ("a.doc", b"{\\rtf1 text}", "an RTF file"),
        ("a.doc", b"\xef\xbb\xbf<HTML><body>", "an HTML page"),
        ("a.doc", b"MIME-Version: 1.0", "a web archive"),
        ("a.doc", b"some text", "something else"),
        ("a.docx", b"%PDF-1.7\n", "name it .pdf"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n", "a PNG picture"),
        ("a.pdf", b"<html>", "an HTML page"),
        ("a.txt", b"MZ\x90", "a program"),
        ("a.docm", b"PK\x03\x04", "Files with .docm are not read"),
        ("a.exe", b"MZ", ".exe"),
        ("a", b"text", "no suffix"),
        ("../../etc/passwd", b"text", "no suffix"),
        ("a.pdf/../b", b"text", "no suffix"),
    ],
)
def test_name_and_content_must_agree(name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentKindError) as refused:
        read(data, name)
    assert reason in refused.value.message


@pytest.mark.parametrize("name", ["A.TXT", "C:\\文档\\需求.txt", "../../需求.txt", "a.pdf.txt"])
def test_only_the_suffix_of_a_name_counts(name: str) -> None:
    assert read(b"text", name).text == "text"


def test_a_text_about_pdf_files_is_a_text() -> None:
    assert read(b"The first bytes are `%PDF-1.7`.").counts.characters == 31


def test_the_limit_of_characters_is_an_error_and_no_cut() -> None:
    assert read_document("a.txt", b"12345", 5).text == "12345"
    with pytest.raises(DocumentError, match="6 characters, which is more than 5") as refused:
        read_document("a.txt", b"123456", 5)
    assert refused.value.code == "DOCUMENT_TOO_LARGE"
