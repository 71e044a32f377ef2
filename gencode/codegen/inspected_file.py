"""A file that is searched for extraneous text. Its path, its text and the request decide whether a special
token, label or delimiter is legitimate content of it."""

from __future__ import annotations

import re

from gencode.codegen.code_fences import is_markdown
from gencode.codegen.special_token_patterns import TOKEN
from gencode.codegen.validation.languages import language_of
from gencode.llm.special_tokens import END_TOKENS

FREE_FORM = frozenset({"", "prose", "yaml", "html", "xml", "vue", "svelte", "php"})
"""Languages whose lines may begin or end with any token: there, one that occurs twice is content."""
PLAIN = frozenset({"sql", "css", "scss", "make", "lua"})
"""Languages that are read without a grammar, and in which no statement begins with a token or a tag."""
MARKUP = frozenset({"html", "xml", "vue", "svelte", "php", "tsx", "javascript", "typescript"})
HASH = frozenset({"", "python", "bash", "ruby", "yaml", "toml", "make", "hcl", "graphql", "ini", "php"})
"""Languages in which `#` begins a comment."""
_ABOUT_TOKENS = re.compile(r"template|prompt|token|chat|fixture|transcript", re.IGNORECASE)
"""Matches the path of a file that may begin or end with any token."""
SECTIONS = frozenset({"ini", "toml", ""})
"""Languages in which a word in brackets may be a line."""
MAX_MARKS = 100
"""Most different marks that are searched for in the whole text. A file with more of them is about marks."""


class InspectedFile:
    """A file in the form that the model returned it. `asked`: the request, which may mention a token."""

    def __init__(self, path: str, text: str, asked: str = "") -> None:
        self.path = path
        self.name = path.rpartition("/")[2].lower()
        self.language = language_of(path)
        self.is_document = is_markdown(path) or self.language == "prose"
        self._lower = text.lower()
        self._asked = asked.lower()
        self._mentioned: dict[str, bool] = {}

    def mentions(self, mark: str) -> bool:
        """Whether the request mentions the mark, or the file has it or its counterpart elsewhere."""
        mark = mark.strip().lower()
        if mark not in self._mentioned:
            if len(self._mentioned) == MAX_MARKS:
                return True
            self._mentioned[mark] = self._is_mentioned(mark)
        return self._mentioned[mark]

    def _is_mentioned(self, mark: str) -> bool:
        if self.is_asked(mark):
            return True
        if self.language not in FREE_FORM:
            return False
        if _ABOUT_TOKENS.search(self.path):
            return True
        tokens = re.findall(TOKEN, mark)[:MAX_MARKS]
        return any(self._has_again(token) for token in tokens) if tokens else self._lower.count(mark) > 1

    def is_asked(self, mark: str) -> bool:
        """Whether the request mentions the mark."""
        word = mark.strip("[]<>|｜/ ").lower()
        return len(word) > 1 and any(form in self._asked for form in (mark.lower(), f"[{word}]", f"<{word}>"))

    def _has_again(self, token: str) -> bool:
        others = [token, *_relatives(token)]
        return sum(self._lower.count(other) for other in others) > 1

    def has_before(self, last: str) -> bool:
        """Whether the last line, or its word, occurs before: the end of a here-document."""
        return self._lower.count(last.lower()) > 1

    def names(self, line: str) -> bool:
        """Whether the line is the file's path or name. A document may have its bare name as its title."""
        if self.is_document and "." not in line:
            return False
        return line.strip(" `*:：\"'").lower() in (self.path.lower(), self.name)


def _relatives(token: str) -> list[str]:
    word = token.strip("[]<>|｜/")
    found = [f"[{word}]", f"[/{word}]", f"<{word}>", f"<{word} ", f"</{word}>"]
    listed = next((openers for end, openers in END_TOKENS.items() if end.lower() == token), ())
    return [other for other in (*found, *(opener.lower() for opener in listed)) if other != token]
