"""Large snapshots in pieces: what was written before is not written again.

The pickler gives large strings, bytes and arrays as they are, and else cuts its output about every 64 KiB. Each large part is
a piece, kept by its content beside the snapshot, as the segments of another kind of snapshot are; the rest and the list of
the pieces are the *kernel*. So data that do not change are written once. They are pickled each time: for immutable ones that
is a copy in memory at most.
"""

from __future__ import annotations

import hashlib
import pickle

from ...errors import SnapshotFormatError

LEAST = 32 * 1024  # bytes of a piece


class Pieces:
    """The pieces of the last snapshot of an instance in this process.

    ``changed`` collects what a store has not been told of yet; None: gone.
    """

    def __init__(self) -> None:
        self.changed: dict[str, bytes | None] = {}
        self._known: dict[str, bytes] = {}

    def split(self, chunks: list[bytes]) -> bytes:
        """The kernel of a snapshot that was pickled in chunks."""
        keys = {id(data): key for key, data in self._known.items()}
        by_length: dict[int, list[str]] = {}
        for key, data in self._known.items():
            by_length.setdefault(len(data), []).append(key)
        now: dict[str, bytes] = {}
        kernel: list[str | bytes] = []
        small: list[bytes] = []
        for chunk in chunks:
            if len(chunk) < LEAST:
                small.append(chunk)
                continue
            same = (key for key in by_length.get(len(chunk), ()) if self._known[key] == chunk)
            key = keys.get(id(chunk)) or next(same, None) or _key_of(chunk)
            now[key] = chunk
            kernel += [b"".join(small), key]
            small = []
        kernel.append(b"".join(small))
        self.changed.update((key, None) for key in self._known.keys() - now.keys())
        self.changed.update((key, data) for key, data in now.items() if key not in self._known)
        self._known = now
        return pickle.dumps(kernel, pickle.HIGHEST_PROTOCOL)


def _key_of(data: bytes) -> str:
    return "p" + hashlib.blake2b(data, digest_size=16).hexdigest()


def join_pieces(kernel: bytes, pieces: dict[str, bytes]) -> bytes:
    """What was pickled. Raises SnapshotFormatError if a piece is missing."""
    parts: list[str | bytes] = pickle.loads(kernel)
    missing = [part for part in parts if isinstance(part, str) and part not in pieces]
    if missing:
        raise SnapshotFormatError(f"the snapshot is incomplete: its piece {missing[0]!r} is missing. Put a complete copy back")
    return b"".join(pieces[part] if isinstance(part, str) else part for part in parts)
