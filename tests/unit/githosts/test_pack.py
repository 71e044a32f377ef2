from __future__ import annotations

import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.pack import PackChunkGenerator

from gencode.domain.git_blob import blob_id, deflated
from gencode.githosts.commit import commit_objects, pack_entries
from gencode.githosts.port import Snapshot
from tests.servers.githttp import git_environment
from tests.unit.githosts.samples import FILES, SNAPSHOT

STORED = zlib.compress(FILES["README.md"], 0)
"""Stored without compression, so that it is recognised in a pack."""


def pack(snapshot: Snapshot) -> bytes:
    new = commit_objects(snapshot)
    chunks = PackChunkGenerator(
        num_records=len(new.all), records=pack_entries(new), object_format=DEFAULT_OBJECT_FORMAT
    )
    return b"".join(chunks)


def unpacked(folder: Path, packed: bytes, *arguments: str) -> bytes:
    """The output of a git command in a repository that has just this pack."""
    environment = git_environment(folder)
    subprocess.run(["git", "init", "-q", "--bare", folder / "r"], env=environment, check=True)
    git = ["git", "-C", str(folder / "r")]
    subprocess.run(
        [*git, "index-pack", "--strict", "--stdin"],
        input=packed,
        env=environment,
        check=True,
        capture_output=True,
    )
    return subprocess.run([*git, *arguments], env=environment, check=True, capture_output=True).stdout


def test_a_blob_that_is_already_deflated_is_packed_unchanged(tmp_path: Path) -> None:
    snapshot = replace(SNAPSHOT, deflated_blobs={blob_id(FILES["README.md"]): STORED})
    packed = pack(snapshot)
    assert STORED in packed
    sha = commit_objects(SNAPSHOT).sha.decode()
    assert unpacked(tmp_path, packed, "cat-file", "blob", f"{sha}:README.md") == FILES["README.md"]


def test_other_blobs_are_deflated_for_the_pack(tmp_path: Path) -> None:
    packed, sha = pack(SNAPSHOT), commit_objects(SNAPSHOT).sha.decode()
    for path, data in FILES.items():
        folder = tmp_path / path.replace("/", "_")
        folder.mkdir()
        assert unpacked(folder, packed, "cat-file", "blob", f"{sha}:{path}") == data


def test_a_deflated_blob_that_no_file_has_is_left_out() -> None:
    """The file was repaired after it had been deflated."""
    assert pack(replace(SNAPSHOT, deflated_blobs=dict([deflated("of before\n")]))) == pack(SNAPSHOT)


def test_deflated_blobs_do_not_affect_the_equality_of_snapshots() -> None:
    assert replace(SNAPSHOT, deflated_blobs={"1": b"2"}) == SNAPSHOT
