"""The culprit inside a variable is named by the shortest path."""

from __future__ import annotations

import functools
import sys
import threading
from typing import Any
from xml.etree import ElementTree

import pytest

from durable_import.frames.counted_exit import CountedExit
from durable_import.snapshot.diagnose import find_culprit
from tests.harness.pickling import dumps


class Node:
    """Holds anything."""

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


class Slotted:
    """Has a private slot."""

    __slots__ = ("__hidden",)

    def __init__(self, hidden: Any) -> None:
        self.__hidden = hidden


class Bounded:
    """A manager."""

    inside: Any = None

    def leave(self, *details: Any) -> None:
        """Its exit method."""


def frame() -> Any:
    """Something that cannot be saved."""
    return sys._getframe()


def closing_over(value: Any) -> Any:
    """A function that refers to ``value``."""

    def inner() -> Any:
        return value

    return inner


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda bad: bad, "x"),
        (lambda bad: Node(pool=[Node(_lock=bad)]), "x.pool[0]._lock"),
        (lambda bad: {"k": Node(handle=bad)}, "x['k'].handle"),
        (lambda bad: [1] * 500 + [bad] + [2] * 500, "x[500]"),
        (lambda bad: (Slotted(bad),), "x[0]._Slotted__hidden"),
        (closing_over, "x.<closure>.value"),
        (lambda bad: functools.partial(print, 1, end=bad), "x.keywords['end']"),
        (lambda bad: ValueError(KeyError(bad)), "x.args[0].args[0]"),
        (lambda bad: Node(m=Node(bad=bad).__eq__), None),
        (lambda bad: iter([1, bad]), None),
    ],
)
def test_path(make: Any, path: str | None) -> None:
    """As a person would write it; at least the variable where there is no way to write it."""
    culprit = find_culprit({"fine": 1, "x": make(frame()), "also": []}, dumps)
    assert culprit is not None
    assert culprit.type_name == "frame"
    assert "a frame object" in culprit.reason
    assert culprit.path == path if path else "x" in culprit.path
    assert "plain values" in culprit.way_out


def test_nothing_to_find() -> None:
    """All is well."""
    assert find_culprit({"a": 1, "b": [Node()]}, dumps) is None


def test_cycles_and_the_shortest_path() -> None:
    """Everything leads to everything; the nearest path wins."""
    root: Any = Node()
    far: Any = Node()
    root.children = [Node(parent=root, more=Node(far=far, parent=root)) for _ in range(5)]
    far.lock = root.near = threading.Lock()
    with root.near:
        culprit = find_culprit({"root": root}, dumps)
    assert culprit is not None
    assert (culprit.path, culprit.type_name) == ("root.near", "_thread.lock")


class Broken:
    """Refuses, and refers back to its owner."""

    def __init__(self, owner: Any) -> None:
        self.owner = owner

    def __reduce__(self) -> Any:
        raise TypeError("Broken refuses\nat length")


def test_culprit_that_leads_back() -> None:
    """It is still the culprit."""
    root: Any = Node()
    root.inner = Node(broken=Broken(root))
    culprit = find_culprit({"root": root}, dumps)
    assert culprit is not None
    assert (culprit.path, culprit.reason) == ("root.inner.broken", "Broken refuses")


def test_too_deep() -> None:
    """Depth is named as such, not followed down."""
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    culprit = find_culprit({"deep": deep}, dumps)
    assert culprit is not None
    assert (culprit.path, culprit.reason) == ("deep", "it is nested too deeply")
    while deep:
        deep = deep.pop()


def test_effort_is_bounded() -> None:
    """Shared and wide structures do not multiply the trials."""
    shared: Any = frame()
    for _ in range(30):
        shared = Node(left=shared, right=shared)
    trials = 0

    def counting(value: Any) -> bytes:
        nonlocal trials
        trials += 1
        return dumps(value)

    culprit = find_culprit({"x": shared, "wide": list(range(100_000))}, counting)
    assert culprit is not None
    assert culprit.path == "x" + ".left" * 30
    assert trials < 200


def test_iterators_have_a_way_out_of_their_own() -> None:
    """Of an iterator that cannot be saved a list can be made."""
    culprit = find_culprit({"rows": ElementTree.fromstring("<a><b/></a>").iter()}, dumps)
    assert culprit is not None
    assert culprit.path == "rows"
    assert culprit.way_out.startswith("Go through list(...) of it")


def test_the_exit_method_of_an_open_block() -> None:
    """What cannot be saved there is the manager, or something in it, and nothing of what counts the block."""

    class OpenBlock:
        turn = (frame.__code__,)

        def may_be_saved(self) -> bool:
            return self.may

        def is_left(self) -> None: ...

        def __init__(self, may: bool) -> None:
            self.may = may

    counted = CountedExit(OpenBlock(may=False), Bounded().leave, is_async=False)  # type: ignore[arg-type]
    found = find_culprit({"leave": counted}, dumps)
    assert found is not None
    assert (found.path, found.type_name, found.reason) == ("leave", f"{__name__}.Bounded", "its block is open")
    bounded = Bounded()
    bounded.inside = frame()
    found = find_culprit({"leave": CountedExit(OpenBlock(may=True), bounded.leave, is_async=False)}, dumps)  # type: ignore[arg-type]
    assert found is not None
    assert found.path == "leave.__self__.inside"
