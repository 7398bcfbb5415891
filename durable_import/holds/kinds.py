"""Of which kind a manager or another object is: reopenable, right when it is saved, or something that holds.

First what the program has said (``reopenable``, ``saved``), then the table (``table``) and what libraries say of themselves by
the entry point group ``durable_import.holds``, then what is known of the class: one of rewritten code is saved, one of the
user's own modules if it can be pickled, and one of a library only if it has a way of its own to be saved.
"""

from __future__ import annotations

import copyreg
import functools
import inspect
import os
import sys
import sysconfig
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CellType, FunctionType
from typing import Any, TypeVar

from ..hook.code_table import MODULES, info_of
from ..ours import NAME
from ..pythons.classes import ByClass
from ..pythons.library import AsyncGeneratorManager, GeneratorManager
from .table import TABLE, Kind, Known

GROUP = "durable_import.holds"  # of entry points: each gives ``{"module:Qualname": "reopenable" | "saved" | "holds"}``
T = TypeVar("T")

_kinds: dict[type, Kind] = {}  # what was found, by exact type; generators' managers are of many kinds
_SAID: weakref.WeakKeyDictionary[Any, Known] = weakref.WeakKeyDictionary()  # what the program has said
_SETUPS: weakref.WeakKeyDictionary[Any, Callable[..., Any]] = weakref.WeakKeyDictionary()
on_said: list[Callable[[Any], None]] = []  # told of what was made known as reopenable


def reopenable(thing: T, setup: Callable[..., Any] | None = None) -> T:
    """Say that what a class or another callable gives holds nothing of the program's, such as a client or a pool.

    A checkpoint has the call that made such an object instead of the object; on resume the call is made again, with the
    arguments of then, and what was entered is entered again. What was done to it afterwards is not brought back, but for what
    is known of libraries' objects: ``setup`` (a function, which may be async) is called with what it gave, to do it again.
    Gives ``thing``, so it can be a decorator.
    Raises TypeError for what cannot be called, or cannot be found again by its name.
    """
    if not callable(thing):
        raise TypeError(f"reopenable() takes a class or another callable, not {thing!r}")
    if not hasattr(thing, "__qualname__") or "<locals>" in str(thing.__qualname__):
        raise TypeError(f"reopenable() takes what a module defines under a name, by which it is found on resume, not {thing!r}")
    known = known_class(thing) if isinstance(thing, type) else None  # what the table says of it stays
    _SAID[thing] = known if known is not None and known.kind is Kind.REOPENABLE else Known(Kind.REOPENABLE)
    if setup is not None:
        _SETUPS[thing] = setup
    forget_kinds()
    for told in on_said:
        told(thing)
    return thing


def saved(cls: type[T]) -> type[T]:
    """Say that the instances of a class are right when they are saved with the state, also while their ``with`` block is open.

    Gives ``cls``, so it can be a decorator. Raises TypeError for what is no class.
    """
    if not isinstance(cls, type):
        raise TypeError(f"saved() takes a class, not {cls!r}")
    _SAID[cls] = Known(Kind.SAVED)
    forget_kinds()
    return cls


def kind_of(value: Any) -> Kind:
    """The kind of a manager or another object; found once for each type."""
    kind = _kinds.get(type(value))
    return kind if kind is not None else _find_kind(value)


def forget_kinds() -> None:
    """More is known than before."""
    _kinds.clear()
    _by_code.clear()
    _by_class.clear()
    _locks.clear()


def known_of(value: Any) -> Known | None:
    """What is known of an object, by itself or by its class; None if that is nothing."""
    function = function_behind(value)
    return _known_function(function) if function is not None else known_class(type(value))


def advice_for(value: Any, *, is_open: bool = False) -> str:
    """What to do about an object that holds, or whose block ``is_open``; empty if nothing is known."""
    known = known_of(value)
    return known.advice if known is not None and (is_open or not known.is_of_block) else ""


def type_name(value: Any) -> str:
    """What messages call the class of an object; a generator's manager is called by the function that gave it."""
    function = function_behind(value)
    return class_name(type(value)) if function is None else f"{_full_name(function.__module__, function.__qualname__)}()"


def class_name(cls: type) -> str:
    """What messages call a class."""
    return _full_name(cls.__module__, cls.__qualname__)


def _full_name(module: str, name: str) -> str:
    return name if module in ("", "builtins") else f"{module}.{name}"


