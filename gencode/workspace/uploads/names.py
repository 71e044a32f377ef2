"""Names of uploaded files."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import PurePosixPath

from gencode.domain.errors import Invalid
from gencode.domain.phrase import Phrase
from gencode.http.file_body import FILE

MAX_NAME = 255
"""Characters."""
MEDIA_TYPES = {
    ".txt": "text/plain",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
"""By extension: what a client says of its file's type is not used."""
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
"""Categories of characters that are removed: control characters, and what changes the direction of text."""


def safe_name(name: str) -> str:
    """The last part of a path, without control characters and leading dots; "" if nothing is left."""
    last = name.replace("\\", "/").rpartition("/")[2]
    shown = "".join(
        character
        for character in unicodedata.normalize("NFC", last)
        if unicodedata.category(character) not in _UNSAFE
    )
    shown = shown.strip().lstrip(".").strip()
    extension = extension_of(shown)
    return shown if len(shown) <= MAX_NAME else shown[: MAX_NAME - len(extension)] + extension


def extension_of(name: str) -> str:
    """Such as ".docx", in lower case; "" for none, and for one of more than 20 characters."""
    extension = PurePosixPath(name).suffix.lower()
    return extension if len(extension) <= 20 else ""


def check_extension(name: str, allowed: Sequence[str]) -> None:
    """Raises Invalid for the name of a file that is not accepted."""
    extension = extension_of(safe_name(name))
    if extension not in allowed:
        found = (
            Phrase("files with {extension} are", extension=extension)
            if extension
            else Phrase("a file without an extension is")
        )
        raise Invalid.of(
            FILE,
            "extension",
            Phrase("{found} not accepted: upload one of {allowed}", found=found, allowed=", ".join(allowed)),
        )
