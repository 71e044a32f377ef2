from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from dulwich.repo import Repo

from gencode.embedded.forge.repositories import NameTaken, Repositories, Repository, opened


def create(repositories: Repositories, name: str = "demo", owner: str = "local") -> Repository:
    return repositories.create(owner=owner, name=name, description="what it is", private=True)


def test_what_was_created_is_found_by_another_process_later(tmp_path: Path) -> None:
    made = create(Repositories(tmp_path), "Demo")
    assert Repositories(tmp_path).find("LOCAL", "demo.git") == made
    assert (made.about.owner, made.about.name, made.about.private) == ("local", "Demo", True)


def test_head_points_at_main(tmp_path: Path) -> None:
    made = create(Repositories(tmp_path))
    assert (made.path / "HEAD").read_bytes() == b"ref: refs/heads/main\n"


def test_names_that_differ_in_case_collide(tmp_path: Path) -> None:
    repositories = Repositories(tmp_path)
    create(repositories, "Demo")
    with pytest.raises(NameTaken):
        create(repositories, "dEMO", "Local")


def test_of_many_rivals_one_succeeds_and_the_others_leave_nothing(tmp_path: Path) -> None:
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


def test_a_failure_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
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


def test_what_a_killed_process_left_half_made_is_removed(tmp_path: Path) -> None:
    half = Repositories(tmp_path).scratch / "abc.git"
    Repo.init_bare(half, mkdir=True).close()
    repositories = Repositories(tmp_path)
    assert not half.exists()
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
    assert [found.about.name for found in repositories.newest(10)] == ["demo"]


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"{}", b'{"name": 1, "more": 2}', b"\xff"])
def test_a_folder_without_our_record_is_not_a_repository(tmp_path: Path, record: bytes) -> None:
    repositories = Repositories(tmp_path)
    (create(repositories).path / "gencode.json").write_bytes(record)
    assert repositories.find("local", "demo") is None


def test_the_settings_of_the_machine_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".gitconfig").write_text("[receive]\n\tmaxInputSize = 1\n[init]\n\tdefaultBranch = evil\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / ".gitconfig"))
    made = create(Repositories(tmp_path / "forge"))
    assert b"main" in (made.path / "HEAD").read_bytes()
    with opened(made) as repo, pytest.raises(KeyError):
        repo.get_config_stack().get((b"receive",), b"maxInputSize")


def test_hooks_found_in_a_repository_do_not_run(tmp_path: Path) -> None:
    made = create(Repositories(tmp_path))
    with opened(made) as repo:
        assert not repo.hooks
