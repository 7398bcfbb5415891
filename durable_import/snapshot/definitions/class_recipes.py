"""Local enums, named tuples and dataclasses: made again by the standard library of the restoring Python version."""

from __future__ import annotations

import collections
import dataclasses
import enum
import inspect
from types import FunctionType, MemberDescriptorType
from typing import Any

from durable_import.pythons.library import FIELD_CLASSVAR, AutoDocstring
from durable_import.pythons.versions import FIELDS_HAVE_DOCSTRINGS
from durable_import.snapshot.definitions.annotations import LATE_ATTRIBUTES, attributes_today
from durable_import.snapshot.load_context import later

# --- enums -----------------------------------------------------------------------------------------------------------

_ENUM_INSIDES = frozenset({
    "_member_names_", "_member_map_", "_value2member_map_", "_unhashable_values_", "_unhashable_values_map_",
    "_hashable_values_", "_member_type_", "_value_repr_", "_use_args_", "_boundary_", "_flag_mask_", "_singles_mask_",
    "_all_bits_", "_inverted_", "__module__", "__dict__", "__weakref__",
})  # fmt: skip


def reduce_enum(cls: type[enum.Enum]) -> tuple[Any, ...]:
    """An Enum or Flag by value: members first, then methods and what the members' own ``__init__`` gave them."""
    members = [(name, _content(cls, member)) for name, member in cls.__members__.items()]
    boundary = getattr(cls, "_boundary_", None)
    made = (type(cls), cls.__name__, cls.__qualname__, cls.__module__, cls.__bases__, boundary, members)
    attributes = {
        name: value
        for name, value in vars(cls).items()
        if name not in _ENUM_INSIDES and name not in cls.__members__ and not _is_of_enum(value)
    }
    inside = {m.name: {k: v for k, v in vars(m).items() if k != "__objclass__"} for m in cls}
    return make_enum, made, (attributes, inside), None, None, fill_enum


def _content(cls: Any, member: Any) -> Any:
    """What to make the member of: its value, unless it *is* a string or number of another content."""
    for kind, plain in ((str, str.__str__), (int, int.__int__), (float, float.__float__)):
        if cls._member_type_ is kind:
            return plain(member)
    return member._value_


def _is_of_enum(value: Any) -> bool:
    """Was it put there by the enum module, or by the mixed-in type?"""
    function = getattr(value, "__func__", value)
    if isinstance(function, FunctionType):
        return function.__module__ == "enum"
    return type(function) in (type(object.__new__), type(object.__repr__), type(str.join))


def make_enum(meta: Any, name: str, qualname: str, module: str, bases: Any, boundary: Any, members: list[tuple[str, Any]]) -> Any:
    """The class with its members, but without methods; none of the user's code runs."""
    namespace: Any = enum.EnumType.__prepare__(name, bases)
    namespace["__module__"] = module
    namespace["__qualname__"] = qualname
    for member, content in members:
        namespace[member] = content
    extra = {} if boundary is None else {"boundary": boundary}
    return enum.EnumType.__new__(meta, name, bases, namespace, **extra)


def fill_enum(cls: Any, state: tuple[dict[str, Any], dict[str, dict[str, Any]]]) -> None:
    """Give the class its methods and the members their attributes."""
    attributes, inside = state
    for name, value in attributes_today(cls, attributes).items():
        type.__setattr__(cls, name, value)
    for name, values in inside.items():
        member = cls._member_map_[name]
        if member._value_ != values["_value_"]:
            cls._value2member_map_.pop(member._value_, None)
            cls._value2member_map_[values["_value_"]] = member
        member.__dict__.update(values)


# --- named tuples ----------------------------------------------------------------------------------------------------


def is_namedtuple(cls: type) -> bool:
    """Was the class itself (not a base) made by ``namedtuple`` or ``NamedTuple``?"""
    return cls.__bases__ == (tuple,) and {"_fields", "_make", "__getnewargs__"} <= vars(cls).keys()


def reduce_namedtuple(cls: Any) -> tuple[Any, ...]:
    """A named tuple by value: fields and defaults first, then what the user added."""
    # Kept while it is looked at: of a class that nothing refers to the garbage collector empties the namespace.
    example = collections.namedtuple(cls.__name__, cls._fields)  # type: ignore[misc]
    plain = vars(example)
    attributes = {
        name: value
        for name, value in vars(cls).items()
        if name not in plain or name == "__doc__" or (isinstance(value, FunctionType) and not _is_generated(value))
    }
    made = (cls.__name__, cls.__qualname__, cls.__module__, cls._fields, tuple(cls._field_defaults.values()))
    return make_namedtuple, made, attributes, None, None, fill_namedtuple