def setup_of(thing: Any) -> Callable[..., Any] | None:
    """What the program wants to be called with what a class or callable gave again."""
    kinds = thing.__mro__ if isinstance(thing, type) else (thing,)
    return next((_SETUPS[kind] for kind in kinds if kind in _SETUPS), None)


def function_behind(value: Any) -> FunctionType | None:
    """The function of ``contextlib.contextmanager`` or ``asynccontextmanager`` that a manager is of, without its decorator."""
    generator = getattr(value, "gen", None) if isinstance(value, GENERATOR_MANAGERS) else None
    if generator is None:
        return None
    function = getattr(value, "func", None)  # deleted when it is entered
    return function if isinstance(function, FunctionType) else _function_of(_code_of(generator))


GENERATOR_MANAGERS = (GeneratorManager, AsyncGeneratorManager)


def _code_of(generator: Any) -> Any:
    return getattr(generator, "gi_code", None) or getattr(generator, "ag_code", None)


def _function_of(code: Any) -> FunctionType | None:
    """A function of that code, for its names; it is not to be called."""
    if code is None:
        return None
    made = FunctionType(code, {"__name__": _module_of(code.co_filename)}, closure=(_EMPTY,) * len(code.co_freevars))
    made.__qualname__ = code.co_qualname
    return made


_EMPTY = CellType()


@functools.lru_cache(maxsize=512)
def _module_of(path: str) -> str:
    """The name of the module of a file."""
    return next((n for n, m in list(sys.modules.items()) if getattr(m, "__file__", None) == path), "")


def _find_kind(value: Any) -> Kind:
    if isinstance(value, GENERATOR_MANAGERS):  # not kept: all functions' managers are of one type
        return _kind_of_generator(value)
    kind = _kinds[type(value)] = _kind_of_class(type(value))
    return kind


def _kind_of_generator(value: Any) -> Kind:
    code = _code_of(value.gen)
    found = _by_code.get(id(code))
    if found is None:
        function = function_behind(value)
        known = _known_function(function, is_rewritten=info_of(code) is not None) if function is not None else None
        own = Kind.SAVED if info_of(code) is not None else Kind.HOLDS
        found = _by_code[id(code)] = code, known.kind if known is not None else own
    return found[1]


_by_code: dict[int, tuple[Any, Kind]] = {}  # by id of the code, which it keeps alive: equal ones may be of other modules


def _kind_of_class(cls: type) -> Kind:
    said = next((_SAID[base] for base in cls.__mro__ if base in _SAID), None)
    if said is None and _is_rewritten(cls):
        return Kind.SAVED
    known = said or known_class(cls)
    if known is not None:
        return known.kind
    if cls.__module__.partition(".")[0] == NAME:
        return Kind.SAVED
    if not is_of_library(cls.__module__):
        return Kind.SAVED_IF_PICKLABLE
    return Kind.SAVED_IF_PICKLABLE if has_own_way(cls) else Kind.HOLDS


def _is_rewritten(cls: type) -> bool:
    """Whether a class is of a rewritten module; some say that they are of another one, from which they are to be imported."""
    own = f"{cls.__qualname__}."  # what a decorator of another module has made is not the class's own
    functions = [f for f in vars(cls).values() if isinstance(f, FunctionType) and f.__code__.co_qualname.startswith(own)]
    return cls.__module__ in MODULES or any(f.__globals__.get("__name__") in MODULES for f in functions)


def is_lock_of_library(value: Any) -> bool:
    """Whether an object is of a library's class that is rewritten, and is taken and given back, such as a lock of anyio."""
    cls = type(value)
    known = _locks.get(cls)
    if known is None:
        is_lock = hasattr(cls, "acquire") and hasattr(cls, "release")
        known = _locks.keep(
            cls, is_lock and kind_of(value) is Kind.SAVED and _is_rewritten(cls) and is_of_library(cls.__module__)
        )
    return known


_locks: ByClass[bool] = ByClass()


def known_class(cls: type) -> Known | None:
    """What is known of a class, or of one that it is derived from: the nearest in its order of resolution."""
    found = _by_class.get(cls)
    if found is None:
        found = _by_class.keep(cls, _find_known(cls) or _NOTHING)
    return found if found is not _NOTHING else None


_NOTHING = Known(Kind.HOLDS)
_by_class: ByClass[Known] = ByClass()  # what was found


