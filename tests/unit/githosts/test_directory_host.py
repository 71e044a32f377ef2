"""A directory of bare repositories. The contract of all hosts is tested in tests/contract/test_host.py."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from gencode.domain.errors import StartError
from gencode.embedded.server import address, listen
from gencode.githosts.commit import commit_sha
from gencode.githosts.directory_host import DirectoryHost
from gencode.githosts.errors import GitNotFound, HostInvalid, HostUnavailable, RepoExists
from tests.servers.githost import served
from tests.servers.githttp import git_environment
from tests.unit.githosts.samples import FILES, SNAPSHOT, SPEC


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "git"
    folder.mkdir()
    return folder


@pytest.fixture
def host(root: Path) -> DirectoryHost:
    return DirectoryHost(root, label="disk")


async def git(folder: Path, *arguments: str) -> str:
    done = await anyio.run_process(
        ["git", *arguments], cwd=folder, env=git_environment(folder), stderr=subprocess.STDOUT
    )
    return done.stdout.decode()


async def test_git_fsck_finds_no_fault_in_a_repository(host: DirectoryHost, root: Path) -> None:
    repo = await host.create(SPEC, SNAPSHOT)
    assert await host.push(repo, SNAPSHOT) == commit_sha(SNAPSHOT)
    path = root / "hello.git"
    assert not await git(path, "fsck", "--strict")
    assert (await git(path, "symbolic-ref", "HEAD")).strip() == "refs/heads/main"
    assert (path / "description").read_text() == "Say hello [gencode:1]\n"
    assert not list((path / "hooks").iterdir())


async def test_the_user_s_gitconfig_and_templates_are_ignored(
    host: DirectoryHost, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text(
        "[init]\n\tdefaultBranch = trunk\n\ttemplateDir = /nowhere\n[core]\n\thooksPath = /nowhere\n"
    )
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    await host.push(await host.create(SPEC, SNAPSHOT), SNAPSHOT)
    assert (root / "hello.git" / "HEAD").read_text() == "ref: refs/heads/main\n"
    assert [path.name for path in root.iterdir()] == ["hello.git"]


@pytest.mark.parametrize(("private", "mode"), [(True, 0o750), (False, 0o755)])
async def test_other_users_cannot_read_private_repositories(
    host: DirectoryHost, root: Path, private: bool, mode: int
) -> None:
    await host.push(await host.create(replace(SPEC, private=private), SNAPSHOT), SNAPSHOT)
    assert (root / "hello.git").stat().st_mode & 0o777 == mode
    packs = list((root / "hello.git" / "objects" / "pack").iterdir())
    assert packs
    assert all(path.stat().st_mode & 0o444 == 0o444 for path in packs)


async def test_an_organisation_is_a_folder(host: DirectoryHost, root: Path) -> None:
    repo = await host.create(replace(SPEC, org="acme"), SNAPSHOT)
    await host.push(repo, SNAPSHOT)
    assert (repo.owner, repo.clone_url) == ("acme", f"{root.as_uri()}/acme/hello.git")
    assert (root / "acme" / "hello.git" / "HEAD").exists()


async def test_a_static_web_server_is_enough_to_clone(root: Path, tmp_path: Path) -> None:
    """Git's "dumb" protocol reads files that each push updates."""
    sock = listen()
    url = f"{address(sock)}/repos"
    host = DirectoryHost(root, label="disk", url=url, owner="acme")
    async with served(Starlette(routes=[Mount("/repos", StaticFiles(directory=root))]), sock):
        repo = await host.create(SPEC, SNAPSHOT)
        await host.push(repo, SNAPSHOT)
        assert repo.clone_url == f"{url}/acme/hello.git"
        await git(tmp_path, "clone", "-q", repo.clone_url, "clone")
    assert (tmp_path / "clone" / "README.md").read_bytes() == FILES["README.md"]


