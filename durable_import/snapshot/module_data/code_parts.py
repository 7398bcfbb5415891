"""What belongs to a module's functions and classes: classes in classes, default values, wrapped functions, descriptors.

The module's own code makes all of it again at each start; it is found by its path in the module. Looked for again only when the
module has got more names.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import FunctionType
from typing import Any

from ...holds.kinds import is_of_library
from ...pythons.modules import is_lazy
from .plain_classes import is_filled_by_state

_HEAP_TYPE = 1 << 9


class Extent:
    """How many names a module has, and which of them are imported lazily and not used yet."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        self._size = id(namespace), len(namespace)
        self._lazy = [name for name, value in list(namespace.items()) if is_lazy(value)]

    def is_of(self, namespace: dict[str, Any]) -> bool:
        """Whether a namespace has no more than it had."""
        same = self._size == (id(namespace), len(namespace))
        return same and all(is_lazy(namespace.get(name)) for name in self._lazy)


_classes: dict[str, tuple[Extent, list[tuple[str, type]]]] = {}
_parts: dict[str, tuple[Extent, dict[str, Any]]] = {}


def classes_of(module: str, namespace: dict[str, Any]) -> list[tuple[str, type]]:
    """The classes that a module defines, by their paths, with those that stand in the body of another one."""
    known = _classes.get(module)
    if known is None or not known[0].is_of(namespace):
        found = [each for name, value in list(namespace.items()) for each in classes_in(name, value, module)]
        known = _classes[module] = (Extent(namespace), found)
    return known[1]


def classes_in(path: str, value: Any, module: str) -> Iterator[tuple[str, type]]:
    """A class of a module, and those in its body."""
    if not isinstance(value, type) or value.__module__ != module:
        return
    yield path, value
    for name, member in list(vars(value).items()):
        if isinstance(member, type) and member is not value and member.__qualname__ == f"{value.__qualname__}.{name}":
            yield from classes_in(f"{path}.{name}", member, module)


def class_at(namespace: dict[str, Any], path: str) -> type | None:
    """The class at such a path today."""
    first, *names = path.split(".")
    found = namespace.get(first)
    for name in names:
        found = vars(found).get(name) if isinstance(found, type) else None
    return found if isinstance(found, type) else None


def is_made_by(module: str, value: Any) -> bool:
    """Whether a value is a function that a module's code has made: not one that it has imported from another one.

    A decorator that does not use ``functools.wraps`` gives one of its own module, which stands inside of a function there.
    """
    return type(value) is FunctionType and (value.__module__ == module or "<locals>" in value.__qualname__)


def functions_in(cls: type) -> Iterator[tuple[str, FunctionType]]:
    """The functions in the body of a class by name, those behind static and class methods, and of properties too."""
    for name, value in list(vars(cls).items()):
        if type(value) is property:
            accessors = (("fget", value.fget), ("fset", value.fset), ("fdel", value.fdel))
            yield from ((f"{name}.{part}", function) for part, function in accessors if type(function) is FunctionType)
            continue
        function = getattr(value, "__func__", value)
        if type(function) is FunctionType:
            yield name, function


def functions_of(module: str, namespace: dict[str, Any]) -> Iterator[FunctionType]:
    """The functions that a module has, its own and those of its classes, and what decorators have wrapped of them."""
    own = (value for value in list(namespace.values()) if callable(value))
    members = (function for _, cls in classes_of(module, namespace) for _, function in functions_in(cls))
    for function in (*own, *members):
        inner = getattr(function, "__dict__", {}).get("__wrapped__")
        for each in (function, inner):
            if type(each) is FunctionType and each.__module__ == module:
                yield each


def parts_of_code(module: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """What belongs to a module's functions and classes: default values, wrapped functions, descriptors; by their paths."""
    known = _parts.get(module)
    if known is None or not known[0].is_of(namespace):
        found: dict[str, Any] = {}
        for key, value in list(namespace.items()):
            if type(value) is FunctionType and not key.startswith("__"):
                found.update(_parts_of_function(key, value))
        for path, cls in classes_of(module, namespace):
            for name, function in functions_in(cls):
                if "<locals>" not in function.__qualname__:
                    found.update(_parts_of_function(f"{path}.{name}", function))
            found.update((f"{path}.__dict__.{attribute}", each) for attribute, each in descriptors(cls))
        known = _parts[module] = (Extent(namespace), found)
    return known[1]


def _parts_of_function(path: str, function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The containers and objects of the user's own among its default values; what decorators have wrapped, one in the other, with
    theirs."""
    yield from _mutable_defaults(path, function)
    seen = {function}
    wrapped = function.__dict__.get("__wrapped__")
    while type(wrapped) is FunctionType and wrapped not in seen:
        seen.add(wrapped)
        path += ".__wrapped__"
        yield path, wrapped
        yield from _mutable_defaults(path, wrapped)
        wrapped = wrapped.__dict__.get("__wrapped__")


def descriptors(cls: type) -> Iterator[tuple[str, Any]]:
    """The descriptors of a class whose own class is written in Python: they are part of the code."""
    for name, value in list(vars(cls).items()):
        kind = type(value)
        is_descriptor = hasattr(kind, "__get__") or hasattr(kind, "__set__")
        if is_descriptor and kind.__flags__ & _HEAP_TYPE and not isinstance(value, type):
            yield name, value


def default_values(path: str, function: FunctionType) -> Iterator[tuple[str, Any]]:
    """The default values of a function, which all its calls share, by their paths."""
    for i, default in enumerate(function.__defaults__ or ()):
        yield f"{path}.__defaults__.{i}", default
    for key, default in (function.__kwdefaults__ or {}).items():
        yield f"{path}.__kwdefaults__.{key}", default


def _mutable_defaults(path: str, function: FunctionType) -> Iterator[tuple[str, Any]]:
    return (each for each in default_values(path, function) if type(each[1]) in (list, dict, set) or is_own_object(each[1]))


def is_default(path: str) -> bool:
    """Whether a part of code is a default value."""
    return path.split(".")[-2:-1] in (["__defaults__"], ["__kwdefaults__"])


def is_own_object(value: Any) -> bool:
    """Whether it is an object of one of the user's own classes, which can be given the state of another."""
    kind = type(value)
    return kind.__flags__ & _HEAP_TYPE != 0 and not is_of_library(str(kind.__module__)) and is_filled_by_state(kind)
