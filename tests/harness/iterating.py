"""Iterators of every kind at every position, saved by one Python version and gone on with by another; see ``interpreters.ask``.

The request ``"save"`` is answered with the snapshots by name, each with what the native iterator still gives; any other is a dict
of snapshots by name, answered with what each of them still gave. Snapshots are base64.
"""

from __future__ import annotations

import base64
import builtins
import collections
import copy
import io
import itertools
import json
import operator
import random
import sys
from collections.abc import Callable, Iterator
from functools import partial
from types import FunctionType
from typing import Any

from durable_import.snapshot import load_context
from durable_import.snapshot.prelude import NamingPickler, begin
from durable_import.snapshot.table import TABLE, reduce_by_kind
from durable_import.snapshot.unpickler import unpickler_of

POSITIONS = 30  # at most, of one iterator
REST = 40  # items looked at

Make = Callable[[], Any]


class _Pickler(NamingPickler):
    def reducer_override(self, obj: Any) -> Any:
        """First by exact type, then by kind, as in snapshots."""
        reducer = TABLE.get(type(obj))
        if reducer is None and type(obj) is FunctionType:
            return super().reducer_override(obj)
        return reducer(obj) if reducer else reduce_by_kind(obj)


def dumps(value: Any) -> bytes:
    """A pickle by the reducers of snapshots."""
    file = io.BytesIO()
    pickler = _Pickler(file, 5)
    begin(pickler, file)
    pickler.dump(value)
    return file.getvalue()


def loads(data: bytes) -> Any:
    """What ``dumps`` made, completed."""
    return load_context.load(lambda _: unpickler_of(io.BytesIO(data)).load())


def restored(value: Any) -> Any:
    """A value after a save and a load."""
    return loads(dumps(value))


def below_three(value: Any) -> bool:
    """A predicate."""
    return bool(value < 3)


def later_or_none(total: Any, value: Any) -> Any:
    """For totals that are None now and then."""
    return None if value % 2 else (total, value)


class Countdown:
    """An iterable that minds being asked for its iterator twice."""

    def __init__(self, start: int) -> None:
        self.left = start
        self.asked = False

    def __iter__(self) -> Countdown:
        if self.asked:
            raise AssertionError("asked for its iterator again")
        self.asked = True
        return self

    def __next__(self) -> int:
        if not self.left:
            raise StopIteration
        self.left -= 1
        return self.left


def _combinatoric() -> Iterator[tuple[str, Make]]:
    kinds: tuple[Any, ...] = (itertools.combinations, itertools.combinations_with_replacement, itertools.permutations)
    for kind, size, length in itertools.product(kinds, range(5), range(4)):
        yield f"{kind.__name__} {length} of {size}", partial(kind, "abcde"[:size], length)
    for pools in ((), ("",), ("ab", "c"), ("ab", (1, 2, 3), "xy"), ("abc", "", "d")):
        yield f"product of {pools}", partial(itertools.product, *pools)
    yield "product with repeat", lambda: itertools.product("ab", repeat=4)


