"""The declared fields of classes, as they are today: of dataclasses, attrs, pydantic, msgspec, and named tuples.

Nothing is imported for it: a class of a library that is not there does not exist.
"""

from __future__ import annotations

import ast
import copy
import copyreg
import dataclasses
import sys
import types
import typing
from collections import namedtuple
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

_HEAP_TYPE = 1 << 9
_GENERATING = ("dataclasses", "attr", "pydantic")  # whose classes may have a generated ``__setstate__``
_LONGEST = 60  # characters of a type
_GET_NEW_ARGS = namedtuple("Probe", "field").__getnewargs__.__code__  # type: ignore[attr-defined]
_NOTHING = object()


class Field(NamedTuple):
    """``kind``: its type, as text. ``is_needed``: it has no default, and each object that is made today has it."""

    name: str
    kind: str
    is_needed: bool
    default: Callable[[Any], Any] | None  # of an object that has its other fields


def fields_of(cls: Any) -> dict[str, Field]:
    """The fields of a class today, by name; empty for what declares none."""
    for base in cls.__mro__[:-1]:
        own = vars(base)
        if isinstance(own.get("__pydantic_fields__"), dict):
            return _of_pydantic(cls, own["__pydantic_fields__"])
        if "__dataclass_fields__" in own:
            return {field.name: _of_dataclass(cls, field) for field in dataclasses.fields(base)}
        if "__attrs_attrs__" in own:
            return {field.name: _of_attrs(cls, field) for field in own["__attrs_attrs__"]}
        if "__struct_fields__" in own and is_struct(cls):
            return _of_struct(cls)
        if "_field_defaults" in own and is_named_tuple(cls):
            return _of_named_tuple(base)
    return {}


def is_struct(cls: Any) -> bool:
    """Whether it is a class of msgspec."""
    return "msgspec" in sys.modules and issubclass(cls, sys.modules["msgspec"].Struct)


def is_named_tuple(cls: Any) -> bool:
    """Whether it is a named tuple, or derived from one."""
    return issubclass(cls, tuple) and isinstance(getattr(cls, "_fields", None), tuple)


def is_model(cls: Any) -> bool:
    """Whether it is a model of pydantic, not one of its dataclasses."""
    return hasattr(cls, "__pydantic_fields__") and hasattr(cls, "__private_attributes__")


def layout_of(cls: Any) -> str:
    """How objects of a class hold their fields, as far as what restores them differs."""
    if is_struct(cls):
        return "struct"
    if is_named_tuple(cls):
        return "tuple"
    if is_model(cls):
        return "model extra" if cls.model_config.get("extra") == "allow" else "model"
    slots = (value for base in cls.__mro__[:-1] for value in vars(base).values() if base.__flags__ & _HEAP_TYPE)
    return "slots" if any(type(value) is types.MemberDescriptorType for value in slots) else "dict"


def own_setter(cls: Any) -> Any:
    """The ``__setstate__`` that somebody has written for a class; None for a generated one, or one written in C."""
    for base in cls.__mro__[:-1]:
        if "__setstate__" in vars(base) and base.__flags__ & _HEAP_TYPE:
            setter = vars(base)["__setstate__"]
            is_generated = str(getattr(setter, "__module__", "")).partition(".")[0] in _GENERATING
            return None if is_generated else getattr(cls, "__setstate__")  # noqa: B009
    return None


def is_filled_by_name(cls: Any) -> bool:
    """Whether nobody has written a way of its own in which objects of a class are restored.

    What SQLAlchemy maps is filled by that: what an object does not have, a session loads.
    """
    if own_setter(cls) is not None or cls in copyreg.dispatch_table or hasattr(cls, "_sa_class_manager"):
        return False
    for base in cls.__mro__[:-1]:
        if base.__flags__ & _HEAP_TYPE and ("__reduce__" in vars(base) or "__reduce_ex__" in vars(base)):
            return False
        code = getattr(vars(base).get("__getnewargs__"), "__code__", _GET_NEW_ARGS)
        if code is not _GET_NEW_ARGS or "__getnewargs_ex__" in vars(base):
            return False
    return True


# --- of each kind ----------------------------------------------------------------------------------------------------


def _of_pydantic(cls: Any, fields: dict[str, Any]) -> dict[str, Field]:
    def default(spec: Any) -> Callable[[Any], Any]:
        return lambda instance: spec.get_default(
            call_default_factory=True, validated_data=dict(getattr(instance, "__dict__", {}))
        )

    found = {
        name: Field(name, kind_of(spec.annotation), spec.is_required(), None if spec.is_required() else default(spec))
        for name, spec in fields.items()
    }
    return found | {name: _of_private(cls, name, each) for name, each in getattr(cls, "__private_attributes__", {}).items()}


def _of_private(cls: Any, name: str, attribute: Any) -> Field:
    factory = attribute.default_factory
    if factory is not None:
        takes_data = getattr(attribute, "default_factory_takes_validated_data", False)
        return Field(name, "", False, lambda instance: factory(dict(vars(instance))) if takes_data else factory())
    if type(attribute.default).__name__ != "PydanticUndefinedType":
        return Field(name, "", False, lambda _: copy.deepcopy(attribute.default))
    heirs = cls.__mro__[: next(i for i, base in enumerate(cls.__mro__) if base.__module__.partition(".")[0] == "pydantic")]
    posts = (vars(base).get("model_post_init") for base in heirs)
    is_set = any(str(getattr(post, "__module__", "pydantic")).partition(".")[0] != "pydantic" for post in posts)
    return Field(name, "", is_set, None)


