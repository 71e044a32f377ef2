"""Which test framework a project uses, and where a test file belongs in it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Literal

Framework = Literal["pytest", "unittest", "jest", "vitest", "go test"]
Language = Literal["python", "javascript", "go"]
LANGUAGES: Mapping[str, Language] = {
    ".py": "python",
    **dict.fromkeys((".js", ".jsx", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts"), "javascript"),
    ".go": "go",
}
OF_LANGUAGE: Mapping[str, tuple[Framework, ...]] = {
    "python": ("pytest", "unittest"),
    "javascript": ("jest", "vitest"),
    "go": ("go test",),
}
MARK = "Tests written by gencode"
"""In the first line of every file that is delivered: a file with it may be written anew."""
MAX_NAMES = 1000
_TEST_FILE = re.compile(
    r"(?:^|/)(?:tests?|__tests__|testing)/|(?:^|/)(?:test_[^/]*|[^/]*_test|conftest)\.py$"
    r"|\.(?:test|spec)\.[cm]?[jt]sx?$|_test\.go$"
)
_MANIFESTS = re.compile(r"(?:^|/)(?:pyproject\.toml|setup\.(?:cfg|py)|tox\.ini|[^/]*requirements[^/]*\.txt)$")


def language_of(path: str) -> Language | None:
    return LANGUAGES.get(PurePosixPath(path).suffix)


def is_test_file(path: str) -> bool:
    return _TEST_FILE.search(path) is not None


def framework_of(files: Mapping[str, str], language: Language) -> Framework:
    """The framework that the files show; without a sign the most common one of the language."""
    if language == "go":
        return "go test"
    if language == "javascript":
        manifests = [text for path, text in files.items() if path.rpartition("/")[2] == "package.json"]
        return "vitest" if any('"vitest"' in text for text in manifests) else "jest"
    tests = [text for path, text in files.items() if path.endswith(".py") and is_test_file(path)]
    manifests = [text for path, text in files.items() if _MANIFESTS.search(path)]
    uses_pytest = any("pytest" in text for text in (*tests, *manifests)) or any(
        path.rpartition("/")[2] in ("pytest.ini", "conftest.py") for path in files
    )
    return "unittest" if any("unittest" in text for text in tests) and not uses_pytest else "pytest"


def test_path(source: str, files: Mapping[str, str], taken: Collection[str], language: Language) -> str:
    """Where tests of this file belong: never a file that is there, unless its tests were generated.

    taken  paths of this task's other test files
    """
    folder, stem, suffix = _place(source, files, language)
    for number in range(MAX_NAMES):
        middle = ("", "_generated")[number] if number < 2 else f"_generated_{number}"
        name = {
            "python": f"test_{stem}{middle}.py",
            "javascript": f"{stem}{middle}.test{suffix}",
            "go": f"{stem}{middle}_test.go",
        }[language]
        path = f"{folder}/{name}" if folder else name
        if path not in taken and (path not in files or is_generated(files[path])):
            return path
    raise LookupError(f"{source} has {MAX_NAMES} test files")


test_path.__test__ = False  # type: ignore[attr-defined]  # pytest would run it


def is_generated(text: str) -> bool:
    return MARK in text[:300].partition("\n")[0]


def marked(text: str, path: str) -> str:
    """The text with the mark in its first line."""
    if is_generated(text):
        return text
    sign = "#" if path.endswith(".py") else "//"
    return f"{sign} {MARK}; it replaces this file while this line stands here.\n{text}"


def module_name(source: str, language: Language) -> str:
    """How a test imports the file: "package.module" of Python, without a source folder; else its path."""
    if language != "python":
        return source
    parts = PurePosixPath(source).with_suffix("").parts
    parts = parts[1:] if len(parts) > 1 and parts[0] in ("src", "lib") else parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def _place(source: str, files: Mapping[str, str], language: Language) -> tuple[str, str, str]:
    """Folder, stem and suffix."""
    path = PurePosixPath(source)
    folder = "" if str(path.parent) == "." else str(path.parent)
    if language == "python":
        stem = path.parent.name if path.stem == "__init__" and path.parent.name else path.stem
        stem = re.sub(r"[^\w.-]", "_", stem)  # "[" is pytest's sign for parameters
        known = [name for name in ("tests", "test") if any(path.startswith(f"{name}/") for path in files)]
        free = [name for name in (*known, "tests", "test", "generated_tests") if name not in files]
        return free[0], stem, ".py"
    if language == "javascript":
        apart = f"{folder}/__tests__" if folder else "__tests__"
        return (apart if any(n.startswith(f"{apart}/") for n in files) else folder), path.stem, path.suffix
    return folder, path.stem, ".go"
