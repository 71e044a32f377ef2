"""Recreates the pushed repository of a task from its bundle: the same commit, without a model or a
service."""

from __future__ import annotations

from pathlib import Path

from dulwich.objects import ObjectID
from dulwich.refs import HEADREF, Ref
from dulwich.repo import Repo
from pydantic import ValidationError

from gencode.githosts.commit import CommitObjects, commit_objects
from gencode.githosts.port import Snapshot
from gencode.pipelines.generate.errors import BadBundle
from gencode.pipelines.generate.replay_bundle import Bundle

MAX_BUNDLE_BYTES = 256 * 2**20
"""Four times the largest tree, for the escapes of JSON and the report."""


def replay(file: Path, into: Path, *, workflows: bool = False) -> str:
    """Write a bare repository into a new or empty directory; returns the commit's SHA.

    Nothing is written before every path is validated and the commit has the bundle's SHA. Raises BadBundle,
    UnsafePath, UnsafeTree.
    """
    bundle = _read(file)
    snapshot = _snapshot(bundle, workflows)
    made = commit_objects(snapshot)
    sha = made.sha.decode("ascii")
    if sha != bundle.sha:
        raise BadBundle(
            f"the bundle's files make the commit {sha}, not {bundle.sha}: it was changed, or damaged"
        )
    _write(into, made, snapshot.branch)
    return sha


def _read(file: Path) -> Bundle:
    try:
        if file.stat().st_size > MAX_BUNDLE_BYTES:
            raise BadBundle(f"{file} is larger than {MAX_BUNDLE_BYTES} bytes: no bundle is")
        return Bundle.model_validate_json(file.read_bytes())
    except OSError as error:
        raise BadBundle(f"{file} cannot be read: {error.strerror}") from None
    except ValidationError as error:
        raise BadBundle(f"{file} is not a bundle of a version known here: {_first_problem(error)}") from None


def _snapshot(bundle: Bundle, workflows: bool) -> Snapshot:
    try:
        return bundle.commit.snapshot(workflows=workflows)
    except ValidationError as error:
        raise BadBundle(f"the bundle's commit cannot be read: {_first_problem(error)}") from None


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"[:300]


def _write(into: Path, made: CommitObjects, branch: str) -> None:
    try:
        into.mkdir(parents=True, exist_ok=True)
        if any(into.iterdir()):
            raise BadBundle(f"{into} is not empty: name a folder that is new")
        with Repo.init_bare(str(into)) as repo:
            repo.object_store.add_objects([(part, None) for part in made.all])
            head = Ref(b"refs/heads/" + branch.encode())
            repo.refs.set_symbolic_ref(HEADREF, head)
            repo.refs[head] = ObjectID(made.sha)
    except OSError as error:
        raise BadBundle(f"{into} cannot be written to: {error.strerror}") from None
