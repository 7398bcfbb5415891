"""The state of iterators that only their memory tells: those of itertools, and of template strings.

Python 3.14 took ``__reduce__`` and ``__setstate__`` from itertools, and ``batched`` and ``pairwise`` never had them. Here the
fields of the C structs are read: objects are taken from ``gc.get_referents`` only, the memory merely says which is which. The
layouts are those of CPython 3.11 to 3.15. Before one is used, its size is compared with the type's, and it has to read an
iterator whose state is known: what does not agree is refused. Memory is never written.
"""

from __future__ import annotations

import builtins
import gc
import itertools
import re
import struct
import sys
from collections.abc import Callable
from operator import length_hint
from pickle import PicklingError
from types import SimpleNamespace
from typing import Any

from .names import private

TEE: type = private("itertools._tee")
TEE_LINK: type = private("itertools._tee_dataobject")
FROZEN_DICT: Any = getattr(builtins, "frozendict", None)  # since 3.15; its views and iterators are those of dict
GROUP: Any = private("itertools._grouper")

HAS_STATES = hasattr(itertools.chain, "__setstate__")  # until 3.13
_NAMELESS: dict[str, Any] = {"__name__": None}  # a module for which no warnings are shown
set_state: Callable[[Any, Any], None] = eval("lambda iterator, state: iterator.__setstate__(state)", _NAMELESS)


class _Absent:
    """What a field that is NULL holds."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = _Absent()

# Types as the ``struct`` module has them, and names. Besides: O an object, T a tuple of which items may be NULL, A a pointer to
# numbers. In brackets, where there are several: which field has their number (of a tuple, its length).
_LAYOUTS: dict[type, tuple[str, ...]] = {
    itertools.accumulate: ("O:total O:it O:binop O:initial", "O:total O:it O:binop O:initial P:module"),
    itertools.chain: ("O:source O:active",),
    itertools.combinations: ("O:pool A:indices[r] O:result n:r i:stopped",),
    itertools.combinations_with_replacement: ("O:pool A:indices[r] O:result n:r i:stopped",),
    itertools.compress: ("O:data O:selectors",),
    itertools.count: ("n:cnt O:long_cnt O:long_step",),
    itertools.cycle: ("O:it O:saved n:index", "O:it O:saved n:index i:firstpass"),  # the latter until 3.13
    itertools.dropwhile: ("O:func O:it l:start",),
    itertools.filterfalse: ("O:func O:it",),
    itertools.groupby: (
        "O:it O:keyfunc O:tgtkey O:currkey O:currvalue P:currgrouper",
        "O:it O:keyfunc O:tgtkey O:currkey O:currvalue P:currgrouper P:module",
    ),
    itertools.islice: ("O:it n:next n:stop n:step n:cnt",),
    itertools.pairwise: ("O:it O:old", "O:it O:old O:result"),
    itertools.permutations: ("O:pool A:indices[pool] A:cycles[r] O:result n:r i:stopped",),
    itertools.product: ("O:pools A:indices[pools] O:result i:stopped",),
    itertools.repeat: ("O:element n:cnt",),
    itertools.starmap: ("O:func O:it",),
    itertools.takewhile: ("O:func O:it l:stop",),
    itertools.zip_longest: ("n:tuplesize n:numactive T:ittuple O:result O:fillvalue",),
    GROUP: ("O:parent O:tgtkey",),
    TEE: ("O:dataobj i:index P:weakreflist", "O:dataobj i:index P:weakreflist P:module"),
    TEE_LINK: ("O:it i:numread i:running O:nextlink 57O:values[numread]",),
}
Sample = tuple[Any, dict[str, Any]]  # an iterator, and what its fields hold
_SAMPLES: dict[type, Callable[[Any], list[Sample]]] = {}


def read(iterator: Any) -> SimpleNamespace:
    """The fields of an iterator by their names in C; ``ABSENT`` for NULL. Raises PicklingError where they are not as known."""
    kind = type(iterator)
    if kind not in _VERIFIED:
        _VERIFIED[kind] = _verified(kind)
    return _VERIFIED[kind].read(iterator)


class _Layout:
    """Reads the memory of one type."""

    def __init__(self, text: str) -> None:
        parts = [re.fullmatch(r"(\d*)([?\w]):(\w+)(?:\[(\w+)\])?", part) for part in text.split()]
        self.fields = [(*part.groups(),) for part in parts if part]
        self.unpack = struct.Struct("".join(n + letter.translate(_IN_C) for n, letter, _, _ in self.fields) + "0P")

    @property
    def size(self) -> int:
        """Of an object, in bytes."""
        return object.__basicsize__ + self.unpack.size

    def read(self, iterator: Any) -> SimpleNamespace:
        """The fields by name."""
        words = iter(self.unpack.unpack(_memory(id(iterator) + object.__basicsize__, self.unpack.size)))
        raw = {name: list(itertools.islice(words, int(n))) if n else next(words) for n, _, name, _ in self.fields}
        referents = {id(x): x for x in gc.get_referents(iterator)}
        found: dict[str, Any] = {name: _found(raw[name], letter, referents) for n, letter, name, _ in self.fields if not n}
        for _, letter, name, size in self.fields:
            if size:
                count = found[size] if type(found[size]) is int else len(found[size])
                several: Any = raw[name]
                found[name] = _numbers(several, count) if letter == "A" else _objects(several[:count], referents)
        return SimpleNamespace(**found)


_IN_C = str.maketrans("OTA", "PPP")
_WORD = struct.calcsize("P")


def _memory(address: int, size: int) -> bytes:
    import ctypes  # slow to import, and rarely needed

    return ctypes.string_at(address, size)


def _numbers(address: int, count: int) -> list[int]:
    return list(struct.unpack(f"{count}n", _memory(address, count * _WORD)))


def _objects(words: list[int], referents: dict[int, Any]) -> list[Any]:
    return [referents[word] if word else ABSENT for word in words]


def _found(raw: Any, letter: str, referents: dict[int, Any]) -> Any:
    """What a single field holds. Raises KeyError for an address that is none of the referents'."""
    if letter not in "OT":
        return raw
    (found,) = _objects([raw], referents)
    if letter == "O" or found is ABSENT:
        return found
    words = struct.unpack(f"{len(found)}P", _memory(id(found) + tuple.__basicsize__, len(found) * _WORD))
    return _objects(list(words), {id(x): x for x in gc.get_referents(found)})


