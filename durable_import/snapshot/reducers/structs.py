"""Structs of msgspec, which has no way to save those with a ``__dict__``, or in a circle.

Most are saved as msgspec does it, by the order of their fields, which the snapshot names with the class. Others are a copy of an
empty one of their class, which is filled: so they may be in a circle, and ``__post_init__`` does not run once more. What was
saved until now still opens. A ``__reduce__`` of the class's own is left to pickle.
"""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from durable_import.snapshot.declared import reference_of
from durable_import.snapshot.filling import fill, form_of, give
from durable_import.upgrades.fields import is_struct

State = tuple[tuple[str, ...], tuple[Any, ...], dict[str, Any] | None]


def reducer_for(cls: Any) -> Callable[[Any], Any] | None:
    """How structs of a class are saved, or None for what msgspec itself does: by order, and it is known if the fields change.

    That is right if the class says all that there is to restore its structs.
    """
    try:
        is_by_order = _empty_of(cls).__reduce__()[0] is cls
    except TypeError:  # it cannot be made in another way than msgspec's
        return None
    has_own = hasattr(cls, "__post_init__") or hasattr(cls, "__setstate__") or cls.__dictoffset__ or reference_of(cls) is None
    return None if is_by_order and not has_own else reduce_by_name


def reduce_by_name(struct: Any) -> Any:
    """A struct by its class, the names of its fields, what they hold, and its other attributes if it has some.

    It may be in a circle. NotImplemented for a class with a way of its own.
    """
    cls: Any = type(struct)
    base: Any = sys.modules["msgspec"].Struct
    if cls.__reduce__ is not base.__reduce__ or cls.__reduce_ex__ is not base.__reduce_ex__:
        return NotImplemented
    names = cls.__struct_fields__
    state = names, tuple(getattr(struct, name) for name in names), getattr(struct, "__dict__", None) or None
    return new_struct, (cls,), state, None, None, fill_struct


def new_struct(cls: Any) -> Any:
    """A struct whose fields hold nothing of worth yet."""
    return copy.copy(_empty_of(cls)) if is_struct(cls) else object.__new__(cls)


@lru_cache(maxsize=256)
def _empty_of(cls: Any) -> Any:
    """It is made by a class derived from its own, so that nothing of the user's runs; with lists, so that it is collected."""
    made = type(cls)(cls.__name__, (_quiet(), cls), {"__module__": cls.__module__, "__post_init__": lambda _: None})
    empty = made(**{name: [] for name in cls.__struct_fields__})
    _set(empty, "__class__", cls)
    return empty


@lru_cache(maxsize=1)
def _quiet() -> Any:
    """A first base, so that nobody else's ``__init_subclass__`` is called."""
    base: Any = sys.modules["msgspec"].Struct
    quiet = {"__module__": __name__, "__init_subclass__": classmethod(lambda _, **__: None)}
    return type(base)("Quiet", (base,), quiet)


def _set(struct: Any, name: str, value: Any) -> None:
    sys.modules["msgspec"].structs.force_setattr(struct, name, value)


def fill_struct(struct: Any, state: State) -> None:
    """Give a struct what it had, by name; new fields get their defaults, those that are gone are dropped."""
    cls: Any = type(struct)
    names, values, others = state
    saved = dict(zip(names, values, strict=True))
    if not is_struct(cls):
        fill(struct, saved | (others or {}))
        return
    if cls.__struct_fields__ != names:
        saved = {form_of(cls).names.get(name, name): value for name, value in saved.items()}
    set_state = getattr(cls, "__setstate__", None)
    for name in cls.__struct_fields__:
        if name in saved:
            _set(struct, name, saved[name])
        elif set_state is not None:
            _set(struct, name, None)  # until it says
        else:
            give(struct, form_of(cls).fields[name])
    if others:
        vars(struct).update(others)
    if set_state is not None:
        set_state(struct, saved)


def restore_struct(cls: Any, names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """A struct of the class of today by what it had, and the names of its fields then."""
    made = new_struct(cls)
    fill_struct(made, (names, values, None))
    return made
