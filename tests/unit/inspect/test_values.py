"""What values look like when nothing of them is run: in words, and bounded."""

from __future__ import annotations

import asyncio
import collections
import datetime
import decimal
import enum
import functools
import pathlib
import uuid
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.inspect.looking import described, saved


@dataclass
class Order:
    id: int
    lines: list[Any] = field(default_factory=list)

    def total(self) -> int:
        return len(self.lines)


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int


class Tier(enum.Enum):
    GOLD = 1


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self) -> None:
        self.left, self.right = 1, [2]


class Names(list[str]):
    pass


class Hashed:
    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hashed) and self.name == other.name


def function(number: int, a: int) -> None:
    """Found by its name."""


def _error() -> Exception:
    error = ValueError("no", 3)
    error.__cause__ = KeyError("k")
    return error


KINDS: dict[str, tuple[Any, str]] = {
    "none": (None, "None"),
    "numbers": ([1, -1, 2**70, 1.5, True], "[1, -1, 1180591620717411303424, 1.5, True]"),
    "text": ({"k": "v", 1: b"b"}, "{'k': 'v', 1: b'b'}"),
    "tuples": ([(), (1,), (1, 2), (1, 2, 3, 4)], "[(), (1,), (1, 2), (1, 2, 3, 4)]"),
    "sets": ([set(), {1}, frozenset({2}), frozenset()], "[set(), {1}, frozenset({2}), frozenset()]"),
    "keys that are objects": ({(1, 2): 3}, "{(1, 2): 3}"),
    "bytearray": (bytearray(b"ab"), "bytearray(b'ab')"),
    "ellipsis": (..., "Ellipsis"),
    "dataclass": (Order(7, [1]), "Order(id=7, lines=[1])"),
    "frozen dataclass in slots": (Point(1, 2), "Point(x=1, y=2)"),
    "slots": (Slotted(), "Slotted(left=1, right=[2])"),
    "own hash": ({Hashed("a")}, "{Hashed(name='a')}"),
    "own list": (Names(["a"]), "Names('a')"),
    "enum": (Tier.GOLD, "Tier.GOLD"),
    "flag": (Rights.READ | Rights.WRITE, "Rights.READ|Rights.WRITE"),
    "error": (_error(), "ValueError('no', 3, __cause__=KeyError('k'))"),
    "datetime": (datetime.datetime(2026, 1, 2, 3, 4, 5, 6), "datetime('2026-01-02T03:04:05.000006')"),
    "date": (datetime.date(2026, 1, 2), "date('2026-01-02')"),
    "time": (datetime.time(1, 2, fold=1), "time('01:02:00')"),
    "timedelta": (datetime.timedelta(days=1, seconds=2), "timedelta(days=1, seconds=2)"),
    "decimal": (decimal.Decimal("1.20"), "Decimal('1.20')"),
    "uuid": (uuid.UUID(int=5), "UUID('00000000-0000-0000-0000-000000000005')"),
    "path": (pathlib.PurePosixPath("/srv/a.b"), "PurePosixPath('/srv/a.b')"),
    "deque": (collections.deque([1, 2], 3), "deque(1, 2, maxlen=3)"),
    "defaultdict": (collections.defaultdict(list, a=[1]), "defaultdict(<list>, 'a': [1])"),
    "counter": (collections.Counter("aab"), "Counter({'a': 2, 'b': 1})"),
    "partial": (functools.partial(function, 1, a=2), f"partial(<{__name__}.function>, 1, a=2)"),
    "method": (Order(1).total, "method(Order(id=1, lines=[]), 'total')"),
    "class": (Order, f"<{__name__}.Order>"),
    "library's class": (collections.OrderedDict, "<collections.OrderedDict>"),
    "lock": (asyncio.Lock(), "Lock(_waiters=None, _locked=False)"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), KINDS.values(), ids=KINDS)
def test_in_words(value: Any, expected: str) -> None:
    """Each kind of object is told as Python would write it, or as ``Type(field=...)``."""
    assert str(described(value)) == expected


def test_parts_lead_to_what_is_inside() -> None:
    """Each part has the step that leads to it, and says what it is."""
    found = described(Order(7, [{"n": 1}]))
    assert (found.module, found.type, found.size) == (__name__, "Order", 2)
    (_, number), (step, lines) = found.parts
    assert (number.type, number.text, step) == ("int", "7", ".lines")
    assert [name for name, _ in lines.parts] == ["[0]"]
    assert [name for name, _ in lines.parts[0][1].parts] == ["['n']"]


def test_the_same_object_has_the_same_number() -> None:
    """Sharing is seen, and equal objects are told apart."""
    shared = [1]
    first, second, third = (part for _, part in described([shared, shared, [1]]).parts)
    assert first.number == second.number != third.number
    assert str(first) == str(third)


def test_cycles_end() -> None:
    """What leads back to itself is told once."""
    order = Order(1)
    order.lines += [order, order.lines]
    assert str(described(order)) == "Order(id=1, lines=[Order(...), [...]])"


def test_depth_breadth_and_length_are_bounded() -> None:
    """Whatever the object, its description has an end."""
    deep: Any = 0
    for _ in range(200):
        deep = [deep]
    assert str(described(deep, depth=2)) == "[[[...]]]"
    assert str(described(list(range(100)), breadth=3)) == "[0, 1, 2, ...]"
    assert str(described("x" * 1000, length=5)) == "'xxxxx'... (1,000 in all)"
    wide = described([[[i] * 20 for i in range(20)] for _ in range(20)], most=50)
    assert len(str(wide)) < 500
    assert described(list(range(100)), breadth=3).size == 100
    assert str(described(7**9999)) == "<int of 28,071 bits>"


def test_names_of_a_state() -> None:
    """All classes and functions that a state names are known, without looking for them."""
    names = saved(a=Order(1), b=[Tier.GOLD, function], c=decimal.Decimal(1)).names
    assert {(__name__, "Order"), (__name__, "Tier"), (__name__, "function"), ("decimal", "Decimal")} <= names
