"""The program of the child that checks a pack and writes its index.

Everything is read once, each object within its bounds: that its content has the hash by which it is named,
and that what it refers to is there. So whatever reads the clone afterwards finds whole objects.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from dulwich.errors import ApplyDeltaError, ChecksumMismatch, ObjectFormatException
from dulwich.object_format import SHA1
from dulwich.objects import Blob, Commit, Tag, Tree, parse_tree
from dulwich.pack import (
    DELTA_TYPES,
    DeltaChainIterator,
    PackData,
    UnpackedObject,
    UnresolvedDeltas,
    load_pack_index,
    unpack_object_at,
    write_pack_index_v2,
)

from gencode.limited_child.program import ChildLimits, Progress, serve
from gencode.limited_child.protocol import ChildRequest

_HEAD, _TRAILER = 12, 20
_STEP = 10_000
"""Objects between two reports, each of which renews the processor time."""
_GITLINK = 0o160000
_DAMAGED = (
    zlib.error,
    ApplyDeltaError,
    ChecksumMismatch,
    ObjectFormatException,
    UnresolvedDeltas,
    AssertionError,
    IndexError,
    KeyError,
    ValueError,
)
LIMITS = ChildLimits(
    step_cpu_seconds=120,
    cpu_seconds=1800,
    memory=3 * 2**30,
    max_memory=3 * 2**30,
    max_file=2**27,
)
"""The address space has the whole pack and the indexes; an index has 40 bytes per object."""


class TooLarge(Exception):
    """A bound is exceeded; the text names it."""


def main() -> None:
    serve({"index": index_pack}, LIMITS)


def index_pack(request: ChildRequest, progress: Progress) -> Mapping[str, Any]:
    """Checks the pack `pack` and writes its index to `index`.

    Arguments: besides the two paths, `known` (paths of the indexes of what is there already), `wanted` (ids
    that must be there afterwards), and the bounds `objects`, `object_bytes`, `inflated_bytes`.

    Returns {"objects", "bytes"}, or {"damaged": text} or {"too_large": text}.
    """
    arguments = request.arguments
    try:
        with ExitStack() as stack:
            data = stack.enter_context(PackData(arguments["pack"], SHA1))
            known = [load_pack_index(Path(path), SHA1) for path in arguments["known"]]
            for index in known:
                stack.callback(index.close)
            return _result(_Check(data, known, arguments, progress))
    except _DAMAGED as error:
        return _damaged(error)


def _result(check: _Check) -> Mapping[str, Any]:
    """Within the files, which cannot be closed while an error refers to parts of them."""
    try:
        return check.run()
    except TooLarge as error:
        return {"too_large": str(error)}
    except _DAMAGED as error:
        return _damaged(error)


def _damaged(error: Exception) -> Mapping[str, Any]:
    return {"damaged": str(error)[:300] or type(error).__name__}


class _Objects(DeltaChainIterator[UnpackedObject]):
    _compute_crc32 = True

    def _result(self, unpacked: UnpackedObject) -> UnpackedObject:
        return unpacked


class _Check:
    def __init__(
        self, data: PackData, known: list[Any], arguments: Mapping[str, Any], progress: Progress
    ) -> None:
        self._data = data
        self._known = known
        self._arguments = arguments
        self._progress = progress
        self._bytes = 0
        self._referred = {bytes.fromhex(name) for name in arguments["wanted"]}

    def run(self) -> Mapping[str, Any]:
        self._progress(-1)
        self._data.check()
        objects = _Objects(None, SHA1.hash_func, object_format=SHA1)
        objects.set_pack_data(self._data)
        for unpacked in self._counted(self._bounded()):
            objects.record(unpacked)
        entries = [self._entry(unpacked) for unpacked in self._counted(iter(objects))]
        if len(entries) != len(self._data):
            raise ValueError("it has deltas without a base")
        self._require_complete({name for name, _, _ in entries})
        entries.sort()
        with open(self._arguments["index"], "wb") as file:
            write_pack_index_v2(file, entries, self._data.get_stored_checksum())
        return {"objects": len(entries), "bytes": self._bytes}

    def _counted(self, objects: Iterator[UnpackedObject]) -> Iterator[UnpackedObject]:
        for number, unpacked in enumerate(objects):
            if number % _STEP == 0:
                self._progress(-1)
            yield unpacked

    def _bounded(self) -> Iterator[UnpackedObject]:
        """Each object as it stands in the pack. Its head is read before it is inflated."""
        if len(self._data) > self._arguments["objects"]:
            raise TooLarge(f"more than {self._arguments['objects']} objects")
        contents = self._data._buffer()
        at, end = _HEAD, len(contents) - _TRAILER
        for _ in range(len(self._data)):
            self._require_size(_declared_size(contents, at, end))
            unpacked, at = unpack_object_at(contents, at, SHA1.hash_func)
            if unpacked.pack_type_num in DELTA_TYPES:
                self._require_size(_delta_target(b"".join(unpacked.decomp_chunks)))
            yield unpacked
        if at != end:
            raise ValueError("it has bytes after its last object")

    def _require_size(self, size: int) -> None:
        self._bytes += size
        if size > self._arguments["object_bytes"]:
            raise TooLarge(f"an object of more than {self._arguments['object_bytes']} bytes")
        if self._bytes > self._arguments["inflated_bytes"]:
            raise TooLarge(f"objects of more than {self._arguments['inflated_bytes']} bytes, inflated")

    def _entry(self, unpacked: UnpackedObject) -> tuple[bytes, int, int]:
        name, offset, crc32 = unpacked.sha(), unpacked.offset, unpacked.crc32
        if offset is None or crc32 is None:
            raise ValueError("it has an object without a place")
        self._referred.update(_references(unpacked))
        return bytes(name), offset, crc32

    def _require_complete(self, names: set[bytes]) -> None:
        for name in self._referred - names:
            if not any(_has(index, name) for index in self._known):
                raise ValueError(f"the object {name.hex()} is missing")


def _has(index: Any, name: bytes) -> bool:
    try:
        index.object_offset(name)
    except KeyError:
        return False
    return True


def _declared_size(contents: Any, at: int, end: int) -> int:
    """The size in the head of an object: 4 bits, then 7 bits of each byte while the one before says so."""
    byte, shift = contents[at], 4
    size = byte & 15
    while byte & 0x80:
        at += 1
        if at >= end or shift > 60:
            raise ValueError("the head of an object is damaged")
        byte = contents[at]
        size |= (byte & 0x7F) << shift
        shift += 7
    return int(size)


def _delta_target(delta: bytes) -> int:
    """The size of the object that a delta makes: its second number."""
    at = 0
    for _ in range(2):
        size = shift = 0
        while True:
            byte = delta[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not byte & 0x80:
                break
            if shift > 63:
                raise ValueError("a delta is damaged")
    return size


def _references(unpacked: UnpackedObject) -> Iterator[bytes]:
    """The ids of the objects without which this one is not whole."""
    kind = unpacked.obj_type_num
    if kind == Blob.type_num:
        return
    content = b"".join(unpacked.obj_chunks or ())
    if kind == Tree.type_num:
        for _, mode, name in parse_tree(content, 20):
            if mode & 0o170000 != _GITLINK:
                yield bytes.fromhex(name.decode())
        return
    fields = {Commit.type_num: (b"tree", b"parent"), Tag.type_num: (b"object",)}[kind or 0]
    for line in content.partition(b"\n\n")[0].split(b"\n"):
        field, _, value = line.partition(b" ")
        if field in fields:
            yield bytes.fromhex(value.decode("ascii"))