# --- never outside the folder, never another's repository -------------------------------------------


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../x", "-x", "x.git", "x.lock", "x\n", "", "a\0b", "é"])
async def test_unsafe_names_are_refused(host: DirectoryHost, root: Path, name: str) -> None:
    with pytest.raises(HostInvalid):
        await host.create(replace(SPEC, name=name), SNAPSHOT)
    if name:
        with pytest.raises(HostInvalid):
            await host.create(replace(SPEC, org=name), SNAPSHOT)
    assert not list(root.iterdir())


async def test_links_are_not_followed(host: DirectoryHost, root: Path, tmp_path: Path) -> None:
    away = tmp_path / "away"
    away.mkdir()
    (root / "acme").symlink_to(away)
    (root / "hello.git").symlink_to(away)
    with pytest.raises(HostInvalid, match="is a link"):
        await host.create(replace(SPEC, org="acme"), SNAPSHOT)
    with pytest.raises(RepoExists):
        await host.create(SPEC, SNAPSHOT)
    repo = await host.create(replace(SPEC, name="other"), SNAPSHOT)
    (root / "other.git").rename(away / "other.git")
    (root / "other.git").symlink_to(away / "other.git")
    with pytest.raises(GitNotFound):
        await host.push(repo, SNAPSHOT)
    assert not (away / "other.git" / "refs" / "heads" / "main").exists()


@pytest.mark.parametrize("what", ["file", "empty folder", "full folder", "unmarked repository"])
async def test_an_existing_file_or_folder_is_left_unchanged(
    host: DirectoryHost, root: Path, what: str
) -> None:
    path = root / "hello.git"
    if what == "file":
        path.write_text("mine")
    else:
        path.mkdir()
    if what == "full folder":
        (path / "description").write_text("x [gencode:2]")
    if what == "unmarked repository":
        await git(path, "init", "-q", "--bare", ".")
    before = sorted(path.rglob("*"))
    with pytest.raises(RepoExists, match="choose another repo_name"):
        await host.create(SPEC, SNAPSHOT)
    assert sorted(path.rglob("*")) == before
    assert [entry.name for entry in root.iterdir()] == ["hello.git"]


async def test_a_repository_without_the_marker_is_not_pushed_to(host: DirectoryHost, root: Path) -> None:
    repo = await host.create(SPEC, SNAPSHOT)
    (root / "hello.git" / "description").write_text("mine now")
    with pytest.raises(GitNotFound):
        await host.push(repo, SNAPSHOT)


async def test_a_repository_of_the_same_name_elsewhere_is_not_pushed_to(
    host: DirectoryHost, root: Path, tmp_path: Path
) -> None:
    """The settings changed while the task waited."""
    repo = await host.create(SPEC, SNAPSHOT)
    other = tmp_path / "other"
    other.mkdir()
    moved = DirectoryHost(other, label="disk")
    await moved.create(SPEC, SNAPSHOT)
    with pytest.raises(GitNotFound):
        await moved.push(repo, SNAPSHOT)


# --- crashes and full disks -------------------------------------------------------------------------


async def test_the_draft_that_a_crash_left_is_replaced(
    host: DirectoryHost, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", crash)
        patch.setattr("gencode.githosts.bare_repository.shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            host._create(SPEC, SNAPSHOT)
    assert [path.name[:5] for path in root.iterdir()] == [".new-"]
    await host.push(await host.create(SPEC, SNAPSHOT), SNAPSHOT)
    assert [path.name for path in root.iterdir()] == ["hello.git"]


@pytest.fixture
def full(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_path: Path, _flags: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("gencode.githosts.bare_repository._fsync", no_space)


@pytest.mark.usefixtures("full")
async def test_a_failed_creation_on_a_full_disk_leaves_no_files(host: DirectoryHost, root: Path) -> None:
    with pytest.raises(HostUnavailable, match="No space left") as caught:
        await host.create(SPEC, SNAPSHOT)
    assert caught.value.retryable
    assert not list(root.iterdir())


def test_a_root_that_is_no_folder_is_refused_at_start(tmp_path: Path) -> None:
    with pytest.raises(StartError, match='the path of "disk" is no folder'):
        DirectoryHost(tmp_path / "none", label="disk")
