"""The request of a task, and its checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gencode.diffs import DiffError, parse_patch
from gencode.domain.errors import Invalid, TreeError
from gencode.domain.phrase import Phrase
from gencode.domain.tree import check_paths
from gencode.http.base_models import RequestModel
from gencode.model_tasks.request import ModelTaskRequest
from gencode.pipelines.test_generation.frameworks import Framework
from gencode.workspace.repositories.resource import RefName
from gencode.workspace.resources.models import RowId

Ref = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=r"^[^\x00-\x20\x7f]+$")]
MAX_FILES, MAX_FUNCTIONS, MAX_REQUIREMENTS = 200, 100, 50
REQUIREMENT_ID = r"^[A-Za-z][A-Za-z0-9_.-]{0,39}$"
PATTERN_MESSAGES = {REQUIREMENT_ID: "must be letters, digits, _, . and -, as REQ-12"}


class SourceFile(RequestModel):
    """A file of the project, as it is after the patch."""

    path: Annotated[str, Field(min_length=1, max_length=1000)]
    text: Annotated[str, Field(max_length=300_000)]


class RequirementText(RequestModel):
    """A requirement that tests are to name."""

    id: Annotated[str, StringConstraints(pattern=REQUIREMENT_ID)]
    text: Annotated[str, Field(max_length=2000)] = ""


class TestGenerationRequest(ModelTaskRequest):
    """repository_id  a registered repository, in place of files and patch: the functions that differ between
                   `base` and `head` are tested
    code_diff_id  a code diff, in place of a patch: the functions that it changes are tested. Its files are
                  read from its repository; of an uploaded patch, `files` has them
    files         the changed files, what they import, existing tests, and the files that say which
                     framework is used (pyproject.toml, package.json)
    patch         a unified diff: the functions that it changes are tested
    functions     `area`, `Shape.area`, `shapes.py:Shape.area`, or `shapes.py` for all of it; tested, too
    framework     null: found by the files
    requirements  tests of these name them
    deliver       `branch`: besides, the test files become one commit on a new branch of the repository, on
                  the commit that they were written for
    branch        null: `gencode-tests-` and the end of the task's id. If there is another branch of
                  this name, it gets a number
    """

    __test__ = False

    files: list[SourceFile] = Field(default_factory=list, max_length=MAX_FILES)
    repository_id: RowId | None = None
    base: Ref | None = None
    head: Ref | None = None
    code_diff_id: RowId | None = None
    patch: Annotated[str, Field(max_length=1_000_000)] | None = None
    functions: list[Annotated[str, Field(min_length=1, max_length=500)]] = Field(
        default_factory=list, max_length=MAX_FUNCTIONS
    )
    framework: Framework | None = None
    requirements: list[RequirementText] = Field(default_factory=list, max_length=MAX_REQUIREMENTS)
    deliver: Literal["files", "branch"] = "files"
    branch: RefName | None = None


def check_request(request: TestGenerationRequest) -> None:
    """It parses the patch: call it in a thread. Raises Invalid."""
    _check_source(request)
    if request.branch is not None and request.deliver != "branch":
        raise Invalid.of("branch", "together", "a branch is for `deliver: branch`")
    _check_unique("files", (file.path for file in request.files))
    try:
        check_paths((file.path for file in request.files), workflows=True)
    except TreeError as error:
        raise Invalid.of("files", "unsafe_path", error.message) from None
    _check_unique("requirements", (requirement.id for requirement in request.requirements))
    if request.patch is not None:
        _check_patch(request.patch)


def _check_source(request: TestGenerationRequest) -> None:
    refs = (request.repository_id, request.base, request.head)
    if None in refs and any(refs):
        raise Invalid.of("repository_id", "together", "repository_id, base and head need each other")
    if request.code_diff_id is not None:
        if request.repository_id is not None or request.patch is not None:
            raise Invalid.of("code_diff_id", "one_source", "send a code diff, a repository, or a patch")
        return
    if request.repository_id is not None:
        if request.files or request.patch is not None:
            raise Invalid.of("files", "one_source", "a repository has its own files: send no files or patch")
        return
    if not request.files:
        raise Invalid.of("files", "missing", "send the files, or name a repository or a code diff")
    if request.patch is None and not request.functions:
        raise Invalid.of("functions", "missing", "name functions, or send a patch")


def _check_patch(patch: str) -> None:
    try:
        parse_patch(patch.encode("utf-8", "surrogatepass"))
    except DiffError as error:
        raise Invalid.of("patch", "patch", error.message) from None


def _check_unique(field: str, names: Iterable[str]) -> None:
    counts = Counter(names)
    if twice := next((name for name, count in counts.items() if count > 1), None):
        raise Invalid.of(field, "duplicate", Phrase("{twice} is given twice", twice=twice))
