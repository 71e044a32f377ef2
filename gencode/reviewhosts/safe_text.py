"""Text of models and of diffs for a comment on a host: it is shown, and has no effect there.

Hosts look for names, numbers and addresses in the rendered text, so an escape of Markdown is not enough: a
zero-width space behind "@", "#" and "!" and before "//" keeps them from notifying people and linking to
issues. A line that begins with a word after "/" would be a command, for the host or for a bot that reads it.
"""

from __future__ import annotations

import re

from gencode.security.redaction import SecretSource, redact

ZERO_WIDTH = "\u200b"
_EFFECT = re.compile(r"([@#!&~%$](?=[^\s])|\bGH-(?=[0-9])|:(?=//)|\bwww\.)", re.IGNORECASE)
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~!&@$^=])")
_COMMAND = re.compile(r"^[\s\u200b\ufeff]*/(?=\S)", re.MULTILINE)
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u000b-\u001f\u007f]")
"""Characters that reverse or hide text, and control characters."""
_LINE_START = re.compile(r"^(\s*)([-+>]|[0-9]+[.)])(?=\s|$)", re.MULTILINE)


def plain(text: str, secrets: SecretSource) -> str:
    """Paragraphs of plain text: nothing of it is markup, a mention, a link or a command."""
    text = _HIDDEN.sub("", redact(text, secrets))
    text = _EFFECT.sub(lambda found: found[0] + ZERO_WIDTH, text)
    text = "\n".join(line.strip() for line in text.splitlines())
    text = _MARKUP.sub(r"\\\1", text)
    text = _COMMAND.sub(lambda found: found[0][:-1] + "\\/" + ZERO_WIDTH, text)
    return _LINE_START.sub(lambda found: f"{found[1]}{ZERO_WIDTH}{found[2]}", text)


def in_line(text: str, secrets: SecretSource) -> str:
    """One line of plain text."""
    return plain(" ".join(text.split()), secrets)


def code(text: str, secrets: SecretSource) -> str:
    """In a line: as code, in which hosts look for nothing."""
    text = " ".join(_HIDDEN.sub("", redact(text, secrets)).split())
    fence = "`" * (1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    pad = " " if not text or text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def block(text: str, secrets: SecretSource, info: str = "") -> str | None:
    """A fenced block with exactly this text; None for a text that would not be harmless there, or not be
    itself: it has a secret, a hidden character, or a line that a bot could take for a command."""
    if redact(text, secrets) != text or _HIDDEN.search(text.replace("\r\n", "\n")):
        return None
    if re.search(r"^[ \t]*/[A-Za-z]", text, re.MULTILINE) or "\r" in text.replace("\r\n", "\n"):
        return None
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence}{info}\n{text}{'' if text.endswith(chr(10)) else chr(10)}{fence}"
