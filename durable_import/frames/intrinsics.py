"""Every name that rewritten code calls, in one place.

``provide`` puts them into ``builtins`` under names that cannot be typed (``@step``), where rewritten code of any module
finds them. ``tests/unit/test_layers.py`` checks that each name the rewriter emits is here. This module is imported with
the first rewritten module, also when no runtime exists: it imports no asyncio.
"""

from __future__ import annotations

import builtins
import gc
import io
import itertools
import sys
import types
from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Any

from ..errors import PauseForEventException
from ..hook.code_table import info_of
from ..pythons.protocols import EXIT_FIRST, async_iterator_of, complaint_of_await, complaint_of_next, complaint_of_with
from . import ambient
from .awaiting import delegated
from .counted_exit import CountedExit
from .except_star import ExceptStar
from .hiding import hidden_from_tracebacks, visible_part
from .lookup import MISSING, in_class, is_awaitable, lookup_special
from .refusal import refusal
from .signals import NO_MORE, PRIMED, Suspension

CALLABLE_ITERATOR = type(iter(int, 1))
OPTIMIZED = 1  # CO_OPTIMIZED: the flag of functions' code
_AS_THEY_ARE = frozenset({range, list, tuple, dict, set, str})  # their iterators can be asked again, and saved
HEAP_TYPE = 1 << 9  # Py_TPFLAGS_HEAPTYPE: made by a class statement, mostly


def signalled() -> bool:
    """Whether the ``finally`` block or ``except*`` clause that asks was entered because the calling frame is dropped."""
    error = sys.exception()
    if type(error) is not Suspension:
        return False
    traceback = error.__traceback__  # another frame's signal does not count: foreign code may call us as it is closed
    return traceback is not None and traceback.tb_frame is sys._getframe(1)


# --- instances and steps


def step(awaitable: Any) -> Any:
    """Called with what is about to be awaited, while a runtime exists."""
    driver = ambient.current_driver.get()
    try:
        return awaitable if driver is None else driver.step(awaitable)
    except BaseException as error:  # of the awaitable's own ``__await__``
        error.__traceback__ = visible_part(error.__traceback__)
        raise


def outermost() -> bool:
    """Whether the calling function is not part of an instance yet, and should become one."""
    driver = ambient.current_driver.get()
    if driver is not None:
        if driver.enters() and ambient.STRICT:
            raise refusal(sys._getframe(1), "code that is not durable has called it, as a part of one step of an instance")
        return False
    runtime = ambient.find_runtime()
    if runtime is not None and runtime.can_begin(sys._getframe(1)):
        return True
    if ambient.STRICT:
        raise refusal(sys._getframe(1), "there is no runtime" if runtime is None else "no event loop of asyncio runs it")
    return False


def instance(cells: types.FunctionType | None = None) -> Any:
    """Run the calling frame's function, with its arguments, as a new instance. ``cells`` has the same free variables."""
    runtime = ambient.find_runtime()
    assert runtime is not None
    closure = zip(cells.__code__.co_freevars, cells.__closure__ or (), strict=True) if cells is not None else ()
    return runtime.begin(sys._getframe(1), dict(closure))


def pauses(held: list[Any]) -> bool:
    """Whether ``raise`` of the exception held is to suspend the program; then the awaitable of the pause takes its place, and
    that of its cause.

    A class is called, as ``raise`` does.
    """
    driver = ambient.current_driver.get()
    if driver is None:
        return False
    if isinstance(held[0], type) and issubclass(held[0], PauseForEventException):
        held[0] = _made(held[0])
    awaitable = driver.pauses(held[0]) if isinstance(held[0], PauseForEventException) else None
    if awaitable is not None:
        held[:] = [awaitable]
    return awaitable is not None


@hidden_from_tracebacks
def _made(kind: Any) -> Any:
    return kind()


# --- iteration


@hidden_from_tracebacks
def iterate(iterable: Any) -> Iterator[Any]:
    """``iter(iterable)`` as an iterator that can be asked again with ``iter`` and can be saved."""
    if type(iterable) in _AS_THEY_ARE:
        return iter(iterable)
    if type(iterable) is io.TextIOWrapper:
        return iter(iterable.readline, "")  # unlike the file's own iterator it leaves tell() working
    iterator = iter(iterable)
    if type(iterator) is CALLABLE_ITERATOR and _is_finditer(iterator):
        return iter(list(iterator))  # it does not tell its position; what it will give is settled already
    if type(iterator).__flags__ & HEAP_TYPE and not isinstance(iterator, types.GeneratorType):
        return iter(partial(next, iterator), NO_MORE)
    return iterator  # type: ignore[no-any-return]


