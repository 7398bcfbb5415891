"""Classes of the program with declared fields (dataclasses, attrs, pydantic): the snapshot names the fields of each.

So it is known at load which fields are new: they get their defaults, in the objects that the unpickler has made. A class with a
``__setstate__`` or ``__reduce__`` of its own sees to that itself. All this costs a snapshot one short string a class.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from functools import reduce
from importlib import import_module
from typing import Any, NamedTuple

from durable_import.errors import DataChangedError
from durable_import.snapshot.definitions.definition_lines import line_of_class
from durable_import.snapshot.load_context import current
from durable_import.snapshot.names import CONSTANTS
from durable_import.snapshot.renames import gone, is_about, new_place

_GENERATING = ("dataclasses", "attr", "pydantic")  # whose classes may have a generated ``__setstate__``
_References = tuple[Any, tuple[str, str, str]]
_references: dict[type, _References | None] = {}


class _Field(NamedTuple):
    """``missing``: no default, but ``__init__`` asks for a value."""

    name: str
    missing: bool
    field: Any


def reduce_with_fields(cls: type) -> Any:
    """A class that is found by its name, with the names of its fields, or NotImplemented."""
    try:
        known = _references[cls]
    except KeyError:
        known = _references[cls] = _reference(cls)
    return NotImplemented if known is None else known


def _reference(cls: type) -> _References | None:
    module = cls.__module__
    if module != "__main__" and module.partition(".")[0] in sys.stdlib_module_names:
        return None
    if not _fields_of(cls) or not _is_filled_here(cls):
        return None
    args = module, cls.__qualname__, " ".join(_fields_of(cls))
    CONSTANTS.add(id(args))
    return class_with_fields, args


def _is_filled_here(cls: Any) -> bool:
    """Whether nobody but this package, and who has generated the class, sees to what its objects are restored from."""
    setter = getattr(cls, "__setstate__", None)
    own_setter = setter is not None and str(getattr(setter, "__module__", "")).partition(".")[0] not in _GENERATING
    return not own_setter and cls.__reduce_ex__ is object.__reduce_ex__ and cls.__reduce__ is object.__reduce__


def _fields_of(cls: Any) -> dict[str, _Field]:
    """The fields of a class today, by name."""
    if isinstance(vars(cls).get("__pydantic_fields__"), dict):
        return {name: _Field(name, field.is_required(), field) for name, field in vars(cls)["__pydantic_fields__"].items()}
    if dataclasses.is_dataclass(cls):
        asks = _is_generated(getattr(cls, "__init__", None))
        return {f.name: _Field(f.name, asks and f.init and _has_no_default(f), f) for f in dataclasses.fields(cls)}
    if "__attrs_attrs__" in vars(cls):
        nothing = sys.modules["attr"].NOTHING
        asks = _is_generated(cls.__init__)
        return {f.name: _Field(f.name, asks and f.init and f.default is nothing, f) for f in cls.__attrs_attrs__}
    return {}


def _is_generated(init: Any) -> bool:
    return getattr(getattr(init, "__code__", None), "co_filename", "").startswith(("<string>", "<attrs generated"))


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def class_with_fields(module: str, name: str, fields: str) -> Any:
    """The class of a name today; ``fields``: those that it had. The reading is told of new ones."""
    cls = find_by_name(module, name)
    if isinstance(cls, type) and _is_filled_here(cls):
        before = frozenset(fields.split())
        new = [field for field in _fields_of(cls).values() if field.name not in before]
        if new:
            current().new_fields[cls] = new
    return cls


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


def give_new_fields(objects: Iterable[Any]) -> None:
    """Give those objects that have been read the fields that are new in their classes. Raises DataChangedError."""
    new_fields = current().new_fields
    for instance in objects:
        for field in new_fields.get(type(instance), ()):
            if not _has(instance, field.name):
                _give(instance, field)


def _has(instance: Any, name: str) -> bool:
    if name in getattr(instance, "__dict__", ()):
        return True
    descriptor = next((vars(cls)[name] for cls in type(instance).__mro__ if name in vars(cls)), None)
    if type(descriptor).__name__ != "member_descriptor":
        return False
    try:
        object.__getattribute__(instance, name)
    except AttributeError:
        return False
    return True


def _give(instance: Any, field: _Field) -> None:
    cls = type(instance)
    if field.missing:
        raise field_without_default(cls, field.name)
    spec = field.field
    if "__pydantic_fields__" in vars(cls):  # a model, or a dataclass of pydantic's
        known = dict(getattr(instance, "__dict__", {}))
        value = spec.get_default(call_default_factory=True, validated_data=known)
        if hasattr(instance, "__dict__"):
            vars(instance)[field.name] = value
        else:
            object.__setattr__(instance, field.name, value)
    elif dataclasses.is_dataclass(cls):
        if spec.default_factory is not dataclasses.MISSING:
            object.__setattr__(instance, field.name, spec.default_factory())
        elif spec.default is not dataclasses.MISSING:
            object.__setattr__(instance, field.name, spec.default)
    elif "__attrs_attrs__" in vars(cls):
        attr = sys.modules["attr"]
        if isinstance(spec.default, attr.Factory):
            made = spec.default.factory(instance) if spec.default.takes_self else spec.default.factory()
            object.__setattr__(instance, field.name, made)
        elif spec.default is not attr.NOTHING:
            object.__setattr__(instance, field.name, spec.default)


def field_without_default(cls: Any, name: str) -> DataChangedError:
    """The error for objects that were saved without a field which the class of today needs."""
    filename, lineno = line_of_class(cls)
    return DataChangedError(
        f"{filename}:{lineno}: the saved state has objects of {cls.__qualname__} without the field {name!r}, which is "
        "new and has no default. Give the field a default, or the class a __setstate__ that sets it, and resume again; "
        "the saved state is kept.",
        filename=filename,
        lineno=lineno,
        name=f"{cls.__module__}:{cls.__qualname__}",
    )
