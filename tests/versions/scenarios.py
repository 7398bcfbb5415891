"""Values that are saved by one process and Python version, with what is to hold of them where they are loaded.

``python -m tests.versions.scenarios dump|load FILE``.
"""

from __future__ import annotations

import collections
import contextvars
import dataclasses
import enum
import itertools
import pickle
import sys
import threading
import traceback
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from tests.harness.pickling import dumps, loads

SCENARIOS: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {}


def scenario(build: Callable[[], Any]) -> Callable[[Callable[[Any], None]], Callable[[Any], None]]:
    """Register ``build``, which runs where the snapshot is saved, with a check that runs where it is loaded."""

    def register(check: Callable[[Any], None]) -> Callable[[Any], None]:
        SCENARIOS[check.__name__] = (build, check)
        return check

    return register


def _begun(iterator: Any, steps: int = 1) -> Any:
    for _ in range(steps):
        next(iterator)
    return iterator


ITERATORS: dict[str, Callable[[], Any]] = {
    "list": lambda: _begun(iter([1, 2, 3])),
    "list backwards": lambda: _begun(reversed([1, 2, 3])),
    "tuple": lambda: _begun(iter((1, 2, 3))),
    "str": lambda: _begun(iter("aé漢")),
    "bytes": lambda: _begun(iter(b"abc")),
    "range": lambda: _begun(iter(range(5)), 2),
    "big range": lambda: _begun(iter(range(2**70, 2**70 + 4)), 2),
    "dict keys": lambda: _begun(iter({"a": 1, "b": 2})),
    "dict values": lambda: _begun(iter({"a": 1, "b": 2}.values())),
    "dict items backwards": lambda: _begun(reversed({"a": 1, "b": 2}.items())),
    "ordered dict": lambda: _begun(iter(collections.OrderedDict(a=1, b=2, c=3).items())),
    "deque": lambda: _begun(iter(collections.deque([1, 2, 3]))),
    "enumerate": lambda: _begun(enumerate("abc", 7)),
    "zip": lambda: _begun(zip([1, 2], "ab", strict=False)),
    "map": lambda: _begun(map(pow, [2, 3], [4, 5])),
    "filter": lambda: _begun(filter(None, [0, 1, 0, 2])),
    "reversed": lambda: _begun(reversed("abc")),
    "iter of callable": lambda: _begun(iter(iter([1, 2, 3, 4]).__next__, 4)),
    "count": lambda: itertools.islice(_begun(itertools.count(3, 2)), 3),
    "cycle": lambda: itertools.islice(_begun(itertools.cycle([1, 2, 3]), 4), 5),
    "cycle, first pass": lambda: itertools.islice(_begun(itertools.cycle([1, 2, 3])), 5),
    "repeat": lambda: _begun(itertools.repeat("x", 3)),
    "chain": lambda: _begun(itertools.chain("ab", "cd", "ef"), 3),
    "islice": lambda: _begun(itertools.islice(range(20), 2, 15, 3), 2),
    "tee": lambda: _begun(itertools.tee(range(100))[1], 60),
    "accumulate": lambda: _begun(itertools.accumulate([1, 2, 3, 4])),
    "accumulate, initial to come": lambda: itertools.accumulate([1, 2], initial=5),
    "accumulate, total None": lambda: _begun(itertools.accumulate([None, 2, 3], _second)),
    "zip_longest": lambda: _begun(itertools.zip_longest("a", "bcd", fillvalue="-"), 2),
    "product": lambda: _begun(itertools.product("ab", repeat=2), 2),
    "permutations": lambda: _begun(itertools.permutations("abc"), 3),
    "combinations": lambda: _begun(itertools.combinations("abcd", 2), 3),
    "combinations at the end": lambda: _begun(itertools.combinations("ab", 2)),
    "pairwise": lambda: _begun(itertools.pairwise("abcd")),
    "pairwise, fresh": lambda: itertools.pairwise("abc"),
    "starmap": lambda: _begun(itertools.starmap(pow, [(2, 3), (3, 2)])),
    "takewhile": lambda: _begun(itertools.takewhile(bool, [1, 2, 0, 3])),
    "dropwhile": lambda: _begun(itertools.dropwhile(bool, [1, 0, 3])),
    "filterfalse": lambda: _begun(itertools.filterfalse(None, [0, 1, 0])),
    "compress": lambda: _begun(itertools.compress("abcd", [1, 0, 1, 1])),
}
if hasattr(itertools, "batched"):
    ITERATORS["batched"] = lambda: _begun(itertools.batched("abcdefg", 3))  # type: ignore[attr-defined]


def _second(_: Any, value: Any) -> Any:
    return value if value == 3 else None


def _iterators() -> dict[str, Any]:
    return {name: (make(), list(make())) for name, make in ITERATORS.items()}


@scenario(_iterators)
def every_iterator_goes_on(saved: Any) -> None:
    """The rest is what it was."""
    for name, (iterator, rest) in saved.items():
        assert list(iterator) == rest, name


def _set_iterator() -> Any:
    container = {f"s{i}" for i in range(50)}
    iterator = iter(container)
    return container, iterator, [next(iterator) for _ in range(20)]


@scenario(_set_iterator)
def set_iterator_yields_each_item_once(saved: Any) -> None:
    """In whatever order the other process has the set."""
    container, iterator, done = saved
    rest = list(iterator)
    assert len(rest) == 30
    assert set(done) | set(rest) == container


def _raise_deep(n: int) -> None:
    if n:
        _raise_deep(n - 1)
    raise KeyError(n)


class Refused(Exception):
    """Has another signature than its args."""

    def __init__(self, first: int, second: int) -> None:
        super().__init__(f"{first}/{second}")
        self.pair = (first, second)


