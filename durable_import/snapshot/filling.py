"""Objects of classes that have changed, filled by the names of what they held: new fields get their defaults.

Nothing of the class's own runs, but a ``__setstate__``, which wins, default factories, and converters of attrs.
"""

from __future__ import annotations

import sys
from types import MemberDescriptorType
from typing import Any, NamedTuple

from ..errors import DataChangedError
from ..upgrades.fields import Field, fields_of, is_model, is_named_tuple, is_struct, own_setter
from ..upgrades.renames import new_member, said
from .definitions.definition_lines import line_of_class
from .load_context import current


class Form(NamedTuple):
    """What is to be known of a class to fill its objects. ``names``: those that what they hold has today, if another one."""

    fields: dict[str, Field]
    new: list[Field]
    names: dict[str, str]
    setter: Any  # a ``__setstate__`` that somebody has written
    is_model: bool
    has_generated: bool  # a ``__setstate__`` of attrs, which takes what the class has


def form_of(cls: Any) -> Form:
    """That of a class; made once in a reading."""
    forms = current().forms
    form = forms.get(cls)
    if form is None:
        form = forms[cls] = _form(cls)
    return form


def _form(cls: Any) -> Form:
    fields, before = fields_of(cls), current().changed.get(cls)
    names: dict[str, str] = {}
    for base in cls.__mro__[:-1] if said() else ():
        for name in {old.rpartition(".")[2] for old in said()}.difference(fields_of(base)):
            place = new_member(base.__module__, base.__qualname__, name)
            if place is not None:
                names.setdefault(name, place[1].rpartition(".")[2])
    known = {names.get(name, name) for name in before or ()}
    new = [field for field in fields.values() if field.name not in known]
    has_generated = "__attrs_attrs__" in dir(cls) and hasattr(cls, "__setstate__")
    return Form(fields, new, names, own_setter(cls), is_model(cls), has_generated)


def fill(instance: Any, state: Any) -> None:
    """Give an object what it had, by name, and the fields that are new in its class. A ``__setstate__`` of the class wins."""
    cls: Any = type(instance)
    form = form_of(cls)
    if form.setter is not None:
        if state is not None:
            form.setter(instance, state)
        return
    saved = {form.names.get(name, name): value for name, value in _attributes(cls, state).items()}
    if form.is_model:
        _fill_model(instance, form, saved, state)
    elif form.has_generated:
        cls.__setstate__(instance, saved)
    else:
        for name, value in saved.items():
            put(instance, name, value)
    complete(instance)


def complete(instance: Any) -> None:
    """Give an object that has what it had the fields that are new in its class."""
    form = form_of(type(instance))
    if form.setter is None and not form.is_model:
        for field in form.new:
            if not _has(instance, field.name):
                give(instance, field)


def give(instance: Any, field: Field) -> None:
    """Give an object a field that it does not have; what has no default is an error when all is read."""
    if field.default is not None:
        put(instance, field.name, default_of(instance, field))
    elif field.is_needed:
        current().lacks(instance, field.name)


def default_of(instance: Any, field: Field) -> Any:
    """The default of a field; what its factory raises says where that was."""
    assert field.default is not None
    try:
        return field.default(instance)
    except Exception as error:
        filename, lineno = line_of_class(type(instance))
        error.add_note(f"raised for the new field {field.name!r} of {type(instance).__qualname__} ({filename}:{lineno})")
        raise


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
    if isinstance(state, list | tuple):  # of frozen slots, once; an earlier snapshot does not say which these are
        names = before if before is not None else tuple(fields_of(cls))
        if len(state) == len(names):
            return dict(zip(names, state, strict=True))
    raise misfit(cls, f"a {cls.__qualname__} with a state of its own making", "it has no __setstate__")


def _fill_model(instance: Any, form: Form, saved: dict[str, Any], state: Any) -> None:
    """A model of pydantic: what it has no field for is extra, if it takes that."""
    cls: Any = type(instance)
    was_model = isinstance(state, dict) and "__pydantic_fields_set__" in state
    set_then = {form.names.get(name, name) for name in (state["__pydantic_fields_set__"] if was_model else saved)}
    public, private = cls.__pydantic_fields__, cls.__private_attributes__
    beside = [name for name in (state["__dict__"] if was_model else saved) if name in saved and name not in {*public, *private}]
    cached = [name for name in beside if name[:1] == "_" or hasattr(cls, name)]  # properties, notes of libraries
    held: dict[str, Any] = {name: saved[name] for name in cached}
    for field in form.fields.values():
        if field.name in saved:
            held[field.name] = saved[field.name]
        elif field.default is not None and (field.name not in private or field in form.new):
            vars(instance).update(held)  # a default may be made of the fields before it
            held[field.name] = default_of(instance, field)
        elif field.is_needed and field in form.new:
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
        raise misfit(cls, f"a {cls.__qualname__} of {len(values)} values")
    form = form_of(cls)
    saved = {form.names.get(name, name): value for name, value in zip(before, values, strict=True)}
    missing = []
    for field in form.fields.values():
        if field.name not in saved:
            saved[field.name] = None if field.default is None else field.default(None)
            missing += [] if field.default is not None else [field.name]
    made = tuple.__new__(cls, [saved[name] for name in cls._fields])
    for name in missing:
        current().lacks(made, name)
    return made


def misfit(cls: Any, what: str, why: object = "it is of another kind") -> DataChangedError:
    """The error for objects that the class of today cannot have."""
    filename, lineno = line_of_class(cls)
    return DataChangedError(
        f"{filename}:{lineno}: the saved state has {what}, which the class of today cannot have: {why}. Give it a "
        "__setstate__, or put the old class back, and resume again; the saved state is kept.",
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
