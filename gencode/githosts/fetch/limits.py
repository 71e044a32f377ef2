"""The bounds of a fetch, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class FetchLimits:
    """What a server may send; more ends the fetch with RepositoryTooLarge.

    refs            branches and tags
    refs_bytes      of their advertisement
    pack_bytes      as sent
    objects         in the pack
    object_bytes    of one object, inflated
    inflated_bytes  of all objects together
    seconds         of the whole download; then GitTimeout
    idle_seconds    without a byte; then GitTimeout
    """

    refs: int = 100_000
    refs_bytes: int = 16 * 2**20
    pack_bytes: int = 2**30
    objects: int = 1_000_000
    object_bytes: int = 100 * 2**20
    inflated_bytes: int = 16 * 2**30
    seconds: float = 1800.0
    idle_seconds: float = 60.0


@dataclass(kw_only=True, slots=True)
class FetchProgress:
    """Read by others while the fetch changes it.

    received_bytes  of the pack
    objects         in the pack, as its head says; 0 until that is known
    is_checking     the download is over
    """

    received_bytes: int = 0
    objects: int = 0
    is_checking: bool = False
