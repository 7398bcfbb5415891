"""Instances in cycles, with a hash, ``__getattr__``, slots, or a container as base."""

from __future__ import annotations

import collections
import dataclasses
import functools
import os
import random
import sqlite3
import sys
import threading
from typing import Any

import pytest

from durable_import.snapshot.reducers import instances
from durable_import.snapshot.table import reduce_by_kind
from tests.harness.pickling import dumps, restored


class City:
    """Hashes by an attribute, and is a key of what it holds."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.near: set[City] = set()
        self.roads = {self: 0}
        self.greeting = self.greet

    def __eq__(self, other: object) -> bool:
        return isinstance(other, City) and self.name == other.name

    def __hash__(self) -> int:
        return hash(("city", self.name))

    def greet(self) -> str:
        """As people of this city do."""
        return f"hello from {self.name}"


@dataclasses.dataclass(unsafe_hash=True)
class WithDefault:
    """Without its attributes it would hash by the class's default, silently wrong."""

    n: int = 0
    held: Any = dataclasses.field(default=None, hash=False, compare=False, repr=False)


@dataclasses.dataclass(frozen=True)
class Frozen:
    """Defines ``__setattr__``, which pickle goes past."""

    n: int


def test_keys_of_what_they_hold() -> None:
    """In sets, dicts, frozensets and tuples, reached from inside and outside; saved methods are bound again."""
    a, b = City("a"), City("b")
    a.near, b.near = {a, b}, {a}
    b.roads[a] = 3
    for start in ([a], [a.roads], [b.near], [frozenset([a, b])], [{(b, 2): a}]):
        (found,) = restored(start)
        first = next(iter(found)) if not isinstance(found, City) else found
        first = first[0] if isinstance(first, tuple) else first
        while first.name != "a":
            first = next(c for c in first.near if c.name == "a")
        other = next(c for c in first.near if c.name == "b")
        assert type(first) is City
        assert first in first.near
        assert first in other.near
        assert first in other.roads
        assert City("b") in first.near
        assert next(iter(other.near)) is first
        assert first.greeting() == "hello from a"
    assert City("a") in restored(frozenset([a]))
    assert {(City("b"), 2): 1}.keys() == restored({(b, 2): a}).keys()


def test_no_default_hash() -> None:
    """The hash is that of the saved attributes, not of the class's defaults."""
    key = WithDefault(7)
    key.held = {key: "me"}
    again = restored(key)
    assert again.held[WithDefault(7)] == "me"
    assert next(iter(again.held)) is again


def test_flat_instances_are_left_to_pickle() -> None:
    """An instance with atoms only takes pickle's own way."""
    assert reduce_by_kind(WithDefault(3)) is NotImplemented
    assert reduce_by_kind(Frozen(3)) is NotImplemented
    assert reduce_by_kind(WithDefault(3, [1]))[0] is instances.new_hashed


