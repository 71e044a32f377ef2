"""The offline model in a conversation: sentences of the sources that share words with the question, else what
it is. It says that it is no language model."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from gencode.embedded.offline.openai_protocol import ChatMessage
from gencode.embedded.offline.request_summary import is_chinese
from gencode.embedded.offline.self_description import self_description

MAX_QUOTES = 3
MAX_SCANNED = 200_000
"""Characters of the sources."""
MAX_SENTENCE = 300
NOT_FOUND = (
    "I am the offline model of gencode, not a language model: I cannot answer, only show sentences of your "
    "sources that share words with your question. None does."
)
NOT_FOUND_ZH = (
    "我是 gencode 的离线模型，不是语言模型：我不能回答问题，只能摘录您的资料中与问题有共同词语的句子。"
    "没有这样的句子。"
)
_OPENING = re.compile(r'^<source number="([0-9]{1,3})"[^>\n]{0,300}>\n', re.MULTILINE)
_CLOSING = "\n</source>"
_SENTENCE = re.compile(r"(?:[^.!?。！？\n]|[.!?](?=[^\s]))+(?:[.!?](?=\s|\Z)|[。！？])?")
"""A mark within a word or a number, such as in 2.3, ends no sentence."""
_ITEM = re.compile(r"\A(?:[-*+•#>|]+\s+|\d+(?:\.\d+)*[.)、]?\s+)+")
"""The mark or the number of an item of a list."""
_WORD = re.compile(r"[A-Za-z0-9_]{3,}|[\u3400-\u9fff]+")
_COMMON = frozenset(
    ("the", "and", "for", "are", "was", "what", "why", "how", "who", "when", "where", "which", "does", "with")
)
FOUND = (
    "I am the offline model of gencode, not a language model: I cannot answer, only show an extract. These "
    "sentences of your sources share the most words with your question:"
)
FOUND_ZH = (
    "我是 gencode 的离线模型，不是语言模型：我不能回答问题，只能摘录。"
    "以下是您的资料中与问题共同词语最多的句子："
)


def chat_answer(messages: Sequence[ChatMessage]) -> str:
    question = next((one.content for one in reversed(messages) if one.role == "user"), "")
    in_chinese = is_chinese(question)
    sentences = list(_sentences(messages[0].content[:MAX_SCANNED]))
    if not sentences:
        return self_description(in_chinese=in_chinese)
    quotes = _best(sentences, _terms(question))
    if not quotes:
        return NOT_FOUND_ZH if in_chinese else NOT_FOUND
    lines = [f'[{number}] "{sentence}"' for number, sentence in quotes]
    return "\n".join([FOUND_ZH if in_chinese else FOUND, *lines])


def _best(sentences: Iterable[tuple[int, str]], wanted: frozenset[str]) -> list[tuple[int, str]]:
    """Each sentence once, by the first source that has it."""
    first = {sentence: number for number, sentence in reversed(list(sentences))}
    scored = [
        (-len(wanted & _terms(sentence)), place, number, sentence)
        for place, (sentence, number) in enumerate(reversed(first.items()))
    ]
    found = sorted(one for one in scored if one[0] < 0)[:MAX_QUOTES]
    return [(number, sentence) for _, _, number, sentence in sorted(found, key=lambda one: one[1])]


def _sentences(system: str) -> Iterator[tuple[int, str]]:
    for block in system.split(_CLOSING)[:-1]:
        for opening in islice(_OPENING.finditer(block), 1):
            for found in _SENTENCE.finditer(block, opening.end()):
                sentence = _ITEM.sub("", found[0].strip())
                if 0 < len(sentence) <= MAX_SENTENCE and '"' not in sentence:
                    yield int(opening[1]), sentence


def _terms(text: str) -> frozenset[str]:
    """Words, and pairs of Chinese characters."""
    terms: set[str] = set()
    for word in _WORD.findall(text):
        if word.isascii():
            terms.add(word.lower())
        else:
            terms.update(word[at : at + 2] for at in range(len(word) - 1))
    return frozenset(terms - _COMMON)
