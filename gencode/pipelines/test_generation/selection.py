"""Which files of a project a task needs, besides those whose functions are tested."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from gencode.pipelines.test_generation.frameworks import is_test_file, language_of

MAX_CHARACTERS = 700_000
"""Of all files: a request may have MAX_BODY_BYTES."""
MAX_FILE, MAX_FILES = 200_000, 150
EXAMPLES = 3
"""Tests of other files, which show the framework and the style."""
_MANIFESTS = ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini", "package.json", "go.mod", "conftest.py")


def needed(sources: Sequence[str], paths: Sequence[str]) -> list[str]:
    """The sources, then what is near to them among `paths`; at most MAX_FILES."""
    return list(dict.fromkeys([*sources, *_near(sources, paths)]))[:MAX_FILES]


def file_of(target: str) -> str:
    """The file that FILE:FUNCTION or FILE names; of a function alone, its name."""
    return target.rpartition(":")[0] or target


def _near(sources: Sequence[str], paths: Sequence[str]) -> Iterator[str]:
    """Manifests, tests of the sources, then the sources' neighbours."""
    stems = {PurePosixPath(path).stem for path in sources}
    folders = {str(PurePosixPath(path).parent) for path in sources}
    for path in paths:
        name = path.rpartition("/")[2]
        if name in _MANIFESTS or name.endswith("requirements.txt"):
            yield path
    tests = [path for path in paths if language_of(path) and is_test_file(path)]
    yield from (path for path in tests if any(stem in path for stem in stems))
    yield from tests[:EXAMPLES]
    yield from (path for path in paths if language_of(path) and str(PurePosixPath(path).parent) in folders)