_VERIFIED: dict[type, _Layout] = {}


def _verified(kind: type) -> _Layout:
    """The layout of a type, which has read the samples rightly."""
    for layout in map(_Layout, _LAYOUTS[kind]):
        if layout.size == kind.__basicsize__ and all(_agrees(layout, *sample) for sample in _SAMPLES[kind](kind)):
            return layout
    version = ".".join(map(str, sys.version_info[:3]))
    raise PicklingError(
        f"where {kind.__module__}.{kind.__name__} keeps its state is not known for Python {version} ({sys.implementation.name}); "
        "use a list, or a generator function in a marked module"
    )


def _agrees(layout: _Layout, iterator: Any, expected: dict[str, Any]) -> bool:
    try:
        found = vars(layout.read(iterator))
    except KeyError:  # an address that is no object of the iterator's
        return False
    return all(_is_same(found[name], value) for name, value in expected.items())


def _is_same(found: Any, value: Any) -> bool:
    return found is value or (type(value) in (int, bool, str, list) and bool(found == value))


def _samples(*kinds: type) -> Callable[[Callable[[Any], list[Sample]]], Callable[[Any], list[Sample]]]:
    """Decorates a function which makes iterators of a kind whose state is known: no two fields hold the same."""

    def note(make: Callable[[Any], list[Sample]]) -> Callable[[Any], list[Sample]]:
        _SAMPLES.update(dict.fromkeys(kinds, make))
        return make

    return note


def _after(steps: int, iterator: Any) -> Any:
    for _ in range(steps):
        next(iterator)
    return iterator


