"""Source files: the fixed ones of this repository, and those of the machine (Python, packages, the system).

Tests read the fixed files only, since those of a machine depend on what is installed.
"""

from __future__ import annotations

import os
import random
import sysconfig
from collections.abc import Iterator, Sequence
from os.path import islink, join, splitext
from pathlib import Path

LANGUAGES = {
    ".py": "Python",
    ".pyi": "Python stubs",
    ".js": "JavaScript",
    ".mjs": "JavaScript",
    ".ts": "TypeScript",
    ".tsx": "TypeScript",
    ".go": "Go",
    ".rs": "Rust",
    ".java": "Java",
    ".c": "C",
    ".h": "C",
    ".cpp": "C++",
    ".hpp": "C++",
    ".cs": "C#",
    ".php": "PHP",
    ".rb": "Ruby",
    ".pl": "Perl",
    ".pm": "Perl",
    ".sh": "Shell",
    ".css": "CSS",
    ".html": "HTML",
    ".xml": "XML",
    ".svg": "XML",
    ".json": "JSON",
    ".yaml": "YAML",
    ".yml": "YAML",
    ".toml": "TOML",
    ".sql": "SQL",
    ".md": "Markdown",
    ".rst": "reStructuredText",
    ".proto": "Protobuf",
    ".scm": "Scheme",
    ".kt": "Kotlin",
}
FIXED = Path(__file__).parents[1] / "fixtures/corpus"
"""Files written for the tests: in each language one of 100 to 250 bytes and one of 2,000 to 7,000."""
SYSTEM = (
    "/usr/share",
    "/usr/include",
    "/usr/lib/node_modules",
    "/usr/local/lib",
    "/usr/local/go/src",
    "/usr/lib/go",
)


def source_files(roots: Sequence[Path] = (), *, system: bool = True) -> dict[str, list[Path]]:
    """Files by language, in an order that is stable on one machine."""
    installed = [Path(sysconfig.get_path(name)) for name in ("stdlib", "purelib")]
    folders = [*(roots or installed), *(Path(folder) for folder in SYSTEM if system and not roots)]
    files: dict[str, list[Path]] = {}
    for name in sorted({name for folder in folders for name in _below(folder)}):
        files.setdefault(LANGUAGES[splitext(name)[1]], []).append(Path(name))
    return files


def sample(files: Sequence[Path], count: int, least: int, most: int, seed: int = 1) -> list[tuple[Path, str]]:
    """At most `count` of them with `least` to `most` bytes, and their texts, without files that are not UTF-8
    or that contain NUL."""
    selected: list[tuple[Path, str]] = []
    for path in random.Random(seed).sample(list(files), len(files)):
        if len(selected) == count:
            break
        if text := _text(path, least, most):
            selected.append((path, text))
    return selected


def _below(folder: Path) -> Iterator[str]:
    """Tests list tens of thousands of files: without Path, and without asking for the status of each."""
    for parent, _, names in os.walk(folder):
        for name in names:
            if splitext(name)[1] in LANGUAGES and not islink(path := join(parent, name)):
                yield path


def _text(path: Path, least: int, most: int) -> str:
    try:
        data = path.read_bytes() if least <= path.stat().st_size <= most else b""
        text = data.decode()
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if "\0" in text or not text.strip() else text