class Proxy:
    """Looks everything up in its data."""

    def __init__(self) -> None:
        object.__setattr__(self, "data", {})

    def __getattr__(self, name: str) -> Any:
        return self.data[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self.data[name] = value


class Slotted:
    """Slots, one of them private, and an attribute that cannot be set."""

    __slots__ = ("__private", "unset", "x")

    def __init__(self, x: Any) -> None:
        object.__setattr__(self, "x", x)
        object.__setattr__(self, "_Slotted__private", 2)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError("read-only")

    def private(self) -> int:
        """What the private slot holds."""
        found: int = self.__private  # type: ignore[attr-defined]
        return found


class OwnState:
    """Says itself what its state is."""

    def __init__(self) -> None:
        self.handle: Any = sys._getframe()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __getstate__(self) -> str:
        return "state"

    def __setstate__(self, state: str) -> None:
        self.handle = f"from {state}"


class NeedsArguments:
    """Cannot be made bare."""

    def __new__(cls, n: int) -> NeedsArguments:
        """An instance that is given its attribute here."""
        made = super().__new__(cls)
        made.n = n  # type: ignore[attr-defined]
        return made


class Single:
    """A singleton, with a hash."""

    only: Any = None

    def __new__(cls) -> Single:
        """The only instance."""
        cls.only = cls.only or super().__new__(cls)
        return cls.only  # type: ignore[no-any-return]

    def __hash__(self) -> int:
        return 1


class Stateless:
    """With a hash, but without attributes."""

    def __init__(self) -> None:
        self.later: Any = None

    def __hash__(self) -> int:
        return 1

    def __getstate__(self) -> None:
        return None


def test_own_attribute_access() -> None:
    """``__getattr__`` and ``__setattr__`` are not called; state methods are."""
    proxy, slotted = Proxy(), Slotted([1])
    proxy.one = slotted
    proxy, slotted, own, made, single = restored((proxy, slotted, OwnState(), NeedsArguments(3), Single()))
    assert proxy.one is slotted
    assert slotted.x == [1]
    assert slotted.private() == 2
    assert not hasattr(slotted, "unset")
    assert own.handle == "from state"
    assert made.n == 3
    assert single is Single()
    assert type(restored(Stateless())) is Stateless


class Table(dict[Any, Any]):
    """Changes what is put in."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key, (self.name, value))

    def items(self) -> Any:
        """Not what is there."""
        raise NotImplementedError


class Row(list[Any]):
    """Counts what is added."""

    added = 0

    def append(self, item: Any) -> None:
        """Add and count."""
        super().append(item)
        self.added += 1

    extend = append


class Names(set[Any]):
    """A set with attributes."""


class Grouped(collections.defaultdict[Any, Any]):
    """A defaultdict with attributes."""


class Tally(collections.Counter[Any]):
    """A Counter with attributes."""


class Ordered(collections.OrderedDict[Any, Any]):
    """An OrderedDict with attributes."""


class Recent(collections.deque[Any]):
    """A deque with attributes."""


class Text(str):
    """A string of a language."""

    language: str

    def __new__(cls, value: str, language: str) -> Text:
        """A string that knows its language."""
        made = super().__new__(cls, value)
        made.language = language
        return made


def test_subclasses_of_containers() -> None:
    """Contents as they were, attributes, and cycles through both."""
    table, row, names = Table("t"), Row([0]), Names("ab")
    grouped, tally, ordered, recent = Grouped(list, a=[1]), Tally("aab"), Ordered(a=1), Recent([1, 2, 3], 2)
    for each in (row, names, grouped, tally, ordered, recent):
        vars(each)["tag"] = table
    table["row"] = row
    row.append(row)
    city = City("c")
    city.near = names
    names.add(city)
    for again in (
        restored([table, row, names, grouped, tally, ordered, recent]),
        restored(restored([table, row, names, grouped, tally, ordered, recent])),
    ):
        assert [type(each) for each in again] == [Table, Row, Names, Grouped, Tally, Ordered, Recent]
        table2, row2, names2, grouped2, tally2, ordered2, recent2 = again
        assert dict.__getitem__(table2, "row")[1] is row2
        assert len(table2) == 1
        assert all(each.tag is table2 for each in again[1:])
        assert row2[0] == 0
        assert row2[1] is row2
        assert row2.added == 1
        assert {"a", "b", City("c")} == names2
        assert next(c for c in names2 if isinstance(c, City)).near is names2
        assert grouped2["new"] == []
        assert grouped2["a"] == [1]
        assert tally2["a"] == 2
        assert list(ordered2) == ["a"]
        assert (list(recent2), recent2.maxlen) == ([2, 3], 2)


def test_subclasses_of_values() -> None:
    """With attributes, past a ``__new__`` that needs more arguments."""

    class Point(tuple[int, ...]):
        __slots__ = ()

        def __new__(cls, x: int, y: int) -> Any:
            return super().__new__(cls, (x, y))

    text, point = restored((Text("hallo", "de"), Point(1, 2)))
    assert (text, text.language, point, type(point).__name__) == ("hallo", "de", (1, 2), "Point")


def test_singletons_by_reference() -> None:
    """Objects of the standard library's modules stay the very objects; bare sentinels of any module too."""
    kept = (os.environ, sys.version_info, sys.flags, threading.main_thread(), vars(random)["_inst"], instances._FLAT)
    again = restored(kept)
    assert all(a is b for a, b in zip(again[:-1], kept[:-1], strict=True))
    assert restored(SENTINEL) is SENTINEL
    assert restored(random.Random(3)).random() == random.Random(3).random()
    local = object()
    a, b = restored((local, local))
    assert a is b is not local


SENTINEL = object()


def test_comparison_keys() -> None:
    """The key function, and an item's key."""
    key = functools.cmp_to_key(_backwards)
    again, three = restored((key, key(3)))
    assert sorted([1, 3, 2], key=again) == [3, 2, 1]
    assert three.obj == 3
    assert three < again(2)


def _backwards(a: int, b: int) -> int:
    return b - a


def test_closed_connection() -> None:
    """A closed one stays closed; an open one is refused."""
    connection = sqlite3.connect(":memory:")
    with pytest.raises(Exception, match="open SQLite connection"):
        dumps(connection)
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        restored(connection).execute("select 1")
