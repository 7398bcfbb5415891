"""What the interpreter itself puts into classes, in each version."""

from __future__ import annotations

import gc
import typing
import weakref
from types import CellType, FunctionType, GetSetDescriptorType, MemberDescriptorType
from typing import Any

# Since Python 3.15 these descriptors of all classes are the same objects, which belong to ``object``.
OF_EVERY_CLASS = ("__dict__", "__weakref__")
# What all typed dicts have since Python 3.15 unless they say otherwise.
OF_TYPED_DICTS: dict[str, Any] = (
    {"__closed__": None, "__extra_items__": vars(typing)["NoExtraItems"]} if hasattr(typing, "NoExtraItems") else {}
)
# What ``typing`` notes of protocols, in one version or another since 3.12.
_OF_PROTOCOLS = ("__protocol_attrs__", "__callable_proto_members_only__", "__non_callable_proto_members__")
_found: weakref.WeakValueDictionary[int, type] = weakref.WeakValueDictionary()  # by id of the namespace


def is_made_by_type(cls: type, name: str, value: Any) -> bool:
    """Whether an attribute is a descriptor that making the class makes: of a slot, or of what every instance has."""
    if not isinstance(value, MemberDescriptorType | GetSetDescriptorType):
        return False
    return value.__objclass__ is cls or name in OF_EVERY_CLASS


def is_implied(cls: type, name: str, value: Any) -> bool:
    """Whether an attribute is one that all classes of this kind have in this version, and others have not in earlier ones."""
    if name == "__subclasshook__":
        return _code_of(value) is _code_of(_HOOK)
    if name in _OF_PROTOCOLS:
        return typing.Protocol in cls.__mro__
    return name in OF_TYPED_DICTS and value is OF_TYPED_DICTS[name] and typing.is_typeddict(cls)


def implied(cls: type) -> dict[str, Any]:
    """The attributes that all classes of this kind have in this version."""
    if typing.Protocol in cls.__mro__:
        return {"__subclasshook__": _hook_of(cls)}
    return OF_TYPED_DICTS if typing.is_typeddict(cls) else {}


def complete(cls: type) -> None:
    """Let this version's ``typing`` note of a class, which has all its other attributes, what it notes of protocols."""
    if typing.Protocol not in cls.__bases__:
        return
    meta: Any = type(typing.Protocol)
    meta.__init__(cls, cls.__name__, cls.__bases__, {})
    if getattr(cls, "_is_runtime_protocol", False):
        typing.runtime_checkable(cls)


class _Protocol(typing.Protocol):
    pass


_HOOK: Any = vars(_Protocol)["__subclasshook__"]  # until 3.11 each class has its own, which captures it


def _code_of(function: Any) -> Any:
    return getattr(getattr(function, "__func__", function), "__code__", None)


def _hook_of(cls: type) -> Any:
    """What ``typing`` has a protocol's subclasses asked for with."""
    if not isinstance(_HOOK, FunctionType):
        return _HOOK
    cells = tuple(CellType(cls) for _ in _HOOK.__code__.co_freevars)
    return FunctionType(_HOOK.__code__, _HOOK.__globals__, _HOOK.__name__, None, cells)


def namespace_of(cls: type) -> dict[str, Any]:
    """The dict of a class itself, which ``vars`` only shows."""
    namespace: dict[str, Any] = gc.get_referents(vars(cls))[0]
    return namespace


def class_with(namespace: Any) -> type | None:
    """The class whose own dict this is; None if it is none's, or of one that is gone."""
    if not isinstance(namespace, dict) or "__module__" not in namespace or "__doc__" not in namespace or is_left_over(namespace):
        return None
    candidates = [_found.get(id(namespace)), *(getattr(namespace.get(name), "__objclass__", None) for name in OF_EVERY_CLASS)]
    cls = _owner_among(candidates, namespace) or _owner_among(gc.get_referrers(namespace), namespace)
    if cls is not None:
        _found[id(namespace)] = cls
    return cls


def _owner_among(candidates: list[Any], namespace: dict[str, Any]) -> type | None:
    return next((c for c in candidates if isinstance(c, type) and namespace_of(c) is namespace), None)


def is_left_over(namespace: dict[str, Any]) -> bool:
    """Whether it is that of a class which ``dataclass(slots=True)`` has made another one of."""
    parameters = namespace.get("__dataclass_params__")
    return getattr(parameters, "slots", False) and "__slots__" not in namespace


def named_by_user(namespace: dict[str, Any]) -> dict[str, Any]:
    """What a class has under names that are not Python's own."""
    return {name: value for name, value in namespace.items() if name[:2] != "__" or name[-2:] != "__"}
