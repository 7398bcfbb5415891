"""Classes of the program with declared fields: the snapshot names the fields of each, with their types.

So it is known at load which classes have changed. Their objects are read *carefully* (see ``careful``): each is filled by the
names of its fields, new ones get their defaults, and one that has none is an error when all is read. A class with a
``__setstate__`` or ``__reduce__`` of its own sees to that itself. All this costs a snapshot two short strings a class.
"""

from __future__ import annotations

import sys
from functools import reduce
from importlib import import_module
from types import MemberDescriptorType
from typing import Any

from ..errors import DataChangedError
from ..log import logger
from ..upgrades.data import compare, saved_class
from ..upgrades.fields import Field, fields_of, is_filled_by_name, is_model, is_named_tuple, is_struct, layout_of, own_setter
from .definitions.classes import reduce_class
from .definitions.definition_lines import line_of_class
from .load_context import ReadsCarefullyError, current
from .names import CONSTANTS, is_found_by_name, is_ours
from .renames import gone, is_about, new_member, new_place

Reference = tuple[str, str, str, str]  # module, name, fields, and their types behind how objects are laid out
_known: dict[type, Reference | None] = {}
_reduced: dict[type, Any] = {}  # of those that were found by their names
_told: set[tuple[type, str, str | None]] = set()
FORMERLY = ("dict", "model")  # the layouts of classes of which a snapshot says the fields alone


def reduce_declared(cls: type) -> Any:
    """A class that is found by its name with the names of its fields, another one as it is."""
    known = _reduced.get(cls)
    if known is not None and is_found_by_name(cls):
        return known
    if is_ours(cls):
        return reduce_class(cls)
    generic = getattr(cls, "__pydantic_generic_metadata__", None)
    if generic and generic["origin"]:
        reference = reference_of(cls)
        if reference is not None:
            return class_with_arguments, (generic["origin"], generic["args"], *reference[2:])
    if not is_found_by_name(cls):
        return reduce_class(cls)
    reference = reference_of(cls)
    found = _reduced[cls] = NotImplemented if reference is None else (class_with_fields, reference)
    return found


def reference_of(cls: type) -> Reference | None:
    """What a snapshot says of a class; None if it has no fields, or objects are restored in a way of its own."""
    try:
        return _known[cls]
    except KeyError:
        made = _known[cls] = _reference(cls)
        if made is not None:
            CONSTANTS.add(id(made))
        return made


def _reference(cls: type) -> Reference | None:
    module = cls.__module__
    if module != "__main__" and module.partition(".")[0] in sys.stdlib_module_names:
        return None
    fields = fields_of(cls)
    if not fields or not is_filled_by_name(cls):
        return None
    kinds = [layout_of(cls), *(field.kind for field in fields.values())]
    return module, cls.__qualname__, " ".join(fields), "\n".join(kinds)


def class_with_fields(module: str, name: str, fields: str, kinds: str | None = None) -> Any:
    """The class of a name today; ``fields``: those that it had, ``kinds`` is not in older snapshots.

    Raises ReadsCarefullyError if objects cannot be restored as they were saved.
    """
    cls = find_by_name(module, name)
    return _noted(cls, fields, kinds) if isinstance(cls, type) else cls


def class_with_arguments(origin: Any, arguments: Any, fields: str, kinds: str) -> Any:
    """A generic model of pydantic with the types that it is for; it has no name by which it could be found."""
    return _noted(origin[arguments], fields, kinds)


def _noted(cls: type, fields: str, kinds: str | None) -> type:
    today = reference_of(cls)
    if today is not None and today[2:] == (fields, kinds):
        return cls
    _tell(cls, fields, kinds)
    if not _is_as_saved(cls, today, fields, kinds):
        context = current()
        if not context.is_careful:
            raise ReadsCarefullyError
        context.changed[cls] = tuple(fields.split())
    return cls


def _tell(cls: type, fields: str, kinds: str | None) -> None:
    """Log how a class has changed, once for each form that it had."""
    if (cls, fields, kinds) not in _told:
        _told.add((cls, fields, kinds))
        change = compare(saved_class(cls.__module__, cls.__qualname__, fields, kinds), cls)
        if change.said:
            filename, lineno = line_of_class(cls)
            logger.info("%s:%d: a class has changed since it was saved: %s", filename, lineno, change)


def _is_as_saved(cls: type, today: Reference | None, fields: str, kinds: str | None) -> bool:
    """Whether objects of a class are restored by what is in the snapshot alone."""
    if own_setter(cls) is not None:
        return not is_struct(cls)  # msgspec makes one of its fields, and does not know of it
    if today is None or today[2] != fields:
        return False
    layout = today[3].partition("\n")[0]
    return layout == kinds.partition("\n")[0] if kinds is not None else layout in FORMERLY


def check_unnamed(cls: type) -> None:
    """A snapshot names a class without fields: it had none, or it is an old one. Raises ReadsCarefullyError if it has some."""
    if reference_of(cls) is None and not has_new_members(cls):
        return
    context = current()
    if not context.is_careful:
        raise ReadsCarefullyError
    context.changed.setdefault(cls, None)


def has_new_members(cls: type) -> bool:
    """Whether the program has said new names of what objects of a class hold."""
    return new_member(cls.__module__, cls.__qualname__, None) is not None and is_filled_by_name(cls)


def find_by_name(module: str, name: str) -> Any:
    """What a module has under a name, or under the one that was said to be its name today."""
    try:
        return reduce(getattr, name.split("."), import_module(module))
    except (AttributeError, ModuleNotFoundError) as error:
        today = new_place(module, name)
        if today == (module, name) and is_about(error, module):
            raise gone(module, name, error) from error
        if today == (module, name):
            raise
        return reduce(getattr, today[1].split("."), import_module(today[0]))


# --- objects of classes that have changed ----------------------------------------------------------------------------


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