def _is_finditer(iterator: Any) -> bool:
    """Whether an iterator is one of ``re.finditer``."""
    return any(type(getattr(r, "__self__", None)).__name__ == "SRE_Scanner" for r in gc.get_referents(iterator))


def rest(iterator: Iterator[Any]) -> Iterator[Any]:
    """What a resumed loop iterates over: one round for the item it has, then the rest."""
    return itertools.chain((None,), iterator)


@hidden_from_tracebacks
def delegate(iterable: Any) -> Any:
    """The iterator of ``yield from iterable``."""
    iterator = iterable if isinstance(iterable, (types.GeneratorType, types.CoroutineType)) else iter(iterable)
    driver = ambient.current_driver.get() if ambient.ON else None
    return iterator if driver is None else driver.delegates(iterator, sys._getframe(2))


@hidden_from_tracebacks
def async_iterate(iterable: Any) -> Any:
    """The asynchronous iterator of ``async for``."""
    return async_iterator_of(iterable)


def advance_of(iterator: Any) -> Callable[[Any], Any]:
    """The function that gives the next awaitable of an asynchronous iterator."""
    if type(iterator) is types.AsyncGeneratorType:
        return anext
    return checked_anext


@hidden_from_tracebacks
def checked_anext(iterator: AsyncIterator[Any]) -> Any:
    """``anext(iterator)`` with the complaint of ``async for``."""
    awaitable = anext(iterator)
    if type(awaitable) is types.CoroutineType:
        return awaitable
    if not is_awaitable(awaitable):
        raise _as_raised(complaint_of_next(awaitable))
    method = in_class(type(awaitable), "__await__")
    return NextItem(awaitable) if method is None or type(method) is types.FunctionType else awaitable


def _as_raised(complaint: BaseException) -> BaseException:
    """A complaint of the interpreter, and its cause, as if nothing of this package had had a hand in it."""
    for error in (complaint, complaint.__cause__):
        if error is not None:
            error.__traceback__ = visible_part(error.__traceback__)
    return complaint


def _invalid_next(awaitable: Any, cause: BaseException) -> TypeError:
    error = TypeError(f"'async for' received an invalid object from __anext__: {type(awaitable).__name__}")
    error.__context__ = cause
    return error


class NextItem:
    """What ``__anext__`` gave, if its ``__await__`` may fail: ``async for`` has words of its own for that."""

    def __init__(self, awaitable: Any) -> None:
        self.awaitable = awaitable

    @hidden_from_tracebacks
    def __await__(self) -> Any:
        try:
            iterator = lookup_special(self.awaitable, "__await__")()
            complaint = complaint_of_await(type(self.awaitable), iterator)
            if complaint is not None:
                raise complaint
        except BaseException as cause:
            cause.__traceback__ = visible_part(cause.__traceback__)
            raise _invalid_next(self.awaitable, cause) from cause
        return iterator


# --- with


@hidden_from_tracebacks
def enter_with(manager: Any) -> tuple[Any, Any]:
    """Bound ``__enter__`` and ``__exit__``."""
    methods = _context_methods(manager, "__enter__", "__exit__", is_async=False)
    return methods if not ambient.ON else _known_to_driver(methods, manager, is_async=False)


@hidden_from_tracebacks
def enter_async_with(manager: Any) -> tuple[Any, Any]:
    """Bound ``__aenter__`` and ``__aexit__``."""
    methods = _context_methods(manager, "__aenter__", "__aexit__", is_async=True)
    return methods if not ambient.ON else _known_to_driver(methods, manager, is_async=True)


def _known_to_driver(methods: tuple[Any, Any], manager: Any, *, is_async: bool) -> tuple[Any, Any]:
    driver = ambient.current_driver.get()
    if driver is None:
        return methods
    entering, leaving = methods
    return entering, driver.exit_of(manager, leaving, sys._getframe(3), is_async=is_async)


def opened(leaving: Any) -> None:
    """Called with the exit method of a block that has just been entered, while a runtime exists."""
    if type(leaving) is CountedExit:
        leaving.block.is_entered()


def _context_methods(manager: Any, enter: str, leave: str, *, is_async: bool) -> tuple[Any, Any]:
    if EXIT_FIRST:
        leaving, entering = lookup_special(manager, leave), lookup_special(manager, enter)
    else:
        entering, leaving = lookup_special(manager, enter), lookup_special(manager, leave)
    if entering is MISSING or leaving is MISSING:
        raise _as_raised(complaint_of_with(manager, is_async=is_async))
    return entering, leaving


