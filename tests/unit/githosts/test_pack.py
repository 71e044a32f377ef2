from __future__ import annotations

import subprocess
import zlib
from dataclasses import replace
from pathlib import Path

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.pack import PackChunkGenerator

from gencode.domain.blob import blob_id, deflated
from gencode.githosts.commit import objects
from gencode.githosts.pack import entries
from gencode.githosts.port import Snapshot
from tests.servers.githttp import git_environment
from tests.unit.githosts.samples import FILES, SNAPSHOT

STORED = zlib.compress(FILES["README.md"], 0)
"""Not deflated at all: it shows in a pack."""


def pack(snapshot: Snapshot) -> bytes:
    new = objects(snapshot)
    chunks = PackChunkGenerator(
        num_records=len(new.all), records=entries(new), object_format=DEFAULT_OBJECT_FORMAT
    )
    return b"".join(chunks)


def unpacked(folder: Path, packed: bytes, *arguments: str) -> bytes:
    """What plain Git makes of it."""
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


def test_what_was_deflated_ahead_goes_into_the_pack_as_it_is(tmp_path: Path) -> None:
    snapshot = replace(SNAPSHOT, ready={blob_id(FILES["README.md"]): STORED})
    packed = pack(snapshot)
    assert STORED in packed
    sha = objects(SNAPSHOT).sha.decode()
    assert unpacked(tmp_path, packed, "cat-file", "blob", f"{sha}:README.md") == FILES["README.md"]


def test_what_was_not_is_deflated_for_the_pack(tmp_path: Path) -> None:
    packed, sha = pack(SNAPSHOT), objects(SNAPSHOT).sha.decode()
    for path, data in FILES.items():
        folder = tmp_path / path.replace("/", "_")
        folder.mkdir()
        assert unpacked(folder, packed, "cat-file", "blob", f"{sha}:{path}") == data


def test_what_belongs_to_no_file_any_more_is_left_out() -> None:
    """A file that was repaired after it had been deflated."""
    assert pack(replace(SNAPSHOT, ready=dict([deflated("of before\n")]))) == pack(SNAPSHOT)


def test_snapshots_are_equal_whatever_is_ready() -> None:
    assert replace(SNAPSHOT, ready={"1": b"2"}) == SNAPSHOT
