"""Reducers for the iterators over lists, dicts, sets and other containers, and for dict views.

A restored iterator goes on over its very container. Positions inside lists, dicts and deques are put back when the
container is complete (see ``load_context``), so an iterator may be part of a cycle with it. Sets have no stable order across
processes: what remains is saved as a list. The builtin adapters and itertools are in ``itertools_state``.

Not detectable from Python, hence not kept: that a deque was changed after its iterator was made.
"""

from __future__ import annotations

import gc
from collections import OrderedDict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import islice
from pickle import PicklingError
from types import MappingProxyType
from typing import Any

from ...pythons.classes import class_with
from ...pythons.frames import set_list_position
from ...pythons.iterators import FROZEN_DICT
from ..load_context import later

Reduced = tuple[Any, ...] | str


class LateIterator:
    """Stands for a native iterator that can only be made when its container is complete, or that is spoilt.

    ``iter`` of it is itself; it saves again as the native one would.
    """

    __slots__ = ("error", "native")

    def __init__(self, native: Iterator[Any] | None, error: str | None = None) -> None:
        self.native = native
        self.error = error

    def __iter__(self) -> LateIterator:
        return self

    def __next__(self) -> Any:
        if self.native is None:
            raise RuntimeError(self.error or "this iterator is used before its snapshot is loaded completely")
        return next(self.native)


class SetIterator:
    """An iterator over a set whose remaining items are known; like the native one it minds a change of size."""

    __slots__ = ("container", "remaining", "size")

    def __init__(self, container: Any, remaining: list[Any], size: int) -> None:
        self.container: Any = container
        self.remaining = remaining
        self.size = size

    def __iter__(self) -> SetIterator:
        return self

    def __next__(self) -> Any:
        if self.container is None:
            raise StopIteration
        if self.size != len(self.container):
            self.size = -1
            raise RuntimeError("Set changed size during iteration")
        if not self.remaining:
            self.container = None
            raise StopIteration
        return self.remaining.pop()

    def __length_hint__(self) -> int:
        return len(self.remaining) if self.container is not None and self.size == len(self.container) else 0


# --- lists -----------------------------------------------------------------------------------------------------------


def restore_list_iterator(container: list[Any], position: int, backwards: bool) -> Iterator[Any]:
    """An iterator over ``container`` whose next item is number ``position``."""
    iterator: Any = reversed(container) if backwards else iter(container)
    later(set_list_position, iterator, container, position)
    return iterator  # type: ignore[no-any-return]


def _reduce_list_iterator(iterator: Any) -> Reduced:
    reduced = iterator.__reduce__()
    if len(reduced) < 3:
        return restore_spent, (_KIND_OF[type(iterator)],)
    return restore_list_iterator, (reduced[1][0], reduced[2], type(iterator) is type(reversed([])))


# --- dicts -----------------------------------------------------------------------------------------------------------

_DICTS: tuple[type, ...] = (dict,) if FROZEN_DICT is None else (dict, FROZEN_DICT)
_VIEWS: dict[str, Callable[[Any], Any]] = {
    "keys": lambda d: d.keys(), "values": lambda d: d.values(), "items": lambda d: d.items(),
}  # fmt: skip


def _native_view(container: Any, kind: str) -> Any:
    """The builtin view, whatever a subclass of dict makes of the method."""
    return _view(container, kind, plain=not isinstance(container, OrderedDict))


def _view(container: Any, kind: str, plain: bool) -> Any:
    owner = next((owner for owner in _DICTS if isinstance(container, owner)), type(container)) if plain else OrderedDict
    return getattr(owner, kind)(container)


def restore_dict_view(container: Any, kind: str, plain: bool) -> Any:
    """The view of ``container``; ``plain`` is that of ``dict`` even for an OrderedDict."""
    return _view(container, kind, plain)


def restore_dict_iterator(container: Any, kind: str, backwards: bool, position: int, size: int) -> Iterator[Any]:
    """An iterator over ``container``, which has ``size`` entries when complete, after ``position`` entries."""
    if len(container) == size:
        return _dict_iterator_at(container, kind, backwards, position)
    late = LateIterator(None)
    later(_complete_dict_iterator, late, container, kind, backwards, position)
    return late


def _complete_dict_iterator(late: LateIterator, container: Any, kind: str, backwards: bool, position: int) -> None:
    late.native = _dict_iterator_at(container, kind, backwards, position)


def _dict_iterator_at(container: Any, kind: str, backwards: bool, position: int) -> Iterator[Any]:
    view = _native_view(container, kind)
    iterator: Iterator[Any] = reversed(view) if backwards else iter(view)
    next(islice(iterator, position, position), None)
    return iterator


def restore_spoilt(error: str) -> LateIterator:
    """An iterator whose container was changed: every ``next`` raises ``RuntimeError(error)``."""
    return LateIterator(None, error)


def _reduce_dict_iterator(iterator: Any) -> Reduced:
    kind, backwards = _DICT_ITERATORS[type(iterator)]
    container = _referent(iterator, _DICTS)
    if container is None:
        return restore_spent, (_KIND_OF[type(iterator)],)
    try:
        remaining = iterator.__reduce__()[1][0]  # of a copy: the iterator itself does not move
    except RuntimeError as error:
        return _spoilt_or_refused(iterator, error)
    position = len(container) - len(remaining)
    return restore_dict_iterator, (container, kind, backwards, position, len(container))


def _spoilt_or_refused(iterator: Any, error: RuntimeError) -> Reduced:
    if iterator.__length_hint__() == 0:
        return restore_spoilt, (str(error),)
    raise PicklingError(
        f"the dict was changed under its {type(iterator).__name__}, so the position is not known; iterate over list(...) of it"
    ) from error


