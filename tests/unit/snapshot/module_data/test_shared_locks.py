"""The ways to locks in what stands at module level, and what they lead to in another process."""

from __future__ import annotations

import asyncio
import collections
import logging
from types import SimpleNamespace
from typing import Any
from weakref import WeakValueDictionary

import pytest

from durable_import.snapshot.module_data.shared_locks import find_steps, follow, is_holder

WHERE = ("shop", "LOCKS")


class Gate:
    """An object of the user's own, with a lock."""

    def __init__(self) -> None:
        self.lock, self.name = asyncio.Lock(), "gate"


@pytest.mark.parametrize(
    ("holder", "place"),
    [
        ({"a": asyncio.Lock(), "b": asyncio.Lock()}, lambda holder: holder["b"]),
        ({("a", 1): asyncio.Semaphore(2)}, lambda holder: holder["a", 1]),
        ([asyncio.Condition()], lambda holder: holder[0]),
        ([asyncio.Condition()], lambda holder: holder[0]._lock),
        (Gate(), lambda holder: holder.lock),
        ({"x": [Gate(), Gate()]}, lambda holder: holder["x"][1].lock),
        (collections.defaultdict(asyncio.Lock, a=asyncio.Lock()), lambda holder: holder["a"]),
    ],
)
def test_a_way_leads_to_the_lock(holder: Any, place: Any) -> None:
    """It is found in containers and attributes, and found again on its way."""
    lock = place(holder)
    steps = find_steps(lock, holder)
    assert is_holder(holder)
    assert steps is not None
    assert follow(holder, steps, WHERE) is lock


@pytest.mark.parametrize("holder", [{}, {"a": 1}, {"a": asyncio.Lock()}, [asyncio.Lock()], Gate(), {"a": {"b": Gate()}}])
def test_there_is_no_way_to_others(holder: Any) -> None:
    """A lock that is not there has none."""
    assert find_steps(asyncio.Lock(), holder) is None


def test_what_is_missing_is_made() -> None:
    """A lock that nobody has asked for yet is made as the one was, and put there for all; by a defaultdict as that does."""
    semaphore = asyncio.Semaphore(3)
    steps = find_steps(semaphore, {"s": semaphore})
    assert steps is not None
    empty: dict[str, Any] = {}
    made = follow(empty, steps, WHERE)
    assert (made._value, empty["s"], follow(empty, steps, WHERE)) == (3, made, made)
    others: Any = collections.defaultdict(lambda: asyncio.Semaphore(7))
    assert follow(others, steps, WHERE)._value == 7
    weak: Any = WeakValueDictionary()
    made = follow(weak, steps, WHERE)
    assert weak["s"] is made


def test_what_cannot_be_made_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """Those who go on share one lock all the same."""
    gate = Gate()
    steps = find_steps(gate.lock, {"a": gate})
    assert steps is not None
    with caplog.at_level(logging.WARNING):
        first = follow({}, steps, WHERE)
        assert follow({}, steps, WHERE) is first
    assert "LOCKS of module shop has no 'a' in this process yet" in caplog.text


def test_libraries_are_not_searched() -> None:
    """What a library's object has is its own affair."""
    assert not is_holder(SimpleNamespace(lock=asyncio.Lock()))
