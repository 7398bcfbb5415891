"""The seal of a snapshot in segments: the sum of the segments' tags stands in the sealed payload."""

from __future__ import annotations

import struct

from ..errors import SnapshotAuthenticationError
from .seal import Seal
from .snapshot import IN_SEGMENTS, Saved

_SUM = struct.Struct(">32sQ")  # sum of the tags, number of segments: at the end of the payload
_MODULUS = 1 << 256


class SegmentSeal:
    """Seals the snapshots of one instance, and opens the last one."""

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
            payload += _SUM.pack(self._sum.to_bytes(32, "big"), len(self._tags))
        return self._seal.seal(self._instance_id, payload)

    def is_in_segments(self, blob: bytes) -> bool:
        """Whether a sealed snapshot is one in segments. Raises what ``Seal.open`` raises."""
        return self._seal.open(self._instance_id, blob)[2:3] == IN_SEGMENTS

    def open(self, blob: bytes, segments: dict[str, bytes]) -> bytes:
        """The payload. Raises what ``Seal.open`` raises, and SnapshotAuthenticationError for other segments."""
        payload = self._seal.open(self._instance_id, blob)
        if payload[2:3] != IN_SEGMENTS:
            return payload
        sealed, count = _SUM.unpack(payload[-_SUM.size :])
        found = sum(self._seal.tag(self._instance_id, key, data) for key, data in segments.items()) % _MODULUS
        if len(segments) != count or found.to_bytes(32, "big") != sealed:
            raise SnapshotAuthenticationError(
                f"the snapshot of instance {self._instance_id!r} looks tampered with: {count} segments belong to it, "
                f"{len(segments)} are there, and they are not the ones that were sealed. It was not opened and the bytes stay "
                "where they are. Put a complete copy back, or start the instance afresh."
            )
        return payload[: -_SUM.size]