def _others_of_itertools() -> dict[str, Make]:
    none: Any = None
    return {
        "accumulate": lambda: itertools.accumulate([1, 2, 3, 4]),
        "accumulate nothing": lambda: itertools.accumulate([]),
        "accumulate, function": lambda: itertools.accumulate(iter([3, 1, 4, 1, 5]), max),
        "accumulate, initial": lambda: itertools.accumulate([1, 2, 3], operator.mul, initial=5),
        "accumulate, total None": lambda: itertools.accumulate([none, 1, 2, 3, 4], later_or_none),
        "chain": lambda: itertools.chain("ab", [], (1, 2), Countdown(3)),
        "chain of nothing": lambda: itertools.chain(),
        "chain.from_iterable": lambda: itertools.chain.from_iterable(iter([[1], "", [2, 3], {4: 5}])),
        "compress": lambda: itertools.compress("abcdefg", [1, 0, 1, 1, 0, 1]),
        "count": lambda: itertools.count(),
        "count from and by": lambda: itertools.count(7, -3),
        "count of floats": lambda: itertools.count(0.5, 0.25),
        "count beyond a word": lambda: itertools.count(2**63 - 4),
        "count far": lambda: itertools.count(2**70, 2**65),
        "cycle": lambda: itertools.cycle("abc"),
        "cycle of a countdown": lambda: itertools.cycle(Countdown(3)),
        "cycle of nothing": lambda: itertools.cycle([]),
        "dropwhile": lambda: itertools.dropwhile(below_three, [1, 2, 3, 1, 2, 5]),
        "filterfalse": lambda: itertools.filterfalse(None, [0, 1, "", 2, None]),
        "islice": lambda: itertools.islice(range(50), 2, 33, 3),
        "islice, open": lambda: itertools.islice(iter(range(50)), 4, None),
        "islice of nothing": lambda: itertools.islice(range(9), 5, 3),
        "islice, short source": lambda: itertools.islice("abc", 10),
        "pairwise": lambda: itertools.pairwise(Countdown(6)),
        "pairwise of one": lambda: itertools.pairwise("a"),
        "repeat": lambda: itertools.repeat("x", 4),
        "repeat for ever": lambda: itertools.repeat(None),
        "starmap": lambda: itertools.starmap(pow, [(2, 3), (3, 2), (1, 1)]),
        "takewhile": lambda: itertools.takewhile(below_three, [1, 2, 3, 1, 2]),
        "zip_longest": lambda: itertools.zip_longest("ab", [1, 2, 3, 4], "", Countdown(3), fillvalue="-"),
        "zip_longest of nothing": lambda: itertools.zip_longest(),  # type: ignore[call-overload]
        "zip_longest, fill None": lambda: itertools.zip_longest("a", "bcd"),
        "nested": lambda: itertools.islice(itertools.chain(itertools.cycle(itertools.accumulate([1, 2, 3])), "z"), 1, 12, 2),
    }


def _of_builtins() -> dict[str, Make]:
    return {
        "bytearray": lambda: iter(bytearray(b"abc")),
        "bytes": lambda: iter(b"abc"),
        "callable": lambda: iter(iter([1, 2, 3, 4]).__next__, 4),
        "deque": lambda: iter(collections.deque([1, 2, 3])),
        "deque backwards": lambda: reversed(collections.deque([1, 2, 3])),
        "dict": lambda: iter({"a": 1, "b": 2, "c": 3}),
        "dict items backwards": lambda: reversed({"a": 1, "b": 2, "c": 3}.items()),
        "dict values": lambda: iter({"a": 1, "b": 2, "c": 3}.values()),
        "enumerate": lambda: enumerate(Countdown(4), 7),
        "filter": lambda: filter(None, [0, 1, "", 2, None, 3]),
        "list": lambda: iter([1, 2, 3]),
        "list backwards": lambda: reversed([1, 2, 3]),
        "map": lambda: map(pow, [2, 3, 4], Countdown(9)),
        "ordered dict": lambda: iter(collections.OrderedDict(a=1, b=2, c=3).items()),
        "range": lambda: iter(range(3, 20, 4)),
        "range, big": lambda: iter(range(2**70, 2**70 + 4)),
        "reversed range": lambda: reversed(range(5)),
        "reversed str": lambda: reversed("aé漢"),
        "set of one": lambda: iter({1}),
        "str": lambda: iter("abc"),
        "str, wide": lambda: iter("aé漢"),
        "tuple": lambda: iter((1, 2, 3)),
        "zip": lambda: zip("abc", Countdown(4), strict=False),
        "zip of nothing": lambda: zip(),
        "zip, strict": lambda: zip("abc", [1, 2, 3], strict=True),
    }


def of_itertools() -> dict[str, Make]:
    """Makers of iterators of itertools."""
    return {**dict(_combinatoric()), **_others_of_itertools()}


def kinds() -> dict[str, Make]:
    """Makers of iterators that every supported version has."""
    return {**of_itertools(), **_of_builtins()}


def own_kinds() -> dict[str, Make]:
    """Makers of iterators that this version has and earlier ones have not."""
    found: dict[str, Make] = {}
    if sys.version_info >= (3, 12):
        found["batched"] = lambda: itertools.batched("abcdefg", 3)
    if sys.version_info >= (3, 13):
        found["batched, strict"] = lambda: itertools.batched(Countdown(6), 2, strict=True)
    if sys.version_info >= (3, 14):
        from string.templatelib import Interpolation, Template

        x, y = Interpolation(1, "x"), Interpolation([], "y", "r", ">5")
        found["map, strict"] = lambda: map(pow, [2, 3, 4], [1, 2, 3], strict=True)
        found["template"] = lambda: iter(Template("a", x, y, "b", x))
        found["template that begins with a value"] = lambda: iter(Template(x, "a", "b", y, ""))
        found["template of nothing"] = lambda: iter(Template())
    frozen: Any = getattr(builtins, "frozendict", None)  # since 3.15
    if frozen is not None:
        orders: tuple[Any, ...] = (iter, reversed)
        for kind, order in itertools.product(("keys", "values", "items"), orders):
            found[f"frozendict {kind} by {order.__name__}"] = partial(_over_view, frozen(a=1, b=2, c=3), kind, order)
    return found


