"""Reducer for classes that cannot be found by name (local ones): saved by value, in two steps.

First an empty skeleton (metaclass, name, bases, slots), which the pickle memo knows from then on; then everything in
the class's ``__dict__``. So a class may be reached from its own methods (``__class__`` cells, closures) and instances.
Nothing of the user's runs on restore: no metaclass's ``__new__``, no ``__init_subclass__``, no ``__set_name__``.
Enums, named tuples and dataclasses, whose insides differ between Python versions, are made again (``class_recipes``).

Functions found inside are left to the pickler's function reducer. Not supported: metaclasses written in C.
"""

from __future__ import annotations

import abc
import enum
import types
import typing
from pickle import PicklingError
from typing import Any

from durable_import.pythons.classes import implied, is_implied, is_made_by_type
from durable_import.pythons.library import abc_dump, abc_init
from durable_import.pythons.typed_protocols import attributes_of_protocol, complete_protocol, is_hook
from durable_import.snapshot.definitions import class_recipes
from durable_import.snapshot.definitions.annotations import LATE_ATTRIBUTES, attributes_today
from durable_import.snapshot.load_context import later
from durable_import.snapshot.names import is_found_by_name, is_ours, reference_to

_ANY = typing.TypeVar("_ANY")
_HEAP_TYPE = 1 << 9
_NOT_STATE = frozenset({"__module__", "__slots__", "_abc_impl"})
_NAMED_IN_TYPES = {cls: name for name, cls in vars(types).items() if isinstance(cls, type)}
_SINGLETON_TYPES = frozenset({type(None), type(NotImplemented), type(...)})


def reduce_class(cls: type) -> Any:
    """A class by value; NotImplemented for one that is found by its name."""
    if is_ours(cls):
        return reference_to(cls)
    if is_found_by_name(cls):
        return NotImplemented
    if cls in _SINGLETON_TYPES:
        return NotImplemented
    if cls in _NAMED_IN_TYPES:
        return type_of_interpreter, (_NAMED_IN_TYPES[cls],)
    if not cls.__flags__ & _HEAP_TYPE:
        raise PicklingError(f"{cls!r} is built into the interpreter and has no name to find it by")
    if issubclass(cls, enum.Enum):
        return class_recipes.reduce_enum(cls)
    if class_recipes.is_namedtuple(cls):
        return class_recipes.reduce_namedtuple(cls)
    meta = type(cls)
    if any(base not in (type, object) and not base.__flags__ & _HEAP_TYPE for base in meta.__mro__):
        raise PicklingError(f"{cls!r} is a local class whose metaclass is written in C; define it at module level")
    made = (meta, cls.__name__, cls.__qualname__, cls.__module__, cls.__bases__, vars(cls).get("__slots__"))
    return make_class, made, _class_state(cls), None, None, fill_class


def type_of_interpreter(name: str) -> Any:
    """A class such as that of functions, under its name in ``types``."""
    return getattr(types, name)


def make_class(meta: type[Any], name: str, qualname: str, module: str, bases: tuple[type, ...], slots: Any) -> type:
    """The skeleton: a class without attributes."""
    namespace: dict[str, Any] = {"__module__": module, "__qualname__": qualname}
    if slots is not None:
        namespace["__slots__"] = slots
    cls = _bare_class(meta, name, bases, namespace)
    if isinstance(cls, abc.ABCMeta):
        abc_init(cls)  # the part of ABCMeta.__new__ after type.__new__
    return cls


class _QuietWithDict:
    """Stands first among the bases for a moment, so that nobody else's ``__init_subclass__`` is called."""

    def __init_subclass__(cls, **_: Any) -> None:
        pass


class _Quiet:
    """The same for a class without ``__dict__``, whose layout must match."""

    __slots__ = ()

    def __init_subclass__(cls, **_: Any) -> None:
        pass


def _bare_class(meta: type[Any], name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> type:
    above = [cls for base in bases for cls in base.__mro__ if cls is not object]
    if any("__init_subclass__" in vars(cls) for cls in above):
        for quiet in (_QuietWithDict, _Quiet):
            cls: type = type.__new__(meta, name, (quiet, *bases), dict(namespace))
            try:
                cls.__bases__ = bases
            except TypeError:  # the layouts differ
                continue
            return cls
    if typing.Generic in bases:  # its layout is C's from Python 3.12 on, and it asks for its parameters
        namespace = namespace | {"__orig_bases__": (typing.Generic[_ANY],)}  # type: ignore[index]
    bare: type = type.__new__(meta, name, bases, namespace)
    return bare


def _virtual_subclasses(cls: type) -> list[type]:
    if not isinstance(cls, abc.ABCMeta):
        return []
    references = abc_dump(cls)[0]
    return sorted((x for x in (r() for r in references) if x is not None), key=lambda x: x.__qualname__)


def _class_state(cls: type) -> tuple[Any, ...]:
    """Attributes, how to make it a dataclass (or None), and the registered subclasses of an ABC."""
    attributes = {name: value for name, value in vars(cls).items() if not _belongs_to_skeleton(cls, name, value)}
    recipe = None
    if "__dataclass_fields__" in attributes:
        recipe = class_recipes.take_dataclass(cls, attributes)
    return attributes, recipe, _virtual_subclasses(cls)


def _belongs_to_skeleton(cls: type, name: str, value: Any) -> bool:
    return name in _NOT_STATE or is_made_by_type(cls, name, value) or is_implied(cls, name, value) or is_hook(name, value)


def fill_class(cls: type, state: tuple[Any, ...]) -> None:
    """Give the skeleton its attributes."""
    attributes, recipe, subclasses = state
    attributes = implied(cls) | attributes_of_protocol(cls, attributes_today(cls, attributes))
    late = {name: attributes.pop(name) for name in LATE_ATTRIBUTES if name in attributes}
    for name, value in attributes.items():
        type.__setattr__(cls, name, value)
    if recipe is not None:
        class_recipes.make_dataclass(cls, *recipe)
    for name, value in late.items():
        type.__setattr__(cls, name, value)
    later(complete_protocol, cls)
    for subclass in subclasses:
        abc.ABCMeta.register(cls, subclass)  # type: ignore[arg-type]