@hidden_from_tracebacks
def awaitable_of_enter(awaitable: Any) -> Any:
    """Complain as ``async with`` does."""
    if not is_awaitable(awaitable):
        kind = type(awaitable).__name__
        raise TypeError(f"'async with' received an object from __aenter__ that does not implement __await__: {kind}")
    return awaitable


@hidden_from_tracebacks
def awaitable_of_exit(awaitable: Any) -> Any:
    """Complain as ``async with`` does."""
    if not is_awaitable(awaitable):
        kind = type(awaitable).__name__
        raise TypeError(f"'async with' received an object from __aexit__ that does not implement __await__: {kind}")
    return awaitable


def owes() -> bool:
    """Whether a commit was put off that can be made now."""
    driver = ambient.current_driver.get()
    return driver is not None and driver.owes()


def commit_point() -> Any:
    """An awaitable that takes no time and is a step, so that what was put off is committed."""
    driver = ambient.current_driver.get()
    assert driver is not None
    return driver.commit_point()


# --- exceptions


def stash(exception: BaseException) -> tuple[Any, Any, bool]:
    """What raising an exception again will change of it."""
    return exception.__traceback__, exception.__context__, exception.__suppress_context__


def unstash(exception: BaseException, stashed: tuple[Any, Any, bool] | None) -> None:
    """Undo what raising the exception again has changed."""
    if stashed is not None:
        exception.__traceback__, exception.__context__, exception.__suppress_context__ = stashed


@hidden_from_tracebacks
def matches(exception: BaseException, kinds: Any) -> bool:
    """Whether ``except kinds`` takes the exception."""
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise TypeError("catching classes that do not inherit from BaseException is not allowed")
    return isinstance(exception, kinds)


def is_exception(value: Any) -> bool:
    """Whether a pending outcome is an exception."""
    return isinstance(value, BaseException)


# --- names


def visible(names: Any) -> Any:
    """``locals()``, ``vars()``, ``dir()`` without hidden variables."""
    if type(names) is dict:
        if sys._getframe(1).f_code.co_flags & OPTIMIZED:
            names = dict(names)  # before Python 3.13 it is the frame's own, and what reads the frame changes it
        for name in [n for n in names if type(n) is str and (n[:1] in ("@", "<") or n == ".0")]:
            del names[name]
        info = info_of(sys._getframe(1).f_code)
        if info is not None and info.is_resume:  # whose variables come in another order
            code = info.code
            order = {n: i for i, n in enumerate((*code.co_varnames, *code.co_cellvars, *code.co_freevars))}
            for name in sorted(names, key=lambda n: order.get(n, 0)):
                names[name] = names.pop(name)
    elif type(names) is list:
        names = [n for n in names if not (type(n) is str and n[:1] in ("@", "<"))]
    return names


def bound(read: Callable[[], Any]) -> Any:
    """The value of a captured local variable of a resumed function; if it is unbound, the error is that of a local one."""
    try:
        return read()
    except NameError as error:
        problem = error
    name = problem.name
    raise UnboundLocalError(f"cannot access local variable '{name}' where it is not associated with a value", name=name)


def explicit_super(function: Any, cls: Any, first: Any) -> Any:
    """``super()`` in a function whose first parameter is elsewhere."""
    return super(cls, first) if function is super else function()


PROVIDED: dict[str, Any] = {
    "@ON": ambient.ON, "@step": step, "@pauses": pauses, "@outermost": outermost, "@instance": instance,
    "@Suspension": Suspension, "@signalled": signalled, "@BaseException": BaseException,
    "@StopAsyncIteration": StopAsyncIteration,
    "@ExceptStar": ExceptStar, "@iter": iterate, "@rest": rest, "@delegate": delegate, "@delegated": delegated,
    "@aiter": async_iterate, "@advance": advance_of, "@with": enter_with, "@awith": enter_async_with,
    "@opened": opened, "@owes": owes, "@commit_point": commit_point,
    "@aenter": awaitable_of_enter, "@aexit": awaitable_of_exit, "@stash": stash, "@unstash": unstash,
    "@matches": matches, "@is_exception": is_exception, "@visible": visible, "@super": explicit_super, "@bound": bound,
    "@PRIMED": PRIMED, "@type_of": type, "@slice": slice, "@set": set,
}  # fmt: skip


def provide() -> None:
    """Make the intrinsics visible to rewritten code. Idempotent."""
    builtins.__dict__.update(PROVIDED)