def _find_known(cls: type) -> Known | None:
    for base in cls.__mro__[:-1]:
        name = f"{base.__module__}:{base.__qualname__}"
        known = _SAID.get(base) or TABLE.get(name) or _told(name)
        if known is not None:
            return known
    return None


def _known_function(function: Any, *, is_rewritten: bool = False) -> Known | None:
    said = next((known for thing, known in _SAID.items() if _is_made_of(thing, function)), None)
    if said is not None or is_rewritten:
        return said
    name = f"{function.__module__}:{function.__qualname__}"
    return TABLE.get(name) or _told(name)


def _is_made_of(thing: Any, function: Any) -> bool:
    inner = inspect.unwrap(thing) if callable(thing) else thing
    return getattr(inner, "__code__", thing) is function.__code__


def known_by_name(name: str) -> Known:
    """A line of the table, or what a library says of itself."""
    return TABLE[name] if name in TABLE else of_libraries()[name]


def is_saved_generator(module: str, qualname: str) -> bool:
    """Whether a library's generator is known to be right when it is saved, though it does something as it is closed."""
    known = TABLE.get(f"{module}:{qualname}")
    return known is not None and known.kind is Kind.SAVED


def said_reopenable() -> list[Any]:
    """What the program has said that is reopenable."""
    return [thing for thing, known in _SAID.items() if known.kind is Kind.REOPENABLE]


def _told(name: str) -> Known | None:
    return of_libraries().get(name)


@functools.cache
def of_libraries() -> dict[str, Known]:
    """What libraries say of themselves; read once."""
    found: dict[str, Known] = {}
    if not _is_group_there():
        return found
    from importlib.metadata import entry_points  # slow to import

    for point in entry_points(group=GROUP):
        told = point.load()
        for name, kind in (told() if callable(told) else told).items():
            found[name] = kind if isinstance(kind, Known) else Known(Kind(kind))
    return found


def _is_group_there() -> bool:
    """Whether an installed library has entry points of the group: to look at the files is quicker than to load them all."""
    group = f"[{GROUP}]".encode()
    for folder in sys.path:
        for pattern in ("*.dist-info/entry_points.txt", "*.egg-info/entry_points.txt"):
            if any(group in path.read_bytes() for path in Path(folder or ".").glob(pattern)):
                return True
    return False


def has_own_way(cls: type) -> bool:
    """Whether a class of a library has a way of its own to be saved. Whether it works is known when it is saved."""
    if cls in copyreg.dispatch_table:
        return True
    defined = {name for base in cls.__mro__[:-1] for name in vars(base)}
    return bool(defined & {"__reduce__", "__reduce_ex__", "__getstate__", "__getnewargs__", "__getnewargs_ex__"})


@functools.lru_cache(maxsize=1024)
def is_of_library(module: str) -> bool:
    """Whether a module is the standard library's or an installed package's, and not the user's own."""
    top = module.partition(".")[0]
    if top in sys.stdlib_module_names or top == "builtins":
        return True
    path = getattr(sys.modules.get(module), "__file__", None) or getattr(sys.modules.get(top), "__file__", None)
    if not isinstance(path, str):
        return False
    return any(Path(path).is_relative_to(folder) for folder in _library_folders()) or _is_installed_beside(top, path)


def _is_installed_beside(top: str, path: str) -> bool:
    """Whether a package stands in a folder of any name with the record of its installation, as ``pip install --target`` makes."""
    folders = map(os.path.abspath, sys.path)
    return any(path.startswith((f"{f}{os.sep}{top}{os.sep}", f"{f}{os.sep}{top}.")) and top in _installed_in(f) for f in folders)


@functools.cache
def _installed_in(folder: str) -> frozenset[str]:
    """The top names of the packages whose records of installation are in a folder."""
    found: set[str] = set()
    for record in Path(folder).glob("*.dist-info/RECORD"):
        paths = (line.partition(",")[0].strip('"') for line in record.read_text("utf-8", "replace").splitlines())
        found.update(path.partition("/")[0].partition(".")[0] for path in paths)
    return frozenset(found)


@functools.cache
def _library_folders() -> tuple[str, ...]:
    return tuple(_folders())


def _folders() -> Iterator[str]:
    paths = sysconfig.get_paths()
    yield from {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    yield from (os.path.abspath(path) for path in sys.path if os.path.basename(path) in ("site-packages", "dist-packages"))
