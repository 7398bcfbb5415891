"""Reducers for enumerate, zip, map, filter, reversed, iter(callable, sentinel), and for itertools.

Positions come from the native ``__reduce__``, which all of these have up to 3.13 except ``pairwise`` and ``batched``.
From 3.12 on itertools warns when asked; ``_reduce_quietly`` avoids the warning without touching the process's filters.
Where the native form loses something, this module has its own:

- every one calls ``iter`` on its inner iterator again when restored (a second ``__iter__`` call on a user's object, an
  error if it has none): ``Exactly`` hands over the very iterator;
- ``combinations`` and ``permutations`` of length 0 start again after their end;
- ``accumulate`` grows a layer per save while its total is None or its initial value is still to come;
- ``reversed`` of a user's sequence asks for a length that may not be there yet in a cycle.
"""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator
from pickle import PicklingError
from typing import Any

from durable_import.pythons.library import SHARING_ITERATORS

Reduced = tuple[Any, ...] | str

# The warning machinery does nothing for a caller whose module name is None (as it is when the interpreter shuts down).
_NAMELESS: dict[str, Any] = {"__name__": None}
_reduce_quietly: Callable[[Any], tuple[Any, ...]] = eval("lambda iterator: iterator.__reduce__()", _NAMELESS)
_set_quietly: Callable[[Any, Any], None] = eval("lambda iterator, state: iterator.__setstate__(state)", _NAMELESS)


class Exactly:
    """An iterable whose ``iter`` is the given iterator itself, even if that has no ``__iter__``."""

    __slots__ = ("iterator",)

    def __init__(self, iterator: Any) -> None:
        self.iterator = iterator

    def __iter__(self) -> Any:
        return self.iterator


class Prepended:
    """Yields ``first``, then what ``rest`` yields; takes no part any more once ``first`` is gone."""

    __slots__ = ("first", "rest")

    def __init__(self, first: tuple[Any, ...], rest: Any) -> None:
        self.first = first
        self.rest = rest

    def __iter__(self) -> Prepended:
        return self

    def __next__(self) -> Any:
        if self.first:
            value, *rest = self.first
            self.first = tuple(rest)
            return value
        return next(self.rest)


class Sized:
    """A sequence as ``reversed`` wants it, with a length of its own; items come from ``sequence``."""

    __slots__ = ("length", "sequence")

    def __init__(self, sequence: Any, length: int) -> None:
        self.sequence = sequence
        self.length = length

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> Any:
        return self.sequence[index]


def set_state(iterator: Any, state: Any) -> None:
    """Put the native state back, without the warning of 3.12 and later."""
    _set_quietly(iterator, state)


def restore_over(kind: type, before: tuple[Any, ...], iterators: tuple[Any, ...], after: tuple[Any, ...]) -> Any:
    """``kind(*before, *iterators, *after)``; an empty tuple among the iterators stands for a finished one."""
    return kind(*before, *[x if type(x) is tuple else Exactly(x) for x in iterators], *after)


def _over(kind: type, before: Any, iterators: Any, after: Any = (), state: Any = None) -> Reduced:
    made = restore_over, (kind, tuple(before), tuple(iterators), tuple(after))
    return made if state is None else (*made, state, None, None, set_state)


def _reduce_enumerate(iterator: Any) -> Reduced:
    kind, (inner, count) = iterator.__reduce__()
    return _over(kind, (), (inner,), (count,))


def restore_zip(iterators: tuple[Any, ...], strict: bool) -> Any:
    """``zip`` over these very iterators."""
    return zip(*map(Exactly, iterators), strict=strict)


def _reduce_zip(iterator: Any) -> Reduced:
    _, iterators, *strict = iterator.__reduce__()
    return restore_zip, (iterators, bool(strict))


def _reduce_function_first(iterator: Any) -> Reduced:
    """Of map, filter, filterfalse, starmap, takewhile, dropwhile: a function, then iterators, then perhaps a state."""
    kind, (function, *inner), *state = _reduce_quietly(iterator)
    return _over(kind, (function,), inner, (), *state)


def _reduce_iterators_only(iterator: Any) -> Reduced:
    """Of compress, cycle and zip_longest."""
    kind, inner, *state = _reduce_quietly(iterator)
    return _over(kind, (), inner, (), *state)


