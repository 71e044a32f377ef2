from __future__ import annotations

import subprocess
import zlib

import pytest

from gencode.domain.git_blob import blob_id, deflated


@pytest.mark.parametrize("data", [b"", b"print('hello')\n", "é你\r\n".encode() * 1000])
def test_the_id_is_git_s(data: bytes) -> None:
    git = subprocess.run(["git", "hash-object", "--stdin"], input=data, capture_output=True, check=True)
    assert blob_id(data) == git.stdout.decode().strip()


def test_the_stream_has_the_file_as_it_is_committed() -> None:
    """A lone surrogate, which a model can send, becomes "?" in both."""
    name, stream = deflated("é\ud800\n")
    assert zlib.decompress(stream) == "é?\n".encode()
    assert name == blob_id("é?\n".encode())
