"""Reducer for instances of BaseException: made without calling any ``__init__`` of the user's, then filled.

Kept: class, ``args``, ``__dict__`` (with ``__notes__``), slots, cause, context, suppression, the traceback's printed
form, and what builtin classes hold in C (``errno``, ``value``, ``code``, positions of SyntaxError and UnicodeError,
the members of groups). A class's own ``__reduce__``, ``__reduce_ex__``, ``__getstate__``, ``__setstate__``, or its
entry in ``copyreg`` is used; cause, context and traceback, which these leave out, are added.

``AttributeError.obj`` is kept if it is a plain value, a class or a module, else dropped: the interpreter sets it by
itself, only to word "Did you mean", and it could drag in a whole session object that cannot be saved.
"""

from __future__ import annotations

import copyreg
import io
from types import FunctionType, GetSetDescriptorType, MemberDescriptorType, ModuleType
from typing import Any

from durable_import.pythons.library import slot_names

_HEAP_TYPE = 1 << 9
_CHEAP = (type, ModuleType, str, bytes, int, float, complex, bool, type(None))
_SKIPPED = frozenset({"args", "__traceback__", "__context__", "__cause__", "__suppress_context__", "__dict__"})


def reduce_exception(exc: BaseException) -> Any:
    """The reduce value of any exception."""
    cls = type(exc)
    own = _own_reduce(exc)
    made: tuple[Any, ...]
    if isinstance(own, str):
        return own
    if own is not None:
        made, own_state = (restore_by_own, tuple(own[:2])), tuple(own[2:5])
        members: dict[str, Any] = {}
    else:
        made, own_state, members = (restore_exception, (cls, _creation_args(exc))), (_state(exc),), _members(exc)
    chain = (exc.__cause__, exc.__context__, exc.__suppress_context__, exc.__traceback__)
    # A class's own way decides on them; but what calls the class again leaves arguments that the exception did not have.
    args = exc.args if own is None or not exc.args else None
    return (*made, (own is not None, own_state, args, members, chain), None, None, fill_exception)


def restore_exception(cls: type[BaseException], args: tuple[Any, ...]) -> BaseException:
    """A bare instance, made by the first builtin base's ``__new__``."""
    made: BaseException = _builtin_base(cls).__new__(cls, *args)
    return made


def restore_by_own(function: Any, args: tuple[Any, ...]) -> Any:
    """Call what the class's own reduce method asks for."""
    return function(*args)


def fill_exception(exc: BaseException, state: tuple[Any, ...]) -> None:
    """Give ``exc`` what it held."""
    by_own, own_state, args, members, chain = state
    if args is not None:
        exc.args = args
    if by_own:
        _apply_own(exc, own_state)
    else:
        for name, value in members.items():
            setattr(exc, name, value)
        _apply_state(exc, own_state[0])
    cause, context, suppress, traceback = chain
    exc.__cause__, exc.__context__, exc.__traceback__ = cause, context, traceback
    exc.__suppress_context__ = suppress  # after the cause, which sets it


def _apply_own(exc: Any, state: tuple[Any, ...]) -> None:
    values, items, pairs = (*state, None, None, None)[:3]
    _apply_state(exc, values)
    if items:
        exc.extend(items)
    for key, value in pairs or ():
        exc[key] = value


def _apply_state(exc: Any, state: Any) -> None:
    """As pickle does: the class's own ``__setstate__`` if it has one, else attributes."""
    if state is None:
        return
    if _defines(type(exc), "__setstate__"):
        exc.__setstate__(state)
        return
    attributes, slots = state if isinstance(state, tuple) and len(state) == 2 else (state, None)
    exc.__dict__.update(attributes or {})
    for name, value in (slots or {}).items():
        setattr(exc, name, value)


