"""Measures false findings of the validator in published code: each would cost a repair or fail a task.

    python -m tests.campaigns.findings --files 300 --projects 60

Single files are checked for syntax, remains of an answer and placeholders, installed packages as whole
projects for imports and exports too. The code is assumed to be correct, so every finding counts as false; all
are printed for review.
"""

from __future__ import annotations

import argparse
import random
import sysconfig
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

from gencode.codegen.plan import Plan, PlannedFile
from gencode.codegen.project_checker import expectations_of
from gencode.codegen.validation.findings import Finding, Rule
from gencode.codegen.validation.validator import check
from tests.campaigns.corpus import sample, source_files

ALONE = (Rule.SYNTAX, Rule.RESIDUE, Rule.PLACEHOLDER)
"""Rules that need no other file."""
Project = tuple[str, Mapping[str, str]]
LARGEST = 300
"""At most so many files in a project."""
NOT_SOUND = ("invalid", "bad", "broken", "testdata", "lib2to3", "error")
"""Folders whose files are invalid on purpose."""


def one_by_one(count: int) -> Iterator[tuple[str, Counter[str], list[str]]]:
    """By language: the number of files and of findings by rule, and messages."""
    for language, paths in sorted(source_files().items()):
        sound = [path for path in paths if not any(mark in part for part in path.parts for mark in NOT_SOUND)]
        counts, messages = Counter[str](), []
        for path, text in sample(sound, count, 1, 200_000):
            findings = _check({path.name: text})
            mine = [finding for finding in findings if finding.rule in ALONE]
            counts.update(["files", *({"wrong"} if mine else ()), *(finding.rule for finding in mine)])
            messages += [f"{path}:{finding.line}: {finding.message[:150]}" for finding in mine[:1]]
        if counts["files"]:
            yield language, counts, messages


def projects(suffixes: tuple[str, ...], roots: list[Path], count: int) -> Iterator[Project]:
    """Folders of packages with their files."""
    folders = sorted({path for root in roots if root.is_dir() for path in root.iterdir() if path.is_dir()})
    random.Random(1).shuffle(folders)
    for folder in folders:
        if count and (files := _files(folder, suffixes)):
            count -= 1
            yield folder.name, files


def _files(folder: Path, suffixes: tuple[str, ...]) -> Mapping[str, str]:
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix in suffixes and path.is_file()]
    if not 2 <= len(paths) <= LARGEST or any(mark in part for part in folder.parts for mark in NOT_SOUND):
        return {}
    try:
        return {str(path.relative_to(folder.parent)): path.read_bytes().decode() for path in paths}
    except (OSError, UnicodeDecodeError):
        return {}


def _check(files: Mapping[str, str]) -> list[Finding]:
    plan = Plan(files=tuple(PlannedFile(path=path) for path in files))
    return [finding for finding in check(files, expectations_of(plan)) if finding.rule is not Rule.EMPTY]


def _installed() -> str:
    """A package has lost its manifest when it was installed: list everything that is installed."""
    names = {distribution.metadata["Name"] for distribution in distributions()}
    return "".join(f"{name}\n" for name in sorted(names))


def whole(kind: str, options: Iterator[Project]) -> tuple[Counter[str], list[str]]:
    counts, messages = Counter[str](), []
    for _, files in options:
        manifest = {"requirements.txt": _installed()} if kind == "Python" else {}
        findings = _check({**files, **manifest})
        counts["projects"] += 1
        counts["files"] += len(files)
        counts["wrong"] += len({finding.path for finding in findings})
        counts.update(finding.rule for finding in findings)
        messages += [f"{finding.path}:{finding.line}: {finding.message[:150]}" for finding in findings[:5]]
    return counts, messages


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=300)
    parser.add_argument("--projects", type=int, default=60)
    options = parser.parse_args()
    for language, counts, messages in one_by_one(options.files):
        print(f"{language}: {counts['wrong']} of {counts['files']} files", *messages, sep="\n    ")
    libraries = [Path(sysconfig.get_path("purelib")), Path(sysconfig.get_path("stdlib"))]
    npm = [Path("/usr/lib/node_modules/npm/node_modules"), Path("/usr/share/nodejs")]
    go = [Path("/usr/local/go/src"), *Path("/usr/share").glob("go-*/src")]
    for kind, suffixes, roots in (
        ("Python", (".py",), libraries),
        ("JavaScript", (".js", ".mjs", ".cjs", ".json"), npm),
        ("Go", (".go",), go),
    ):
        counts, messages = whole(kind, projects(suffixes, roots, options.projects))
        print(f"{kind} projects: {dict(counts)}", *messages, sep="\n    ")


if __name__ == "__main__":
    main()
