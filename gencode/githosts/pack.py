"""Objects as the entries of a pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dulwich.object_format import DEFAULT_OBJECT_FORMAT
from dulwich.objects import ShaFile
from dulwich.pack import UnpackedObject, full_unpacked_object, pack_object_header

from gencode.githosts.commit import Objects


def entries(new: Objects) -> Iterator[UnpackedObject]:
    """What was deflated ahead is taken as it is; everything else is deflated while it is sent."""
    return (_entry(part, new.ready) for part in new.all)


def _entry(part: ShaFile, ready: Mapping[str, bytes]) -> UnpackedObject:
    entry = full_unpacked_object(part)
    if stream := ready.get(part.id.decode("ascii")):
        header = pack_object_header(part.type_num, None, part.raw_length(), DEFAULT_OBJECT_FORMAT)
        entry.comp_chunks = [bytes(header), stream]
    return entry
