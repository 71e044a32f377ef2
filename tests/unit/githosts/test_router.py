from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gencode.githosts.commit import commit_sha
from gencode.githosts.directory_host import DirectoryHost
from gencode.githosts.errors import HostUnknown, RepoExists
from gencode.githosts.router import HostRouter
from tests.unit.githosts.samples import SNAPSHOT, SPEC


def disk(folder: Path, name: str) -> DirectoryHost:
    (folder / name).mkdir(exist_ok=True)
    return DirectoryHost(folder / name, label=name)


async def test_each_repository_is_created_on_the_host_it_names(tmp_path: Path) -> None:
    host = HostRouter({"one": disk(tmp_path, "one"), "two": disk(tmp_path, "two")}, "one")
    repo = await host.create(replace(SPEC, host="two"), SNAPSHOT)
    assert repo.host == "two"
    with pytest.raises(RepoExists):
        await host.check(replace(SPEC, host="two", marker="gencode:2"))
    await host.check(replace(SPEC, host="one", marker="gencode:2"))
    assert await host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["hello.git"]
    assert not list((tmp_path / "one").iterdir())


async def test_a_task_without_a_host_uses_the_default(tmp_path: Path) -> None:
    host = HostRouter({"one": disk(tmp_path, "one")}, "one")
    repo = await host.create(SPEC, SNAPSHOT)
    assert repo.host == "one"
    assert await host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)


async def test_a_host_that_is_no_longer_configured_is_not_replaced_by_another(tmp_path: Path) -> None:
    repo = await HostRouter({"one": disk(tmp_path, "one")}, "one").create(SPEC, SNAPSHOT)
    later = HostRouter({"two": disk(tmp_path, "two")}, "two")
    with pytest.raises(HostUnknown, match="'one', which is not configured any more"):
        await later.push(repo, SNAPSHOT)
    with pytest.raises(HostUnknown):
        await later.create(replace(SPEC, host="one"), SNAPSHOT)
    with pytest.raises(HostUnknown):
        await later.check(replace(SPEC, host="one"))
    assert not list((tmp_path / "two").iterdir())