def _reduce_natively(iterator: Any) -> Reduced:
    """Of chain, count, repeat, product, tee and groups: the native form is exact."""
    kind, args, *state = _reduce_quietly(iterator)
    return (kind, args, state[0], None, None, set_state) if state else (kind, args)


def restore_reversed(sequence: Any, length: int) -> Any:
    """``reversed`` over the first ``length`` items of ``sequence``."""
    return reversed(sequence if type(sequence) is str and len(sequence) == length else Sized(sequence, length))


def _reduce_reversed(iterator: Any) -> Reduced:
    _, (sequence,), *index = iterator.__reduce__()
    if isinstance(sequence, Sized):
        sequence = sequence.sequence
    return restore_reversed, (sequence, index[0] + 1) if index else ((), 0)


def _reduce_islice(iterator: Any) -> Reduced:
    kind, (inner, *bounds), *state = _reduce_quietly(iterator)
    return _over(kind, (), (inner,), bounds, *state)


def _reduce_groupby(iterator: Any) -> Reduced:
    kind, (inner, key), *state = _reduce_quietly(iterator)
    return _over(kind, (), (inner,), (key,), *state)


def _reduce_combinations(iterator: Any) -> Reduced:
    """Also of permutations and combinations_with_replacement."""
    kind, (pool, length), *state = _reduce_quietly(iterator)
    if not state and sum(type(x) is tuple for x in gc.get_referents(iterator)) > 1:
        length = max(length, 1)  # it has come to its end: of nothing, one item cannot be taken
    return (kind, (pool, length), state[0], None, None, set_state) if state else (kind, (pool, length))


def restore_accumulate(inner: Any, function: Any, initial: tuple[Any, ...]) -> Any:
    """``accumulate`` over this very iterator; ``initial`` is empty or the value still to come first."""
    return itertools.accumulate(Exactly(inner), function, initial=initial[0] if initial else None)


def set_total(iterator: Any, total: tuple[Any, ...]) -> None:
    """Put back the total so far, which may be None."""
    _set_quietly(iterator, total[0])


def _reduce_accumulate(iterator: Any) -> Reduced:
    kind, args, *state = _reduce_quietly(iterator)
    if kind is itertools.islice:  # the total is None: islice(accumulate(chain((None,), inner), function), 1, None)
        _, (chained, function), *_ = _reduce_quietly(args[0])
        (total,), inner = _unchain(chained)
        return restore_accumulate, (inner, function, ()), (total,), None, None, set_total
    inner, function = args
    if len(state) and state[0] is not None:
        return restore_accumulate, (inner, function, ()), (state[0],), None, None, set_total
    if type(inner) is itertools.chain and not any(x is inner for x in gc.get_referents(iterator)):
        initial, inner = _unchain(inner)
        return restore_accumulate, (inner, function, initial)
    return restore_accumulate, (inner, function, ())


def _unchain(chained: Any) -> tuple[tuple[Any, ...], Any]:
    """What the native reduce put in front, and the iterator behind it."""
    _, _, (source, *_) = _reduce_quietly(chained)
    first, inner = source
    return tuple(first), inner


_PAIRWISE_HAS_RESULT = type(gc.get_referents(itertools.pairwise([]))[-1]) is tuple
_PAIRWISE_HAS_TYPE = gc.get_referents(itertools.pairwise([]))[0] is itertools.pairwise


def _reduce_pairwise(iterator: Any) -> Reduced:
    fields = gc.get_referents(iterator)[int(_PAIRWISE_HAS_TYPE) :]
    if _PAIRWISE_HAS_RESULT:
        del fields[-1]
    if not fields:
        return itertools.pairwise, ((),)
    inner, *old = fields
    if len(old) > 1:
        raise PicklingError("itertools.pairwise has another shape in this Python version; use zip over two slices")
    if isinstance(inner, Prepended) and not inner.first:
        inner = inner.rest
    return _over(itertools.pairwise, (), (Prepended(tuple(old), inner) if old else inner,))


def _reduce_prepended(iterator: Prepended) -> Reduced:
    return Prepended, (iterator.first, iterator.rest)


