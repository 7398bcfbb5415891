"""Checkpoints and bare commits of as many bytes, measured in turns within one process: a disk may be ten times slower a moment
later. This module is not rewritten; what it measures is not in the state of the instance."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

SEGMENTS = "SELECT sum(length(data)) FROM durable_segment JOIN durable_instance USING (number) WHERE instance_id = ?"


def length_of_row(file: Path) -> int:
    """The bytes of the row of the instance that has begun last, and of its segments."""
    connection = sqlite3.connect(file)
    instance_id, *others = connection.execute("SELECT * FROM instance ORDER BY created_at DESC LIMIT 1").fetchone()
    row = sum(len(value) if isinstance(value, (bytes, str)) else 8 for value in [instance_id, *others])
    [(segments,)] = connection.execute(SEGMENTS, [instance_id])
    connection.close()
    return row + (segments or 0)


class Turns:
    """Of each turn the seconds of a checkpoint (``ours``) and its processor seconds, and the seconds of a bare commit."""

    def __init__(self) -> None:
        self.ours: list[float] = []
        self.other: list[float] = []
        self.cpu: list[float] = []
        self.length = 0  # bytes of a commit
        self._begun = (0.0, 0.0)
        self._number = 0

    def prepare(self, file: Path, synchronous: str) -> None:
        """A database beside ``file``, that of the store, with the same settings."""
        self._file = file
        self._connection = sqlite3.connect(file.with_name("bare.db"), isolation_level=None)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute(f"PRAGMA synchronous = {synchronous}")
        self._connection.execute("CREATE TABLE state (id TEXT PRIMARY KEY, data BLOB) STRICT")

    def begin(self) -> None:
        """Checkpoints begin."""
        self._begun = time.perf_counter(), time.process_time()

    def end(self, count: int) -> None:
        """So many were made."""
        begun, begun_cpu = self._begun
        self.ours.append((time.perf_counter() - begun) / count)
        self.cpu.append((time.process_time() - begun_cpu) / count)

    async def bare(self, count: int) -> None:
        """As many commits."""
        self.length = self.length or length_of_row(self._file)
        rest = bytes(max(self.length - 8, 0))
        begun = time.perf_counter()
        for _ in range(count):
            self._number += 1  # what has not changed is not written
            row = ("record", self._number.to_bytes(8) + rest)
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.execute("INSERT INTO state VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET data = excluded.data", row)
            self._connection.execute("COMMIT")
        self.other.append((time.perf_counter() - begun) / count)


turns = Turns()
