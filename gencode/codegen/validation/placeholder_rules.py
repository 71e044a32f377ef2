"""Rules for placeholders: phrases of comments by which a model announces omitted code.

Only comments are searched: in strings such phrases may be the content of a to-do application. Every pattern
is a chain of fixed words with bounded gaps, so none of them can backtrack far.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_CODE = (
    r"(?:code|file|functions?|class(?:es)?|components?|modules?|implementations?|logic|methods?|routes?|handlers?"
    r"|imports?|fields?|tests?|styles?|script|markup|content|template|endpoints?|fixtures|cases|properties|props"
    r"|config(?:uration)?|setup|definitions?|helpers?|rules|options|settings)"
)
_DOTS = r"(?:\.\.\.|…)"
_SAME = r"(?:unchanged|(?:the )?same|as (?:is|before|it was|above))"
_PHRASE_PATTERNS = (
    # "... existing code ...", "// ... rest of the routes"
    rf"{_DOTS} ?\(?(?:the |your |all |keep )?"
    rf"(?:rest|remainder|existing|remaining|previous|other|additional)\b"
    rf"(?: of)?(?: the| your| this)?(?: \w+){{0,2}} {_CODE}\b",
    rf"\b(?:rest|remainder) of (?:the |your |this )?(?:\w+ ){{0,2}}?{_CODE}\b ?"
    rf"(?:{_DOTS}|goes here|here\b|(?:is |are )?(?:omitted|unchanged)|(?:remains?|stays?|is|are) {_SAME})",
    rf"\b(?:existing|previous|other|remaining) (?:\w+ )?{_CODE} (?:{_DOTS}|goes here|omitted|unchanged"
    rf"|(?:remains?|stays?) {_SAME})",
    r"\b(?:omitted|truncated|shortened|abbreviated|left out|not shown|skipped) for (?:the sake of )?"
    r"brevity\b",
    r"\byour (?:\w+ )?(?:code|logic|implementation)(?: goes)? here\b",
    r"\b(?:code|logic|implementation) goes here\b",
    r"\bimplement (?:me|the rest)\b",
    r"^(?:still )?to be implemented\W*$",
    r"(?-i:\bTODO)\b(?:\([^()\n]{0,40}\))?[ :-]{0,3}"
    r"(?:(?:actually|please|properly|we|you|still|need to|add|write) ){0,3}"
    r"(?:the |an? )?(?:actual |real |full |proper )?implement(?:ation)?\b",
    # 其余代码保持不变, 此处省略, 待实现
    r"(?:此处|这里|以下|下面|中间|以上|后续)(?:代码|内容|部分|均|都|全部|已|的)*省略",
    r"(?:省略|略去)(?:了)?(?:其他|其它|其余|剩余|部分|中间|以下|后续|其他的)(?:代码|内容|部分|实现|方法|函数|逻辑)",
    r"(?:其他|其它|其余|剩余|原有|现有)(?:的)?(?:代码|内容|部分|实现|方法|函数|逻辑)"
    r"(?:保持|维持|均|都|也)?(?:不变|省略|同上|相同|略)",
    r"(?:代码|实现|内容|篇幅)(?:已)?(?:省略|略去|有限,? ?省略)",
    r"(?:待|尚未|还没有|需要|请在此)(?:你来|您来|自行)?实现(?!了|的)",
    r"(?:在此|在这里|此处|这里)(?:添加|编写|填写|补充|实现|加入|写)(?:你|您)?(?:的|具体|自己的)*(?:代码|逻辑|实现|业务)",
)
_OTHER = r"(?:rest|remainder|remaining|existing|previous|others?)"
_AS_IT_IS = (
    r"(?:unchanged|omitted|(?:the )?same|as[ -]is|as (?:before|above|in the original)|truncated|snipped)"
)
_REST_ZH = r"(?:其余|其他|其它|剩余|余下|后面|后续|以下|中间|此处)(?:的)?(?:代码|内容|部分|表|语句|行|配置)?"
_WHOLE_PATTERNS = (
    # "... rest unchanged", "(other tables omitted)", "... same as before ..."
    rf"(?:{_DOTS} ?)?[(\[]?(?:the |all |keep )*{_OTHER}(?: of (?:the|this|your))?(?: \w+){{0,3}}?"
    rf"(?: is| are| remains?| stays?| kept)* {_AS_IT_IS}",
    rf"{_DOTS} ?[(\[]?(?:the |all )*(?:remaining|existing|other|more|additional|further) \w+(?: \w+)?"
    rf"(?: here| below| omitted)?[)\]]?(?: ?{_DOTS})?",
    rf"{_DOTS} ?[(\[]?(?:{_AS_IT_IS}|same as (?:before|above|original)|continue[sd]?|snip"
    rf"|\d+ (?:more )?lines(?: omitted| skipped)?|similarly for .{{1,40}}|{_OTHER} of \w+(?: \w+)?)[)\]]?"
    rf"(?: ?{_DOTS})?",
    r"(?:your |the |keep )?(?:existing|unchanged|previous) (?:code|content)(?: here)?",
    r"(?:no changes|continued) below|(?:code|content) continues(?: here| below)?|to be continued",
    r"(?:the )?rest of (?:the |your |this )?(?:code|file|implementation|content)(?: here)?",
    # ……其余不变, 以下代码与之前相同, （略）, 未完待续
    rf"(?:{_DOTS} ?)*{_REST_ZH}"
    r"(?:与?(?:之前|上面|前面|原来)(?:的)?(?:相同|一致|类似)|保持不变|不变|同前|同上|省略|略)",
    rf"(?:{_DOTS} ?)*(?:保持)?(?:原有|现有)(?:代码|内容|配置)(?:不变)?|(?:{_DOTS} ?)*未完(?:待续)?",
    rf"(?:{_DOTS} ?)*(?:省略|略)(?: ?{_DOTS})*",
)
_WHOLE = re.compile(
    rf"[(\[（【]?(?:{'|'.join(_WHOLE_PATTERNS)})[)\]）】]?[.。!*/ -]*(?:-->)?"
    r"|[(\[](?:unchanged|omitted|snip|snipped|\.{3} ?truncated ?\.{3})[)\]]|-*snip ?-*",
    re.IGNORECASE,
)
"""Matches a comment that is only a placeholder."""
_PHRASE = re.compile("|".join(f"(?:{phrase})" for phrase in _PHRASE_PATTERNS), re.IGNORECASE)
_ONLY_DOTS = re.compile(r"[\s/*#<!{}()>;-]*(?:\.\.\.|…|……)[\s/*#!{}()>;-]*")
_UNFINISHED = re.compile(
    r"\bnot (?:yet )?(?:been )?implemented\b|\bunimplemented\b|^\W*to-?do\b|\bimplement (?:me|this)\b"
    r"|未实现|待实现|尚未实现|暂未实现",
    re.IGNORECASE,
)
_MAX_WHOLE = 100
_HINT = re.compile(
    r"unchanged|omitted|same|\.{3}|…|as[ -]is|existing|previous|continue|no changes|snip|rest of|truncated"
    r"|as (?:before|above|in the original)|不变|相同|一致|类似|同前|同上|略|原有|现有|未完",
    re.IGNORECASE,
)
"""Text that every such comment contains."""
_SPACES = re.compile(r"[ \t]+")
_LINE_START = re.compile(r"^[\s/*#<!;-]+", re.MULTILINE)


def may_contain_placeholder(text: str) -> bool:
    """Whether any line could be a placeholder: a cheap test before comments are parsed."""
    return _HINT.search(text) is not None or _PHRASE.search(_SPACES.sub(" ", text)) is not None


def placeholder_lines(comment: str) -> Iterator[tuple[int, str]]:
    """The lines of a comment that announce omitted code: offset (from 0) and text."""
    for row, text in enumerate(comment.split("\n")):
        bare = _SPACES.sub(" ", _LINE_START.sub("", text))
        if _PHRASE.search(bare) or (len(bare) <= _MAX_WHOLE and _is_whole(bare)):
            yield row, bare


def _is_whole(comment: str) -> bool:
    """Whether a comment, without the marks around it, says nothing but that something is left out."""
    return _WHOLE.fullmatch(comment.strip()) is not None


def is_ellipsis_comment(comment: str) -> bool:
    """`// ...`, `/* … */`, `# ...`"""
    return _ONLY_DOTS.fullmatch(comment) is not None


def is_unfinished_message(message: str) -> bool:
    """Whether the message of an error announces missing code."""
    return _UNFINISHED.search(message) is not None


def is_todo_comment(comment: str) -> bool:
    return re.match(r"[\s/*#<!{-]*(?:TODO|FIXME|XXX)\b", comment) is not None