def restore_batched(inner: Any, size: int, strict: bool) -> Any:
    """``itertools.batched`` over this very iterator; without it (3.11) an equal generator-free stand-in."""
    native: Any = getattr(itertools, "batched", None)
    if native is None:
        return Batches(inner, size)
    return native(Exactly(inner), size, strict=True) if strict else native(Exactly(inner), size)


class Batches:
    """What ``itertools.batched`` does, for a snapshot of 3.12 that goes on in 3.11."""

    __slots__ = ("inner", "size")

    def __init__(self, inner: Any, size: int) -> None:
        self.inner = inner
        self.size = size

    def __iter__(self) -> Batches:
        return self

    def __next__(self) -> tuple[Any, ...]:
        batch = tuple(itertools.islice(Exactly(self.inner), self.size))
        if not batch:
            raise StopIteration
        return batch


def _reduce_batches(iterator: Batches) -> Reduced:
    return restore_batched, (iterator.inner, iterator.size, False)


def _reduce_batched(iterator: Any) -> Reduced:
    inner = [x for x in gc.get_referents(iterator) if x is not type(iterator)]
    if not inner:
        return restore_batched, (iter(()), 1, False)
    size, strict = _read_batched(iterator)
    return restore_batched, (inner[0], size, strict)


def _read_batched(iterator: Any) -> tuple[int, bool]:
    """The batch size and strictness, which Python code cannot ask for.

    They are looked up in the object's memory; where is learnt from two objects whose size is known. Read only.
    """
    import ctypes  # rarely needed and slow to import

    batched: Any = type(iterator)
    length, word = batched.__basicsize__, ctypes.sizeof(ctypes.c_ssize_t)

    def words(obj: Any) -> list[int]:
        return [ctypes.c_ssize_t.from_address(id(obj) + at).value for at in range(0, length, word)]

    probes = [(batched((), size), size) for size in (7_654_321, 1_234_567)]
    places = [i for i in range(length // word) if all(words(probe)[i] == size for probe, size in probes)]
    if len(places) != 1:
        raise PicklingError("itertools.batched does not tell its batch size; use slices or islice instead")
    strict = False
    if _takes_strict(batched):
        flag = ctypes.c_bool.from_address
        strict = bool(flag(id(iterator) + (places[0] + 1) * word).value)
    return words(iterator)[places[0]], strict


def _takes_strict(batched: Any) -> bool:
    try:
        batched((), 1, strict=True)
    except TypeError:
        return False
    return True


TABLE: dict[type, Callable[[Any], Reduced]] = {
    enumerate: _reduce_enumerate,
    zip: _reduce_zip,
    reversed: _reduce_reversed,
    Prepended: _reduce_prepended,
    Batches: _reduce_batches,
    itertools.islice: _reduce_islice,
    itertools.groupby: _reduce_groupby,
    itertools.accumulate: _reduce_accumulate,
    itertools.pairwise: _reduce_pairwise,
    **dict.fromkeys(
        (map, filter, itertools.filterfalse, itertools.starmap, itertools.takewhile, itertools.dropwhile),
        _reduce_function_first,
    ),
    **dict.fromkeys((itertools.compress, itertools.cycle, itertools.zip_longest), _reduce_iterators_only),
    **dict.fromkeys(
        (itertools.combinations, itertools.combinations_with_replacement, itertools.permutations),
        _reduce_combinations,
    ),
    **dict.fromkeys(
        (
            itertools.chain, itertools.count, itertools.repeat, itertools.product,
            *SHARING_ITERATORS,
        ),
        _reduce_natively,
    ),
}  # fmt: skip
if hasattr(itertools, "batched"):
    TABLE[itertools.batched] = _reduce_batched


def _one_shot(iterator: Iterator[Any]) -> Reduced:
    """Of iter(callable, sentinel): the native form is exact, unless it is ``re.finditer`` in disguise."""
    reduced: Any = iterator.__reduce__()
    function = reduced[1][0]
    if type(getattr(function, "__self__", None)).__name__ == "SRE_Scanner":
        raise PicklingError("re.finditer does not tell its position; iterate over list(re.finditer(...))")
    return reduced  # type: ignore[no-any-return]


TABLE[type(iter(int, 1))] = _one_shot
