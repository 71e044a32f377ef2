"""The encoding of a text file without a name for it, where it is certain.

UTF-8 proves itself. The Chinese encodings do not: most bytes of one are valid in the other, and Korean and
Japanese ones are valid in both. So a text is taken for Chinese only if almost half of its ideographs are
among the most frequent ones: with the right encoding over 60 % are, with a wrong one under 20 %.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gencode.documents.errors import DocumentKindError, DocumentUnreadable

_MARKS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)
_SIMPLIFIED = """
的一是不了在人有我他这中大来上个国到说们为子和你地出道也时年得就那要下以生会自着去之过家学对可里后小
么心多天而能好都然没日于起还发成事只作当想看文无开手十用主行方又如前所本见经头面公同三已老从动两长知
民样现分将外但身些与高意进把法此实回二理美点月明其种声全工己话儿者向情部正名定女问力机给等几很业最间
新什打便位因重被走电四第门相次东政海口使教西再平真听世气信北少关并内加化由却代军产入先山五太水万市眼
体别处总才场师书比住员九性通目报立活难神数件安表原车白应路期提感何更反合放做系计或司利受光王果及界今
京务制解各任至清物台象记边共风战接它许八特觉望直服毛林题建南度统色字请交让认算论百义科怎元社术结六功
指思非流每管连远资队跟带条院变联言权往展该领传近留治决周保达办运武半候七必城父强步完革深区即求品士转
量空甚众技轻程告江语英基派满式息写令德收未持取设始版双历越史商千片容研像找友站广改议形委早房音际首单
据导影失网香似专石若兵谁校读志飞观争究包组造落视济离虽录户登支需档测试项码编译执存储输显示页按钮列类
型配置调默状态错
"""
_TRADITIONAL = """
這來個國說們為時過會對學後沒還發開經當動兩長樣現將與進實點種聲話兒問機給幾業間電門東氣關並產萬體別處
總場師書員報數應難車係計務記邊戰許覺題統請讓認論義術結連遠資隊帶條變聯權傳達辦運強轉眾輕語滿寫黨設雙
歷議單據導網專觀爭組視濟離雖錄戶登支需檔測試項碼編譯執儲輸顯頁鈕類態錯頭無見於從樂愛買賣讀號
"""
_FREQUENT = frozenset(_SIMPLIFIED + _TRADITIONAL) - {"\n"}
_IDEOGRAPH = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_LETTER_OF_OTHERS = re.compile("[\u0370-\u2fff\u3040-\u31ff\ua000-\uf8ff\U0001f000-\U0010ffff]")
"""Kana, Cyrillic, Hangul and others; also what is private."""
_SHARE, _LEAST = 0.45, 3
"""Of the ideographs, and how many; accented letters of Europe can be two."""
_OFTEN = re.compile("[\n\r 0-9A-Za-z,.，。、]")


def decoded(data: bytes) -> tuple[str, str]:
    """The text, and the encoding if it had to be detected, else "".

    Raises DocumentUnreadable if the encoding is uncertain, DocumentKindError if it is no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], encoding), ""
    if b"\0" in data:
        return _utf_16_without_mark(data), "UTF-16"
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        return _chinese(data)


def _strictly(data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentUnreadable(
            f"The file begins as {encoding.upper()} and is not valid as such at byte {error.start}. "
            "Save it as UTF-8 and upload it again"
        ) from None


def _utf_16_without_mark(data: bytes) -> str:
    """In the byte order in which ordinary characters are more frequent by far; Latin text in the other one
    would look like rare ideographs."""
    texts = sorted(_readings(data, ("utf-16-le", "utf-16-be")), key=_ordinary, reverse=True)
    best = _ordinary(texts[0][0]) if texts else 0
    other = _ordinary(texts[1][0]) if len(texts) > 1 else 0
    if not best or best < 4 * other or "\0" in texts[0][0]:
        raise DocumentKindError("The file is not a text: it has bytes of zero. Upload the document itself")
    return texts[0][0]


def _ordinary(text: str | tuple[str, str]) -> int:
    return len(_OFTEN.findall(text if isinstance(text, str) else text[0]))


def _chinese(data: bytes) -> tuple[str, str]:
    readings = _readings(data, ("gb18030", "big5"))
    certain = [(text, encoding) for text, encoding in readings if _frequent_share(text) >= _SHARE]
    if len(certain) != 1:
        raise DocumentUnreadable(
            "The encoding of the file is not certain: it is neither UTF-8, UTF-16 nor certainly GB18030 or "
            "Big5. Save it as UTF-8 and upload it again"
        )
    text, encoding = certain[0]
    return text, encoding.upper()


def _readings(data: bytes, encodings: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for encoding in encodings:
        try:
            yield data.decode(encoding), encoding
        except UnicodeDecodeError:
            continue


def _frequent_share(text: str) -> float:
    """The share of frequent ideographs among all ideographs and letters of other scripts."""
    ideographs = _IDEOGRAPH.findall(text)
    letters = len(ideographs) + len(_LETTER_OF_OTHERS.findall(text))
    frequent = sum(one in _FREQUENT for one in ideographs)
    return frequent / letters if frequent >= _LEAST else 0.0