@_samples(itertools.accumulate)
def _accumulate(kind: Any) -> list[Sample]:
    source, total, initial = iter([object()]), object(), object()
    return [
        (kind(source, max, initial=initial), {"total": ABSENT, "it": source, "binop": max, "initial": initial}),
        (_after(1, kind(iter([total]), max)), {"total": total, "binop": max, "initial": None}),
    ]


@_samples(itertools.chain)
def _chain(kind: Any) -> list[Sample]:
    active = iter([1, 2])
    source = iter([active])
    return [
        (_after(1, kind.from_iterable(source)), {"source": source, "active": active}),
        (kind.from_iterable(source), {"source": source, "active": ABSENT}),
    ]


@_samples(itertools.combinations, itertools.combinations_with_replacement)
def _combinations(kind: Any) -> list[Sample]:
    pool = tuple("abcdefg")
    indices = [0, 1, 6] if kind is itertools.combinations else [0, 0, 4]
    fields = {"pool": pool, "r": 3, "stopped": 0}
    return [
        (kind(pool, 3), {**fields, "result": ABSENT}),
        (_after(5, kind(pool, 3)), {**fields, "indices": indices}),
        (kind((), 3), {"pool": (), "r": 3, "stopped": 1}),
    ]


@_samples(itertools.permutations)
def _permutations(kind: Any) -> list[Sample]:
    pool = tuple("abcd")
    fields = {"pool": pool, "r": 2, "stopped": 0}
    return [
        (kind(pool, 2), {**fields, "indices": [0, 1, 2, 3], "cycles": [4, 3], "result": ABSENT}),
        (_after(5, kind(pool, 2)), {**fields, "indices": [1, 2, 0, 3], "cycles": [3, 2]}),
        (kind((), 3), {"pool": (), "r": 3, "stopped": 1}),
    ]


@_samples(itertools.product)
def _product(kind: Any) -> list[Sample]:
    pools = (tuple("abc"), tuple("defgh"))
    ended = kind(())
    next(ended, None)
    return [
        (kind(*pools), {"indices": [0, 0], "result": ABSENT, "stopped": 0}),
        (_after(9, kind(*pools)), {"indices": [1, 3], "stopped": 0}),
        (ended, {"stopped": 1}),
    ]


@_samples(itertools.compress)
def _compress(kind: Any) -> list[Sample]:
    data, selectors = iter("abc"), iter([1, 1])
    return [(kind(data, selectors), {"data": data, "selectors": selectors})]


@_samples(itertools.count)
def _count(kind: Any) -> list[Sample]:
    step = 12_345_678
    return [
        (kind(7_654_321, step), {"long_cnt": 7_654_321, "long_step": step}),
        (_after(3, kind(7_654_321)), {"cnt": 7_654_324, "long_cnt": ABSENT, "long_step": 1}),
    ]


@_samples(itertools.cycle)
def _cycle(kind: Any) -> list[Sample]:
    source = iter("abc")
    return [
        (_after(2, kind(source)), {"it": source, "saved": ["a", "b"]}),
        (_after(5, kind("abc")), {"it": ABSENT, "saved": ["a", "b", "c"], "index": 2}),
    ]


@_samples(itertools.dropwhile, itertools.takewhile)
def _while(kind: Any) -> list[Sample]:
    source, rest = iter([1, 0, 1]), iter([1, 0, 1])
    flag = "start" if kind is itertools.dropwhile else "stop"
    moved = kind(bool, rest)
    next(moved), next(moved, None)
    return [
        (kind(bool, source), {"func": bool, "it": source, flag: 0}),
        (moved, {"func": bool, "it": rest, flag: 1}),
    ]


@_samples(itertools.filterfalse, itertools.starmap)
def _function_and_source(kind: Any) -> list[Sample]:
    source: Any = iter([])
    return [(kind(bool, source), {"func": bool, "it": source})]


