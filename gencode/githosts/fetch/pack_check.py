"""Checks a downloaded pack in a limited child, which writes its index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gencode.githosts.errors import GitProtocol
from gencode.githosts.fetch.errors import RepositoryTooLarge
from gencode.githosts.fetch.limits import FetchLimits
from gencode.limited_child.process import Cause, ChildFailed, LimitedChild
from gencode.limited_child.protocol import ChildRequest

PROGRAM = "gencode.githosts.fetch.pack_check_main"


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckedPack:
    """`bytes`: of all objects, inflated."""

    objects: int
    bytes: int


async def check_pack(
    pack: Path, index: Path, known: Iterable[Path], wanted: Iterable[bytes], limits: FetchLimits
) -> CheckedPack:
    """Write the index of a pack, if all is right with it and it holds or refers to nothing that is missing.

    known   the indexes of the packs that are there already
    wanted  ids, in hexadecimal, that must be there afterwards

    Raises GitProtocol, RepositoryTooLarge. A call that is cancelled ends the child.
    """
    arguments = {
        "pack": str(pack),
        "index": str(index),
        "known": [str(path) for path in known],
        "wanted": [name.decode() for name in wanted],
        "objects": limits.objects,
        "object_bytes": limits.object_bytes,
        "inflated_bytes": limits.inflated_bytes,
    }
    try:
        child = await LimitedChild.start(PROGRAM)
        try:
            result = await child.call(ChildRequest(function="index", texts={}, arguments=arguments))
        finally:
            await child.stop()
    except ChildFailed as error:
        if error.cause in (Cause.MEMORY, Cause.TIME):
            raise RepositoryTooLarge(f"its objects cannot be checked: {error.reason}") from error
        raise GitProtocol(f"the host's objects cannot be checked: {error.reason}") from error
    return _read(result)


def _read(result: Any) -> CheckedPack:
    if "too_large" in result:
        raise RepositoryTooLarge(f"it has {result['too_large']}")
    if "damaged" in result:
        raise GitProtocol(f"the host sent objects that are damaged or not whole: {result['damaged']}")
    return CheckedPack(objects=int(result["objects"]), bytes=int(result["bytes"]))
