"""Repositories on disk: atomic creation, lookup, isolation from the machine's Git configuration."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dulwich.repo import Repo

from gencode.embedded.forge.repositories import NameTaken, Repositories, Repository, open_repository


def create(repositories: Repositories, name: str = "demo", owner: str = "local") -> Repository:
    return repositories.create(owner=owner, name=name, description="what it is", private=True)


def test_a_created_repository_is_found_by_a_later_process(tmp_path: Path) -> None:
    created = create(Repositories(tmp_path), "Demo")
    assert Repositories(tmp_path).find("LOCAL", "demo.git") == created
    assert (created.info.owner, created.info.name, created.info.private) == ("local", "Demo", True)


def test_head_points_at_main(tmp_path: Path) -> None:
    created = create(Repositories(tmp_path))
    assert (created.path / "HEAD").read_bytes() == b"ref: refs/heads/main\n"


def test_names_that_differ_in_case_collide(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path)
    create(repositories, "Demo")
    with pytest.raises(NameTaken):
        create(repositories, "dEMO", "Local")


def test_of_concurrent_creations_one_succeeds_and_no_file_remains(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path)

    def attempt(_: int) -> bool:
        try:
            create(repositories)
        except NameTaken:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(attempt, range(24))) == 1
    assert list(repositories.scratch.iterdir()) == []


def test_a_failed_creation_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repositories = Repositories(tmp_path)

    def full(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OSError, match="No space"):
        create(repositories)
    monkeypatch.undo()
    assert list(repositories.scratch.iterdir()) == []
    assert repositories.find("local", "demo") is None
    create(repositories)


def test_unfinished_files_of_a_killed_process_are_deleted(tmp_path: Path) -> None:
    unfinished = Repositories(tmp_path).scratch / "abc.git"
    Repo.init_bare(unfinished, mkdir=True).close()
    repositories = Repositories(tmp_path)
    assert not unfinished.exists()
    assert repositories.newest(10) == []


@pytest.mark.parametrize(
    ("owner", "name"),
    [("..", "demo"), ("local", ".."), ("local", "../demo"), (".scratch", "x"), ("local", "demo\0"), ("", "")],
)
def test_hostile_addresses_find_nothing(tmp_path: Path, owner: str, name: str) -> None:
    repositories = Repositories(tmp_path)
    create(repositories)
    assert repositories.find(owner, name) is None


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    outside = create(Repositories(tmp_path / "elsewhere"), owner="other")
    repositories = Repositories(tmp_path / "forge")
    create(repositories)
    (tmp_path / "forge" / "local" / "link.git").symlink_to(outside.path)
    (tmp_path / "forge" / "linked").symlink_to(outside.path.parent)
    assert repositories.find("local", "link") is None
    assert repositories.find("linked", "demo") is None
    assert [found.info.name for found in repositories.newest(10)] == ["demo"]


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b'{"name": 1, "more": 2}', b"\xff"])
def test_a_folder_without_our_record_is_not_a_repository(tmp_path: Path, record: bytes) -> None:
    repositories = Repositories(tmp_path)
    (create(repositories).path / "gencode.json").write_bytes(record)
    assert repositories.find("local", "demo") is None


def test_git_configuration_of_the_machine_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[receive]\n\tmaxInputSize = 1\n[init]\n\tdefaultBranch = evil\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    created = create(Repositories(tmp_path / "forge"))
    assert b"main" in (created.path / "HEAD").read_bytes()
    with open_repository(created) as repo, pytest.raises(KeyError):
        repo.get_config_stack().get((b"receive",), b"maxInputSize")


def test_hooks_in_a_repository_do_not_run(tmp_path: Path) -> None:
    created = create(Repositories(tmp_path))
    with open_repository(created) as repo:
        assert not repo.hooks
