"""Objects of classes that have changed, filled by the names of what they held: new fields get their defaults.

Nothing of the class's own runs, but a ``__setstate__``, which wins, default factories, and converters of attrs.
"""

from __future__ import annotations

import sys
from types import MemberDescriptorType
from typing import Any

from ..errors import DataChangedError
from ..upgrades.fields import Field, fields_of, is_model, is_named_tuple, is_struct, own_setter
from .definitions.definition_lines import line_of_class
from .load_context import current
from .renames import new_member


def fill(instance: Any, state: Any) -> None:
    """Give an object what it had, by name, and the fields that are new in its class. A ``__setstate__`` of the class wins."""
    cls: Any = type(instance)
    setter = own_setter(cls)
    if setter is not None:
        if state is not None:
            setter(instance, state)
        return
    saved = {name_today(cls, name): value for name, value in _attributes(cls, state).items()}
    if is_model(cls):
        _fill_model(instance, saved, state)
    elif "__attrs_attrs__" in dir(cls) and hasattr(cls, "__setstate__"):
        cls.__setstate__(instance, saved)  # generated; it takes what the class has
    else:
        for name, value in saved.items():
            put(instance, name, value)
    complete(instance)


def complete(instance: Any) -> None:
    """Give an object that has what it had the fields that are new in its class."""
    cls: Any = type(instance)
    if own_setter(cls) is not None or is_model(cls):
        return
    before = current().changed.get(cls)
    known = None if before is None else {name_today(cls, name) for name in before}
    for field in fields_of(cls).values():
        if (known is None or field.name not in known) and not _has(instance, field.name):
            give(instance, field)


def give(instance: Any, field: Field) -> None:
    """Give an object a field that it does not have; what has no default is an error when all is read."""
    if field.default is not None:
        put(instance, field.name, field.default(instance))
    elif field.is_needed:
        current().lacks(instance, field.name)


def put(instance: Any, name: str, value: Any) -> None:
    """Set an attribute, past the class's own way. One that it has no place for any more is dropped."""
    cls: Any = type(instance)
    if is_struct(cls):
        sys.modules["msgspec"].structs.force_setattr(instance, name, value)
        return
    descriptor = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    if type(descriptor) is MemberDescriptorType:
        descriptor.__set__(instance, value)
    elif cls.__dictoffset__:
        object.__getattribute__(instance, "__dict__")[name] = value


def _has(instance: Any, name: str) -> bool:
    cls: Any = type(instance)
    if cls.__dictoffset__ and name in object.__getattribute__(instance, "__dict__"):
        return True
    descriptor = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)
    if type(descriptor) is not MemberDescriptorType:
        return False
    try:
        descriptor.__get__(instance)
    except AttributeError:
        return False
    return True


def name_today(cls: Any, name: str) -> str:
    """What a field of a class, or of one of its bases, is called now."""
    for base in cls.__mro__[:-1]:
        place = new_member(base.__module__, base.__qualname__, name)
        if place is not None and name not in fields_of(base):
            return place[1].rpartition(".")[2]
    return name


def _attributes(cls: Any, state: Any) -> dict[str, Any]:
    """What a state holds, by name. Raises DataChangedError for one of a class's own making."""
    if state is None:
        return {}
    if isinstance(state, dict):
        if "__pydantic_fields_set__" not in state:
            return state
        parts = (state["__dict__"], state.get("__pydantic_extra__"), state.get("__pydantic_private__"))
        return {name: value for part in parts for name, value in (part or {}).items()}
    before = current().changed.get(cls)
    if isinstance(state, tuple) and len(state) == 2 and all(part is None or isinstance(part, dict) for part in state):
        return {name: value for part in state for name, value in (part or {}).items()}
    if isinstance(state, list | tuple) and before is not None and len(state) == len(before):  # of frozen slots, once
        return dict(zip(before, state, strict=True))
    raise misfit(cls, f"{cls.__qualname__} with the state of a __getstate__, and it has no __setstate__ today")


def _fill_model(instance: Any, saved: dict[str, Any], state: Any) -> None:
    """A model of pydantic: what it has no field for is extra, if it takes that."""
    cls: Any = type(instance)
    before = current().changed.get(cls)
    was_model = isinstance(state, dict) and "__pydantic_fields_set__" in state
    set_then = {name_today(cls, name) for name in (state["__pydantic_fields_set__"] if was_model else saved)}
    public, private = cls.__pydantic_fields__, cls.__private_attributes__
    cached = {name for name in saved if name not in {*public, *private} and hasattr(cls, name)}
    held: dict[str, Any] = {name: saved[name] for name in cached}
    known = {name_today(cls, name) for name in before or ()}
    for field in fields_of(cls).values():
        if field.name in saved:
            held[field.name] = saved[field.name]
        elif field.default is not None and (field.name not in private or field.name not in known):
            vars(instance).update(held)  # a default may be made of the fields before it
            held[field.name] = field.default(instance)
        elif field.is_needed and field.name not in known:
            current().lacks(instance, field.name)
    is_extra = cls.model_config.get("extra") == "allow"
    more = {name: value for name, value in saved.items() if name not in {*public, *private, *cached}}
    cls.__setstate__(
        instance,
        {
            "__dict__": {name: value for name, value in held.items() if name not in private},
            "__pydantic_extra__": more if is_extra else None,
            "__pydantic_fields_set__": set_then & saved.keys() & public.keys(),
            "__pydantic_private__": {name: held[name] for name in private if name in held} if private else None,
        },
    )


def put_all(instance: Any, state: Any) -> None:
    """Give an object of a class without declared fields what it has a place for."""
    for name, value in _attributes(type(instance), state).items():
        put(instance, name, value)


def named_tuple(cls: Any, values: tuple[Any, ...]) -> Any:
    """A named tuple of the class of today. Raises DataChangedError for what cannot be one."""
    before = current().changed.get(cls)
    if before is None or len(before) != len(values):
        raise misfit(cls, f"{cls.__qualname__} with {len(values)} values")
    saved = {name_today(cls, name): value for name, value in zip(before, values, strict=True)}
    missing = []
    for field in fields_of(cls).values():
        if field.name not in saved:
            saved[field.name] = None if field.default is None else field.default(None)
            missing += [] if field.default is not None else [field.name]
    made = tuple.__new__(cls, [saved[name] for name in cls._fields])
    for name in missing:
        current().lacks(made, name)
    return made


def misfit(cls: Any, what: str) -> DataChangedError:
    """The error for objects that the class of today cannot have."""
    filename, lineno = line_of_class(cls)
    return DataChangedError(
        f"{filename}:{lineno}: the saved state has {what}: the class of today is of another kind. Give it a __setstate__, or put "
        "the old class back, and resume again; the saved state is kept.",
        filename=filename,
        lineno=lineno,
        name=f"{cls.__module__}:{cls.__qualname__}",
    )


def is_changed(cls: Any) -> bool:
    """Whether objects of a class are to be filled here."""
    return cls in current().changed and not is_named_tuple(cls)


def field_without_default(cls: Any, name: str, where: str = "") -> DataChangedError:
    """The error for objects that were saved without a field which the class of today needs; ``where``: what holds one."""
    filename, lineno = line_of_class(cls)
    return DataChangedError(
        f"{filename}:{lineno}: the saved state has objects of {cls.__qualname__} without the field {name!r}, which is "
        f"new and has no default{where}. Give the field a default, or the class a __setstate__ that sets it, and resume again; "
        "the saved state is kept.",
        filename=filename,
        lineno=lineno,
        name=f"{cls.__module__}:{cls.__qualname__}",
    )
