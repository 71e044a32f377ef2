"""Word documents of both formats."""

from __future__ import annotations

import pytest

from gencode.documents.document import Document, WarningCode
from gencode.documents.errors import (
    DocumentEncrypted,
    DocumentError,
    DocumentKindError,
    DocumentUnreadable,
    DocumentWithoutText,
    OldWordFormat,
)
from gencode.documents.reader import read_document
from tests.unit.documents.word_files import (
    MAIN_TYPE,
    binary_word_file,
    binary_word_streams,
    cell,
    content_types,
    ole_file,
    paragraph,
    run,
    table,
    word_file,
)


def read(data: bytes, name: str = "需求.docx") -> Document:
    return read_document(name, data, 100_000)


def text_of(body: str) -> str:
    return read(word_file(body)).text


def numbered(text: str, level: int) -> str:
    properties = f'<w:pPr><w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="1"/></w:numPr></w:pPr>'
    return f"<w:p>{properties}{run(text)}</w:p>"


def test_headings_paragraphs_and_lists() -> None:
    document = read(
        word_file(
            paragraph("第一章 需求说明", "1")
            + paragraph("系统应支持 3.5 版本的 *通配符* 和 [方括号]。")
            + numbered("登录", 0)
            + numbered("密码", 1)
            + numbered("验证码", 1)
            + numbered("退出", 0)
            + paragraph("1.1 范围", "2")
            + paragraph("结尾")
        )
    )
    assert document.text == (
        "# 第一章 需求说明\n\n系统应支持 3.5 版本的 *通配符* 和 [方括号]。\n\n"
        "1. 登录\n   - 密码\n   - 验证码\n2. 退出\n\n## 1.1 范围\n\n结尾\n"
    )
    assert [(one.title, one.level) for one in document.sections] == [("第一章 需求说明", 1), ("1.1 范围", 2)]
    assert document.sections[1].start == document.text.index("## 1.1")
    assert document.warnings == ()


def test_inserted_text_is_in_and_deleted_text_is_out() -> None:
    body = (
        f"<w:p>{run('原文')}<w:ins w:id='1'>{run('插入的')}</w:ins>"
        f"<w:del w:id='2'><w:r><w:delText>删除的</w:delText></w:r></w:del>"
        f"<w:moveFrom w:id='3'>{run('移走的')}</w:moveFrom>"
        f"<w:moveTo w:id='4'>{run('移来的')}</w:moveTo></w:p>"
    )
    document = read(word_file(body))
    assert document.text == "原文插入的移来的\n"
    assert document.warnings == ()


def test_merged_cells_are_not_repeated() -> None:
    down, on = '<w:vMerge w:val="restart"/>', "<w:vMerge/>"
    rows = (
        cell("编号") + cell("名称") + cell("说明"),
        cell("R-1", down) + cell("跨两列", '<w:gridSpan w:val="2"/>'),
        cell("", on) + cell("a|b") + cell("第三"),
    )
    document = read(word_file(table(*rows)))
    assert document.text == (
        "| 编号 | 名称 | 说明 |\n| --- | --- | --- |\n| R-1 | 跨两列 |  |\n|  | a\\|b | 第三 |\n"
    )
    assert document.counts.tables == 1


def test_a_table_in_a_table_stays_in_its_cell() -> None:
    inner = f"<w:tc><w:tcPr/>{table(cell('内一') + cell('内二'))}{paragraph('')}</w:tc>"
    text = text_of(table(inner + cell("外")))
    assert text.count("\n") == 2
    assert "内一" in text
    assert "| 外 |" in text


def test_what_has_another_meaning_without_its_form_is_marked() -> None:
    raised = run("3", "<w:vertAlign w:val='superscript'/>")
    struck, bold = run("取消的要求", "<w:strike/>"), run("粗", "<w:b/>")
    assert text_of(f"<w:p>{run('10')}{raised}{struck}{bold}</w:p>") == "10<sup>3</sup>~~取消的要求~~粗\n"


def test_footnotes_are_at_the_end() -> None:
    document = read(word_file(f'<w:p>{run("正文")}<w:r><w:footnoteReference w:id="2"/></w:r></w:p>'))
    assert document.text == "正文[^1]\n\n[^1]: 脚注的文字\n"
    assert document.warnings == ()


def test_a_note_that_refers_to_itself_ends() -> None:
    own = (
        '<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
        f'<w:footnote w:id="2"><w:p>{run("见")}<w:r><w:footnoteReference w:id="2"/></w:r></w:p></w:footnote>'
        "</w:footnotes>"
    )
    body = (
        f'<w:p>{run("正文")}<w:r><w:footnoteReference w:id="2"/><w:footnoteReference w:id="9"/></w:r></w:p>'
    )
    assert read(word_file(body, {"word/footnotes.xml": own})).text == "正文[^1][^2]\n\n[^1]: 见[^1]\n"


@pytest.mark.parametrize(
    ("inner", "kept"),
    [
        ("<w:fldSimple w:instr='SEQ'>{}</w:fldSimple>", True),
        ("<w:ruby><w:rt>{0}</w:rt><w:rubyBase>{0}</w:rubyBase></w:ruby>", True),
        ("<w:bdo>{}</w:bdo>", True),
        ("<w:unknown>{}</w:unknown>", False),
    ],
)
def test_text_in_elements_that_are_unknown_is_kept_or_told(inner: str, kept: bool) -> None:
    inner = inner.format(run("图一"))
    inner = f"<w:r>{inner}</w:r>" if "ruby" in inner else inner
    document = read(word_file(f"<w:p>{run('见')}{inner}</w:p>"))
    assert document.text == ("见图一\n" if kept else "见\n")
    told = [(warning.code, warning.values["count"]) for warning in document.warnings]
    assert told == ([] if kept else [(WarningCode.TEXT_LEFT_OUT, 2)])