def _exception() -> Any:
    try:
        try:
            _raise_deep(3)
        except KeyError as error:
            error.add_note("a note")
            raise Refused(1, 2) from error
    except Refused as error:
        return error, _places(error), _places(error.__cause__)


def _places(error: Any) -> list[tuple[Any, ...]]:
    return [(f.filename, f.lineno, f.name) for f in traceback.extract_tb(error.__traceback__)]


@scenario(_exception)
def exception_keeps_its_story(saved: Any) -> None:
    """Cause, notes, attributes and the traceback's places."""
    error, places, places_of_cause = saved
    assert type(error) is Refused
    assert (error.args, error.pair) == (("1/2",), (1, 2))
    assert error.__cause__ is error.__context__
    assert error.__suppress_context__
    assert error.__cause__ is not None
    assert error.__cause__.__notes__ == ["a note"]
    assert (_places(error), _places(error.__cause__)) == (places, places_of_cause)


def _local_classes() -> Any:
    class Base:
        kinds: ClassVar[list[str]] = []

        def __init_subclass__(cls, *, kind: str) -> None:
            cls.kinds.append(kind)

        def name(self) -> str:
            return "base"

    class Derived(Base, kind="derived"):
        __slots__ = ("__private", "other")

        def __init__(self) -> None:
            self.__private = 3
            self.other = self

        def name(self) -> str:
            return "derived of " + super().name()

        @property
        def private(self) -> int:
            return self.__private

        @classmethod
        def make(cls) -> Any:
            return cls()

        @staticmethod
        def twice(x: int) -> int:
            return 2 * x

    Derived.instance = Derived()  # type: ignore[attr-defined]
    return Derived.instance, Derived  # type: ignore[attr-defined]


@scenario(_local_classes)
def local_class_works(saved: Any) -> None:
    """Slots, private names, super(), properties, class and static methods, the cycle with its instance."""
    instance, cls = saved
    assert type(instance) is cls
    assert cls.instance is instance
    assert instance.other is instance
    assert (instance.name(), instance.private, cls.make().private, cls.twice(4)) == ("derived of base", 3, 3, 8)
    assert cls.kinds == ["derived"]


def _local_data_classes() -> Any:
    @dataclasses.dataclass(order=True)
    class Point:
        x: int
        y: int = 2
        tags: list[str] = dataclasses.field(default_factory=list, compare=False, repr=False)

        def total(self) -> int:
            return self.x + self.y

    @dataclasses.dataclass(frozen=True, slots=True)
    class Frozen:
        a: int
        b: str = "b"

    class Pair(NamedTuple):
        left: int
        right: int = 5

        def swapped(self) -> Any:
            return type(self)(self.right, self.left)

    class Colour(enum.Enum):
        RED = 1
        CRIMSON = 1
        BLUE = 2

        def label(self) -> str:
            return self.name.lower()

    class Access(enum.IntFlag):
        R = 4
        W = 2

    class Word(str, enum.Enum):  # noqa: UP042  # the form in question
        HELLO = "hello"

    return Point(1), Frozen(1), Pair(1), Colour.BLUE, Access.R | Access.W, Word.HELLO, Colour


@scenario(_local_data_classes)
def local_data_classes_work(saved: Any) -> None:
    """They are made again by the standard library of the loading version."""
    point, frozen, pair, blue, access, word, colour = saved
    assert (point.total(), repr(point)) == (3, "_local_data_classes.<locals>.Point(x=1, y=2)")
    assert type(point)(5) > point
    assert type(point)(5).tags == []
    assert frozen == type(frozen)(1)
    assert hash(frozen) == hash(type(frozen)(1, "b"))
    try:
        frozen.a = 2
    except dataclasses.FrozenInstanceError:
        pass
    else:
        raise AssertionError("a frozen dataclass was changed")
    assert (pair.swapped(), repr(pair)) == ((5, 1), "Pair(left=1, right=5)")
    assert blue is colour.BLUE
    assert blue.label() == "blue"
    assert colour.CRIMSON is colour.RED
    assert colour(2) is blue
    assert access == 6
    assert type(access).R in access
    assert word == "hello"
    assert type(word)("hello") is word


VARIABLE: contextvars.ContextVar[int] = contextvars.ContextVar("VARIABLE", default=0)


def _process_objects() -> Any:
    context = contextvars.Context()
    context.run(VARIABLE.set, 7)
    holder = Refused(0, 0)
    locks = threading.Lock(), threading.RLock(), threading.Event()
    return *locks, context, VARIABLE, itertools, weakref.ref(holder), holder


@scenario(_process_objects)
def process_objects_belong_to_the_new_process(saved: Any) -> None:
    """Locks are new and free, names lead to the new process's objects."""
    lock, rlock, event, context, variable, module, reference, holder = saved
    with lock, rlock:
        event.set()
    assert variable is sys.modules[__name__].VARIABLE
    assert context[variable] == 7
    assert module is itertools
    assert reference() is holder


def main(action: str, file: str) -> None:
    """Save every scenario to ``file``, or load and check them all."""
    if action == "dump":
        data = {name: dumps(build()) for name, (build, _) in SCENARIOS.items()}
        Path(file).write_bytes(pickle.dumps(data))
    else:
        data = pickle.loads(Path(file).read_bytes())
        for name, snapshot in data.items():
            SCENARIOS[name][1](loads(snapshot))
    print(len(data), f"{action}ed")


if __name__ == "__main__":
    from tests.versions import scenarios  # under the name that snapshots call it by

    scenarios.main(*sys.argv[1:])
