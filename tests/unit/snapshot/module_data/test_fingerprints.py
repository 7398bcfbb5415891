"""Changes of module-level data are seen at any depth."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable
from typing import Any

import pytest

from durable_import.snapshot.module_data.fingerprints import Structure, fingerprint


class Plain:
    """An instance that counts by its attributes."""

    def __init__(self) -> None:
        self.items: list[Any] = []


class Slotted:
    """The same without a dictionary."""

    __slots__ = ("items",)

    def __init__(self) -> None:
        self.items: list[Any] = []


def is_open(value: Any) -> bool:
    return isinstance(value, (Plain, Slotted))


def cycle() -> list[Any]:
    """A list that is in itself."""
    found: list[Any] = [len]
    found.append(found)
    return found


CHANGES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any]]] = {
    "nested list": (lambda: {"a": (len, [1])}, lambda d: d["a"][1].append(2)),
    "replaced item": (lambda: [len, 1000], lambda d: d.__setitem__(1, 2000)),
    "other key": (lambda: {len: 1}, lambda d: d.update({max: 1})),
    "set": (lambda: {len}, lambda s: s.add(max)),
    "deque": (lambda: deque([len]), lambda d: d.append(1)),
    "bytes": (lambda: [len, bytearray(b"a")], lambda d: d[1].extend(b"b")),
    "counter": (lambda: itertools.count(), next),
    "instance": (lambda: Plain(), lambda p: p.items.append(1)),
    "attribute": (lambda: [Plain()], lambda d: setattr(d[0], "more", 1)),
    "slots": (lambda: [Slotted()], lambda d: d[0].items.append(1)),
    "cycle": (cycle, lambda d: d[1].append(1)),
    "plain data": (lambda: {"a": [1]}, lambda d: d["a"].append(2)),
}


@pytest.mark.parametrize("name", CHANGES)
def test_changes_are_seen(name: str) -> None:
    """Data are the same until they are changed."""
    make, change = CHANGES[name]
    value = make()
    before, structure = fingerprint(value, is_open), Structure(value, is_open)
    assert fingerprint(value, is_open) == before
    assert structure.is_of(value)
    change(value)
    assert fingerprint(value, is_open) != before
    assert not structure.is_of(value)
