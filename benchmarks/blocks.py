"""Blocks that hold, as those of a library are: this module is not rewritten."""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

LIFE = time.time_ns()  # of this process


@contextlib.asynccontextmanager
async def block() -> AsyncIterator[None]:
    """One whose manager holds, as that of a transaction does."""
    yield


def length(mean: float, name: str, number: int) -> float:
    """Seconds of a block of a task: a quarter shorter or longer, the same each time."""
    return mean * random.Random(f"{name} {number}").uniform(0.75, 1.25)


def note(log: str, name: str, number: int) -> None:
    """A block of a task begins: write it down, for ``made_again``."""
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(file, f"{LIFE} {name} {number}\n".encode())
    os.close(file)


def made_again(log: Path) -> list[int]:
    """For each process but the first: how many blocks it has begun that one before it had begun."""
    lives: dict[str, set[str]] = {}
    for line in log.read_text().splitlines():
        life, _, block = line.partition(" ")
        lives.setdefault(life, set()).add(block)
    counts, before = [], set[str]()
    for blocks in lives.values():
        counts.append(len(blocks & before))
        before |= blocks
    return counts[1:]


class AtRisk:
    """Counts the blocks that have begun since the last commit: as many run again if the process dies. ``most``: the most."""

    def __init__(self, database: Path | None) -> None:
        self.most = self.commits = 0
        self._since = 0
        self._checkpoint: object = None
        self._database = sqlite3.connect(database) if database else None

    def block_begins(self) -> None:
        """One more; natively there is no database, and nothing is counted."""
        if self._database is None:
            return
        checkpoint = self._database.execute("SELECT checkpoint FROM instance WHERE instance_id = 'held'").fetchone()
        if checkpoint != self._checkpoint:
            self._checkpoint, self._since = checkpoint, 0
            self.commits += 1
        self._since += 1
        self.most = max(self.most, self._since)


at_risk = AtRisk(None)