@_samples(itertools.groupby)
def _groupby(kind: Any) -> list[Sample]:
    source, key = iter("aab"), str.upper
    groups = kind(source, key)
    _, group = next(groups)
    next(group), next(group)
    middle = {"tgtkey": "A", "currkey": ABSENT, "currvalue": ABSENT}
    other = kind("aab", None)
    _, rest = next(other)
    list(rest)
    return [
        (groups, {"it": source, "keyfunc": key, **middle, "currgrouper": id(group)}),
        (other, {"keyfunc": None, "tgtkey": "a", "currkey": "b", "currvalue": "b"}),
    ]


@_samples(GROUP)
def _group(_: Any) -> list[Sample]:
    groups = itertools.groupby("aab", str.upper)
    key, group = next(groups)
    return [(group, {"parent": groups, "tgtkey": key})]


@_samples(itertools.islice)
def _islice(kind: Any) -> list[Sample]:
    source = iter(range(99))
    return [
        (_after(2, kind(source, 2, 50, 7)), {"it": source, "next": 16, "stop": 50, "step": 7, "cnt": 10}),
        (kind(source, 0, None), {"it": source, "stop": -1}),
    ]


@_samples(itertools.pairwise)
def _pairwise(kind: Any) -> list[Sample]:
    source = iter("abcd")
    return [
        (kind(source), {"it": source, "old": ABSENT}),
        (_after(2, kind(source)), {"it": source, "old": "c"}),
    ]


@_samples(itertools.repeat)
def _repeat(kind: Any) -> list[Sample]:
    element = object()
    return [(_after(1, kind(element, 77)), {"element": element, "cnt": 76}), (kind(element), {"element": element, "cnt": -1})]


@_samples(itertools.zip_longest)
def _zip_longest(kind: Any) -> list[Sample]:
    rest, fill = iter("abc"), object()
    begun = _after(2, kind("", rest, "", fillvalue=fill))
    return [(begun, {"tuplesize": 3, "numactive": 1, "ittuple": [ABSENT, rest, ABSENT], "fillvalue": fill})]


def _link_of(holder: Any) -> Any:
    return next(x for x in gc.get_referents(holder) if type(x) is TEE_LINK)


@_samples(TEE)
def _tee(_: Any) -> list[Sample]:
    left, right = itertools.tee(range(9))
    return [(_after(3, left), {"dataobj": _link_of(right), "index": 3}), (right, {"dataobj": _link_of(left), "index": 0})]


@_samples(TEE_LINK)
def _tee_link(_: Any) -> list[Sample]:
    source = iter(range(99))
    left, right = itertools.tee(source)
    last = _link_of(_after(60, left))
    fields = {"it": source, "running": 0}
    return [
        (_link_of(right), {**fields, "numread": 57, "nextlink": last, "values": list(range(57))}),
        (last, {**fields, "numread": 3, "nextlink": ABSENT, "values": [57, 58, 59]}),
    ]


if sys.version_info >= (3, 12):
    _LAYOUTS[itertools.batched] = ("O:it n:size", "O:it n:size ?:strict")

    @_samples(itertools.batched)
    def _batched(kind: Any) -> list[Sample]:
        source = iter("abc")
        samples: list[Sample] = [(kind(source, 7_654_321), {"it": source, "size": 7_654_321})]
        if sys.version_info >= (3, 13):
            samples.append((kind(source, 5, strict=True), {"it": source, "size": 5, "strict": True}))
        return samples

if sys.version_info >= (3, 14):
    from string.templatelib import Interpolation, Template

    _TEMPLATE_ITERATOR = type(iter(Template("")))
    _LAYOUTS[_TEMPLATE_ITERATOR] = ("O:strings O:interpolations i:from_strings",)

    @_samples(_TEMPLATE_ITERATOR)
    def _template_iterator(_: Any) -> list[Sample]:
        probe: Any = iter(Template("a", Interpolation(1), "b"))
        tuples = [x for x in gc.get_referents(probe) if type(x) is type(iter(()))]
        interpolations, strings = sorted(tuples, key=length_hint)
        return [
            (probe, {"strings": strings, "interpolations": interpolations, "from_strings": 1}),
            (_after(1, iter(Template("a", Interpolation(1)))), {"from_strings": 0}),
        ]
