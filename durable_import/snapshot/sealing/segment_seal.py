"""The seal of a snapshot in segments: the sum of the segments' tags stands in the sealed payload."""

from __future__ import annotations

import secrets
import struct

from ...errors import SnapshotAuthenticationError
from ..payload import IN_PIECES, IN_SEGMENTS, Saved
from .seal import OVERHEAD, Seal

_SUM = struct.Struct(">16s32sQ")  # nonce, sum of the tags under its mask, number of segments: at the end of the payload
_MODULUS = 1 << 256


class SegmentSeal:
    """Seals the snapshots of one instance, and opens the last one."""

    __slots__ = ("_instance_id", "_seal", "_sum", "_tags")

    def __init__(self, seal: Seal, instance_id: str) -> None:
        self._seal = seal
        self._instance_id = instance_id
        self._tags: dict[str, int] = {}
        self._sum = 0

    def seal(self, saved: Saved) -> bytes:
        """The sealed snapshot, for a store that keeps the changes of its segments with it."""
        payload = saved.payload
        if saved.segments is not None:
            if saved.is_whole:
                self._tags, self._sum = {}, 0
            for key, data in saved.segments.items():
                tag = self._tags.pop(key, 0)
                if data is not None:
                    self._tags[key] = self._seal.tag(self._instance_id, key, data)
                self._sum = (self._sum - tag + self._tags.get(key, 0)) % _MODULUS
            nonce = secrets.token_bytes(16)
            payload += _SUM.pack(nonce, self._masked(self._sum, nonce), len(self._tags))
        return self._seal.seal(self._instance_id, payload)

    def is_in_segments(self, blob: bytes) -> bool:
        """Whether a sealed snapshot says of itself that it is one in segments, which are to be loaded before it is opened."""
        return type(blob) is bytes and blob[OVERHEAD + 2 : OVERHEAD + 3] in (IN_SEGMENTS, IN_PIECES)

    def open(self, blob: bytes, segments: dict[str, bytes]) -> bytes:
        """The payload. Raises what ``Seal.open`` raises, and SnapshotAuthenticationError for other segments."""
        payload = self._seal.open(self._instance_id, blob)
        if payload[2:3] not in (IN_SEGMENTS, IN_PIECES):
            return payload
        nonce, sealed, count = _SUM.unpack(payload[-_SUM.size :])
        are_segments = all(type(key) is str and type(data) is bytes for key, data in segments.items())
        if not are_segments or len(segments) != count or self._masked(self._tags_of(segments), nonce) != sealed:
            raise SnapshotAuthenticationError(
                f"the snapshot of instance {self._instance_id!r} looks tampered with: {count} segments belong to it, "
                f"{len(segments)} are there, and they are not the ones that were sealed. It was not opened and the bytes stay "
                "where they are. Put a complete copy back, or start the instance afresh."
            )
        return payload[: -_SUM.size]

    def _tags_of(self, segments: dict[str, bytes]) -> int:
        return sum(self._seal.tag(self._instance_id, key, data) for key, data in segments.items())

    def _masked(self, tags: int, nonce: bytes) -> bytes:
        return ((tags + self._seal.mask(nonce)) % _MODULUS).to_bytes(32, "big")
