"""Structs of msgspec by the names of their fields: msgspec itself saves most of them by the order of these.

A struct cannot be made without its fields, so its class is called with them, as msgspec does. What msgspec saved until now,
by order or by name, still opens. A ``__reduce__`` of the class's own is left to pickle.
"""

from __future__ import annotations

import sys
from operator import attrgetter
from typing import Any

from durable_import.snapshot.definitions.fields import field_without_default
from durable_import.snapshot.renames import new_member


def reduce_struct(struct: Any) -> Any:
    """A struct by its class, the names of its fields, and what they hold."""
    cls: Any = type(struct)
    base: Any = sys.modules["msgspec"].Struct
    if cls.__reduce__ is not base.__reduce__ or cls.__reduce_ex__ is not base.__reduce_ex__:
        return NotImplemented
    names = cls.__struct_fields__
    return restore_struct, (cls, names, tuple(getattr(struct, name) for name in names))


def restore_struct(cls: Any, names: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """A struct of the class of today: new fields get their defaults, those that are gone are dropped. Raises DataChangedError."""
    saved = dict(zip(names, values, strict=True))
    if cls.__struct_fields__ != names:
        saved = {_name_today(cls, name): value for name, value in saved.items()}
    known = {name: saved[name] for name in cls.__struct_fields__ if name in saved}
    set_state = getattr(cls, "__setstate__", None)
    if len(known) < len(cls.__struct_fields__):
        for name in _needed(cls):
            if name not in known and set_state is None:
                raise field_without_default(cls, name)
            known.setdefault(name, None)  # until its ``__setstate__`` says
    made = cls(**known)
    if set_state is not None:
        set_state(made, saved)
    return made


def _name_today(cls: Any, name: str) -> str:
    place = None if name in cls.__struct_fields__ else new_member(cls.__module__, cls.__qualname__, name)
    return name if place is None else place[1].rpartition(".")[2]


def _needed(cls: Any) -> list[str]:
    """The fields that have no default."""
    return list(map(attrgetter("name"), filter(attrgetter("required"), sys.modules["msgspec"].structs.fields(cls))))
