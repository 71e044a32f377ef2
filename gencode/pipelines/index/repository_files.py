"""The files of a commit that are worth searching, and why the others are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gencode.diffs.exclusions import exclusion_of_content, is_vendored
from gencode.workspace.knowledge_bases.repository_documents import RepositoryFile
from gencode.workspace.knowledge_bases.tables import DocumentFormat
from gencode.workspace.repositories.clone import Clone, EntryType, TreeEntry

MAX_FILES = 1_000
MAX_FILE_BYTES = 256 * 1024
MAX_ENTRIES = 50_000
"""Files and directories that are looked at."""
MARKDOWN = (".md", ".markdown")
_TEXT = """
    " .txt .rst .adoc .tex .py .pyi .js .mjs .cjs .jsx .ts .tsx .vue .svelte .java .kt .kts .scala
    .groovy .go .rs .c .h .cc .cpp .cxx .hh .hpp .cs .fs .vb .swift .m .mm .rb .php .pl .pm .lua .r
    .jl .dart .ex .exs .erl .hrl .hs .ml .clj .sh .bash .zsh .fish .ps1 .bat .sql .graphql .proto
    .thrift .html .htm .css .scss .less .xml .yaml .yml .toml .ini .cfg .conf .properties .gradle
    .cmake .tf .bzl .nix
"""
EXTENSIONS = frozenset([*_TEXT.split(), *MARKDOWN])
NAMES = frozenset({"README", "LICENSE", "CHANGELOG", "Dockerfile", "Makefile", "Jenkinsfile", "CODEOWNERS"})


@dataclass(slots=True)
class CollectedFiles:
    """excluded  paths with the reason: the name of an exclusion rule, or one of below"""

    files: list[RepositoryFile] = field(default_factory=list)
    excluded: list[tuple[str, str]] = field(default_factory=list)


def collect(clone: Clone, commit: str) -> CollectedFiles:
    """Blocks. Files in the order of their paths, at most MAX_FILES."""
    found = CollectedFiles()
    for number, entry in enumerate(_walk(clone, commit, "")):
        if number >= MAX_ENTRIES:
            found.excluded.append((entry.path, "too_many"))
            break
        if entry.type is EntryType.DIRECTORY and not is_vendored(f"{entry.path}/"):
            continue
        if reason := _reason_of_entry(entry):
            found.excluded.append((entry.path, reason))
        elif len(found.files) >= MAX_FILES:
            found.excluded.append((entry.path, "too_many"))
        else:
            _read(found, entry.path, clone.blob(commit, entry.path))
    return found


def _walk(clone: Clone, commit: str, path: str) -> Iterator[TreeEntry]:
    """Files and directories. Directories that are entered wait on a stack: they may be deep."""
    waiting = [path]
    while waiting:
        for entry in clone.entries(commit, waiting.pop()):
            yield entry
            if entry.type is EntryType.DIRECTORY and not is_vendored(f"{entry.path}/"):
                waiting.append(entry.path)


def _reason_of_entry(entry: TreeEntry) -> str | None:
    if entry.type is EntryType.DIRECTORY:
        return "vendored"
    if entry.type is not EntryType.FILE:
        return entry.type.value
    name = entry.path.rpartition("/")[2]
    extension = f".{name.rpartition('.')[2].lower()}" if "." in name[1:] else ""
    return None if extension in EXTENSIONS or name in NAMES else "kind"


def _read(found: CollectedFiles, path: str, data: bytes) -> None:
    if len(data) > MAX_FILE_BYTES:
        found.excluded.append((path, "oversized"))
        return
    if reason := exclusion_of_content(path, data):
        found.excluded.append((path, reason.value))
        return
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        found.excluded.append((path, "not_utf8"))
        return
    if not text.strip():
        found.excluded.append((path, "empty"))
        return
    is_markdown = path.lower().endswith(MARKDOWN)
    form = DocumentFormat.MARKDOWN if is_markdown else DocumentFormat.TEXT
    found.files.append(RepositoryFile(path=path, text=text, format=form))