def _over_view(container: Any, kind: str, order: Any) -> Any:
    return order(getattr(container, kind)())


def is_loadable(name: str, version: tuple[int, int]) -> bool:
    """Whether a version has what an iterator of these is over."""
    needed = {"template": (3, 14), "frozendict": (3, 15)}.get(name.split()[0], version)
    return needed <= version


def at(make: Make, position: int) -> Any:
    """An iterator after so many items; perhaps beyond its end."""
    iterator = make()
    for _ in range(position):
        next(iterator, None)
    return iterator


def rest(iterator: Any) -> str:
    """What it still gives, and that it has ended if it has."""
    items = list(itertools.islice(iterator, REST))
    return repr((items, next(iterator, "end"))) if len(items) < REST else repr(items)


def positions(make: Make) -> range:
    """The positions to look at: the one beyond the end as well."""
    return range(min(len(list(itertools.islice(make(), POSITIONS))) + 2, POSITIONS))


# --- several iterators that share something: a walk goes from one to another ----------------------------------------------


class Walk:
    """A random walk over the branches of a tee, or over a groupby and its groups; the same for the same seed."""

    def __init__(self, kind: str, seed: int) -> None:
        self.choices = random.Random(seed)
        self.kind = kind
        self.seen: list[Any] = []
        if kind == "tee":
            length = self.choices.choice([0, 3, 57, 58, 130])
            self.iterators: list[Any] = list(itertools.tee(range(length), self.choices.randint(1, 3)))
        else:
            words = self.choices.choices(["a", "ab", "b", "bc", "c", ""], k=self.choices.randint(0, 12))
            self.iterators = [itertools.groupby(words, self.choices.choice([None, len]))]

    def step(self) -> None:
        """One item, or several, of one of the iterators; or one iterator more."""
        index = self.choices.randrange(len(self.iterators))
        if self.kind == "tee" and self.choices.random() < 0.1:
            self.iterators.append(copy.copy(self.iterators[index]))
        elif self.kind == "tee":
            self.seen.append((index, list(itertools.islice(self.iterators[index], self.choices.choice([1, 1, 5, 60])))))
        elif index == 0:
            for key, group in itertools.islice(self.iterators[0], 1):
                self.seen.append(key)
                self.iterators.append(group)
        else:
            self.seen.append((index, next(self.iterators[index], "end")))


def walked(kind: str, seed: int, steps: int) -> Walk:
    """A walk after so many steps."""
    walk = Walk(kind, seed)
    for _ in range(steps):
        walk.step()
    return walk


def walks() -> Iterator[tuple[str, int, int]]:
    """Kind, seed and steps."""
    return ((kind, seed, seed % 25) for kind in ("tee", "groupby") for seed in range(75))


def walk_on(walk: Walk) -> str:
    """What the walk meets from here on."""
    walk.seen.clear()
    for _ in range(25):
        walk.step()
    return repr(walk.seen)


# --- what the other processes do ------------------------------------------------------------------------------------------


def _subjects() -> Iterator[tuple[str, Make, Callable[[Any], str]]]:
    for name, make in {**kinds(), **own_kinds()}.items():
        for position in positions(make):
            yield f"{name} after {position}", partial(at, make, position), rest
    for kind, seed, steps in walks():
        yield f"walk {kind} {seed}", partial(walked, kind, seed, steps), walk_on


def save() -> dict[str, list[str]]:
    """For each name a snapshot, and what it has to give."""
    return {name: [base64.b64encode(dumps(make())).decode(), go_on(make())] for name, make, go_on in _subjects()}


def load(snapshots: dict[str, str]) -> dict[str, str]:
    """What each of them still gives."""
    loaded = {name: loads(base64.b64decode(data)) for name, data in snapshots.items()}
    return {name: (walk_on if type(value) is Walk else rest)(value) for name, value in loaded.items()}


if __name__ == "__main__":
    # what is saved is found under one name in every process
    from tests.harness import iterating

    asked = json.load(sys.stdin)
    print(json.dumps(iterating.save() if asked == "save" else iterating.load(asked)))
