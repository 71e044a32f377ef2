"""The lock of DATA_DIR."""

from __future__ import annotations

import os
from pathlib import Path
from stat import S_IMODE

import pytest

from gencode.domain.errors import DataDirLocked, StoreUnusable
from gencode.storage.data_dir_lock import data_dir_lock


def test_a_new_folder_is_accessible_to_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data"
    with data_dir_lock(path):
        assert S_IMODE(path.stat().st_mode) == 0o700
        assert S_IMODE((path / "lock").stat().st_mode) == 0o600


def test_a_second_lock_fails_until_the_first_is_released(tmp_path: Path) -> None:
    with data_dir_lock(tmp_path):
        with (
            pytest.raises(DataDirLocked, match=f"{tmp_path}.*process {os.getpid()} on "),
            data_dir_lock(tmp_path),
        ):
            pass
        with pytest.raises(DataDirLocked), data_dir_lock(tmp_path):  # the failed attempt did not release it
            pass
    with data_dir_lock(tmp_path):
        pass


def test_an_error_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(KeyError), data_dir_lock(tmp_path):
        raise KeyError
    with data_dir_lock(tmp_path):
        pass


def test_a_file_in_place_of_the_folder_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.touch()
    with pytest.raises(StoreUnusable, match="DATA_DIR"), data_dir_lock(path):
        pass


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
def test_root_leaves_the_lock_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    """`gencode prune` as root before the first start of the service."""
    os.chown(tmp_path, 12345, 12345)
    with data_dir_lock(tmp_path):
        assert (tmp_path / "lock").stat().st_uid == 12345
