"""What the stages take and return, and what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from gencode.model_tasks.calls import ModelRun
from gencode.pipelines.test_generation.changes import ChangedFile
from gencode.pipelines.test_generation.frameworks import Framework, Language


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)


class TargetFunction(_Stored):
    """`first` and `last`: lines of its file, from 1."""

    name: str
    first: int
    last: int


class TargetGroup(_Stored):
    """Functions of one file whose tests are written into one file.

    module  how a test imports the source: "package.module" in Python, else its path
    before  the source before the patch; None if there was none, or no patch
    """

    source: str
    language: Language
    framework: Framework
    test_path: str
    module: str
    functions: tuple[TargetFunction, ...]
    before: str | None = None


class SkippedTarget(_Stored):
    """What was changed or named and is not tested."""

    path: str
    reason: str


class Targets(_Stored):
    groups: tuple[TargetGroup, ...] = ()
    skipped: tuple[SkippedTarget, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A registered repository; what changed between two of its branches, tags or commits."""

    repository_id: str
    base: str
    head: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """The test files become one commit on a new branch.

    branch         its name, which gets a number if there is another branch of it
    at             the time of the commit
    repository_id, commit   its repository and its parent; "" until they are read
    """

    branch: str
    at: datetime
    repository_id: str = ""
    commit: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Given:
    """The stored request.

    files         texts by path; of a repository, empty until they are read
    patch         None without one
    place         in place of files and patch
    code_diff_id  the same; of an uploaded patch, the files are given
    changes       of a repository or code diff, by path; None until they are read, and without one
    taken         paths that no test file may have, besides those of files
    requirements  texts by id
    delivery      None if the files are only offered
    """

    files: Mapping[str, str]
    patch: str | None = None
    place: Place | None = None
    code_diff_id: str | None = None
    changes: Mapping[str, ChangedFile] | None = None
    taken: Sequence[str] = ()
    functions: Sequence[str] = ()
    framework: Framework | None = None
    requirements: Mapping[str, str] = field(default_factory=dict)
    delivery: Delivery | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Collected:
    """What the model needs. `targets`: None before the first stage."""

    run: ModelRun
    given: Given
    targets: Targets | None = None


class WrittenFile(_Stored):
    """faults  what the validator still finds; the file is not delivered then"""

    group: TargetGroup
    text: str
    faults: tuple[str, ...] = ()


class WrittenFiles(_Stored):
    files: tuple[WrittenFile, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    collected: Collected
    files: Sequence[WrittenFile]
