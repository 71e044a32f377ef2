"""A title and an excerpt of a request that are safe to write into any file of a project.

A request is untrusted input: it may have markup, control characters, secrets, or megabytes of text.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SCANNED = 4000  # characters; a title is at the beginning
TITLE_WIDTH = 60  # columns; a Chinese character takes two
EXCERPT_LENGTH = 280  # characters

_GENERIC_TITLE = re.compile(
    r"(?:(?:the|this|an?|and|project|product|user|introduction|overview|goals?|background|requirements?|summary|"
    r"description|purpose|document|readme|prd|specification|story|system|application|tool)\b ?)+"
    r"|(?:项目|产品|功能|系统|文档|简介|概述|背景|介绍|需求|描述|目标|目的|前言|说明)+",
    re.IGNORECASE,
)
_HEADING = re.compile(r" {0,3}#{1,6}\s+(.*)")
_PREAMBLE = re.compile(
    r"(?:the|this) document \w+ (?:the )?(?:\w+ )?requirements (?:for|of) |"
    r"the (?:\w+ )?(?:purpose|goal|aim|objective) of (?:this|the) (?:\w+ )?(?:project|document) is ",
    re.IGNORECASE,
)
_LEAD_IN = re.compile(
    r"(?:(?:hey|hi|hello|dear|please|kindly|can|could|would|will|you|help|me|us|i|i'd|we|want|like|need|am|"
    r"seeking|looking|to|set up|create|build|implement|write|make|develop|design|generate|a|an|the|this|some)"
    r"\b[\s,!.?]*)+",
    re.IGNORECASE,
)
_LEAD_IN_ZH = re.compile(
    r"(?:请|你好|帮我|帮忙|给我|为我|我想|我要|我们|需要|想要|创建|编写|开发|实现|搭建|生成|设计|构建|制作|写|做|"
    r"一个|一款|一套|一份|一下|[，,！!\s])+"
)
_SENTENCE_END = re.compile(r"[.!?;:](?:\s|$)|[，。；：！？]|,\s")
_PREDICATE = re.compile(r"\s(?:is|are|was|will|should|must|requires|represents|aims)\s.*", re.IGNORECASE)
_TRAILING_PREPOSITIONS = re.compile(
    r"(?:\s+(?:a|an|the|of|for|from|with|using|in|on|to|and|or|that|which|by|as|is|be|via|into))+$",
    re.IGNORECASE,
)
_UNFINISHED_MARKERS = re.compile(r"\b(?:TODO|FIXME|XXX|TBD)\b")
_URL_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+(?=@)")
_POSSIBLE_KEY = re.compile(
    r"[A-Za-z0-9_+=-]{20,}|(?<![A-Za-z0-9])(?:sk|gh[a-z]|glpat|xox[a-z])[-_][A-Za-z0-9_-]{8,}"
)
_HAN = re.compile(r"[\u3400-\u9fff]")
_KANA = re.compile(r"[\u3040-\u30ff]")
_LATIN_WORD = re.compile(r"[A-Za-z]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestSummary:
    """`title`: one line of letters, digits, spaces and "+-.#". `excerpt`: an indented Markdown code block."""

    title: str
    excerpt: str
    is_chinese: bool

    @classmethod
    def from_request(cls, request: str) -> RequestSummary:
        chinese = is_chinese(request)
        start = _sanitised(request[:MAX_SCANNED])
        title = next(_title_candidates(start), "") or ("离线项目" if chinese else "Offline project")
        return cls(title=title, excerpt=_excerpt(start, chinese), is_chinese=chinese)


def is_chinese(text: str) -> bool:
    """Whether most of the text is Chinese. One character counts as one Latin word; kana mean Japanese."""
    text = text[:MAX_SCANNED]
    han = len(_HAN.findall(text))
    return 0 < han >= len(_LATIN_WORD.findall(text)) and len(_KANA.findall(text)) * 10 < han


def _sanitised(text: str) -> str:
    """The text without invisible characters, secrets, and words such as TODO, which checks report as
    unfinished code."""
    lines = (_printable(line) for line in unicodedata.normalize("NFC", text).splitlines())
    text = _URL_CREDENTIALS.sub("[hidden]", "\n".join(lines))
    text = _POSSIBLE_KEY.sub(_hide_if_key, text)
    return _UNFINISHED_MARKERS.sub(lambda match: match[0].capitalize(), text)


def _printable(line: str) -> str:
    return "".join(c if c.isprintable() else " " for c in line)


def _hide_if_key(match: re.Match[str]) -> str:
    """Keys are long and mix letters and digits. In a README one is published, or makes the push fail."""
    word = match[0]
    mixed = any(c.isdigit() for c in word) and any(c.isalpha() for c in word)
    return "[hidden]" if mixed else word


def _title_candidates(text: str) -> Iterator[str]:
    """Possible titles, best first: a first heading that is not generic, the first words, any heading."""
    lines = [line for line in text.split("\n") if line.strip()]
    headings = [match[1] for match in map(_HEADING.fullmatch, lines) if match]
    prose = [_first_words(line) for line in lines if not _HEADING.fullmatch(line)]
    specific = [heading for heading in headings if not _GENERIC_TITLE.fullmatch(_plain_text(heading))]
    first = specific[:1] if specific[:1] == headings[:1] else []
    for candidate in (*first, *prose, *specific, *headings):
        if title := _cut(_plain_text(candidate)):
            yield title[0].upper() + title[1:]


def _first_words(line: str) -> str:
    """The first sentence of a line without "please create a"; of "The x project is ..." only the subject."""
    line = line[:400].lstrip(" \t>*-+0123456789.)")
    for lead_in in (_PREAMBLE, _LEAD_IN, _LEAD_IN_ZH):
        if (match := lead_in.match(line)) and match.end() < len(line):
            line = line[match.end() :]
    sentence = _SENTENCE_END.split(line, maxsplit=1)[0]
    subject = _PREDICATE.sub("", sentence)
    return sentence if _GENERIC_TITLE.fullmatch(_plain_text(subject)) else subject


def _plain_text(text: str) -> str:
    """Only characters without meaning in Markdown, HTML, JSON, TOML and Python, JavaScript and Go strings."""
    text = text.replace("'", "").replace("’", "")
    allowed = "".join(c if c in "+-.#" or unicodedata.category(c)[0] in "LMN" else " " for c in text)
    return " ".join(allowed.split()).strip(" -.#")


def _cut(title: str) -> str:
    """At most TITLE_WIDTH columns, cut between words if it has several."""
    width = 0
    for index, c in enumerate(title):
        width += 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if width > TITLE_WIDTH:
            title = title[:index].rsplit(" ", 1)[0]
            return _TRAILING_PREPOSITIONS.sub("", title).strip(" -.#")
    return title


def _excerpt(text: str, chinese: bool) -> str:
    """An indented block, which its text cannot end or escape: each line begins with four spaces."""
    flat = " ".join(text.split())
    short = flat if len(flat) <= EXCERPT_LENGTH else re.sub(r"\s\S{0,20}\Z", "", flat[:EXCERPT_LENGTH]) + " …"
    lines = textwrap.wrap(short, 40 if chinese else 80) or ["-"]
    return "\n".join(f"    {line}" for line in lines)