def _own_reduce(exc: BaseException) -> Any:
    """What the class itself says how to save it, or None if it says nothing."""
    cls = type(exc)
    if cls.__module__ == "urllib.error" and cls.__name__ == "HTTPError":
        return _reduce_http_error(exc)
    if cls in copyreg.dispatch_table:
        registered: Any = copyreg.dispatch_table[cls]
        return _with_lists(registered(exc))
    if _defines(cls, "__reduce__") or _defines(cls, "__reduce_ex__"):
        return _with_lists(exc.__reduce_ex__(5))
    return None


def _reduce_http_error(exc: Any) -> tuple[Any, ...]:
    """Of ``urllib``: it is also the response, on a socket; what is left of its body is read into memory first."""
    import http.client  # there already, with the exception; slow to import for programs that do not use it
    import urllib.response

    if exc.fp is not None and not isinstance(exc.fp, io.BytesIO):
        try:
            body = exc.fp.read()
        except (OSError, ValueError, http.client.HTTPException):  # broken off, or closed: there is no more
            body = b""
        for name in [n for n, value in vars(exc).items() if isinstance(value, FunctionType)]:
            del vars(exc)[name]  # methods of the socket's file, kept by ``tempfile``
        urllib.response.addinfourl.__init__(exc, io.BytesIO(body), exc.hdrs, exc.filename, exc.code)
        exc.args = (*exc.args[:4], exc.fp)
    notes = {"__notes__": exc.__notes__} if hasattr(exc, "__notes__") else None
    return type(exc), (exc.filename, exc.code, exc.msg, exc.hdrs, exc.fp), notes


def _with_lists(reduced: Any) -> Any:
    """Items come as iterators, which are used up by saving: make lists of them."""
    if isinstance(reduced, str):
        return reduced
    return (*reduced[:3], *(None if x is None else list(x) for x in reduced[3:5]))


def _state(exc: BaseException) -> Any:
    """Attributes and slots, or what the class's ``__getstate__`` says."""
    if _defines(type(exc), "__getstate__"):
        return exc.__getstate__()  # type: ignore[attr-defined, unused-ignore]
    names: list[str] = slot_names(type(exc))
    slots = {name: getattr(exc, name) for name in names if hasattr(exc, name)}
    if slots and not _defines(type(exc), "__setstate__"):
        return exc.__dict__, slots
    return exc.__dict__ or None


def _defines(cls: type, name: str) -> bool:
    """Does a class written in Python, above the builtin exceptions, define ``name``?"""
    for base in cls.__mro__:
        if name in vars(base):
            return bool(base.__flags__ & _HEAP_TYPE)
    return False


def _builtin_base(cls: type[BaseException]) -> Any:
    """The first class of the MRO that is an exception made in C (ExceptionGroup is one, though on the heap)."""
    return next(
        base
        for base in cls.__mro__
        if issubclass(base, BaseException) and (base is ExceptionGroup or not base.__flags__ & _HEAP_TYPE)
    )


def _creation_args(exc: BaseException) -> tuple[Any, ...]:
    """Arguments for the builtin ``__new__``: only groups need them; all else is set afterwards."""
    return (exc.message, exc.exceptions) if isinstance(exc, BaseExceptionGroup) else ()


def _members(exc: BaseException) -> dict[str, Any]:
    """What builtin classes hold in C, by attribute name; None is what they have when nothing was set."""
    if isinstance(exc, BaseExceptionGroup):
        return {}
    found: dict[str, Any] = {}
    for base in type(exc).__mro__:
        if base.__flags__ & _HEAP_TYPE or not issubclass(base, BaseException):
            continue
        for name, kind in vars(base).items():
            if isinstance(kind, MemberDescriptorType | GetSetDescriptorType) and name not in _SKIPPED:
                value = _member(exc, kind)
                if value is not None:
                    found.setdefault(name, value)
    if isinstance(exc, AttributeError) and not isinstance(found.get("obj"), _CHEAP):
        found.pop("obj", None)
    return found


def _member(exc: BaseException, descriptor: Any) -> Any:
    try:
        return descriptor.__get__(exc)
    except (AttributeError, TypeError):  # never set
        return None