def _of_dataclass(cls: Any, field: dataclasses.Field[Any]) -> Field:
    default: Callable[[Any], Any] | None = None
    if field.default_factory is not dataclasses.MISSING:
        factory = field.default_factory
        default = lambda _: factory()  # noqa: E731
    elif field.default is not dataclasses.MISSING:
        value = field.default
        default = lambda _: value  # noqa: E731
    is_set = field.init or hasattr(cls, "__post_init__")
    return Field(field.name, kind_of(field.type), default is None and is_set and _is_asked_for(cls, field.name), default)


def _is_asked_for(cls: Any, name: str) -> bool:
    """Whether a generated ``__init__`` has a field: that of the class, or of a base that has the field too."""
    has_field = (b for b in cls.__mro__ if name in vars(b).get("__dataclass_fields__", ()) or "__attrs_attrs__" in vars(b))
    return any(_is_generated(vars(base).get("__init__")) for base in has_field)


def _is_generated(init: Any) -> bool:
    return getattr(getattr(init, "__code__", None), "co_filename", "").startswith(("<string>", "<attrs generated"))


def _of_attrs(cls: Any, field: Any) -> Field:
    attr = sys.modules["attr"]
    if field.default is attr.NOTHING:
        is_set = field.init or hasattr(cls, "__attrs_post_init__")
        return Field(field.name, kind_of(field.type), is_set and _is_asked_for(cls, field.name), None)

    def default(instance: Any) -> Any:
        made = field.default
        if isinstance(made, attr.Factory):
            made = made.factory(instance) if made.takes_self else made.factory()
        return _converted(instance, field, made)

    return Field(field.name, kind_of(field.type), False, default)


def _converted(instance: Any, field: Any, value: Any) -> Any:
    """A default as ``__init__`` of attrs sets it."""
    convert = field.converter
    if convert is None:
        return value
    if not hasattr(convert, "takes_self"):
        return convert(value)
    more = ([instance] if convert.takes_self else []) + ([field] if convert.takes_field else [])
    return convert.converter(value, *more)


def _of_struct(cls: Any) -> dict[str, Field]:
    names, nothing = cls.__struct_fields__, sys.modules["msgspec"].NODEFAULT
    defaults = dict(zip(reversed(names), reversed(cls.__struct_defaults__), strict=False))
    kinds = {name: kind for base in reversed(cls.__mro__) for name, kind in annotations_of(base).items()}

    def field(name: str) -> Field:
        value, default = defaults.get(name, nothing), None
        if value is not nothing:
            default = lambda _: value.factory() if type(value).__name__ == "Factory" else value  # noqa: E731
        return Field(name, kind_of(kinds.get(name, "")), default is None, default)

    return {name: field(name) for name in names}


def _of_named_tuple(base: Any) -> dict[str, Field]:
    kinds = annotations_of(base)

    def field(name: str) -> Field:
        value = base._field_defaults.get(name, _NOTHING)
        default = None if value is _NOTHING else lambda _: value
        return Field(name, kind_of(kinds.get(name, "")), default is None, default)

    return {name: field(name) for name in base._fields}


def annotations_of(cls: Any) -> dict[str, Any]:
    """The annotations in the body of a class; none if they mention what does not exist when the program runs."""
    try:
        return dict(vars(cls).get("__annotations__") or getattr(cls, "__annotations__", {}))
    except NameError:
        return {}


# --- types as text ---------------------------------------------------------------------------------------------------


def kind_of(annotation: Any) -> str:
    """A type as it would be written, the same in all versions of Python, and whether annotations are evaluated or not."""
    return _said(annotation).replace("\n", " ")[:_LONGEST]


def _said(annotation: Any) -> str:
    if annotation is None or annotation is type(None):
        return "None"
    if isinstance(annotation, typing.ForwardRef):
        annotation = annotation.__forward_arg__
    if isinstance(annotation, str):
        try:
            return ast.unparse(_Written().visit(ast.parse(annotation, mode="eval")))
        except SyntaxError:
            return annotation
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(map(_said, arguments))
    if origin is typing.Annotated:
        return _said(arguments[0])
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, arguments))}]"
    if origin is not None and arguments:
        return f"{_said(origin)}[{', '.join(map(_said, arguments))}]"
    if isinstance(annotation, list):  # the parameters of a callable
        return f"[{', '.join(map(_said, annotation))}]"
    if annotation is Ellipsis:
        return "..."
    name = getattr(annotation, "__qualname__", None) or getattr(annotation, "__name__", None) or repr(annotation)
    return name if " at 0x" not in name else type(annotation).__qualname__


class _Written(ast.NodeTransformer):
    """Makes of the text of a type what is said of the type itself."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return self.visit_Name(ast.Name(node.attr))

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Name(node.id.lower() if node.id in ("Dict", "FrozenSet", "List", "Set", "Tuple", "Type") else node.id)

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        self.generic_visit(node)
        name = getattr(node.value, "id", "")
        if name == "Annotated" and isinstance(node.slice, ast.Tuple):
            return node.slice.elts[0]
        if name not in ("Optional", "Union"):
            return node
        parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
        parts = [*parts, *([ast.Constant(None)] if name == "Optional" else [])]
        return reduce(lambda left, right: ast.BinOp(left, ast.BitOr(), right), parts)
