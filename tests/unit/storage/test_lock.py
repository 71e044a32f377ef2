from __future__ import annotations

import os
from pathlib import Path
from stat import S_IMODE

import pytest

from gencode.domain.errors import DataDirLocked, StoreUnusable
from gencode.storage.lock import data_dir_lock


def test_the_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "data"
    with data_dir_lock(path):
        assert S_IMODE(path.stat().st_mode) == 0o700
        assert S_IMODE((path / "lock").stat().st_mode) == 0o600


def test_it_is_refused_while_it_is_held_and_free_afterwards(tmp_path: Path) -> None:
    with data_dir_lock(tmp_path):
        with (
            pytest.raises(DataDirLocked, match=f"{tmp_path}.*process {os.getpid()} on "),
            data_dir_lock(tmp_path),
        ):
            pass
        with pytest.raises(DataDirLocked), data_dir_lock(tmp_path):  # the refused one did not free it
            pass
    with data_dir_lock(tmp_path):
        pass


def test_it_is_freed_by_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), data_dir_lock(tmp_path):
        raise KeyError
    with data_dir_lock(tmp_path):
        pass


def test_a_file_in_place_of_the_folder_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.touch()
    with pytest.raises(StoreUnusable, match="DATA_DIR"), data_dir_lock(path):
        pass
