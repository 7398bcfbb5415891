"""Snapshots that Python 3.13 or earlier saved by the native forms of itertools, where these are no more (since 3.14).

A native form is a call of the type, then a call of ``set_state``. The iterator is here a stand-in until its first item is asked
for; then it is made as ``itertools_state`` makes it. Saved again, it is that. Only the calls of the types mean this, not the
types, which are values like others: so such a pickle is read by the unpickler in Python, which can tell one from the other.
"""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable
from operator import length_hint
from typing import Any, ClassVar

from ...pythons.iterators import GROUP, HAS_STATES, TEE, TEE_LINK
from ...pythons.library import PythonUnpickler
from . import itertools_state as now
from .combinatorics import Combinations, CombinationsWithReplacement, Permutations, Product
from .feeds import Exactly
from .tee import Tee, TeeLink

_MODULE = "durable_import.snapshot.itertools_state"  # where what makes the native forms complete was then


def has_native_forms(data: bytes) -> bool:
    """Whether a pickle needs the unpickler of this module."""
    return not HAS_STATES and _MODULE.encode() in data and (b"set_state" in data or b"set_total" in data)


class StandIn:
    """An iterator that is made when it is first used: of the type's arguments, and of its state if it got one."""

    __slots__ = ("args", "kind", "made", "state")

    def __init__(self, kind: type, args: tuple[Any, ...]) -> None:
        self.kind = kind
        self.args = args
        self.state: Any = None
        self.made: Any = None

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self.kind

    def __iter__(self) -> StandIn:
        return self

    def __next__(self) -> Any:
        return next(self.native())

    def __copy__(self) -> Any:
        return self.native().__copy__()

    def native(self) -> Any:
        """The iterator."""
        if self.made is None:
            self.made = self.kind(*self.args) if self.state is None else _MAKERS[self.kind](self.args, self.state)
        return self.made

    def __reduce__(self) -> Any:
        return itself, (self.native(),)  # which a group of its may refer to as well


def itself(value: Any) -> Any:
    """The argument."""
    return value


def set_state(iterator: Any, state: Any) -> None:
    """Note the state of a stand-in; of an iterator that has states in this Python too, set it."""
    if type(iterator) is StandIn:
        iterator.state = state
    else:
        iterator.__setstate__(state)


def _begin_over(kind: type, before: tuple[Any, ...], iterators: tuple[Any, ...], after: tuple[Any, ...]) -> Any:
    """What ``restore_over`` made: parts of its arguments were iterators that are not to be asked for their iterator."""
    if kind not in _MAKERS:
        return now.restore_over(kind, before, iterators, after)
    exact = [x if type(x) is tuple else Exactly(x) for x in iterators]
    return StandIn(kind, (*before, *exact, *after))


def _begin_accumulate(inner: Any, function: Any, initial: tuple[Any, ...]) -> Any:
    if initial:
        return now.restore_accumulate(inner, function, initial)
    return StandIn(itertools.accumulate, (Exactly(inner), function))


def _inner(iterable: Any) -> Any:
    """The iterator behind ``Exactly``; of a finished one, an empty tuple."""
    return iterable.iterator if type(iterable) is Exactly else iter(iterable)


def _chain(_: Any, state: Any) -> Any:
    source, *active = state
    return now.restore_chain(source, tuple(active))


def _cycle(args: Any, state: Any) -> Any:
    inner, (saved, is_whole) = _inner(args[0]), state
    made = now.restore_prepended(itertools.cycle, iter(()) if is_whole else inner, ())
    now.put_saved(made, (saved, 2 * len(saved) - length_hint(inner) if is_whole else len(saved)))
    return made


def _islice(args: Any, count: int) -> Any:
    if len(args) == 2:
        return itertools.islice(*args)  # it has ended
    iterable, start, stop, step = args
    return itertools.islice(iterable, start - count, None if stop is None else max(stop - count, 0), step)


def _groupby(args: Any, state: Any) -> Any:
    key, value, target = state
    made = now.restore_groupby(_inner(args[0]), args[1])
    now.put_read(made, ((target,), (key,), (value,)))
    return made


def _accumulate(args: Any, state: Any) -> Any:
    made = now.restore_prepended(itertools.accumulate, _inner(args[0]), args[1:])
    now.put_total(made, state)
    return made


_MAKERS: dict[type, Callable[[Any, Any], Any]] = {
    itertools.accumulate: _accumulate,
    itertools.chain: _chain,
    itertools.combinations: lambda args, state: Combinations(args[0], state),
    itertools.combinations_with_replacement: lambda args, state: CombinationsWithReplacement(args[0], state),
    itertools.cycle: _cycle,
    itertools.dropwhile: lambda args, state: itertools.dropwhile(now.never if state else args[0], args[1]),
    itertools.groupby: _groupby,
    itertools.islice: _islice,
    itertools.permutations: lambda args, state: Permutations(args[0], *state),
    itertools.product: Product,
    itertools.takewhile: lambda args, state: itertools.takewhile(args[0], () if state else args[1]),
    itertools.zip_longest: lambda args, state: itertools.zip_longest(*args, fillvalue=state),
    TEE: lambda _, state: Tee(*state),
}
_FUNCTIONS = {
    "restore_over": _begin_over, "restore_accumulate": _begin_accumulate, "set_state": set_state, "set_total": set_state,
}  # fmt: skip


def native_form(module: str, name: str) -> Any:
    """What stands for a function of that time, which is called in another way with a native form."""
    return _FUNCTIONS.get(name) if module == _MODULE else None


def _call(function: Any, args: tuple[Any, ...]) -> Any:
    """What a call in a pickle gives."""
    if function is TEE_LINK:
        return TeeLink(*args)
    if function is GROUP:
        return now.restore_group(args[0].native() if type(args[0]) is StandIn else args[0], args[1])
    return StandIn(function, args) if type(function) is type and function in _MAKERS else function(*args)


class NativeFormsUnpickler(PythonUnpickler):  # type: ignore[misc]
    """An unpickler that reads native forms of itertools."""

    dispatch: ClassVar[dict[int, Any]] = dict(getattr(PythonUnpickler, "dispatch", {}))

    def load_reduce(self) -> None:
        args = self.stack.pop()
        self.stack[-1] = _call(self.stack[-1], args)

    dispatch[pickle.REDUCE[0]] = load_reduce


TABLE: dict[type, Callable[[Any], Any]] = {StandIn: StandIn.__reduce__}
