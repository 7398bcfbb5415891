"""Seeded ways to damage a cell: bytes, texts, numbers, and types that do not belong there."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import Any

from durable_import.snapshot.sealing.seal import Seal
from tests.running.effects import spring
from tests.running.rows import Cell

HEADER = 74  # bytes before the payload of a sealed record


class Trap:
    """Loading its pickle leaves a mark."""

    def __reduce__(self) -> tuple[Any, ...]:
        return spring, ()


EVIL = pickle.dumps(Trap(), protocol=5)


class Mutations:
    """``now`` and ``before`` are the cells of today and of an older state; ``nonsense``: see ``Rows``."""

    def __init__(self, now: dict[Cell, Any], before: dict[Cell, Any], nonsense: tuple[Any, ...]) -> None:
        self._now = now
        self._before = before
        self._nonsense = nonsense

    def choose(self, dice: random.Random, cell: Cell) -> tuple[str, Any]:
        """What is done to a cell, in a word, and its new value."""
        value = self._now[cell]
        ways = dict(self._ways_for_bytes(dice, cell, value)) if isinstance(value, bytes) else {}
        if cell.column == "status":
            ways["another status"] = lambda: dice.choice(
                ("pending", "running", "waiting", "sleeping", "completed", "failed", "cancelled")
            )
        if isinstance(value, (int, float)):
            ways["a little more or less"] = lambda: value + dice.choice((-1, 1))
        if isinstance(value, str) and value:
            ways["another letter"] = lambda: value.replace(dice.choice(value), dice.choice("aZ~\x00é"), 1)
        if cell.column != "file":
            ways["nonsense"] = lambda: dice.choice(self._nonsense)
        others = sorted(c for c in self._now if c[1::2] == cell[1::2] and c.instance != cell.instance)
        if others:
            ways["that of another"] = lambda: self._now[dice.choice(others)]
        way = dice.choice(sorted(ways))
        return way, ways[way]()

    def _ways_for_bytes(self, dice: random.Random, cell: Cell, value: bytes) -> list[tuple[str, Callable[[], Any]]]:
        place = dice.randrange(len(value) + 1)
        own = sorted(
            c for c, v in self._now.items() if c.instance == cell.instance and c.column != "file" and isinstance(v, bytes) and v
        )
        others = [*own] if cell.table != "event" else [c for c in own if c.table != "event"]
        ways: list[tuple[str, Callable[[], Any]]] = [
            ("cut", lambda: value[:place]),
            ("cut in front", lambda: value[place:]),
            ("emptied", lambda: b""),
            ("doubled", lambda: value + value),
            ("longer", lambda: value[:place] + dice.randbytes(dice.randrange(1, 9)) + value[place:]),
            ("a pickle", lambda: EVIL),
            ("a pickle behind its header", lambda: value[:HEADER] + EVIL),
            ("a pickle under a fitting header", lambda: value[:34] + len(EVIL).to_bytes(8, "big") + value[42:HEADER] + EVIL),
            ("a pickle sealed with another key", lambda: Seal(b"?" * 32).seal(cell.instance, b"\0\3c" + EVIL)),
            ("another record of the instance", lambda: self._now[dice.choice(others)]),
            ("that of an older state", lambda: self._before.get(cell, value)),
        ]
        if value:
            ways += [("a bit", lambda: _flipped(dice, value, 1)), ("some bits", lambda: _flipped(dice, value, 12))]
        if cell.column == "file":
            ways = [way for way in ways if way[0] not in ("another record of the instance", "that of an older state")]
        return ways


def _flipped(dice: random.Random, value: bytes, count: int) -> bytes:
    changed = bytearray(value)
    for _ in range(count):
        changed[dice.randrange(len(changed))] ^= 1 << dice.randrange(8)
    return bytes(changed)
