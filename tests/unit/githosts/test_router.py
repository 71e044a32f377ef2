from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gencode.githosts.commit import sha
from gencode.githosts.directory import DirectoryHost
from gencode.githosts.errors import HostUnknown
from gencode.githosts.router import HostRouter
from tests.unit.githosts.samples import SNAPSHOT, SPEC


def disk(folder: Path, name: str) -> DirectoryHost:
    (folder / name).mkdir(exist_ok=True)
    return DirectoryHost(folder / name, label=name)


async def test_each_repository_goes_where_it_was_meant_to(tmp_path: Path) -> None:
    host = HostRouter({"one": disk(tmp_path, "one"), "two": disk(tmp_path, "two")}, "one")
    repo = await host.create(replace(SPEC, host="two"), SNAPSHOT)
    assert repo.host == "two"
    assert await host.push(repo, SNAPSHOT) == sha(SNAPSHOT)
    assert [path.name for path in (tmp_path / "two").iterdir()] == ["hello.git"]
    assert not list((tmp_path / "one").iterdir())


async def test_what_names_no_host_is_older_than_names_and_goes_to_the_default(tmp_path: Path) -> None:
    host = HostRouter({"one": disk(tmp_path, "one")}, "one")
    repo = await host.create(SPEC, SNAPSHOT)
    assert repo.host == "one"
    assert await host.push(repo, SNAPSHOT) == sha(SNAPSHOT)


async def test_a_host_that_is_configured_no_more_is_not_replaced_by_another(tmp_path: Path) -> None:
    repo = await HostRouter({"one": disk(tmp_path, "one")}, "one").create(SPEC, SNAPSHOT)
    later = HostRouter({"two": disk(tmp_path, "two")}, "two")
    with pytest.raises(HostUnknown, match="'one', which is not configured any more"):
        await later.push(repo, SNAPSHOT)
    with pytest.raises(HostUnknown):
        await later.create(replace(SPEC, host="one"), SNAPSHOT)
    assert not list((tmp_path / "two").iterdir())