def test_the_text_of_a_text_box_is_read_once() -> None:
    box = f"<w:txbxContent>{paragraph('框中的文字')}</w:txbxContent>"
    body = (
        f"<w:p><w:r><mc:AlternateContent><mc:Choice><w:drawing>{box}</w:drawing></mc:Choice>"
        f"<mc:Fallback><w:pict><v:shape><v:textbox>{box}</v:textbox></v:shape></w:pict></mc:Fallback>"
        "</mc:AlternateContent></w:r></w:p>"
    )
    document = read(word_file(body))
    assert document.text == "框中的文字\n"
    assert document.warnings == ()


def test_what_is_left_out_is_told() -> None:
    blip = '<w:drawing><a:blip xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"/></w:drawing>'
    body = (
        f"<w:p>{run('公式')}<m:oMath><m:r><m:t>a/b</m:t></m:r></m:oMath><w:r>{blip}</w:r>"
        '<w:r><w:commentReference w:id="1"/></w:r></w:p>'
    )
    told = {warning.code: warning.values["count"] for warning in read(word_file(body)).warnings}
    assert told == {
        WarningCode.FORMULAS_LEFT_OUT: 1,
        WarningCode.PICTURES_LEFT_OUT: 1,
        WarningCode.COMMENTS_LEFT_OUT: 1,
    }


def test_a_document_of_pictures_is_an_error() -> None:
    with pytest.raises(DocumentWithoutText):
        read(word_file("<w:p/>"))


@pytest.mark.parametrize(
    ("main_type", "reason"),
    [
        ("application/vnd.ms-word.document.macroEnabled.main+xml", "macros"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml", "no Word document"),
    ],
)
def test_other_office_files_are_refused(main_type: str, reason: str) -> None:
    data = word_file(paragraph("文字"), {"[Content_Types].xml": content_types(main_type)})
    with pytest.raises(DocumentKindError, match=reason):
        read(data)


def test_a_document_with_a_macro_workbook_in_it_is_read() -> None:
    types = content_types().replace(
        "<Override",
        '<Default Extension="xlsm" ContentType="application/vnd.ms-excel.sheet.macroEnabled.12"/><Override',
    )
    assert MAIN_TYPE in types
    data = word_file(paragraph("文字"), {"[Content_Types].xml": types, "word/vbaProject.bin": b"\0macro"})
    assert read(data).text == "文字\n"


# --- .doc ----------------------------------------------------------------------------------------------


def test_a_binary_document_with_fields_and_cells() -> None:
    text = (
        '第一章 需求\r系统\x13 HYPERLINK "http://a" \x14链接\x15和\x13 PAGE \x15页。\r'
        "编号\x07名称\x07\x07R-1\x07登录\x07\x07\r图\x01\r"
    )
    document = read(binary_word_file(text), "a.doc")
    assert document.text == (
        "第一章 需求\n\n系统链接和页。\n\n编号 | 名称\n\nR-1 | 登录\n\n图\n\nEnd of text.\n"
    )
    assert [warning.code for warning in document.warnings] == [WarningCode.PICTURES_LEFT_OUT]


def test_nested_fields_leave_their_result() -> None:
    text = "见\x13 IF \x13 PAGE \x141\x15 = 1 \x14第一页\x15。\r"
    assert read(binary_word_file(text), "a.doc").text.startswith("见第一页。\n")


def test_footnotes_of_a_binary_document_are_read() -> None:
    assert read(binary_word_file("正文\r", footnotes="脚注\r"), "a.doc").text == "正文\n\n脚注\n"


def test_deleted_text_of_a_binary_document_is_out() -> None:
    data = binary_word_file("保留的删除的末尾\r", deleted="删除的", footnotes="脚注\r")
    assert read(data, "a.doc").text == "保留的末尾\n\n脚注\n"


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (binary_word_file("密", flags=0x0300), DocumentEncrypted),
        (binary_word_file("旧", version=0x68), OldWordFormat),
        (ole_file({"WordDocument": b"\xec\xa5", "1Table": b""}), DocumentUnreadable),
        (ole_file({"Workbook": b"x"}), DocumentKindError),
        (ole_file({"EncryptedPackage": b"x"}), DocumentEncrypted),
        (binary_word_file("文字" * 99)[:3000], OldWordFormat),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), OldWordFormat),
    ],
)
def test_other_ole_files_are_refused(data: bytes, error: type[DocumentError]) -> None:
    with pytest.raises(error):
        read(data, "a.doc")


def test_a_piece_that_is_not_in_the_file_is_an_error_and_no_gap() -> None:
    streams = binary_word_streams("文字\r")
    table = bytearray(streams["1Table"])
    table[-12:-8] = (10_000).to_bytes(4, "little")
    with pytest.raises(OldWordFormat, match="piece of its text"):
        read(ole_file(streams | {"1Table": bytes(table)}), "a.doc")


def test_an_encrypted_docx_is_known_as_such() -> None:
    with pytest.raises(DocumentEncrypted, match="password"):
        read(ole_file({"EncryptedPackage": b"x"}))
    with pytest.raises(DocumentKindError, match=r"name it \.doc"):
        read(binary_word_file("文字"))
