"""Iterators of awaits: what stands behind them, and what makes those of the program's own code frames of the await chain.

``__await__`` of a class may be a generator function, and ``types.coroutine`` makes generators that can be awaited. Such a
generator, if its code is rewritten, is a frame as a coroutine is. It may delegate to further ones, to ``__await__()`` of
coroutines, to futures, and to anything else that can be iterated over.
"""

from __future__ import annotations

import functools
import gc
from types import CoroutineType, GeneratorType
from typing import Any

from ..hook.code_table import MODULES, CodeInfo, ModuleInfo
from ..pythons.frames import passes_on as code_passes_on
from .hiding import hidden_from_tracebacks
from .signals import PRIMED


async def _nothing() -> None:
    return


COROUTINE_WRAPPER = type(_wrapped := _nothing().__await__())
_wrapped.close()

_PASSIVE = ("builtins", "itertools")  # modules of iterators that run no code of their own


def coroutine_behind(wrapper: Any) -> Any:
    """The coroutine whose ``__await__()`` gave ``wrapper``."""
    return next(r for r in gc.get_referents(wrapper) if isinstance(r, CoroutineType))


class Awaiting:
    """Awaits an iterator that ``__await__`` of the program's own class has given, or one of its generators.

    ``is_gated``: it first gives the marker of what is restored, so that something can be thrown in there.
    """

    __slots__ = ("is_gated", "iterator")

    def __init__(self, iterator: Any, is_gated: bool = False) -> None:
        self.iterator = iterator
        self.is_gated = is_gated

    def __await__(self) -> Any:
        return Delegated(self.iterator) if self.is_gated else self.iterator

    def __reduce__(self) -> tuple[Any, ...]:
        return Awaiting, (self.iterator,)


class Delegated:
    """What a restored frame delegates to: gives one marker, so that the frame can be taken to where it was, and then goes on."""

    __slots__ = ("is_primed", "iterator")

    def __init__(self, iterator: Any) -> None:
        self.iterator = iterator
        self.is_primed = False

    def __iter__(self) -> Delegated:
        return self

    @hidden_from_tracebacks
    def __next__(self) -> Any:
        if not self.is_primed:
            self.is_primed = True
            return PRIMED
        return next(self.iterator)

    @hidden_from_tracebacks
    def send(self, value: Any) -> Any:
        """Pass a value on."""
        return self.iterator.send(value)

    def __getattr__(self, name: str) -> Any:
        if name in ("throw", "close"):  # as far as what it stands for has them
            return getattr(self.iterator, name)
        raise AttributeError(name)


def delegated(iterator: Any) -> Any:
    """The target of a ``yield from`` that is being resumed; a restored generator gives the marker by itself."""
    if isinstance(iterator, GeneratorType):
        return iterator
    return Delegated(iterator.__await__() if isinstance(iterator, CoroutineType) else iterator)


def is_own_iterator(iterator: Any) -> bool:
    """Whether an iterator can be saved in the middle: of a class of a marked module, or one that runs no code of its own."""
    module = type(iterator).__module__
    return module in _PASSIVE or module in MODULES


def passes_on(info: CodeInfo) -> bool:
    """Whether a generator may pass on what others yield, which it advances by itself: in a loop, or by ``send`` and ``next``."""
    return _passes_on(info.module, info.place)


@functools.cache
def _passes_on(module: ModuleInfo, place: str) -> bool:
    return code_passes_on(module.by_place[place].code)