def make_namedtuple(name: str, qualname: str, module: str, fields: tuple[str, ...], defaults: tuple[Any, ...]) -> Any:
    """The class without the user's methods."""
    cls = collections.namedtuple(name, fields, defaults=defaults, module=module)  # type: ignore[misc]
    cls.__qualname__ = qualname
    return cls


def fill_namedtuple(cls: Any, attributes: dict[str, Any]) -> None:
    """Add the user's methods and annotations."""
    for name, value in attributes_today(cls, attributes).items():
        setattr(cls, name, value)
    if not attributes.keys().isdisjoint(("__annotations__", *LATE_ATTRIBUTES)):
        later(_annotate_new, cls)


def _annotate_new(cls: Any) -> None:
    """Its ``__new__`` has the annotations of the class."""
    annotate = vars(cls).get("__annotate_func__")
    if annotate is None:
        cls.__new__.__annotations__ = cls.__annotations__
    else:
        cls.__new__.__annotate__ = annotate


# --- dataclasses -----------------------------------------------------------------------------------------------------

_GENERATED = (
    "__init__", "__repr__", "__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__hash__", "__setattr__", "__delattr__",
    "__replace__",
)  # fmt: skip
_FIELD_OPTIONS = ("default", "default_factory", "init", "repr", "hash", "compare", "kw_only", "doc")
_STDLIB = (collections.__file__, dataclasses.__file__)


def _is_generated(value: Any) -> bool:
    if not isinstance(value, FunctionType):
        return False
    function = inspect.unwrap(value)
    file = function.__code__.co_filename
    return file in _STDLIB or file.startswith(("<string>", "<frozen dataclasses", "<frozen collections"))


def take_dataclass(cls: Any, attributes: dict[str, Any]) -> tuple[Any, ...]:
    """Remove what ``dataclass`` made from ``attributes``; return its arguments and those of each own ``field``.

    Where annotations are evaluated late, also the types of these: no annotation is evaluated for it.
    """
    fields = attributes.pop("__dataclass_fields__")
    params = attributes.pop("__dataclass_params__")
    for name in _GENERATED:
        if name in attributes and (_is_generated(attributes[name]) or (name == "__hash__" and params.eq)):
            value = attributes[name]
            if value is None or _is_generated(value):
                del attributes[name]
    options = {name: getattr(params, name) for name in ("init", "repr", "eq", "order", "unsafe_hash", "frozen")}
    options["match_args"] = "__match_args__" in attributes
    if AutoDocstring is not None and isinstance(attributes.get("__doc__"), AutoDocstring):
        del attributes["__doc__"]
    inherited = {id(f) for base in cls.__mro__[1:] for f in vars(base).get("__dataclass_fields__", {}).values()}
    own = {name: f for name, f in fields.items() if id(f) not in inherited}
    made = options, {name: _field_options(f) for name, f in own.items() if _is_real_field(f)}
    return made if "__annotations__" in attributes else (*made, {name: f.type for name, f in own.items()})


def _is_real_field(field: Any) -> bool:
    return field._field_type is not FIELD_CLASSVAR


def _field_options(field: dataclasses.Field[Any]) -> dict[str, Any]:
    found = {name: getattr(field, name, None) for name in _FIELD_OPTIONS}
    found["metadata"] = dict(field.metadata) or None
    if found["doc"] is None:  # of fields since Python 3.14
        del found["doc"]
    return {name: value for name, value in found.items() if value is not dataclasses.MISSING}


def make_dataclass(
    cls: type, options: dict[str, bool], fields: dict[str, dict[str, Any]], types: dict[str, Any] | None = None
) -> None:
    """Let ``dataclass`` write the methods again, into this very class (``slots=True`` would make another).

    ``types``: of its own fields, where the class has no annotations yet.
    """
    before = vars(cls).get("__annotations__")
    if types is not None:
        type.__setattr__(cls, "__annotations__", types)
    slots = {name: value for name, value in vars(cls).items() if isinstance(value, MemberDescriptorType)}
    for name, field_options in fields.items():
        if not FIELDS_HAVE_DOCSTRINGS:
            field_options.pop("doc", None)
        type.__setattr__(cls, name, dataclasses.field(**field_options))
    dataclasses.dataclass(**options)(cls)
    if before is not None:
        type.__setattr__(cls, "__annotations__", before)
    elif types is not None:
        type.__delattr__(cls, "__annotations__")
    for name, descriptor in slots.items():
        type.__setattr__(cls, name, descriptor)
