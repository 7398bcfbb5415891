"""The seal of a snapshot in segments: the sum of the segments' tags stands in the sealed payload."""

from __future__ import annotations

import secrets
import struct

from ...errors import SnapshotAuthenticationError
from ..payload import IN_PIECES, IN_SEGMENTS, ON_WAY_OUT, Saved
from .seal import OVERHEAD, Seal
from .way_out import StateBefore, inner_part, own_segments, state_before, wrap

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

    def seal(self, saved: Saved, before: StateBefore | None = None) -> bytes:
        """The sealed snapshot, for a store that keeps the changes of its segments with it.

        ``before``: what is kept in it while an exception is on its way out.
        """
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
        return self._seal.seal(self._instance_id, payload if before is None else wrap(payload, before))

    def before_in(self, blob: bytes) -> StateBefore | None:
        """What is kept in a sealed snapshot of the state before. Raises what ``Seal.open`` raises."""
        is_there = blob[OVERHEAD + 2 : OVERHEAD + 3] == ON_WAY_OUT
        return state_before(self._seal.open(self._instance_id, blob)) if is_there else None

    def without_before(self, blob: bytes) -> bytes:
        """The sealed snapshot without what is kept in it of the state before."""
        payload = self._seal.open(self._instance_id, blob)
        return self._seal.seal(self._instance_id, payload[inner_part(payload) :]) if inner_part(payload) else blob

    @staticmethod
    def is_in_segments(blob: bytes) -> bool:
        """Whether a sealed snapshot says of itself that it is one in segments, which are to be loaded before it is opened."""
        if type(blob) is not bytes:
            return False
        first = OVERHEAD + inner_part(blob[OVERHEAD : OVERHEAD + 64])
        return blob[first + 2 : first + 3] in (IN_SEGMENTS, IN_PIECES)

    def open(self, blob: bytes, segments: dict[str, bytes]) -> bytes:
        """The payload. Raises what ``Seal.open`` raises, and SnapshotAuthenticationError for other segments."""
        payload = self._seal.open(self._instance_id, blob)
        payload = payload[inner_part(payload) :]
        segments = own_segments(segments)
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