def _reduce_odict_iterator(iterator: Any) -> Reduced:
    container = _referent(iterator, OrderedDict)
    if container is None:
        return restore_spent, ("odict",)
    try:
        remaining = iterator.__reduce__()[1][0]
    except RuntimeError as error:
        return restore_spoilt, (str(error),)
    position = len(container) - len(remaining)
    for backwards in (False, True):
        for kind in ("keys", "values", "items"):
            entries = islice(_dict_iterator_at(container, kind, backwards, position), len(remaining))
            if all(_same(a, b, kind) for a, b in zip(entries, remaining, strict=True)):
                return restore_dict_iterator, (container, kind, backwards, position, len(container))
    raise PicklingError("cannot tell where this iterator over an OrderedDict stands; iterate over list(...) of it")


def _same(a: Any, b: Any, kind: str) -> bool:
    if kind == "items":
        return type(b) is tuple and len(b) == 2 and a[0] is b[0] and a[1] is b[1]
    return a is b


def _reduce_dict_view(view: Any) -> Reduced:
    kind, plain = _VIEW_KINDS[type(view)]
    container = _referent(view, _DICTS)
    if container is None:
        raise PicklingError(f"cannot find the dict of this {type(view).__name__}")
    return restore_dict_view, (container, kind, plain)


def _referent(holder: Any, kind: type | tuple[type, ...]) -> Any:
    """The object of ``kind`` that ``holder`` is about, or None if it has let it go."""
    return next((x for x in gc.get_referents(holder) if isinstance(x, kind)), None)


# --- sets, deques, the rest ------------------------------------------------------------------------------------------


def _reduce_set_iterator(iterator: Any) -> Reduced:
    container = _referent(iterator, (set, frozenset))
    if container is None:
        return restore_spent, ("set",)
    try:
        remaining = iterator.__reduce__()[1][0]
    except RuntimeError as error:
        return restore_spoilt, (str(error),)
    remaining.reverse()
    return SetIterator, (container, remaining, len(container))


def _reduce_restored_set_iterator(iterator: SetIterator) -> Reduced:
    return SetIterator, (iterator.container, iterator.remaining, iterator.size)


def _reduce_late_iterator(iterator: LateIterator) -> Reduced:
    if iterator.native is None:
        return restore_spoilt, (iterator.error or "",)
    native: Any = iterator.native
    reducer = TABLE.get(type(native))
    return reducer(native) if reducer else native.__reduce__()


def restore_deque_iterator(container: deque[Any], position: int, size: int, backwards: bool) -> Iterator[Any]:
    """An iterator over ``container``, which has ``size`` items when complete, after ``position`` items."""
    late = LateIterator(None)
    if len(container) != size:
        later(_complete_deque_iterator, late, container, position, backwards)
        return late
    _complete_deque_iterator(late, container, position, backwards)
    return late.native or late


def _complete_deque_iterator(late: LateIterator, container: deque[Any], position: int, backwards: bool) -> None:
    native = reversed(container) if backwards else iter(container)
    next(islice(native, position, position), None)
    late.native = native


def _reduce_deque_iterator(iterator: Any) -> Reduced:
    _, (container, position) = iterator.__reduce__()
    backwards = type(iterator) is type(reversed(deque()))
    return restore_deque_iterator, (container, max(position, 0), len(container), backwards)


_EMPTY: dict[str, Callable[[], Iterable[Any]]] = {
    "list": lambda: iter([]), "list backwards": lambda: reversed([]), "set": lambda: iter(set()),
    "odict": lambda: iter(OrderedDict()),
}  # fmt: skip
for _kind, _make in _VIEWS.items():
    _EMPTY[f"dict {_kind}"] = partial(iter, _make({}))
    _EMPTY[f"dict {_kind} backwards"] = partial(reversed, _make({}))
_KIND_OF: dict[type, str] = {type(make()): kind for kind, make in _EMPTY.items()}


def restore_spent(kind: str) -> Iterator[Any]:
    """A native iterator of ``kind`` that has come to its end and let its container go."""
    iterator = iter(_EMPTY[kind]())
    next(iterator, None)
    return iterator


def _reduce_mapping_proxy(proxy: MappingProxyType[Any, Any]) -> Reduced:
    mapping = next(x for x in gc.get_referents(proxy) if isinstance(x, Mapping))
    owner = class_with(mapping)
    return (MappingProxyType, (mapping,)) if owner is None else (vars, (owner,))


_DICT_ITERATORS: dict[type, tuple[str, bool]] = {}
for _kind, _make in _VIEWS.items():
    _DICT_ITERATORS[type(iter(_make({})))] = (_kind, False)
    _DICT_ITERATORS[type(reversed(_make({})))] = (_kind, True)
_VIEW_KINDS: dict[type, tuple[str, bool]] = {type(_make({})): (_kind, True) for _kind, _make in _VIEWS.items()}
_VIEW_KINDS.update({type(_make(OrderedDict())): (_kind, False) for _kind, _make in _VIEWS.items()})

TABLE: dict[type, Callable[[Any], Reduced]] = {
    type(iter([])): _reduce_list_iterator,
    type(reversed([])): _reduce_list_iterator,
    **dict.fromkeys(_DICT_ITERATORS, _reduce_dict_iterator),
    **dict.fromkeys(_VIEW_KINDS, _reduce_dict_view),
    type(iter(OrderedDict())): _reduce_odict_iterator,
    type(iter(set())): _reduce_set_iterator,
    SetIterator: _reduce_restored_set_iterator,
    LateIterator: _reduce_late_iterator,
    type(iter(deque())): _reduce_deque_iterator,
    type(reversed(deque())): _reduce_deque_iterator,
    MappingProxyType: _reduce_mapping_proxy,
}
