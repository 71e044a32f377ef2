from __future__ import annotations

from pathlib import Path

import pytest

from gencode.diffs import parse_patch
from gencode.domain.errors import StartError
from gencode.pipelines.code_review.commands.working_copy import changes
from tests.servers.git_repository import GitRepository


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> GitRepository:
    """One commit on main, and the branch `change` with another one; HEAD is there."""
    made = GitRepository(tmp_path)
    made.commit({"a.py": b"x = 1\n", "b.py": b"y = 1\n"})
    made.git("branch", "base")
    made.git("checkout", "-q", "-b", "change")
    made.commit({"a.py": b"x = 2\n", "b.py": b"y = 1\n"})
    monkeypatch.chdir(tmp_path)
    return made


def paths(patch: bytes) -> list[str]:
    return [file.path for file in parse_patch(patch).commits[0].diff.files]


def test_it_is_what_is_not_committed_or_what_the_branch_has_changed(
    repository: GitRepository, tmp_path: Path
) -> None:
    assert changes(None, None) == b""
    (tmp_path / "b.py").write_bytes(b"y = '\xe9'\n")
    assert paths(changes(None, None)) == ["b.py"]
    assert b"\xe9" in changes(None, None)
    assert paths(changes("base", None)) == ["a.py", "b.py"]
    assert paths(changes("base", "change")) == ["a.py"]


def test_what_the_base_has_meanwhile_is_no_change_of_the_branch(repository: GitRepository) -> None:
    repository.git("checkout", "-q", "base")
    repository.commit({"a.py": b"x = 1\n", "b.py": b"y = 1\n", "c.py": b"z = 1\n"})
    repository.git("checkout", "-q", "change")
    assert paths(changes("base", "change")) == paths(changes("base", None)) == ["a.py"]


def test_the_configuration_of_the_user_changes_nothing_and_runs_nothing(
    repository: GitRepository, tmp_path: Path
) -> None:
    settings = {
        "diff.noprefix": "true",
        "diff.mnemonicPrefix": "true",
        "diff.external": "touch ran; false",
        "color.diff": "always",
        "core.quotepath": "on",
        "diff.x.textconv": "touch ran; false",
    }
    for name, value in settings.items():
        repository.git("config", name, value)
    (tmp_path / ".git/info/attributes").write_text("*.py diff=x\n")
    (tmp_path / "关于.py").write_bytes(b"x = 1\n")
    repository.git("add", ".")
    assert paths(changes("base", None)) == ["a.py", "关于.py"]
    assert b"+++ b/a.py" in changes("base", None)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("base", "head", "message"),
    [
        ("nowhere", None, "nowhere"),
        ("--output=x", None, "no name"),
        ("", None, "no name"),
        (None, "change", "--base"),
        ("base", "-p", "no name"),
    ],
)
def test_a_wrong_ref_is_told(
    repository: GitRepository, base: str | None, head: str | None, message: str
) -> None:
    with pytest.raises(StartError) as caught:
        changes(base, head)
    assert message in caught.value.message
